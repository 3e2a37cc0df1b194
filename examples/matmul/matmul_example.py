"""A tiled matrix product: how large should a task's tile be?

C = A B in f16 with sums in f32. Each task computes one tile of C and walks along k by itself.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1]))

import golden
from common.example import MACHINE, Example, print_cycles, print_table, print_what_if, run_example

from pto_wsp import Dense, DType, In, Out, P, Program, Tensor, Tile, jit_kernel, tl, workload

F16 = DType.F16
DEPTH = 64
"""Of k that a core holds at a time."""


def product(a: Tensor, b: Tensor, c: Tensor, rows: int, cols: int) -> Program:
    """c = a b in tiles of rows x cols."""
    (m, k), n = a.shape, b.shape[1]

    @jit_kernel
    def tile(a: In[Tile[rows, k, F16]], b: In[Tile[k, cols, F16]], c: Out[Tile[rows, cols, F16]]):
        total = tl.alloc((rows, cols))
        for i in tl.range(0, k, DEPTH):
            left = tl.load(a, [0, i], [rows, DEPTH])
            right = tl.load(b, [i, 0], [DEPTH, cols])
            total = tl.matmul(left, right, acc=total)
        tl.store(c, total)

    @workload
    def matmul():
        for i, j in P(Dense[m // rows]("row"), Dense[n // cols]("col")):
            down, across = slice(i * rows, (i + 1) * rows), slice(j * cols, (j + 1) * cols)
            tile[i, j](a=a[down, :], b=b[:, across], c=c[down, across])

    return matmul().task_graph().compile(machine=MACHINE)


def example(run: Example) -> None:
    size = 512 if run.small else 4096
    rng = np.random.default_rng(0)
    left, right = (rng.normal(size=(size, size)).astype(np.float16) for _ in "ab")
    a, b = Tensor(data=left, name="a"), Tensor(data=right, name="b")
    c = Tensor.empty((size, size), F16, name="c")

    program = product(a, b, c, 128, 256)
    run.execute(program)
    run.check(f"C, {size} x {size}", c.numpy(), golden.matmul(left, right), 1e-3)
    print_cycles("tiles of 128 x 256", program, flops=2.0 * size**3)
    print("\nTFLOP/s of other tiles, by the number of schedulers:")
    print_tiles(a, b, c)
    print_what_if(
        program, [{"dispatch": "round_robin(5)"}, {"memory.hbm": 3.2}, {"cores.cube": 32}]
    )


def print_tiles(a: Tensor, b: Tensor, c: Tensor) -> None:
    rows: list[tuple[object, ...]] = []
    flops = 2.0 * a.shape[0] * a.shape[1] * b.shape[1]
    for shape in ((32, 64), (64, 64), (64, 128), (128, 128), (128, 256)):
        program = product(a, b, c, *shape)
        rates: list[str] = []
        for schedulers in (1, 3, 5):
            stats = program.simulate(dispatch=f"round_robin({schedulers})").stats
            rates.append(f"{flops / stats.makespan_ms * 1e-9:.1f}")
        tile = f"{shape[0]} x {shape[1]}"
        rows.append((tile, program.stats.tasks, *rates, f"{program.stats.l2_bytes / 1e6:.0f}"))
    print_table(("tile", "tasks", "1", "3", "5", "MB from L2"), rows)


if __name__ == "__main__":
    sys.exit(run_example(__doc__, example))
