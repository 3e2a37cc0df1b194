"""Random task programs with numbers, from one compiled one that does what a tensor says."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from model.programs import COSTS, SMALL, random_schedule
from model.tables import Schedule, Setting, read_schedule
from numpy.typing import NDArray

from pto_wsp.codegen.build import build
from pto_wsp.runtime import Program, Result

SOURCE = Path(__file__).parent / "listed_tasks.cpp"
SCHEDULE = set(Schedule._fields) | {"dispatch_threshold"}
LINES, SIDE, WIDTH, COLUMNS, MODULUS = 60, 8, 4, 16, 1 << 20
MIX, COPY, SQUARE, READ, SCOPE, PART, END, NOTHING = range(8)
CORES = {"cube_cores": 2, "vector_cores": 3}

Lines = NDArray[np.int64]


def listed_tasks(cache: Path) -> Path:
    """The compiled program; its lines are a tensor."""
    return build([f"#define LINES {LINES}\n{SOURCE.read_text()}"], {}, cache=cache)


def random_settings(rng: Random) -> dict[str, Setting]:
    """Any legal schedule, on a small machine with costs of a few cycles each."""
    schedule = random_schedule(rng, CORES, refusable=False)
    machine: dict[str, Any] = {
        "clock": 1,
        **{f"cores.{unit}": CORES[f"{unit}_cores"] for unit in ("cube", "vector")},
        "schedulers": rng.randint(1, 5),
        "schedulers_max": 8,
        "core_slots": rng.choice((1, 2)),
        # In the profile's units, ns or us: some cycles, or up to thousands.
        **{f"costs.{name}": rng.choice(SMALL) * rng.choice((1, 0.001)) for name in COSTS},
    }
    return machine | schedule


class LineWriter:
    """Writes the lines of a random program."""

    def __init__(self, rng: Random, settings: Mapping[str, Setting]) -> None:
        self._rng = rng
        schedule = {key: value for key, value in settings.items() if key in SCHEDULE}
        self._pools = read_schedule(schedule).custom_pools
        self._after = 0.0 if settings["deps"] == "inferred" else 0.2
        self._lines: list[list[int]] = []
        self._open = 0

    def write(self) -> Lines:
        while len(self._lines) + self._open < LINES - 3:
            self._line()
        self._lines += [[END]] * self._open
        self._lines += [[NOTHING]] * (LINES - len(self._lines))
        padded = [line + [0] * (COLUMNS - len(line)) for line in self._lines]
        return np.array(padded, dtype=np.int64)

    def _line(self) -> None:
        choice = self._rng.random()
        if choice < 0.08 and self._open < 3:
            self._open += 1
            self._lines.append([SCOPE])
        elif choice < 0.2 and self._open:
            ends = self._rng.random() < 0.4
            self._open -= int(ends)
            self._lines.append([END if ends else PART])
        elif choice < 0.3:
            # What may be skipped is a task, so that scopes stay whole.
            self._lines.append([READ, *self._place(1)])
            self._lines.append(self._task())
        else:
            self._lines.append(self._task())

    def _task(self) -> list[int]:
        rng = self._rng
        kind = rng.choice((MIX, COPY, SQUARE))
        rows = 2 if kind == SQUARE else 1
        places = [*self._place(rows), *self._place(rows)]
        after = rng.randint(1, 9) if rng.random() < self._after else 0
        keys = [rng.randint(-9, 9), 0, rng.randint(-2, 2), rng.randrange(3), self._pool(kind)]
        return [kind, *places, rng.randint(0, 1), after, *keys, rng.choice((1, 2, 5, 9))]

    def _place(self, rows: int) -> tuple[int, int]:
        return self._rng.randint(0, SIDE - rows), self._rng.randint(0, SIDE - WIDTH)

    def _pool(self, kind: int) -> int:
        cores = [p.cube_cores if kind == COPY else p.vector_cores for p in self._pools]
        return self._rng.choice([n for n, count in enumerate(cores) if count] or [0])


def expected_values(lines: Lines) -> list[Lines]:
    """`a` and `b` after the lines, one after the other."""
    tensors = initial_values()
    number = 0
    while number < len(lines):
        kind, row, column, to_row, to_column, first, *_ = map(int, lines[number])
        if kind == READ:
            number += int(tensors[0][row, column]) % 2
        elif kind in (MIX, COPY, SQUARE):
            rows = 2 if kind == SQUARE else 1
            x = tensors[first][row : row + rows, column : column + WIDTH]
            y = tensors[1 - first][to_row : to_row + rows, to_column : to_column + WIDTH]
            made = {MIX: 31 * y + x + 1, COPY: 17 * x + 5, SQUARE: x * x + 7 * y}[kind]
            y[:] = made % MODULUS
        number += 1
    return tensors


def initial_values() -> list[Lines]:
    return [np.arange(k, k + SIDE * SIDE).reshape(SIDE, SIDE) * 37 for k in (1, 100)]


class Memory:
    """A tensor with values."""

    has_values = True

    def __init__(self, values: Lines) -> None:
        self.values = values

    def array(self) -> Lines:
        return self.values

    def check_writable(self) -> None:
        assert self.values.flags.writeable

    def note_run(self, is_running: Callable[[], bool]) -> None:
        assert is_running()


class ListedRun:
    """One program's tensors and its runs."""

    def __init__(self, path: Path, lines: Lines, settings: Mapping[str, Setting]) -> None:
        self.a, self.b = map(Memory, initial_values())
        self.program = Program(
            path, {"a": self.a, "b": self.b, "lines": Memory(lines)}, dict(settings)
        )

    def execute(self, threads: int) -> Result:
        self.a.values[:], self.b.values[:] = initial_values()
        self.program.execute(threads=threads)
        self.program.synchronize()
        return Result(self.program.stats, self.program.trace)


def fingerprint(result: Result) -> str:
    """Of all rows and statistics; the host's own time is no part of them."""
    digest = hashlib.sha256()
    stats: dict[str, Any] = {
        name: getattr(result.stats, name)
        for name in result.stats.__struct_fields__
        if name != "host"
    }
    digest.update(repr(stats).encode())
    for table in (result.trace.tasks, result.trace.edges, result.trace.stalls):
        for name in table:
            digest.update(name.encode() + table[name].tobytes())
    return digest.hexdigest()
