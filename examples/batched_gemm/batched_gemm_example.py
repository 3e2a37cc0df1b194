"""A batch of small matrix products: one per task, or several?

256 products of 128 x 128 x 128 in f16, such as the heads of a decode step make them.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1]))

import golden
from common.example import MACHINE, Example, print_cycles, print_table, print_what_if, run_example

from pto_wsp import Dense, DType, In, Out, P, Program, Tensor, Tile, jit_kernel, tl, workload

F16 = DType.F16
SIZE = 128


def products(a: Tensor, b: Tensor, c: Tensor, together: int) -> Program:
    """c[i] = a[i] b[i], `together` of them by one task; all square, and one below the other."""
    m = k = n = SIZE
    batch = a.shape[0] // m

    @jit_kernel
    def product(
        a: In[Tile[together * m, k, F16]],
        b: In[Tile[together * k, n, F16]],
        c: Out[Tile[together * m, n, F16]],
    ):
        for i in tl.range(together):
            left = tl.load(a, [i * m, 0], [m, k])
            right = tl.load(b, [i * k, 0], [k, n])
            tl.store(c, left @ right, [i * m, 0])

    @workload
    def all_products():
        for i in P(Dense[batch // together]("batch")):
            own = slice(i * together * SIZE, (i + 1) * together * SIZE)
            product[i](a=a[own, :], b=b[own, :], c=c[own, :])

    return all_products().task_graph().compile(machine=MACHINE)


def example(run: Example) -> None:
    batch = 16 if run.small else 256
    rng = np.random.default_rng(0)
    left, right = (rng.normal(size=(batch * SIZE, SIZE)).astype(np.float16) for _ in "ab")
    a, b = Tensor(data=left, name="a"), Tensor(data=right, name="b")
    expected = golden.products(left, right, SIZE)
    rows: list[tuple[object, ...]] = []
    programs: dict[int, Program] = {}
    for together in (1, 2, 4, 8):
        c = Tensor.empty(left.shape, F16, name="c")
        program = programs[together] = products(a, b, c, together)
        run.execute(program)
        run.check(f"{together} together", c.numpy(), expected, 1e-3)
        stats = program.stats
        cycles = f"{stats.makespan_cycles / batch:.0f}"
        busy = f"{stats.utilisation['cube']:.1%}"
        rows.append((together, stats.tasks, stats.makespan_cycles, cycles, busy))
    print_table(("products of a task", "tasks", "cycles", "cycles a product", "cube busy"), rows)
    for together in (1, 8):
        program = programs[together]
        print_cycles(f"{together} together", program, flops=2.0 * batch * SIZE**3)
        print_what_if(program, [{"dispatch": "round_robin(5)"}, {"batch": 16}, {"cores.cube": 48}])
        print()


if __name__ == "__main__":
    sys.exit(run_example(__doc__, example))
