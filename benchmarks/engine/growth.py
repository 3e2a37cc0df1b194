"""How a simulation's time and memory grow with tasks, edges, window and cores.

    python benchmarks/engine/growth.py                            # a table; some minutes
    python benchmarks/engine/growth.py --plot docs/growth.svg --write docs/performance.md

Timing only, the default inference, no costs of the runtime, no trace: layers of 1000 tasks. Time is
CPU time over all threads, the best of `--repeat` runs, one for more than 10^7 tasks; it and the
peak of memory are what they are over those of a run of one layer. The plot needs matplotlib.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measuring import conditions, usage, write_block
from run import FREE, HERE

TASKS, EDGES, WINDOW = 1_000_000, 3, 16384
CORES = {"cores.cube": 24, "cores.vector": 48}


@dataclass(frozen=True)
class Point:
    axis: str
    value: int
    tasks: int = TASKS
    edges: int = EDGES
    window: int = WINDOW
    cores: int = 1
    """Times those of the profile."""


def points(most: int) -> Iterator[Point]:
    tasks = 1000
    while tasks <= most:
        yield Point("tasks", tasks, tasks=tasks)
        tasks *= 10
    for edges in (1, 2, 4, 8, 16, 32):
        yield Point("edges per task", edges, edges=edges)
    for window in (256, 1024, 4096, 16384, 65536, 262144):
        yield Point("window", window, window=window)
    for cores in (1, 10, 139):
        yield Point("cores", cores * sum(CORES.values()), cores=cores)


class Growth:
    def __init__(self, folder: Path, ptosim: str, repeat: int) -> None:
        self._folder, self._ptosim, self._repeat = folder, ptosim, repeat
        self.start = Point("tasks", 1000, tasks=1000)
        self._base = self._best(self.start)

    def measure(self, point: Point) -> tuple[float, float]:
        """Microseconds of CPU per task, and MiB of memory, both over those of the smallest run."""
        seconds, kib = self._best(point)
        spent = max(seconds - self._base[0], 0.0)
        return spent / point.tasks * 1e6, (kib - self._base[1]) / 1024

    def _best(self, point: Point) -> tuple[float, int]:
        program = self._program(point.tasks, point.edges)
        cores = {key: count * point.cores for key, count in CORES.items()}
        settings: dict[str, Any] = FREE | cores | {"window": point.window}
        sets = [f"--set={key}={value}" for key, value in settings.items()]
        command = [self._ptosim, str(program), "--timing-only", "--stats", os.devnull, *sets]
        repeat = self._repeat if point.tasks <= 10**7 else 1
        runs = [usage(command) for _ in range(repeat)]
        return min(run.cpu for run in runs), min(run.peak_kib for run in runs)

    def _program(self, tasks: int, edges: int) -> Path:
        source = self._folder / f"fan_{tasks}_{edges}.py"
        program = source.with_suffix(".so")
        if not program.exists():
            source.write_text(
                f"import sys\nsys.path.insert(0, {str(HERE)!r})\nimport workloads\n"
                f"def program():\n    return workloads.fan({tasks}, {edges})\n"
            )
            ptoc = [sys.executable, "-m", "pto_wsp.tools.ptoc"]
            subprocess.run([*ptoc, str(source), "--emit", "so", "-o", str(program)], check=True)
        return program


def plot(found: dict[str, list[tuple[int, float, float]]], path: Path) -> None:
    from matplotlib import pyplot

    pyplot.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "growth"}
    figure, axes = pyplot.subplots(2, len(found), figsize=(3 * len(found), 5))
    for column, (axis, rows) in enumerate(found.items()):
        for row, label in enumerate(("us of CPU per task", "MiB over the start")):
            place = axes[row][column]
            place.plot([one[0] for one in rows], [one[row + 1] for one in rows], marker="o")
            place.set_xscale("log")
            place.set_ylim(0, 1.1 * max(one[row + 1] for one in rows))
            place.set_xlabel(axis)
            place.set_ylabel(label if column == 0 else "")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None, "Creator": None} if path.suffix == ".svg" else {})


def table(found: dict[str, list[tuple[int, float, float]]]) -> Iterator[str]:
    """In Markdown, a row for each axis."""
    yield "| | value: us per task, MiB |"
    yield "|---|---|"
    for axis, rows in found.items():
        cells = (f"{value:,}: {spent:.2f}, {max(memory, 0):.0f}" for value, spent, memory in rows)
        yield f"| {axis} | {' / '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--most", type=lambda text: int(float(text)), default=10**8, metavar="N")
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--ptosim", default=shutil.which("ptosim") or "ptosim")
    parser.add_argument("--plot", type=Path, help="an .svg or .png file")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="where the table goes, too")
    arguments = parser.parse_args()
    found: dict[str, list[tuple[int, float, float]]] = {}
    print(f"{'':16} {'':>12} {'us/task':>8} {'MiB':>8}")
    with tempfile.TemporaryDirectory() as folder:
        growth = Growth(Path(folder), arguments.ptosim, arguments.repeat)
        for point in points(arguments.most):
            spent, memory = growth.measure(point)
            if point != growth.start:
                found.setdefault(point.axis, []).append((point.value, spent, memory))
            print(f"{point.axis:16} {point.value:>12,} {spent:8.3f} {memory:8.1f}", flush=True)
    if arguments.plot:
        plot(found, arguments.plot)
    if arguments.write:
        text = ["", f"{conditions()}:", "", *table(found), ""]
        write_block(arguments.write, "engine/growth.py", text)


if __name__ == "__main__":
    main()
