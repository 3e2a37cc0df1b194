"""How often more of something makes a run slower: list-scheduling anomalies on random programs.

python benchmarks/anomalies.py [RUNS]
"""

import sys
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from model.engine import run_engine
from model.programs import Focus, Run, Size, random_run

TASKS = 60
PLAIN = Focus({"timing": ("immediate",), "start": ("threshold(1)",), "window_unit": ("tasks",)})


def makespan(run: Run) -> int:
    return run_engine(*run)["stats"]["makespan"]


def with_settings(run: Run, **changes: Any) -> Run:
    return run[0], run[1] | changes, *run[2:]


def with_machine(run: Run, **changes: Any) -> Run:
    return run[0] | changes, *run[1:]


def window(run: Run) -> Run:
    return with_settings(run, window=2 * int(run[1]["window"]))


def cores(run: Run) -> Run:
    unit = "vector_cores" if run[0]["vector_cores"] else "cube_cores"
    return with_machine(run, **{unit: run[0][unit] + 1})


def hbm(run: Run) -> Run:
    return with_machine(run, memory_bytes=2 * run[0]["memory_bytes"])


def l2(run: Run) -> Run:
    return with_machine(run, l2_capacity=2 * run[0]["l2_capacity"])


def costs(run: Run) -> Run:
    halved = {name: cycles // 2 for name, cycles in run[0]["costs"].items()}
    return with_machine(run, costs=halved)


def kernels(run: Run) -> Run:
    phases = ("load", "compute", "store")
    faster = [kernel | {phase: kernel[phase] // 2 for phase in phases} for kernel in run[2]]
    return *run[:2], faster, *run[3:]


CHANGES = {
    "a window twice as large": window,
    "one core more": cores,
    "twice the bandwidth of HBM": hbm,
    "twice the L2": l2,
    "half of all runtime costs": costs,
    "kernels in half the time": kernels,
}


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    print("| change | slower | worst |\n|---|---|---|")
    for what, change in CHANGES.items():
        slower, worst = 0, 1.0
        for seed in range(count):
            run = random_run(Random(seed), Size(TASKS), focus=PLAIN)
            before, after = makespan(run), makespan(change(run))
            slower += after > before
            worst = max(worst, after / max(before, 1))
        print(f"| {what} | {100 * slower / count:.1f} % | {100 * (worst - 1):.0f} % longer |")


if __name__ == "__main__":
    main()
