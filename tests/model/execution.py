"""Phase Cores: tasks start and end (rules 10, 11)."""

from __future__ import annotations

from .machine import Core
from .state import State


class Execution(State):
    def _next_start(self, core: Core) -> int | None:
        """When the core's next task starts; None where there is none."""
        waiting = [i for i, task in enumerate(core.tasks) if task.start is None]
        if not waiting:
            return None
        index, depth = waiting[0], self.schedule.depth or 1
        latest = core.tasks[index].seen
        if index > 0:
            latest = max(latest, core.tasks[index - 1].load_end)
        if index >= depth:
            end = core.tasks[index - depth].end
            assert end is not None
            latest = max(latest, end)
        return latest + self.costs.pickup

    def _start(self) -> None:
        for core in self.cores:
            while self._next_start(core) == self.now:
                self._begin(core)

    def _begin(self, core: Core) -> None:
        index = next(i for i, task in enumerate(core.tasks) if task.start is None)
        task = core.tasks[index]
        before = core.tasks[index - 1].end if index else 0
        assert before is not None
        kernel = self.timing(task)
        rest = kernel.compute + kernel.store
        if kernel.load + rest == 0:
            rest = 1
        task.start = self.now
        task.load_end = self.now + kernel.load
        if task.plan.cost:
            task.end = max(task.load_end, before) + rest
            return
        booking = self.memory.book(task.id, kernel, self.now)
        if booking.load_end > task.load_end:
            task.load_end, task.memory = booking.load_end, booking.load_level
        task.end = max(task.load_end, before) + rest
        if booking.end > task.end:
            task.end, task.memory = booking.end, booking.level
