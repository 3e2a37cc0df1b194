"""Sums over a finished run, as cpp/include/pto/stats.h names them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .stalls import CAUSES, StallRow, known, makespan
from .tables import UNITS

if TYPE_CHECKING:
    from .machine import Task
    from .simulator import Simulator


def statistics(simulator: Simulator, stalls: Sequence[StallRow]) -> dict[str, Any]:
    machine = simulator.machine
    busy = _tile_lengths(simulator)
    moved = [simulator.kernels[task.plan.kernel].bytes for task in simulator.tasks]
    return {
        "tasks": len(simulator.tasks),
        "edges": len(simulator.plan.edges),
        "reads": simulator.reads,
        "makespan": makespan(simulator),
        "orchestrator_busy": simulator.orchestrator_busy,
        "memory_bytes": sum(moved),
        "memory_busy": sum(map(machine.transfer, moved)) if machine.memory_bytes else 0,
        "borrowed_vector": 0,
        "window_high_water": simulator.window_high_water,
        "pools": [_pool(simulator, unit, busy, stalls) for unit in UNITS],
        "kernels": [
            {
                "name": kernel.name,
                **_sums([t for t in simulator.tasks if t.plan.kernel == number], busy, stalls),
            }
            for number, kernel in enumerate(simulator.kernels)
        ],
        "schedulers": [
            {
                "dispatches": sum(task.scheduler == scheduler.id for task in simulator.tasks),
                "reports": sum(task.scheduler == scheduler.id for task in simulator.tasks),
                "steals": scheduler.steals,
                "busy": scheduler.busy,
            }
            for scheduler in simulator.schedulers
        ],
    }


def _tile_lengths(simulator: Simulator) -> dict[int, int]:
    """Cycles of each task's tile: without what overlaps the task before it on its core."""
    lengths: dict[int, int] = {}
    for core in simulator.cores:
        before = 0
        for task in core.tasks:
            end = known(task.end)
            lengths[task.id] = end - max(known(task.start), before)
            before = end
    return lengths


def _pool(
    simulator: Simulator, unit: str, busy: dict[int, int], stalls: Sequence[StallRow]
) -> dict[str, Any]:
    cores = {core.id for core in simulator.cores if core.unit == unit}
    tasks = [task for task in simulator.tasks if task.unit == unit]
    return {
        "name": unit,
        "cores": len(cores),
        "tasks": len(tasks),
        "busy": sum(busy[task.id] for task in tasks),
        "stalls": _by_cause(row for row in stalls if row.core in cores),
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
