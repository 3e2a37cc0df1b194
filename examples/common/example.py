"""What the examples share: their command line, checks of values, tables of cycles."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from pto_wsp import Program, PtoError
from pto_wsp.machine import Machine

MACHINE = "ascend_a3"


class Example:
    """One run of an example: prints what it finds, and notes whether all checks passed."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.small: bool = arguments.small
        self.threads: int | None = arguments.threads
        self.passed = True

    def execute(self, program: Program) -> None:
        """Computes every number, on `threads` host threads."""
        program.execute(threads=self.threads)
        program.synchronize()

    def check(self, name: str, found: ArrayLike, expected: ArrayLike, tolerance: float) -> None:
        """Holds the largest difference over the largest expected value against the tolerance."""
        a, b = np.asarray(found, np.float64), np.asarray(expected, np.float64)
        difference = float(np.max(np.abs(a - b)) / np.max(np.abs(b)))
        self.check_that(
            name, f"error {difference:.1e}, at most {tolerance:.0e}", difference <= tolerance
        )

    def check_that(self, name: str, found: str, holds: bool) -> None:
        self.passed &= holds
        print(f"  {'ok  ' if holds else 'FAIL'}  {name}: {found}")


def run_example(description: str, body: Callable[[Example], None]) -> int:
    """Runs `body` with the command line's arguments; the process's exit code."""
    parser = argparse.ArgumentParser(description=description.partition("\n")[0])
    parser.add_argument("--small", action="store_true", help="a size that takes a moment only")
    parser.add_argument("--threads", type=int, metavar="N", help="default: all cores")
    example = Example(parser.parse_args())
    try:
        body(example)
    except PtoError as error:
        print(error, file=sys.stderr)
        return 1
    print("all checks passed" if example.passed else "CHECKS FAILED")
    return 0 if example.passed else 1


# ---- Cycles ----------------------------------------------------------------------------------


def print_cycles(name: str, program: Program, flops: float = 0.0) -> None:
    """Of the last run: the makespan, how busy each pool was, what kept cores idle, bytes moved."""
    stats = program.stats
    rate = f", {flops / stats.makespan_ms * 1e-9:.1f} TFLOP/s" if flops else ""
    print(f"{name}: {stats.tasks} tasks, {stats.makespan_cycles} cycles", end="")
    print(f" = {stats.makespan_ms:.3f} ms{rate}")
    print(f"  busy: {shares(stats.utilisation)}; idle: {shares(stall_shares(program))}")
    print(f"  HBM: {stats.memory_bytes / 1e6:.1f} MB")


def stall_shares(program: Program) -> dict[str, float]:
    """Of the cores that did any work, each cause's share of their cycles, the largest first."""
    pools = [pool for pool in program.stats.pools if pool.tasks]
    total = sum(pool.cores for pool in pools) * program.stats.makespan_cycles
    causes: dict[str, int] = {}
    for pool in pools:
        for cause, cycles in pool.stalls.items():
            causes[cause] = causes.get(cause, 0) + cycles
    ordered = sorted(causes.items(), key=lambda item: -item[1])
    return {cause: cycles / total for cause, cycles in ordered if cycles * 1000 >= total}


def shares(of: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {share:.1%}" for name, share in of.items() if share) or "none"


def print_what_if(program: Program, changes: Any) -> None:
    print("\nWhat if:")
    print(program.what_if(changes))


def print_table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Columns as wide as they must be, numbers to the right."""
    lines = [[str(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    for line in lines:
        print("  " + "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))


def milliseconds(nbytes: float, rate: str = "memory.hbm", machine: str = MACHINE) -> float:
    """What the machine needs to move so many bytes at a rate of its profile."""
    return nbytes / Machine(machine).amount(rate) * 1e3
