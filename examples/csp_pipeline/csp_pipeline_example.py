"""A pipeline of processes: weights are scaled, multiplied and activated while the next ones come.

y = silu(x W) for 256 tokens, where W has a scale per column and comes in 64 panels of 256 columns.
Vector cores scale a panel into a ring of buffers, cube cores multiply it, vector cores activate.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1]))

import golden
from common.example import MACHINE, Example, print_cycles, print_table, print_what_if, run_example

from pto_wsp import (
    Channel,
    Dense,
    DType,
    In,
    Out,
    P,
    Program,
    Tensor,
    Tile,
    consume,
    jit_kernel,
    process,
    send,
    tl,
    workload,
)

F16, F32 = DType.F16, DType.F32
COLS = 256
"""Of a panel."""
PARTS = 16
"""Tasks that scale a panel."""
STEP = 32
"""Rows of a panel that a vector core holds at a time."""


def stream(x: Tensor, w: Tensor, scale: Tensor, y: Tensor, slots: int, depth: int) -> Program:
    """`slots` buffers for each of two rings; `depth` finished panels may wait in each channel."""
    tokens, width = x.shape
    panels, rows, quarter_rows = w.shape[1] // COLS, width // PARTS, tokens // 4
    ring = Tensor.empty((slots, width, COLS), F16, name="ring")
    products = Tensor.empty((slots, tokens, COLS), F32, name="products")
    scaled, multiplied = Channel("scaled", depth), Channel("multiplied", depth)

    @jit_kernel
    def rescale(
        w: In[Tile[rows, COLS, F16]], scale: In[Tile[1, COLS, F16]], out: Out[Tile[rows, COLS, F16]]
    ):
        for r in tl.range(0, rows, STEP):
            tl.store(out, tl.load(w, [r, 0], [STEP, COLS]) * scale, [r, 0])

    @jit_kernel
    def multiply(
        x: In[Tile[quarter_rows, width, F16]],
        w: In[Tile[width, COLS, F16]],
        out: Out[Tile[quarter_rows, COLS, F32]],
    ):
        tl.store(out, x @ w)

    @jit_kernel
    def activate(x: In[Tile[quarter_rows, COLS, F32]], y: Out[Tile[tokens // 4, COLS, F16]]):
        tl.store(y, tl.silu(x))

    def quarter(i):
        return slice(i * quarter_rows, (i + 1) * quarter_rows)

    def columns(panel):
        return slice(panel * COLS, (panel + 1) * COLS)

    @workload
    def layer():
        with P.pipe():

            @process("scale").produces(scaled).body
            def _():
                for panel in P(Dense[panels]("panel")):
                    for i in P(Dense[PARTS]("part")):
                        part, own = slice(i * rows, (i + 1) * rows), columns(panel)
                        buffer = ring[panel % slots, part]
                        rescale[panel, i](w=w[part, own], scale=scale[:, own], out=buffer)
                    send(scaled, panel)

            @process("multiply").consumes(scaled).produces(multiplied).body
            def _():
                with consume(scaled) as panel:
                    for i in P(Dense[4]("quarter")):
                        out = products[panel % slots, quarter(i)]
                        multiply[panel, i](x=x[quarter(i)], w=ring[panel % slots], out=out)
                    send(multiplied, panel)

            @process("activate").consumes(multiplied).body
            def _():
                with consume(multiplied) as panel:
                    for i in P(Dense[4]("quarter")):
                        product = products[panel % slots, quarter(i)]
                        activate[panel, i](x=product, y=y[quarter(i), columns(panel)])

    return layer().task_graph().compile(machine=MACHINE)


def example(run: Example) -> None:
    tokens, width, panels = (64, 512, 8) if run.small else (256, 4096, 64)
    rng = np.random.default_rng(0)
    a = rng.normal(size=(tokens, width)).astype(np.float16)
    b = rng.normal(scale=0.1, size=(width, panels * COLS)).astype(np.float16)
    scales = rng.uniform(0.5, 2, size=(1, panels * COLS)).astype(np.float16)
    x, w, scale = (
        Tensor(data=array, name=name)
        for array, name in zip((a, b, scales), ("x", "w", "scale"), strict=True)
    )
    expected = golden.layer(a, b, scales)
    found: list[tuple[object, ...]] = []
    programs: list[Program] = []
    for slots, depth in ((1, 1), (2, 0), (2, 1), (3, 1), (4, 2), (8, 6)):
        y = Tensor.empty((tokens, panels * COLS), F16, name="y")
        program = stream(x, w, scale, y, slots, depth)
        run.execute(program)
        run.check(f"y, {slots} buffers, depth {depth}", y.numpy(), expected, 4e-3)
        stats = program.stats
        busy = [f"{stats.utilisation[unit]:.1%}" for unit in ("cube", "vector")]
        found.append((slots, depth, stats.makespan_cycles, f"{stats.makespan_ms:.3f}", *busy))
        programs.append(program)
    print_table(("buffers", "depth", "cycles", "ms", "cube busy", "vector busy"), found)
    print_cycles("8 buffers, depth 6", programs[-1])
    print_what_if(
        programs[-1], [{"dispatch": "round_robin(5)"}, {"costs.dispatch": 1.5}, {"memory.hbm": 3.2}]
    )


if __name__ == "__main__":
    sys.exit(run_example(__doc__, example))
