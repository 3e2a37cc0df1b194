"""Phase Orchestrator: tasks are submitted and published, data is read (rules 3, 4)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

from .graph import ReadStep, RefusedError
from .machine import Task
from .state import State


class Submission(State):
    def _orchestrate(self) -> Iterator[None]:
        """The orchestrator's program; it yields where it cannot go on in this cycle."""
        did = "submit_busy"
        for step in self.plan.steps:
            if isinstance(step, ReadStep):
                yield from self._publish_batch()
                begin = self.now
                yield from self._read(step)
                if self.now > begin:
                    did = "readback"
                continue
            task = self.tasks[step.task]
            if (yield from self._make_room(task.plan.size)):
                did = "window_full"
            yield from self._submit(task, did)
            did = "submit_busy"
        yield from self._publish_batch()
        self.orchestrator_ended = True

    def _make_room(self, size: int) -> Generator[None, None, bool]:
        """Until the task fits into the window; true where that took waiting (rule 3)."""
        if self._fits(size):
            return False
        if self.schedule.window_mode == "benchmark":
            self.window_overruns += 1
            return False
        if size > self.schedule.window:
            raise RefusedError("size")
        yield from self._publish_batch()
        if self._fits(size):
            return False
        if self.schedule.window_mode == "abort":
            raise RefusedError("window")
        yield from self._wait_while(lambda: not self._fits(size))
        return True

    def _read(self, step: ReadStep) -> Iterator[None]:
        writers = [self.tasks[id] for id in step.writers]
        yield from self._wait_while(lambda: not all(writer.finished for writer in writers))
        self.reads += 1
        yield from self._work(self.costs.readback)

    def _submit(self, task: Task, did: str) -> Iterator[None]:
        task.submit, task.orchestrator = self.now, did
        self.submitted.append(task)
        self.batch.append(task)
        self.window_high_water = max(self.window_high_water, self._live())
        yield from self._work(self.costs.submit_operand * task.plan.operands)
        if len(self.batch) == self.schedule.batch:
            yield from self._publish_batch()

    def _publish_batch(self) -> Iterator[None]:
        if not self.batch:
            return
        yield from self._work(self.costs.submit)
        for task in self.batch:
            self._publish(task)
        self.batch = []

    def _publish(self, task: Task) -> None:
        task.published = self.now
        for source in task.plan.sources:
            before = self._tasks_in(source) if source < 0 else [self.tasks[source]]
            ends = [t.service_end for t in before if t.service_end is not None]
            if len(ends) == len(before):
                task.resolved[source] = max(ends)
        self._judge_readiness(task)

    def _work(self, cycles: int) -> Iterator[None]:
        self.orchestrator_busy += cycles
        self.orchestrator_free_at = self.now + cycles
        while self.now < self.orchestrator_free_at:
            yield

    def _wait_while(self, blocked: Callable[[], bool]) -> Iterator[None]:
        while blocked():
            if self.schedule.start.word == "after_orchestration":
                raise RefusedError("start")
            self.orchestrator_waits = True
            yield
        self.orchestrator_waits = False

    def _live(self) -> int:
        """What the live tasks hold of the window."""
        return sum(task.plan.size for task in self.submitted[len(self.retired) :])

    def _fits(self, size: int) -> bool:
        return self._live() + size <= self.schedule.window
