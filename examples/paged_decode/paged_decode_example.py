"""Paged flash-decode of sequences of ragged lengths: how large should a page be?

One new token per sequence attends to the keys and values that its sequence keeps in pages of a
common pool. A task works on one page; a last one per sequence merges what the pages say.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1]))

import golden
from common.example import (
    MACHINE,
    Example,
    milliseconds,
    print_cycles,
    print_table,
    print_what_if,
    run_example,
)

from pto_wsp import (
    Dense,
    DType,
    In,
    Out,
    P,
    Program,
    Ragged,
    Scalar,
    Tensor,
    Tile,
    jit_kernel,
    tl,
    workload,
)

F16, F32 = DType.F16, DType.F32


@dataclass(frozen=True)
class Config:
    batch: int = 32
    heads: int = 32
    kv_heads: int = 8
    dim: int = 128
    context: int = 8192
    page: int = 512

    @property
    def most_pages(self) -> int:
        """Of a sequence."""
        return self.context // self.page


def lengths_of(c: Config) -> np.ndarray:
    """Few sequences are long: log-normal lengths, the longest as long as the context allows."""
    drawn = np.random.default_rng(0).lognormal(0.0, 0.7, c.batch)
    return np.maximum(drawn / drawn.max() * c.context, 1).astype(np.int32)


def tensors(c: Config) -> SimpleNamespace:
    lengths = lengths_of(c)
    pages = -(-lengths // c.page)
    # Pages in the order in which a server that fills many sequences at once would hand them out.
    order = np.random.default_rng(1).permutation(int(pages.sum())).astype(np.int32)
    table = np.zeros((c.batch, c.most_pages), np.int32)
    table[np.arange(c.most_pages) < pages[:, None]] = order
    pool = (len(order), c.kv_heads * c.page, c.dim)
    parts = (c.batch, c.most_pages * c.heads)

    def zeros(name: str, width: int) -> Tensor:
        return Tensor(data=np.zeros((*parts, width), np.float32), name=name)

    return SimpleNamespace(
        q=Tensor.random((c.batch, c.heads, c.dim), F16, name="q", scale=8.0),
        keys=Tensor.random(pool, F16, name="keys"),
        values=Tensor.random(pool, F16, name="values"),
        lengths=Tensor(data=lengths, name="lengths"),
        pages=Tensor(data=pages, name="pages"),
        table=Tensor(data=table, name="table"),
        largest=zeros("largest", 1),
        total=zeros("total", 1),
        partial=zeros("partial", c.dim),
        o=Tensor.empty((c.batch, c.heads, c.dim), F16, name="o"),
    )


def paged_decode(c: Config, t: SimpleNamespace) -> Program:
    H, D, N, shared = c.heads, c.dim, c.page, c.heads // c.kv_heads

    @jit_kernel
    def attend_page(
        q: In[Tile[H, D, F16]],
        keys: In[Tile[c.kv_heads * N, D, F16]],
        values: In[Tile[c.kv_heads * N, D, F16]],
        tokens: Scalar[1, c.context],
        largest: Out[Tile[H, 1, F32]],
        total: Out[Tile[H, 1, F32]],
        partial: Out[Tile[H, D, F32]],
    ):
        """Per head: the largest score, the sum of e^(score - largest), values so weighed, of the
        first `tokens` of the page."""
        for g in range(c.kv_heads):
            rows, heads = slice(g * N, (g + 1) * N), slice(g * shared, (g + 1) * shared)
            score = tl.matmul(q[heads, :], keys[rows, :], transpose_b=True) * D**-0.5
            score = tl.where(tl.iota(score) < tokens, score, -np.inf)
            highest = tl.rowmax(score)
            p = tl.exp(score - highest)
            tl.store(largest, highest, (g * shared, 0))
            tl.store(total, tl.rowsum(p), (g * shared, 0))
            tl.store(partial, tl.matmul(tl.cast(p, F16), values[rows, :]), (g * shared, 0))

    @jit_kernel
    def merge(
        largest: In[Tile[c.most_pages * H, 1, F32]],
        total: In[Tile[c.most_pages * H, 1, F32]],
        partial: In[Tile[c.most_pages * H, D, F32]],
        pages: Scalar[1, c.most_pages],
        o: Out[Tile[H, D, F16]],
    ):
        """Of the pages that the sequence has; for the others there is room only."""
        highest = tl.full((H, 1), -np.inf, F32)
        for i in tl.range(pages):
            highest = tl.maximum(highest, tl.load(largest, [i * H, 0], [H, 1]))
        weights, values = tl.alloc((H, 1)), tl.alloc((H, D))
        for i in tl.range(pages):
            weight = tl.exp(tl.load(largest, [i * H, 0], [H, 1]) - highest)
            weights = weights + weight * tl.load(total, [i * H, 0], [H, 1])
            values = values + tl.rowmul(tl.load(partial, [i * H, 0], [H, D]), weight)
        tl.store(o, values / weights)

    batch = Dense[c.batch]("sequence")

    @workload
    def decode():
        for b, i in P(batch, Ragged[batch, t.pages]("page")):
            page, part = P.read(t.table[b, i]), slice(i * H, (i + 1) * H)
            attend_page[b, i](
                q=t.q[b],
                keys=t.keys[page],
                values=t.values[page],
                tokens=t.lengths[b] - i * N,
                largest=t.largest[b, part],
                total=t.total[b, part],
                partial=t.partial[b, part],
            )
        for b in P(batch):
            merge[b](
                largest=t.largest[b],
                total=t.total[b],
                partial=t.partial[b],
                pages=t.pages[b],
                o=t.o[b],
            )

    return decode().task_graph().compile(machine=MACHINE)


RUNTIME = ("submit", "submit_operand", "dispatch", "complete", "resolve", "readback")
FREE_RUNTIME = {f"costs.{cost}": 0 for cost in RUNTIME}


def example(run: Example) -> None:
    c = Config(batch=4, context=512, page=128) if run.small else Config()
    t = tensors(c)
    program = paged_decode(c, t)
    run.execute(program)
    lengths, found = t.lengths.numpy(), t.o.numpy()
    print(f"{c.batch} sequences of {lengths.min()} to {lengths.max()} tokens")
    run.check("outputs", found, [expected(c, t, b) for b in range(c.batch)], 5e-3)
    print_cycles(f"pages of {c.page} tokens", program)
    print("\nOther sizes of pages:")
    counts = (4, 2, 1) if run.small else (128, 64, 32, 16, 8, 4, 2)
    print_pages([replace(c, page=c.context // count) for count in counts])
    faster = {"schedulers": 5, "costs.submit_operand": 0}
    print_what_if(program, [{"memory.hbm": 3.2}, {"cores.cube": 48}, {"schedulers": 5}, faster])


def expected(c: Config, t: SimpleNamespace, b: int) -> np.ndarray:
    length, table = t.lengths.numpy()[b], t.table.numpy()[b]
    keys, values = (golden.sequence(p, table, c.kv_heads, length) for p in (t.keys, t.values))
    return golden.attention(t.q[b].numpy(), keys, values)


def print_pages(configs: Sequence[Config]) -> None:
    """Time by the size of a page, and over what HBM needs for the keys and values alone."""
    rows: list[tuple[object, ...]] = []
    for c in configs:
        t = tensors(c)
        tokens = int(t.lengths.numpy().sum())
        filled = tokens / int(t.pages.numpy().sum() * c.page)
        bound = milliseconds(2 * tokens * c.kv_heads * c.dim * F16.numpy.itemsize)
        program = paged_decode(c, t)
        free = program.simulate(**FREE_RUNTIME).stats.makespan_ms
        stats = program.simulate().stats
        times = (stats.makespan_ms, stats.makespan_ms / bound, free)
        shown = (f"{filled:.0%}", *(f"{time:.3g}" for time in times))
        rows.append((c.page, stats.tasks, *shown))
    print_table(("page", "tasks", "filled", "ms", "x bound", "ms, runtime free"), rows)


if __name__ == "__main__":
    sys.exit(run_example(__doc__, example))
