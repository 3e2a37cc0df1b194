"""The engine's speed beside that of a bare-bones simulator, in one go.

    python benchmarks/engine/run.py                         # 10^5, 10^6 and 10^7 tasks
    python benchmarks/engine/run.py --tasks 1e8 --streams chain
    python benchmarks/engine/run.py --tasks 1e6 --others    # and those of others that are installed
    python benchmarks/engine/run.py --tasks 1e6 --others simpy,openmp --write docs/performance.md

Every line is the best of `--repeat` runs; all variants of a stream take turns, so that a busy
machine hurts them alike. Only ratios mean anything on another machine, and on a busy one only those
of CPU time, over all threads. Bytes per task are those over a run of a few thousand tasks.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from measuring import conditions, usage, write_block
from other_rows import CHECKED, OTHERS, Row, build, prepare

HERE = Path(__file__).resolve().parent
UNITS = {
    "independent": ("cube", "vector"),
    "chain": ("vector",),
    "layered": ("cube", "vector", "vector"),
    "moe": ("vector", "cube", "vector"),
}
"""Of each stream's kernels, in order of first use."""
COSTS = (
    *("submit", "submit_operand", "readback", "dispatch", "dispatch_latency"),
    *("completion_latency", "complete", "resolve", "steal", "pickup"),
)
FREE = {f"costs.{cost}": 0 for cost in COSTS} | {
    "memory": "flat",
    "memory.hbm": 1000,
    "core_slots": 1,
    "schedulers": 1,
}
"""The bare machine: no work of the runtime's own takes time, and memory is never the limit."""
WINDOW = {"window": 16384}
EXACT = {"infer": "infer_tensor_map_exact"}


@dataclass(frozen=True)
class Measured:
    seconds: float
    cpu: float
    """Seconds over all threads, from the start of the process."""
    peak_kib: int
    makespan: int | None = None
    """None for what simulates nothing."""
    cycles: list[int] = field(default_factory=list[int])
    """Mean duration of each kernel."""

    def best(self, other: "Measured") -> "Measured":
        return Measured(
            min(self.seconds, other.seconds),
            min(self.cpu, other.cpu),
            max(self.peak_kib, other.peak_kib),
            self.makespan,
            self.cycles,
        )


@dataclass(frozen=True)
class Engine:
    """ptosim with settings."""

    name: str
    settings: dict[str, Any]
    traced: bool = False

    def run(self, bench: "Bench", program: Path) -> Measured:
        sets = [f"--set={key}={value}" for key, value in (WINDOW | self.settings).items()]
        trace = [f"--tasks={os.devnull}"] if self.traced else []
        used = usage([bench.ptosim, program, "--timing-only", "--stats", "-", *sets, *trace])
        stats = json.loads(used.output)
        cycles = [round(kernel["busy"] / kernel["tasks"]) for kernel in stats["kernels"]]
        seconds = stats["host"]["run_seconds"]
        return Measured(seconds, used.cpu, used.peak_kib, stats["makespan_cycles"], cycles)


@dataclass(frozen=True)
class Limit:
    """The bare-bones simulator; kernels last as long as the engine found."""

    name: str
    threads: int

    def run(self, bench: "Bench", stream: str, tasks: int, kernels: Sequence[str]) -> Measured:
        used = usage([bench.limit, stream, tasks, self.threads, *kernels])
        result = json.loads(used.output)
        return Measured(result["seconds"], used.cpu, used.peak_kib, result["makespan"])


LIMITS = (Limit("limit, 1 thread", 1), Limit("limit, 2 threads", 2))
ENGINES = (
    Engine("exact", FREE | EXACT),
    Engine("overlap", FREE),
    Engine("exact, ascend_a3", EXACT),
    Engine("exact, traced", FREE | EXACT, traced=True),
)


def kernels_of(stream: str, cycles: Sequence[int]) -> list[str]:
    """As the limit's program takes them."""
    return [f"{unit}:{n}" for unit, n in zip(UNITS[stream], cycles, strict=True)]


class Bench:
    """The folder of what was built for this run."""

    def __init__(self, folder: Path, ptosim: str) -> None:
        self.folder, self.ptosim, self.limit = folder, ptosim, folder / "limit"
        self._programs: dict[tuple[str, int], Path] = {}
        if complaint := build(HERE / "limit" / "main.cpp", self.limit, ()):
            raise SystemExit(complaint)

    def program(self, stream: str, tasks: int) -> Path:
        """The sealed task program of a stream."""
        if (stream, tasks) in self._programs:
            return self._programs[stream, tasks]
        source = self.folder / f"{stream}_{tasks}.py"
        source.write_text(
            f"import sys\nsys.path.insert(0, {str(HERE)!r})\nimport workloads\n"
            f"def program():\n    return workloads.{stream}({tasks})\n"
        )
        program = self._programs[stream, tasks] = source.with_suffix(".so")
        ptoc = (sys.executable, "-m", "pto_wsp.tools.ptoc")
        subprocess.run([*ptoc, source, "--emit", "so", "-o", program], check=True)
        return program

    def rounds(self, stream: str, tasks: int) -> Iterator[dict[str, Measured]]:
        """The best so far of every variant, after each round of them."""
        program = self.program(stream, tasks)
        best: dict[str, Measured] = {}
        while True:
            for engine in ENGINES:
                found = engine.run(self, program)
                best[engine.name] = found.best(best.get(engine.name, found))
                # Far shorter runs than the engine's, so each gets more of them.
                kernels = kernels_of(stream, best["exact"].cycles)
                for limit in LIMITS:
                    found = limit.run(self, stream, tasks, kernels)
                    best[limit.name] = found.best(best.get(limit.name, found))
            yield best

    def measure(self, stream: str, tasks: int, repeat: int) -> dict[str, Measured]:
        return [best for best, _ in zip(self.rounds(stream, tasks), range(repeat), strict=False)][
            -1
        ]


RATIOS = {
    "exact / limit": ("exact", ("limit, 2 threads", "limit, 1 thread")),
    "overlap / exact": ("overlap", ("exact",)),
    "ascend_a3 / exact": ("exact, ascend_a3", ("exact",)),
    "traced / exact": ("exact, traced", ("exact",)),
}
"""A speed over the best of others."""

CLOCKS: dict[str, Callable[[Measured], float]] = {
    "time": lambda found: found.seconds,
    "CPU time": lambda found: found.cpu,
}


def ratios(measured: dict[str, Measured], clock: Callable[[Measured], float]) -> dict[str, float]:
    return {
        name: min(clock(measured[other]) for other in others) / clock(measured[one])
        for name, (one, others) in RATIOS.items()
    }


@dataclass(frozen=True)
class Line:
    """A row's figures for one stream."""

    stream: str
    name: str
    tasks: int
    measured: Measured
    base_kib: int

    @property
    def rate(self) -> float:
        """Million tasks per second."""
        return self.tasks / self.measured.seconds / 1e6

    @property
    def bytes_per_task(self) -> float:
        return max(0, self.measured.peak_kib - self.base_kib) * 1024 / self.tasks

    def __str__(self) -> str:
        found = self.measured
        end = "runs empty tasks" if found.makespan is None else f"makespan {found.makespan:,}"
        return (
            f"{self.stream:12} {self.tasks:>11,} {self.name:18} {self.rate:7.2f} M tasks/s"
            f" {found.peak_kib / 1024:8.1f} MiB {self.bytes_per_task:8.2f} B/task  {end}"
        )


def measure_others(
    rows: Sequence[Row], bench: Bench, stream: str, counts: Sequence[int], repeat: int
) -> Iterator[Line]:
    """One line each: the largest count that it can do in time, else as many as it can."""
    few = bench.measure(stream, CHECKED, 1)
    kernels = kernels_of(stream, few["exact"].cycles)
    for row in rows:
        base = row.check(stream, kernels, bench.limit).peak_kib
        tasks = max((n for n in counts if n <= row.other.most), default=row.other.most)
        best: Measured | None = None
        for _ in range(repeat):
            found, used = row.run(stream, tasks, kernels)
            makespan = int(found["makespan"]) if row.other.simulates else None
            one = Measured(found["seconds"], used.cpu, used.peak_kib, makespan)
            best = one.best(best or one)
        if best is not None:
            yield Line(stream, row.other.title, tasks, best, base)


def measure_stream(
    bench: Bench, stream: str, counts: Sequence[int], repeat: int, rows: Sequence[Row]
) -> Iterator[Line]:
    """Prints the ratios as it goes."""
    base = bench.measure(stream, CHECKED, 1)
    for tasks in counts:
        measured = bench.measure(stream, tasks, repeat)
        for name in (one.name for one in (*ENGINES, *LIMITS)):
            yield Line(stream, name, tasks, measured[name], base[name].peak_kib)
        for title, clock in CLOCKS.items():
            found = ratios(measured, clock)
            print(
                f"  {title}: " + ", ".join(f"{name} {value:.2f}" for name, value in found.items())
            )
    yield from measure_others(rows, bench, stream, counts, repeat)


def table(lines: Sequence[Line]) -> Iterator[str]:
    """Million tasks per second of the largest counts, in Markdown."""
    last = {(line.name, line.stream): line for line in lines}
    streams = list(dict.fromkeys(line.stream for line in lines))
    yield "| M tasks/s | tasks | " + " | ".join(streams) + " | most MiB | bytes per task |"
    yield "|---" * (len(streams) + 4) + "|"
    for name in dict.fromkeys(line.name for line in lines):
        found = [last[name, stream] for stream in streams]
        runs = "" if found[0].measured.makespan is not None else " (runs empty tasks)"
        rates = " | ".join(f"{line.rate:.2f}" for line in found)
        mib = max(line.measured.peak_kib for line in found) / 1024
        grown = max(line.bytes_per_task for line in found)
        yield f"| {name}{runs} | {found[0].tasks:,} | {rates} | {mib:.0f} | {grown:.1f} |"


def ratio_table(lines: Sequence[Line]) -> Iterator[str]:
    """Of the largest counts, by the clock and by CPU time, in Markdown."""
    yield "| stream | " + " | ".join(RATIOS) + " |"
    yield "|---" * (len(RATIOS) + 1) + "|"
    last = {(line.stream, line.name): line.measured for line in lines}
    for stream in dict.fromkeys(line.stream for line in lines):
        measured = {name: found for (of, name), found in last.items() if of == stream}
        by_clock = [ratios(measured, clock) for clock in CLOCKS.values()]
        cells = (" / ".join(f"{found[name]:.2f}" for found in by_clock) for name in RATIOS)
        yield f"| {stream} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tasks", default="1e5,1e6,1e7", help="how many, such as 1e5,1e8")
    parser.add_argument("--streams", default=",".join(UNITS))
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--ptosim", default=shutil.which("ptosim") or "ptosim")
    parser.add_argument(
        "--others",
        nargs="?",
        const=",".join(OTHERS),
        default="",
        help=f"which of {','.join(OTHERS)}; without a value, all that are installed",
    )
    parser.add_argument("--write", type=Path, metavar="PAGE", help="where the tables go, too")
    arguments = parser.parse_args()
    counts = sorted(int(float(count)) for count in arguments.tasks.split(","))
    lines: list[Line] = []
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), arguments.ptosim)
        prepared = [
            prepare(name, Path(folder)) for name in filter(None, arguments.others.split(","))
        ]
        rows = [row for row in prepared if isinstance(row, Row)]
        for reason in prepared:
            if isinstance(reason, str):
                print(reason, flush=True)
        for stream in arguments.streams.split(","):
            for line in measure_stream(bench, stream, counts, arguments.repeat, rows):
                print(line, flush=True)
                lines.append(line)
    how = f"The best of {arguments.repeat}; {conditions()}:"
    text = [
        "",
        how,
        "",
        *table(lines),
        "",
        "By the clock / by CPU time:",
        "",
        *ratio_table(lines),
        "",
    ]
    print(*text, sep="\n")
    if arguments.write:
        write_block(arguments.write, "engine/run.py", text)


if __name__ == "__main__":
    main()
