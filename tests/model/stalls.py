"""Why a core did not work: rule 14, from what the tasks of a finished run say of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .machine import Core, Task
    from .state import State

CAUSES = (
    "submit_busy",
    "window_full",
    "readback",
    "dep_wait",
    "channel_empty",
    "channel_full",
    "gated",
    "no_core",
    "dispatch_busy",
    "latency",
    "drained",
)


class StallRow(NamedTuple):
    core: int
    begin: int
    end: int
    cause: str
    task: int
    """The task after the gap; -1: none."""


def known(time: int | None) -> int:
    assert time is not None
    return time


def makespan(state: State) -> int:
    return max((known(task.end) for task in state.tasks), default=0)


def stall_rows(state: State) -> list[StallRow]:
    return [row for core in state.cores for row in _stalls_of(core, makespan(state))]


def _stalls_of(core: Core, makespan: int) -> list[StallRow]:
    rows: list[StallRow] = []
    free_from = 0
    for task in core.tasks:
        rows += _gap_before(task, free_from, known(task.start))
        free_from = known(task.end)
    if free_from < makespan:
        rows.append(StallRow(core.id, free_from, makespan, "drained", -1))
    return rows


def _gap_before(task: Task, begin: int, end: int) -> list[StallRow]:
    """Cuts [begin, end) at the task's own times; neighbours with one cause are one row."""
    rows: list[StallRow] = []
    dispatch = known(task.dispatch)
    for until, cause in [
        (known(task.submit), task.orchestrator),
        (known(task.published), "submit_busy"),
        (known(task.ready), task.waited),
        *((min(until, dispatch), cause) for until, cause in task.cuts),
        (task.dispatched, "dispatch_busy"),
        (end, "latency"),
    ]:
        until = min(until, end)
        if until <= begin:
            continue
        if rows and rows[-1].cause == cause:
            rows[-1] = rows[-1]._replace(end=until)
        else:
            rows.append(StallRow(task.core, begin, until, cause, task.id))
        begin = until
    return rows
