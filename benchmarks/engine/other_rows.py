"""Simulators and task runtimes of others, each in a small program of `others/`, where installed.

A simulator simulates the same machine and has to find the same makespan as the bare-bones one. A
runtime simulates nothing: it runs empty tasks on host threads, in an order that respects the edges.
"""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from measuring import Usage, usage

SOURCES = Path(__file__).resolve().parent / "others"
CHECKED = 6240
"""Tasks, of a multiple of each stream's layer or round."""
TOLERANCE = 0.01
"""Of a makespan: tasks that become ready in one cycle may go in any order."""
THREADS = 2
"""Of a runtime, as of the bare-bones simulator at most."""
FLAGS = ("-std=c++20", "-O3", "-march=native", "-pthread")


@dataclass(frozen=True)
class Other:
    title: str
    source: str
    install: str
    """What to do where it is missing."""
    flags: tuple[str, ...] = ()
    module: str = ""
    """The Python package that it takes; else it is C++."""
    simulates: bool = False
    most: int = 10**8
    """More tasks take too long; rates are compared."""


OTHERS = {
    "simpy": Other("SimPy", "simpy_machine.py", "simpy with pip", (), "simpy", True, 10**5),
    "simgrid": Other(
        *("SimGrid", "simgrid.cpp", "its C++ headers, such as Debian's libsimgrid-dev"),
        flags=("-lsimgrid",),
        simulates=True,
        most=10**6,
    ),
    "taskflow": Other(
        "Taskflow", "taskflow.cpp", "its headers, and the folder that holds taskflow/ in CPATH"
    ),
    "onetbb": Other("oneTBB", "onetbb.cpp", "its headers, such as Debian's libtbb-dev", ("-ltbb",)),
    "openmp": Other("OpenMP", "openmp.cpp", "a compiler with OpenMP 5.0", ("-fopenmp",)),
}


def build(source: Path, program: Path, flags: Sequence[str]) -> str:
    """Compiles a program; the compiler's complaint, or nothing."""
    compiler = os.environ.get("PTO_CXX", "c++").split()
    # Libraries come after the source that needs them.
    command = [*compiler, source, "-o", program, *FLAGS, *flags]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stderr if done.returncode else ""


@dataclass(frozen=True)
class Row:
    """An other one, ready to run."""

    other: Other
    command: tuple[str, ...]

    def run(
        self, stream: str, tasks: int, kernels: Sequence[str], check: bool = False
    ) -> tuple[dict[str, float], Usage]:
        """What it printed, and what it took.

        kernels: such as `cube:100`. check: whether a runtime looks at the order that it ran in; it
        fails where that is wrong.
        """
        last = kernels if self.other.simulates else [str(THREADS), *(["check"] if check else [])]
        used = usage([*self.command, stream, tasks, *last])
        return json.loads(used.output), used

    def check(self, stream: str, kernels: Sequence[str], limit: Path) -> Usage:
        """Runs a few tasks and ends this process where they go wrong; what that took."""
        found, used = self.run(stream, CHECKED, kernels, check=True)
        if self.other.simulates:
            expected = json.loads(usage([limit, stream, CHECKED, 1, *kernels]).output)["makespan"]
            if abs(found["makespan"] - expected) > TOLERANCE * expected:
                raise SystemExit(
                    f"{self.other.title}, {stream}: expected a makespan of {expected:,},"
                    f" found {found['makespan']:,}"
                )
        return used


def prepare(name: str, folder: Path) -> Row | str:
    """The row, built in a folder; or why there is none and what to install."""
    other = OTHERS[name]
    source = SOURCES / other.source
    missing = f"no row for {other.title}: install {other.install}"
    if other.module:
        found = importlib.util.find_spec(other.module)
        return Row(other, (sys.executable, str(source))) if found else missing
    program = folder / name
    complaint = build(source, program, other.flags)
    if not complaint:
        return Row(other, (str(program),))
    return f"{missing} ({complaint.splitlines()[0]})"
