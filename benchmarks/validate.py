"""Predicted against published device times; writes docs/validation.md.

python benchmarks/validate.py            # writes the page
python benchmarks/validate.py --check    # fails where the page is old or an error is too large
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from pto_wsp import Dense, DType, In, Out, P, Tensor, Tile, jit_kernel, tl, workload
from pto_wsp.machine import Entry, Machine

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "validation.md"
TEMPLATE = HERE / "validation.md.in"
MACHINE = "ascend_a3"
GRID = (4, 6)
"""How the published GEMMs are cut over 24 cores."""
LAUNCH_US = 10.0
"""From the launch of a kernel over all cores to its begin on them: assumed, one for all rows."""
RUNTIME_COSTS = (
    "submit",
    "submit_operand",
    "readback",
    "dispatch",
    "completion_latency",
    "complete",
    "resolve",
    "steal",
    "pickup",
)
MOST_TIME_ERROR = 8.0
"""Percent."""
MOST_BUSY_ERROR = 5.0
"""Percentage points."""


@dataclass(frozen=True)
class Published:
    """A row of pto-isa kernels/manual/a2a3/gemm_performance: f16 in, f32 out, 24 cores."""

    size: int
    ms: float
    cube: float
    """Percent of the time, as the other pipes."""
    l1_to_l0: float
    gm_to_l1: float
    store: float


PUBLISHED = (
    Published(1536, 0.0388, 54.5, 42.2, 72.2, 7.7),
    Published(3072, 0.2067, 79.0, 62.0, 90.9, 5.8),
    Published(6144, 1.5060, 86.7, 68.1, 95.2, 3.1),
    Published(7680, 3.1680, 80.6, 63.0, 98.4, 2.4),
)
PIPES = {"cube": "cube", "l1_to_l0": "l1 -> l0", "gm_to_l1": "gm -> l1", "store": "l0c -> gm"}


@dataclass(frozen=True)
class Predicted:
    ms: float
    shares: dict[str, float]
    """Of the pipes, in percent of the time."""
    hbm_mb: float
    l2_mb: float
    bound_by: str


Rows = Sequence[tuple[Published, Predicted]]


def gemm(size: int) -> Any:
    """One task per core: its rows of the left matrix times its columns of the right one."""
    down, across = GRID
    rows, columns = size // down, size // across
    a = Tensor.empty((size, size), DType.F16, name="a")
    b = Tensor.empty((size, size), DType.F16, name="b")
    c = Tensor.empty((size, size), DType.F32, name="c")

    @jit_kernel
    def multiply(
        a: In[Tile[rows, size, DType.F16]],
        b: In[Tile[size, columns, DType.F16]],
        c: Out[Tile[rows, columns, DType.F32]],
    ):
        tl.store(c, tl.matmul(a, b))

    @workload
    def launch():
        for j, i in P(Dense[across]("j"), Dense[down]("i")):
            multiply[j, i](
                a=a[i * rows : (i + 1) * rows, :],
                b=b[:, j * columns : (j + 1) * columns],
                c=c[i * rows : (i + 1) * rows, j * columns : (j + 1) * columns],
            )

    return launch().task_graph().compile(machine=MACHINE)


def predict(size: int, machine: Machine) -> Predicted:
    """One launch over all cores: all other runtime costs are 0."""
    program = gemm(size)
    settings = {f"costs.{name}": 0 for name in RUNTIME_COSTS}
    settings |= {"core_slots": 1, "costs.dispatch_latency": LAUNCH_US * 1000}
    result = program.simulate(**settings)
    clock = machine.amount("clock")
    (report,) = program.costs()
    cycles = {pipe["name"]: pipe["cycles"] for pipe in report["pipes"]}
    makespan = result.stats.makespan_cycles
    return Predicted(
        makespan / clock * 1e3,
        {name: 100 * cycles[pipe] / makespan for name, pipe in PIPES.items()},
        result.stats.memory_bytes / 1e6,
        result.stats.l2_bytes / 1e6,
        str(result.trace.tasks["bound_by"][0]),
    )


# ---- The page -----------------------------------------------------------------------------------


def percent(predicted: float, published: float) -> float:
    return 100 * (predicted / published - 1)


def table(header: str, rows: Iterable[Sequence[str]]) -> str:
    head = [part.strip() for part in header.split("|")]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def gemm_table(rows: Rows) -> str:
    return table(
        "size | published ms | predicted ms | error | cube busy, published | predicted | error",
        (
            [
                f"{found.size}^3",
                f"{found.ms:.4f}",
                f"{said.ms:.4f}",
                f"{percent(said.ms, found.ms):+.1f} %",
                f"{found.cube:.1f} %",
                f"{said.shares['cube']:.1f} %",
                f"{said.shares['cube'] - found.cube:+.1f} points",
            ]
            for found, said in rows
        ),
    )


def share_table(rows: Rows) -> str:
    return table(
        "size | l1 -> l0 | predicted | gm -> l1 | predicted | store | predicted | HBM | L2",
        (
            [
                f"{found.size}^3",
                *(
                    f"{share:.1f} %"
                    for name in ("l1_to_l0", "gm_to_l1", "store")
                    for share in (getattr(found, name), said.shares[name])
                ),
                f"{said.hbm_mb:.0f} MB",
                f"{said.l2_mb:.0f} MB",
            ]
            for found, said in rows
        ),
    )


def kind(entry: Entry) -> str:
    """How a constant came to its value."""
    word = entry.source.partition(":")[0]
    return word if word in ("fitted", "assumed") else "read"


def constants_table(machine: Machine) -> str:
    def row(entry: Entry) -> list[str]:
        value = entry.value if not isinstance(entry.value, list) else tuple(entry.value)
        source = entry.source.removeprefix("fitted:").removeprefix("assumed:").strip()
        return [f"`{entry.key}`", f"{value} {entry.unit}", kind(entry), source]

    return table("key | value | fitted? | source", map(row, machine.entries()))


def page(rows: Rows, machine: Machine) -> str:
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        machine=machine.name,
        launch=f"{LAUNCH_US:g}",
        gemms=gemm_table(rows),
        shares=share_table(rows),
        constants=constants_table(machine),
        **Counter(map(kind, machine.entries())),
    )


def misses(rows: Rows) -> Iterator[str]:
    """A line for each prediction that is too far off."""
    for found, said in rows:
        time, busy = percent(said.ms, found.ms), said.shares["cube"] - found.cube
        if abs(time) > MOST_TIME_ERROR:
            yield f"{found.size}^3: time {time:+.1f} %, expected within {MOST_TIME_ERROR:g} %"
        if abs(busy) > MOST_BUSY_ERROR:
            yield f"{found.size}^3: cube {busy:+.1f} points, expected within {MOST_BUSY_ERROR:g}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    arguments = parser.parse_args()
    machine = Machine(MACHINE)
    rows = [(found, predict(found.size, machine)) for found in PUBLISHED]
    problems = list(misses(rows))
    text = page(rows, machine)
    if not arguments.check:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        problems.append(f"{PAGE} is old: run python benchmarks/validate.py")
    print("\n".join([gemm_table(rows), *problems]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
