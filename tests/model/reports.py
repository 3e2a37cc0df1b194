"""Phase Reports: services end and begin, successors are resolved, tasks retire (rules 3, 12)."""

from __future__ import annotations

from itertools import pairwise

from .machine import Scheduler, Task
from .state import State


class Reports(State):
    def _reports(self) -> None:
        for scheduler in self.schedulers:
            self._finish_service(scheduler)
        for task in self.submitted:
            if task.end is not None and not task.reported and self._arrival(task) <= self.now:
                task.reported = True
                self.schedulers[task.scheduler].reports.append(task)
        for scheduler in self.schedulers:
            while scheduler.reports and scheduler.free_at <= self.now:
                self._begin_service(scheduler)
                self._finish_service(scheduler)

    def _begin_service(self, scheduler: Scheduler) -> None:
        scheduler.reports.sort(key=lambda task: (self._arrival(task), task.id))
        scheduler.serving = scheduler.reports[: self.schedule.batch]
        del scheduler.reports[: self.schedule.batch]
        self.services += 1
        for task in scheduler.serving:
            task.service = self.services
        turn = self.now + self.costs.complete
        for task in scheduler.serving:
            turn = self._resolve(task.id, turn, not_before=0)
            for join in task.plan.joins:
                turn = self._count_down(join, task.id, turn, "dep_wait")
        for task in scheduler.serving:
            task.service_end = turn
        scheduler.busy += turn - self.now
        scheduler.free_at = turn

    def _count_down(self, join: int, member: int, turn: int, cause: str) -> int:
        """Takes a member from its join; the last one resolves those that wait for the join."""
        self.members_left[join].remove(member)
        if self.members_left[join]:
            return turn
        self.causes[join] = cause
        others = [
            task.service_end
            for task in self._tasks_in(join)
            if task.service != self.services and task.service_end is not None
        ]
        turn = self._resolve(join, turn, not_before=max(others, default=0))
        plan = self.plan.joins[join]
        if plan.around is not None:
            turn = self._count_down(plan.around, join, turn, "dep_wait")
        for other, name in plan.others:
            turn = self._count_down(other, join, turn, name or cause)
        return turn

    def _resolve(self, source: int, turn: int, not_before: int) -> int:
        """Resolves what was published before now and waits for `source`.

        Returns the end of the last turn.
        """
        published = [task for task in self.submitted if task.published is not None]
        waiting = [task for task in published if source in task.plan.sources]
        for run in self._runs(waiting):
            turn += self.costs.resolve
            for task in run:
                task.resolved[source] = max(turn, not_before)
                if source < 0:
                    task.waits[source] = self.causes[source]
                self._judge_readiness(task)
        return turn

    def _runs(self, waiting: list[Task]) -> list[list[Task]]:
        """What one turn resolves: a task, or consecutive ids where ranges are compressed."""
        runs = [[task] for task in waiting[:1]]
        for before, task in pairwise(waiting):
            if self.schedule.range_compression and task.id == before.id + 1:
                runs[-1].append(task)
            else:
                runs.append([task])
        return runs

    def _finish_service(self, scheduler: Scheduler) -> None:
        if not scheduler.serving or scheduler.free_at > self.now:
            return
        scopes = {pool: self._scope_is_full(scheduler, pool) for pool in range(len(self.shared))}
        streams = {t.plan.stream: self._stream_is_full(t.plan.stream) for t in scheduler.serving}
        for task in scheduler.serving:
            task.finished = True
            self.cores[task.core].last_report = (self._arrival(task), scheduler.free_at)
        scheduler.serving = []
        for pool, was_full in scopes.items():
            if was_full and not self._scope_is_full(scheduler, pool):
                scheduler.scope_opened[pool] = self.now
        for stream, was_full in streams.items():
            if was_full and not self._stream_is_full(stream):
                self.stream_opened[stream] = self.now
        self._retire()

    def _retire(self) -> None:
        for task in self.submitted[len(self.retired) :]:
            if not task.finished:
                return
            assert task.service_end is not None
            before = self.retired[-1].retire if self.retired else 0
            assert before is not None
            task.retire = max(task.service_end, before)
            self.retired.append(task)
