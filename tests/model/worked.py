"""What a worked schedule is: a smallest program for one setting, with its rows.

Costs that are not named are 0, there is no cube core and one scheduler, vector cores count from 0,
and a comment derives the rows from the rules of docs/execution-model.md. `instead` and `otherwise`
say what the same program takes with other settings: so the setting does what it is for.
docs/schedules.md has a row for each of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .timelines import TIMELINES, Timeline, box, kernel


@dataclass(frozen=True, kw_only=True)
class Worked(Timeline):
    instead: Mapping[str, Any] = field(default_factory=dict)
    """Settings to compare with: the defaults, unless said otherwise."""
    otherwise: int
    """The makespan with these."""

    @property
    def arguments(self) -> tuple[Any, ...]:
        return {"cube_cores": 0, **self.machine}, *super().arguments[1:]

    @property
    def other_arguments(self) -> tuple[Any, ...]:
        machine, _, *rest = self.arguments
        return machine, self.instead, *rest


def from_timeline(name: str, *, otherwise: int, instead: Mapping[str, Any] | None = None) -> Worked:
    """One of the timelines, with its cube core 0; they are derived there."""
    given = next(timeline for timeline in TIMELINES if timeline.name == name)
    return Worked(
        name=name,
        kernels=given.kernels,
        program=given.program,
        rows=given.rows,
        stalls=given.stalls,
        edges=given.edges,
        machine={"cube_cores": 1, **given.machine},
        schedule=given.schedule,
        instead=instead or {},
        otherwise=otherwise,
    )


def after(ids: Sequence[int], line: tuple[Any, ...]) -> tuple[Any, ...]:
    """The line of a task, that comes after these."""
    return *line, list(ids)


WRITE, READ = kernel("write", "out", compute=4), kernel("read", "in", compute=4)
K4 = [kernel("k", compute=4)]
X, Y = box("x"), box("y")
