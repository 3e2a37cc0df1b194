"""The engine's speed beside that of a bare-bones simulator, in one go.

    python benchmarks/engine/run.py                         # 10^5, 10^6 and 10^7 tasks
    python benchmarks/engine/run.py --tasks 1e8 --streams chain
    python benchmarks/engine/run.py --json ratios.json      # for benchmarks/check_ratios.py

Every line is the best of `--repeat` runs; all variants of a stream take turns, so that a busy
machine hurts them alike. Only ratios mean anything on another machine, and on a busy one only those
of CPU time, over all threads.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

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


@dataclass
class Measured:
    seconds: float = float("inf")
    cpu: float = float("inf")
    """Seconds over all threads, in the program's own code."""
    makespan: int = 0
    peak_kib: int = 0
    cycles: list[int] = field(default_factory=list[int])
    """Mean duration of each kernel."""


@dataclass(frozen=True)
class Engine:
    """ptosim with settings."""

    name: str
    settings: dict[str, Any]
    traced: bool = False

    def run(self, bench: "Bench", program: Path) -> Measured:
        sets = [f"--set={key}={value}" for key, value in (WINDOW | self.settings).items()]
        trace = [f"--tasks={os.devnull}"] if self.traced else []
        command = [bench.ptosim, program, "--timing-only", "--stats", "-", *sets, *trace]
        output, peak, cpu = _run(command)
        stats = json.loads(output)
        seconds = stats["host"]["run_seconds"]
        cycles = [round(kernel["busy"] / kernel["tasks"]) for kernel in stats["kernels"]]
        return Measured(seconds, cpu, stats["makespan_cycles"], peak, cycles)


@dataclass(frozen=True)
class Limit:
    """The bare-bones simulator; kernels last as long as the engine found."""

    name: str
    threads: int

    def run(self, bench: "Bench", stream: str, tasks: int, cycles: Sequence[int]) -> Measured:
        kernels = [f"{unit}:{n}" for unit, n in zip(UNITS[stream], cycles, strict=True)]
        output, peak, cpu = _run([bench.limit, stream, tasks, self.threads, *kernels])
        result = json.loads(output)
        return Measured(result["seconds"], cpu, result["makespan"], peak)


LIMITS = (Limit("limit, 1 thread", 1), Limit("limit, 2 threads", 2))
ENGINES = (
    Engine("exact", FREE | EXACT),
    Engine("overlap", FREE),
    Engine("exact, ascend_a3", EXACT),
    Engine("exact, traced", FREE | EXACT, traced=True),
)


class Bench:
    """The folder of what was built for this run."""

    def __init__(self, folder: Path, ptosim: str) -> None:
        self.folder, self.ptosim, self.limit = folder, ptosim, folder / "limit"
        compiler = os.environ.get("PTO_CXX", "c++")
        source = HERE / "limit" / "main.cpp"
        flags = ("-std=c++20", "-O3", "-march=native", "-pthread")
        subprocess.run([*compiler.split(), *flags, source, "-o", self.limit], check=True)

    def program(self, stream: str, tasks: int) -> Path:
        """The sealed task program of a stream."""
        source = self.folder / f"{stream}_{tasks}.py"
        source.write_text(
            f"import sys\nsys.path.insert(0, {str(HERE)!r})\nimport workloads\n"
            f"def program():\n    return workloads.{stream}({tasks})\n"
        )
        program = source.with_suffix(".so")
        ptoc = (sys.executable, "-m", "pto_wsp.tools.ptoc")
        subprocess.run([*ptoc, source, "--emit", "so", "-o", program], check=True)
        return program

    def measure(self, stream: str, tasks: int, repeat: int) -> dict[str, Measured]:
        program = self.program(stream, tasks)
        best: dict[str, Measured] = {}
        cycles: Sequence[int] = ()
        for _ in range(repeat):
            for engine in ENGINES:
                found = engine.run(self, program)
                cycles = cycles or found.cycles
                _keep(best, engine.name, found)
            for limit in LIMITS:
                _keep(best, limit.name, limit.run(self, stream, tasks, cycles))
        return best


def _keep(best: dict[str, Measured], name: str, found: Measured) -> None:
    before = best.get(name, found)
    best[name] = replace(
        found if found.seconds < before.seconds else before, cpu=min(found.cpu, before.cpu)
    )


def _run(command: Iterable[Any]) -> tuple[str, int, float]:
    """Standard output, the peak memory in KiB, and the CPU time in seconds."""
    words = [*map(str, command)]
    with tempfile.TemporaryFile("w+") as out, subprocess.Popen(words, stdout=out) as child:
        # Not from the usage: its peak begins with the process that made the child.
        peak = peak_kib(child.pid)
        while (ended := os.wait4(child.pid, os.WNOHANG))[0] == 0:
            peak = max(peak, peak_kib(child.pid))
            time.sleep(0.005)
        _, status, usage = ended
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            raise SystemExit(f"{' '.join(words)}: exit code {child.returncode}")
        out.seek(0)
        return out.read(), peak, usage.ru_utime


def peak_kib(process: int) -> int:
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    lines = (line.split() for line in status.splitlines())
    return next((int(words[1]) for words in lines if words[:1] == ["VmHWM:"]), 0)


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


def show(stream: str, tasks: int, measured: dict[str, Measured], base_kib: dict[str, int]) -> None:
    for name, found in measured.items():
        grown = max(0, found.peak_kib - base_kib.get(name, found.peak_kib)) * 1024 / tasks
        print(
            f"{stream:12} {tasks:>10,} {name:18} {tasks / found.seconds / 1e6:7.2f} M tasks/s"
            f" {found.peak_kib / 1024:8.1f} MiB {grown:8.2f} B/task  makespan {found.makespan:,}"
        )
    for title, clock in CLOCKS.items():
        found = ratios(measured, clock)
        print(f"  {title}: " + ", ".join(f"{name} {value:.2f}" for name, value in found.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tasks", default="1e5,1e6,1e7", help="how many, such as 1e5,1e8")
    parser.add_argument("--streams", default=",".join(UNITS))
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--ptosim", default=shutil.which("ptosim") or "ptosim")
    parser.add_argument("--json", type=Path, help="where the CPU times' ratios go")
    arguments = parser.parse_args()
    counts = sorted(int(float(count)) for count in arguments.tasks.split(","))
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), arguments.ptosim)
        for stream in arguments.streams.split(","):
            base: dict[str, int] = {}
            for tasks in counts:
                measured = bench.measure(stream, tasks, arguments.repeat)
                base = base or {name: one.peak_kib for name, one in measured.items()}
                show(stream, tasks, measured, base)
                found[stream] = ratios(measured, CLOCKS["CPU time"])
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
