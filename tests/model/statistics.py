"""Sums over a finished run, as cpp/include/pto/stats.h names them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .stalls import CAUSES, StallRow, known, makespan
from .tables import UNITS

if TYPE_CHECKING:
    from .machine import Core, Task
    from .simulator import Simulator


def statistics(simulator: Simulator, stalls: Sequence[StallRow]) -> dict[str, Any]:
    machine = simulator.machine
    busy = _tile_lengths(simulator)
    moved = [simulator.timing(task).bytes for task in simulator.tasks]
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
        "window_overruns": simulator.window_overruns,
        "ready_high_water": simulator.ready_high_water,
        "pools": [_group(simulator, *group, busy, stalls) for group in _groups(simulator)],
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


def _groups(simulator: Simulator) -> list[tuple[str, list[Core]]]:
    """Named groups of cores: those of a unit; in a custom pool; or in none of these."""
    pools = simulator.schedule.custom_pools
    groups: list[tuple[str, list[Core]]] = []
    for unit in UNITS:
        cores = [core for core in simulator.cores if core.unit == unit]
        if not pools:
            groups.append((unit, cores))
        for number, name in [*enumerate(pool.name for pool in pools), (-1, "unused")]:
            share = [core for core in cores if core.pool == number]
            if pools and share:
                groups.append((f"{name}.{unit}", share))
    return groups


def _group(
    simulator: Simulator,
    name: str,
    cores: Sequence[Core],
    busy: dict[int, int],
    stalls: Sequence[StallRow],
) -> dict[str, Any]:
    ids = {core.id for core in cores}
    tasks = [task for task in simulator.tasks if task.core in ids]
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
