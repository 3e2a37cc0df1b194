"""The machine in virtual time, sequential and slow (rules 3 to 13 of docs/execution-model.md).

Each cycle in which something can happen goes through the five phases once; the methods of
`Simulator` stand in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from .graph import Planner, ReadStep, RefusedError, scheduler_count
from .machine import Core, Queue, Scheduler, Task
from .stalls import stall_rows
from .statistics import statistics
from .tables import UNITS, Kernel, Machine, Schedule, core_places, read_machine, read_schedule


class Simulator:
    def __init__(
        self,
        machine: Machine,
        schedule: Schedule,
        kernels: Sequence[Kernel],
        tensors: Sequence[tuple[Any, ...]],
        program: Sequence[tuple[Any, ...]],
    ) -> None:
        self.machine, self.schedule, self.kernels = machine, schedule, kernels
        self.costs = machine.costs
        self.plan = Planner(machine, schedule, kernels, tensors).read(program)
        self.tasks = [Task(plan, kernels[plan.kernel].unit) for plan in self.plan.tasks]
        count = scheduler_count(machine, schedule)
        pools = schedule.pool_count
        self.schedulers = [Scheduler(s, [Queue() for _ in range(pools)]) for s in range(count)]
        self.shared = [Queue() for _ in range(pools)]
        places = core_places(machine, schedule, count)
        self.cores = [Core(number, *place) for number, place in enumerate(places)]
        self.now = 0
        self.services = 0
        self.members_left = {join.id: set(join.members) for join in self.plan.joins.values()}
        self.retired: list[Task] = []
        self.submitted: list[Task] = []
        self.batch: list[Task] = []
        self.orchestrator = self._orchestrate()
        self.orchestrator_free_at = 0
        self.orchestrator_waits = False
        self.orchestrator_ended = False
        self.orchestrator_busy = 0
        self.reads = 0
        self.window_high_water = 0
        self.became_ready = 0
        self.opened: int | None = None
        self.memory_free_at = 0
        self.window_overruns = 0
        self.ready_high_water = 0
        self.held: list[Task] = []
        """Of the batch that is not complete (timing batched)."""
        self.next_dispatch = 0
        """No dispatch begins before (timing rate_limit)."""
        self.stream_opened: dict[int, int] = {}
        """When the stream's scope last went from full to not full."""

    def run(self) -> None:
        while True:
            self._reports()
            next(self.orchestrator, None)
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

    # ---- Phase 1: reports (rules 3, 12) ----

    def _arrival(self, task: Task) -> int:
        assert task.end is not None
        return task.end + self.costs.completion_latency

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
            turn = self._count_down(task.plan.join, task.id, turn)
        for task in scheduler.serving:
            task.service_end = turn
        scheduler.busy += turn - self.now
        scheduler.free_at = turn

    def _count_down(self, join: int | None, member: int, turn: int) -> int:
        """Takes a member from its join; the last one resolves those that wait for the join."""
        while join is not None:
            self.members_left[join].remove(member)
            if self.members_left[join]:
                break
            others = [
                task.service_end
                for task in self._tasks_in(join)
                if task.service != self.services and task.service_end is not None
            ]
            turn = self._resolve(join, turn, not_before=max(others, default=0))
            join, member = self.plan.joins[join].around, join
        return turn

    def _tasks_in(self, join: int) -> list[Task]:
        members = self.plan.joins[join].members
        direct = [self.tasks[member] for member in members if member >= 0]
        return direct + [task for m in members if m < 0 for task in self._tasks_in(m)]

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

    # ---- Phase 2: the orchestrator (rules 3, 4) ----

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

    def _judge_readiness(self, task: Task) -> None:
        assert task.published is not None
        if len(task.resolved) == len(task.plan.sources):
            task.ready = max([task.published, *task.resolved.values()])

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

    # ---- Phase 3: tasks that become ready enter their queues (rules 6, 7, 9) ----

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

    # ---- Phase 4: dispatch (rules 5, 7, 8, 9) ----

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

    def _stream_is_full(self, stream: int) -> bool:
        if stream < 0 or not self.schedule.limits("per_stream"):
            return False
        flying = [task for task in self.submitted if task.in_flight and task.plan.stream == stream]
        return len(flying) >= self.schedule.depth

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

    @property
    def _scoped(self) -> bool:
        """A scheduler's limit stands instead of one per core."""
        return self.schedule.limits("per_pool") or self.schedule.limits("global")

    def _cores_of(self, scheduler: Scheduler, pool: int) -> list[Core]:
        return [c for c in self.cores if c.scheduler == scheduler.id and c.pool == pool]

    def _scope_is_full(self, scheduler: Scheduler, pool: int) -> bool:
        """The scheduler has `depth` tasks per core, of that pool or in all, in flight."""
        if self.schedule.limits("global"):
            pools = range(len(self.shared))
            cores = [core for pool in pools for core in self._cores_of(scheduler, pool)]
        else:
            cores = self._cores_of(scheduler, pool)
        limit = self.schedule.depth * len(cores)
        return self._scoped and sum(core.in_flight for core in cores) >= limit

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

    # ---- Phase 5: cores (rules 10, 11) ----

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

    def timing(self, task: Task) -> Kernel:
        kernel = self.kernels[task.plan.kernel]
        if not task.plan.cost:
            return kernel
        return Kernel(kernel.name, kernel.unit, kernel.roles, compute=task.plan.cost)


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
    simulator = Simulator(
        read_machine(machine), settings, [Kernel(**k) for k in kernels], tensors, program
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


def _row(simulator: Simulator, task: Task) -> dict[str, Any]:
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
        "bound_by": "memory" if task.memory_bound else "compute",
    }
