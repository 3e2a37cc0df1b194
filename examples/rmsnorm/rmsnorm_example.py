"""Residual and RMSNorm: two kernels or one?

h = x + r, y = h / rms(h) * gamma for 8192 tokens of 4096 numbers in f16, once as two kernels and
once as one.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1]))

import golden
from common.example import (
    MACHINE,
    Example,
    milliseconds,
    print_cycles,
    print_what_if,
    run_example,
)

from pto_wsp import Dense, DType, In, Out, P, Program, Tensor, Tile, jit_kernel, tl, workload

F16 = DType.F16
ROWS = 128
"""Tokens of a task."""
STEP = 8
"""Tokens that a core holds at a time."""
EPS = 1e-6
WHAT_IF = [{"memory.hbm": 3.2}, {"memory": "flat"}, {"dispatch": "round_robin(5)"}]


def programs(x: Tensor, r: Tensor, gamma: Tensor, h: Tensor, y: Tensor) -> tuple[Program, Program]:
    """As two kernels, and as one."""
    tokens, width = x.shape
    blocks = Dense[tokens // ROWS]("block")
    rows = Tile[ROWS, width, F16]

    @jit_kernel
    def add(x: In[rows], r: In[rows], h: Out[rows]):
        for i in tl.range(0, ROWS, STEP):
            tl.store(h, part(x, i) + part(r, i), [i, 0])

    @jit_kernel
    def norm(h: In[rows], gamma: In[Tile[1, width, F16]], y: Out[rows]):
        for i in tl.range(0, ROWS, STEP):
            tl.store(y, tl.rmsnorm(part(h, i), gamma, eps=EPS), [i, 0])

    @jit_kernel
    def add_norm(
        x: In[rows], r: In[rows], gamma: In[Tile[1, width, F16]], h: Out[rows], y: Out[rows]
    ):
        for i in tl.range(0, ROWS, STEP):
            total = part(x, i) + part(r, i)
            tl.store(h, total, [i, 0])
            tl.store(y, tl.rmsnorm(total, gamma, eps=EPS), [i, 0])

    def part(tile, i):
        return tl.load(tile, [i, 0], [STEP, width])

    def block(i):
        return slice(i * ROWS, (i + 1) * ROWS)

    @workload
    def separate():
        for i in P(blocks):
            add[i](x=x[block(i)], r=r[block(i)], h=h[block(i)])
        for i in P(blocks):
            norm[i](h=h[block(i)], gamma=gamma[:, :], y=y[block(i)])

    @workload
    def fused():
        for i in P(blocks):
            add_norm[i](
                x=x[block(i)], r=r[block(i)], gamma=gamma[:, :], h=h[block(i)], y=y[block(i)]
            )

    return (
        separate().task_graph().compile(machine=MACHINE),
        fused().task_graph().compile(machine=MACHINE),
    )


def example(run: Example) -> None:
    shape = (256, 1024) if run.small else (8192, 4096)
    rng = np.random.default_rng(0)
    numbers = [rng.normal(size=shape).astype(np.float16) for _ in "xr"]
    weights = rng.normal(1, 0.1, size=(1, shape[1])).astype(np.float16)
    x, r = (Tensor(data=n, name=name) for n, name in zip(numbers, "xr", strict=True))
    gamma = Tensor(data=weights, name="gamma")
    h, y = (Tensor.empty(shape, F16, name=name) for name in "hy")
    expected = golden.add_norm(*numbers, weights, EPS)

    for name, program in zip(
        ("two kernels", "one kernel"), programs(x, r, gamma, h, y), strict=True
    ):
        run.execute(program)
        print_cycles(name, program)
        print(f"  x, r, h and y once through HBM: {milliseconds(4 * x.numpy().nbytes):.3f} ms")
        for tensor, value in zip((h, y), expected, strict=True):
            run.check(tensor.name, tensor.numpy(), value, 2e-3)
        print_what_if(program, WHAT_IF)
        print()


if __name__ == "__main__":
    sys.exit(run_example(__doc__, example))
