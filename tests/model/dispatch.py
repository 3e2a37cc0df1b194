"""Phases Ready and Dispatch: tasks enter queues and leave them for a core (rules 5 to 9)."""

from __future__ import annotations

from .machine import Core, Queue, Scheduler, Task
from .state import State
from .tables import UNITS


class Dispatch(State):
    def _ready(self) -> None:
        timing = self.schedule.timing
        for task in self.submitted:
            if task.ready is None or task.ready > self.now or task.met:
                continue
            task.met = True
            self.became_ready += 1
            self.held.append(task)
            if timing.word != "batched" or len(self.held) == timing.number:
                self._enter_held()

    def _enter_held(self) -> None:
        for task in self.held:
            task.entered = self.now
            home = task.plan.home
            queues = self.shared if home is None else self.schedulers[home].queues
            queues[task.pool].tasks.append(task)
        self.held = []
        self.ready_high_water = max(self.ready_high_water, self._queued())

    def _queued(self) -> int:
        queues = [*self.shared, *(queue for s in self.schedulers for queue in s.queues)]
        return sum(len(queue.tasks) for queue in queues)

    def _nothing_goes_on(self) -> bool:
        """Nothing is queued, in flight or about to become ready."""
        coming = any(task.ready is not None and task.ready > self.now for task in self.submitted)
        flying = any(task.in_flight for task in self.submitted)
        return not (self._queued() or coming or flying)

    def _dispatch(self) -> None:
        idle = self.orchestrator_waits or self.orchestrator_ended
        if self.held and idle and self._nothing_goes_on():
            self._enter_held()
        if self.opened is None and self._may_open():
            self.opened = self.now
        if self.opened is None:
            return
        moved = True
        while moved:
            own = [self._dispatch_own(scheduler) for scheduler in self.schedulers]
            stolen = [self._steal(scheduler) for scheduler in self.schedulers]
            moved = any(own) or any(stolen)

    def _may_open(self) -> bool:
        if self.schedule.start.word == "after_orchestration":
            return self.orchestrator_ended
        return (
            self.became_ready >= self.schedule.start_threshold
            or self.orchestrator_waits
            or self.orchestrator_ended
        )

    def _dispatch_own(self, scheduler: Scheduler) -> bool:
        moved = False
        while self._may_begin(scheduler):
            found: list[tuple[Task, Queue, Core]] = []
            for queue in [*scheduler.queues, *self.shared]:
                task = self._head(queue)
                if task is None or not self._may_take(scheduler, task.pool):
                    continue
                core = self._core_for(scheduler, task)
                if core is None:
                    task.no_core = True
                else:
                    found.append((task, queue, core))
            if not found:
                break
            task, queue, core = min(found, key=lambda entry: self._rank(entry[0]))
            self._issue(scheduler, task, queue, core)
            moved = True
        return moved

    def _may_begin(self, scheduler: Scheduler) -> bool:
        return scheduler.free_at <= self.now and self.next_dispatch <= self.now

    def _rank(self, task: Task) -> tuple[int, int]:
        """The place that the ready policy gives a task (rule 8)."""
        return (task.plan.priority, task.id) if self._by_priority else task.order

    @property
    def _by_priority(self) -> bool:
        return self.schedule.ready.word == "priority"

    def _head(self, queue: Queue) -> Task | None:
        """The next task of a queue; tasks whose stream is full are passed over."""
        tasks = [task for task in queue.tasks if not self._stream_is_full(task.plan.stream)]
        if not tasks:
            return None
        lanes = {self._lane(task) for task in tasks}
        lane = min((lane for lane in lanes if lane > queue.last_lane), default=min(lanes))
        return min((task for task in tasks if self._lane(task) == lane), key=self._rank)

    def _lane(self, task: Task) -> int:
        timing, stream = self.schedule.timing, task.plan.stream
        if timing.word != "interleaved":
            return 0
        return (stream if stream >= 0 else task.id) % timing.number

    def _steal(self, scheduler: Scheduler) -> bool:
        if not self.schedule.steals:
            return False
        moved = False
        for pool in range(len(self.shared)):
            while self._may_begin(scheduler) and self._steal_from(scheduler, pool):
                moved = True
        return moved

    def _steal_from(self, scheduler: Scheduler, pool: int) -> bool:
        if scheduler.queues[pool].tasks or self.shared[pool].tasks:
            return False
        victims = [other.queues[pool] for other in self.schedulers if other.queues[pool].tasks]
        if not victims or not self._may_take(scheduler, pool):
            return False
        queue = max(victims, key=lambda queue: len(queue.tasks))
        task = queue.youngest()
        core = self._core_for(scheduler, task)
        if core is None or core.in_flight or self._stream_is_full(task.plan.stream):
            return False
        task.stolen = True
        scheduler.steals += 1
        self._issue(scheduler, task, queue, core)
        return True

    def _core_for(self, scheduler: Scheduler, task: Task) -> Core | None:
        """The scheduler's core of that pool and unit with room: fewest in flight, then lowest."""
        cores = [core for core in self._cores_of(scheduler, task.pool) if core.unit == task.unit]
        if not self._scoped:
            limit = self.schedule.depth or self.machine.core_slots
            cores = [core for core in cores if core.in_flight < limit]
        return min(cores, key=lambda core: (core.in_flight, core.id), default=None)

    def _may_take(self, scheduler: Scheduler, pool: int) -> bool:
        """A scheduler without a core in a pool does not look at its queues."""
        return bool(self._cores_of(scheduler, pool)) and not self._scope_is_full(scheduler, pool)

    def _issue(self, scheduler: Scheduler, task: Task, queue: Queue, core: Core) -> None:
        task.dispatch, task.scheduler, task.core = self.now, scheduler.id, core.id
        task.dispatched = self.now + self.costs.dispatch + self.costs.steal * task.stolen
        task.seen = task.dispatched + self.costs.dispatch_latency
        scheduler.busy += task.dispatched - self.now
        scheduler.free_at = task.dispatched
        assert self.opened is not None
        arrival, served = core.last_report
        assert task.entered is not None
        scope = scheduler.scope_opened.get(task.pool, 0)
        stream = self.stream_opened.get(task.plan.stream, 0)
        opened = max(self.opened, scope, stream, task.entered, self.next_dispatch)
        task.cuts = [(arrival, "latency"), (served, "dispatch_busy"), (opened, "gated")]
        if self._mixed(task.pool):
            task.cuts.append((queue.no_core_until, "no_core"))
        if self.schedule.timing.word == "rate_limit":
            per_second = 1000 * self.schedule.timing.number
            self.next_dispatch = self.now - -self.machine.clock_hz // per_second
        queue.last_lane = self._lane(task)
        queue.tasks.remove(task)
        if task.no_core:
            queue.no_core_until = self.now
        core.tasks.append(task)

    def _mixed(self, pool: int) -> bool:
        return len({core.unit for core in self.cores if core.pool == pool}) == len(UNITS)
