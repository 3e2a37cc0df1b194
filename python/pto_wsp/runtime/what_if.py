"""What other settings would be worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard, cast

from pto_wsp import _core
from pto_wsp.errors import ScheduleError
from pto_wsp.runtime.stats import Stats

Setting = str | int | float | bool
Changes = Mapping[str, Setting]


@dataclass(frozen=True)
class Variant:
    """A run with changed settings."""

    settings: Changes
    stats: Stats
    ratio: float
    """Its time over that of the base; below 1 is faster."""


@dataclass(frozen=True)
class WhatIf:
    """The program as it is, and with changed settings. `str()` gives a table, a line per run:
    makespan, its ratio to the base, utilisation, the largest stall cause (a share of all core
    cycles), and by how many points that cause's share differs from the base's."""

    base: Stats
    variants: list[Variant]
    text: str

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


def each_alone_then_together(changes: object) -> list[Changes]:
    """The runs that what_if(changes) asks for. A mapping is each of its settings alone and then
    all of them; a sequence of mappings is one run for each. Raises ScheduleError."""
    if isinstance(changes, Mapping):
        settings = cast(Changes, changes)
        runs: list[Changes] = [{key: value} for key, value in settings.items()]
        if len(runs) > 1:
            runs.append(dict(settings))
    elif _is_list_of_mappings(changes):
        runs = list(changes)
    else:
        raise ScheduleError(
            f'what_if: expected settings, {{"window": 1024}}, or a list of such, found {changes!r}'
        )
    if not all(runs) or not runs:
        raise ScheduleError("what_if: expected at least one setting to change, found none")
    return runs


def _is_list_of_mappings(changes: object) -> TypeGuard[Sequence[Changes]]:
    return isinstance(changes, Sequence) and all(
        isinstance(one, Mapping) for one in cast(Sequence[object], changes)
    )


def compare(runs: Sequence[Changes], run: Callable[[Changes], _core.RunResult]) -> WhatIf:
    """Runs the base and each of the changes."""
    base = run({})
    results = [run(changes) for changes in runs]
    base_stats = Stats.of(base)
    variants: list[Variant] = []
    for changes, result in zip(runs, results, strict=True):
        stats = Stats.of(result)
        ratio = stats.makespan_ms / base_stats.makespan_ms if base_stats.makespan_ms else 1.0
        variants.append(Variant(changes, stats, ratio))
    named = [(_text(changes), result) for changes, result in zip(runs, results, strict=True)]
    return WhatIf(base_stats, variants, _core.compare(base, named).rstrip())


def _text(changes: Changes) -> str:
    def word(value: Setting) -> str:
        return str(value).lower() if isinstance(value, bool) else str(value)

    return ", ".join(f"{key}={word(value)}" for key, value in changes.items())
