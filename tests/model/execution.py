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
        load_end, moved = self.now + kernel.load, 0
        if self.machine.memory_bytes and kernel.bytes:
            begin = max(self.now, self.memory_free_at)
            load_end = begin + self.machine.transfer(kernel.load_bytes)
            moved = self.memory_free_at = begin + self.machine.transfer(kernel.bytes)
        task.load_end = max(self.now + kernel.load, load_end)
        computed = max(task.load_end, before) + rest
        task.end = max(computed, moved)
        task.memory_bound = load_end > self.now + kernel.load or moved > computed
