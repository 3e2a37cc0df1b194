"""The machine in virtual time, sequential and slow (rules 3 to 13 of docs/execution-model.md).

Each cycle in which something can happen goes through the five phases once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .dispatch import Dispatch
from .execution import Execution
from .machine import Task
from .reports import Reports
from .stalls import stall_rows
from .state import State
from .statistics import statistics
from .submission import Submission
from .tables import Kernel, read_machine, read_schedule
from .unrolling import unrolled


class Simulator(Reports, Submission, Dispatch, Execution):
    def run(self) -> None:
        orchestrator = self._orchestrate()
        while True:
            self._reports()
            next(orchestrator, None)
            self._ready()
            self._dispatch()
            self._start()
            if self.orchestrator_ended and len(self.retired) == len(self.tasks):
                return
            self.now = min(time for time in self._known_times() if time > self.now)

    def _known_times(self) -> list[int]:
        """Every time at which something is already known to happen."""
        times = [self.orchestrator_free_at, self.next_dispatch]
        times += [scheduler.free_at for scheduler in self.schedulers]
        times += [task.ready for task in self.submitted if task.ready is not None]
        times += [self._arrival(task) for task in self.submitted if task.end is not None]
        times += [start for core in self.cores if (start := self._next_start(core)) is not None]
        return times


def simulate(
    machine: Mapping[str, Any],
    schedule: Mapping[str, Any],
    kernels: Sequence[Mapping[str, Any]],
    tensors: Sequence[tuple[Any, ...]],
    program: Sequence[tuple[Any, ...]],
) -> dict[str, Any]:
    """Takes and gives what the engine does (engine.py). The input must be valid.

    Raises RefusedError where the engine has an error.
    """
    settings = read_schedule(schedule)
    lines = unrolled(program)
    simulator = Simulator(
        read_machine(machine), settings, [Kernel(**k) for k in kernels], tensors, lines
    )
    simulator.run()
    stalls = stall_rows(simulator)
    stats = statistics(simulator, stalls)
    if settings.trace.word == "none":
        return {"tasks": [], "edges": [], "stalls": [], "stats": stats}
    return {
        "tasks": [_row(simulator, task) for task in simulator.tasks],
        "edges": [tuple(edge) for edge in simulator.plan.edges],
        "stalls": stalls,
        "stats": stats,
    }


def _row(simulator: State, task: Task) -> dict[str, Any]:
    return {
        "task": task.id,
        "kernel": task.plan.kernel,
        "unit": task.unit,
        "core": task.core,
        "scheduler": task.scheduler,
        "pool": task.pool,
        "stream": task.plan.stream,
        "submit": task.submit,
        "ready": task.ready,
        "dispatch": task.dispatch,
        "start": task.start,
        "end": task.end,
        "retire": task.retire,
        "bound_by": task.memory or "compute",
    }
