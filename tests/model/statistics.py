"""Sums over a finished run, as cpp/include/pto/stats.h names them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .stalls import CAUSES, StallRow, known, makespan
from .tables import UNITS

if TYPE_CHECKING:
    from .machine import Core, Task
    from .state import State


def statistics(state: State, stalls: Sequence[StallRow]) -> dict[str, Any]:
    busy = _tile_lengths(state)
    return {
        "tasks": len(state.tasks),
        "edges": len(state.plan.edges),
        "reads": state.reads,
        "makespan": makespan(state),
        "orchestrator_busy": state.orchestrator_busy,
        "memory_bytes": state.memory.hbm_bytes,
        "memory_busy": state.memory.hbm.busy,
        "l2_bytes": state.memory.l2_bytes,
        "l2_busy": state.memory.l2.busy,
        "borrowed_vector": 0,
        "window_high_water": state.window_high_water,
        "window_overruns": state.window_overruns,
        "ready_high_water": state.ready_high_water,
        "pools": [_group(state, *group, busy, stalls) for group in _groups(state)],
        "kernels": [
            {
                "name": kernel.name,
                **_sums([t for t in state.tasks if t.plan.kernel == number], busy, stalls),
            }
            for number, kernel in enumerate(state.kernels)
        ],
        "schedulers": [
            {
                "dispatches": sum(task.scheduler == scheduler.id for task in state.tasks),
                "reports": sum(task.scheduler == scheduler.id for task in state.tasks),
                "steals": scheduler.steals,
                "busy": scheduler.busy,
            }
            for scheduler in state.schedulers
        ],
    }


def _tile_lengths(state: State) -> dict[int, int]:
    """Cycles of each task's tile: without what overlaps the task before it on its core."""
    lengths: dict[int, int] = {}
    for core in state.cores:
        before = 0
        for task in core.tasks:
            end = known(task.end)
            lengths[task.id] = end - max(known(task.start), before)
            before = end
    return lengths


def _groups(state: State) -> list[tuple[str, list[Core]]]:
    """Named groups of cores: those of a unit; in a custom pool; or in none of these."""
    pools = state.schedule.custom_pools
    groups: list[tuple[str, list[Core]]] = []
    for unit in UNITS:
        cores = [core for core in state.cores if core.unit == unit]
        if not pools:
            groups.append((unit, cores))
        for number, name in [*enumerate(pool.name for pool in pools), (-1, "unused")]:
            share = [core for core in cores if core.pool == number]
            if pools and share:
                groups.append((f"{name}.{unit}", share))
    return groups


def _group(
    state: State,
    name: str,
    cores: Sequence[Core],
    busy: dict[int, int],
    stalls: Sequence[StallRow],
) -> dict[str, Any]:
    ids = {core.id for core in cores}
    tasks = [task for task in state.tasks if task.core in ids]
    return {
        "name": name,
        "cores": len(ids),
        "tasks": len(tasks),
        "busy": sum(busy[task.id] for task in tasks),
        "stalls": _by_cause(row for row in stalls if row.core in ids),
    }


def _sums(
    tasks: Sequence[Task], busy: dict[int, int], stalls: Sequence[StallRow]
) -> dict[str, Any]:
    ids = {task.id for task in tasks}
    return {
        "tasks": len(tasks),
        "busy": sum(busy[task.id] for task in tasks),
        "stalls": _by_cause(row for row in stalls if row.task in ids),
    }


def _by_cause(rows: Iterable[StallRow]) -> dict[str, int]:
    sums = dict.fromkeys(CAUSES, 0)
    for row in rows:
        sums[row.cause] += row.end - row.begin
    return sums
