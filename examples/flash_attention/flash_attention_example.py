"""Attention with and without its matrix of scores in memory.

16 heads, 2048 tokens, 128 numbers each, in f16. The plain way stores scores and probabilities
between three kernels; flash attention walks along the keys and keeps a running softmax instead.
Causal attention sees fewer keys the earlier a query is: its tasks are of different lengths.
"""

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1]))

import golden
from common.example import MACHINE, Example, print_cycles, print_what_if, run_example

from pto_wsp import (
    Dense,
    DType,
    In,
    Out,
    P,
    Program,
    ReadyPolicy,
    Scalar,
    Tensor,
    Tile,
    jit_kernel,
    tl,
    workload,
)
from pto_wsp.language.kernel_trace import Value

F16, F32 = DType.F16, DType.F32
ROWS = 128
"""Queries of a task, and keys that it looks at together."""


Softmax = tuple[Value, Value, Value]
"""Of the keys so far: the largest score, the sum of the weights, the values so weighed."""


def begin(width: int) -> Softmax:
    most, total = tl.full((ROWS, 1), -math.inf, F32), tl.full((ROWS, 1), 0.0, F32)
    return most, total, tl.full((ROWS, width), 0.0, F32)


def add_keys(so_far: Softmax, q: Value, k: Value, v: Value, at: Any, causal: bool) -> Softmax:
    """The softmax with the block of keys that begins `at` a row."""
    most, total, out = so_far
    width = q.shape[1]
    keys = tl.load(k, [at, 0], [ROWS, width])
    score = tl.matmul(q, keys, transpose_b=True) * (1 / math.sqrt(width))
    if causal:
        score = tl.where(tl.iota(score, axis=0) >= tl.iota(score, axis=1), score, -math.inf)
    larger = tl.maximum(most, tl.rowmax(score))
    weights = tl.exp(score - larger)
    scale = tl.exp(most - larger)
    total = total * scale + tl.rowsum(weights)
    return larger, total, out * scale + tl.cast(weights, F16) @ tl.load(v, [at, 0], [ROWS, width])


def flash(q: Tensor, k: Tensor, v: Tensor, o: Tensor) -> Program:
    heads, tokens, width = q.shape
    block, whole = Tile[ROWS, width, F16], Tile[tokens, width, F16]

    @jit_kernel
    def attend(q: In[block], k: In[whole], v: In[whole], o: Out[block]):
        """The output so far is right for the keys so far, but for the division by their sum."""
        most, total, out = begin(width)
        for at in tl.range(0, tokens, ROWS):
            most, total, out = add_keys((most, total, out), q, k, v, at, causal=False)
        tl.store(o, out / total)

    @workload
    def attention():
        for h, i in P(Dense[heads]("head"), Dense[tokens // ROWS]("block")):
            rows = slice(i * ROWS, (i + 1) * ROWS)
            attend[h, i](q=q[h, rows], k=k[h], v=v[h], o=o[h, rows])

    return attention().task_graph().compile(machine=MACHINE)


def causal(q: Tensor, k: Tensor, v: Tensor, o: Tensor, ready: ReadyPolicy) -> Program:
    """A query sees the keys up to its own: a task walks along as many blocks as it has to."""
    heads, tokens, width = q.shape
    block, whole = Tile[ROWS, width, F16], Tile[tokens, width, F16]

    @jit_kernel
    def attend(
        q: In[block], k: In[whole], v: In[whole], o: Out[block], first: Scalar[0, tokens - ROWS]
    ):
        """All keys before the first query's block, if there are any, then those of the block."""
        most, total, out = begin(width)
        for at in tl.range(0, first, ROWS):
            most, total, out = add_keys((most, total, out), q, k, v, at, causal=False)
        most, total, out = add_keys((most, total, out), q, k, v, first, causal=True)
        tl.store(o, out / total)

    @workload
    def attention():
        for h, i in P(Dense[heads]("head"), Dense[tokens // ROWS]("block")):
            rows = slice(i * ROWS, (i + 1) * ROWS)
            attend[h, i](q=q[h, rows], k=k[h], v=v[h], o=o[h, rows], first=i * ROWS)

    return attention().task_graph(ready=ready).compile(machine=MACHINE)


def plain(q: Tensor, k: Tensor, v: Tensor, o: Tensor) -> Program:
    heads, tokens, width = q.shape
    scores = Tensor.empty((heads, tokens, tokens), F32, name="scores")
    weights = Tensor.empty((heads, tokens, tokens), F16, name="weights")
    block, whole = Tile[ROWS, width, F16], Tile[tokens, width, F16]

    @jit_kernel
    def score(q: In[block], k: In[whole], s: Out[Tile[ROWS, tokens, F32]]):
        tl.store(s, tl.matmul(q, k, transpose_b=True) * (1 / math.sqrt(width)))

    @jit_kernel
    def softmax(s: In[Tile[ROWS, tokens, F32]], p: Out[Tile[ROWS, tokens, F16]]):
        for at in tl.range(0, ROWS, 8):
            tl.store(p, tl.softmax(tl.load(s, [at, 0], [8, tokens])), [at, 0])

    @jit_kernel
    def weigh(p: In[Tile[ROWS, tokens, F16]], v: In[whole], o: Out[block]):
        tl.store(o, p @ v)

    @workload
    def attention():
        for h, i in P(Dense[heads]("head"), Dense[tokens // ROWS]("block")):
            rows = slice(i * ROWS, (i + 1) * ROWS)
            score[h, i](q=q[h, rows], k=k[h], s=scores[h, rows])
            softmax[h, i](s=scores[h, rows], p=weights[h, rows])
            weigh[h, i](p=weights[h, rows], v=v[h], o=o[h, rows])

    return attention().task_graph().compile(machine=MACHINE)


def example(run: Example) -> None:
    shape = (2, 256, 128) if run.small else (16, 2048, 128)
    rng = np.random.default_rng(0)
    arrays = {name: rng.normal(size=shape).astype(np.float16) for name in "qkv"}
    tensors = [Tensor(data=array, name=name) for name, array in arrays.items()]
    expected = golden.attention(**arrays)
    flops = 4.0 * shape[0] * shape[1] ** 2 * shape[2]
    for name, make in (("plain", plain), ("flash", flash)):
        o = Tensor.empty(shape, F16, name="o")
        program = make(*tensors, o)
        run.execute(program)
        print_cycles(name, program, flops)
        run.check("o", o.numpy(), expected, 2e-3)
        print_what_if(
            program, [{"dispatch": "round_robin(5)"}, {"memory.hbm": 3.2}, {"memory": "flat"}]
        )
        print()
    o = Tensor.empty(shape, F16, name="o")
    longest_first = ReadyPolicy.priority(lambda task: -task.get("block"))
    for name, ready in (("causal", ReadyPolicy.fifo()), ("causal, longest first", longest_first)):
        program = causal(*tensors, o, ready)
        run.execute(program)
        print_cycles(name, program, flops / 2 * (1 + ROWS / shape[1]))
        run.check("o", o.numpy(), golden.attention(**arrays, causal=True), 2e-3)
        print_what_if(program, [{"dispatch": "round_robin(5)"}, {"dispatch": "work_steal"}])
        print()


if __name__ == "__main__":
    sys.exit(run_example(__doc__, example))
