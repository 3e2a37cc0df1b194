"""Softmax of long rows: whole rows, or pieces of them?

2048 rows of 32768 numbers in f16. A row as f32 takes 128 KiB, most of what a vector core has. The
other way walks along a row twice, in pieces: once for its maximum and sum, once for the result.
"""

import math
import sys
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1]))

import golden
from common.example import MACHINE, Example, print_cycles, print_table, print_what_if, run_example

from pto_wsp import Dense, DType, In, Out, P, Program, Tensor, Tile, jit_kernel, tl, workload

F16, F32 = DType.F16, DType.F32


def whole(rows: int, length: int):
    """Softmax of `rows` whole rows."""

    @jit_kernel
    def softmax(x: In[Tile[rows, length, F16]], y: Out[Tile[rows, length, F16]]):
        tl.store(y, tl.softmax(x))

    return softmax


def pieces(rows: int, length: int, piece: int):
    """The same, in pieces. Of what a row has shown so far: its maximum, and the sum of
    exp(x - maximum), which is scaled when the maximum grows."""

    @jit_kernel
    def softmax(x: In[Tile[rows, length, F16]], y: Out[Tile[rows, length, F16]]):
        most, total = tl.full((rows, 1), -math.inf, F32), tl.full((rows, 1), 0.0, F32)
        for at in tl.range(0, length, piece):
            part = tl.cast(tl.load(x, [0, at], [rows, piece]), F32)
            larger = tl.maximum(most, tl.rowmax(part))
            total = total * tl.exp(most - larger) + tl.rowsum(tl.exp(part - larger))
            most = larger
        for at in tl.range(0, length, piece):
            part = tl.cast(tl.load(x, [0, at], [rows, piece]), F32)
            tl.store(y, tl.exp(part - most) / total, [0, at])

    return softmax


def program(kernel, rows: int, x: Tensor, y: Tensor) -> Program:
    @workload
    def all_rows():
        for i in P(Dense[x.shape[0] // rows]("rows")):
            block = slice(i * rows, (i + 1) * rows)
            kernel[i](x=x[block, :], y=y[block, :])

    return all_rows().task_graph().compile(machine=MACHINE)


def example(run: Example) -> None:
    count, length = (64, 4096) if run.small else (2048, 32768)
    numbers = np.random.default_rng(0).normal(scale=4, size=(count, length)).astype(np.float16)
    expected = golden.softmax(numbers)
    x = Tensor(data=numbers, name="x")
    found: list[tuple[object, ...]] = []
    last: Program | None = None
    for rows, piece in ((1, 0), (1, 2048), (4, 2048), (16, 2048)):
        y = Tensor.empty((count, length), F16, name="y")
        kernel = pieces(rows, length, piece) if piece else whole(rows, length)
        last = program(kernel, rows, x, y)
        run.execute(last)
        name = f"{rows} rows in pieces of {piece}" if piece else f"{rows} whole row"
        run.check(name, y.numpy(), expected, 2e-3)
        stats = last.stats
        busy = f"{stats.utilisation['vector']:.1%}"
        found.append((name, stats.tasks, f"{stats.makespan_ms:.3f}", busy))
    print_table(("a task", "tasks", "ms", "vector busy"), found)
    assert last is not None
    print_cycles(str(found[-1][0]), last)
    print_what_if(last, [{"memory.hbm": 3.2}, {"cores.vector": 96}, {"dispatch": "round_robin(5)"}])


if __name__ == "__main__":
    sys.exit(run_example(__doc__, example))
