"""A run as it stands in one cycle, and what all phases ask of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .graph import Planner, scheduler_count
from .machine import Core, Queue, Scheduler, Task
from .memory import SharedMemory
from .tables import Kernel, Machine, Schedule, core_places


class State:
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
        self.causes: dict[int, str] = {}
        """What the waiters of a join have waited for, once it is complete."""
        self._ids: dict[int, frozenset[int]] = {}
        """The tasks in a join."""
        self.retired: list[Task] = []
        self.submitted: list[Task] = []
        self.batch: list[Task] = []
        self.orchestrator_free_at = 0
        self.orchestrator_waits = False
        self.orchestrator_ended = False
        self.orchestrator_busy = 0
        self.reads = 0
        self.window_high_water = 0
        self.became_ready = 0
        self.opened: int | None = None
        self.memory = SharedMemory(machine, schedule, kernels, tensors, program)
        self.window_overruns = 0
        self.ready_high_water = 0
        self.held: list[Task] = []
        """Of the batch that is not complete (timing batched)."""
        self.next_dispatch = 0
        """No dispatch begins before (timing rate_limit)."""
        self.stream_opened: dict[int, int] = {}
        """When the stream's scope last went from full to not full."""

    def timing(self, task: Task) -> Kernel:
        kernel = self.kernels[task.plan.kernel].of(task.plan.trips)
        if not task.plan.cost:
            return kernel
        return Kernel(kernel.name, kernel.unit, kernel.roles, compute=task.plan.cost)

    def _arrival(self, task: Task) -> int:
        assert task.end is not None
        return task.end + self.costs.completion_latency

    def _tasks_in(self, join: int) -> list[Task]:
        return [self.tasks[id] for id in sorted(self._ids_in(join))]

    def _ids_in(self, join: int) -> frozenset[int]:
        if join not in self._ids:
            members = self.plan.joins[join].members
            nested = (self._ids_in(member) for member in members if member < 0)
            self._ids[join] = frozenset(m for m in members if m >= 0).union(*nested)
        return self._ids[join]

    def _judge_readiness(self, task: Task) -> None:
        assert task.published is not None
        if len(task.resolved) == len(task.plan.sources):
            task.ready = max([task.published, *task.resolved.values()])
            last = [source for source, time in task.resolved.items() if time == task.ready]
            waits = {task.waits.get(source, "dep_wait") for source in last} - {"dep_wait"}
            task.waited = waits.pop() if waits else "dep_wait"

    def _cores_of(self, scheduler: Scheduler, pool: int) -> list[Core]:
        return [c for c in self.cores if c.scheduler == scheduler.id and c.pool == pool]

    @property
    def _scoped(self) -> bool:
        """A scheduler's limit stands instead of one per core."""
        return self.schedule.limits("per_pool") or self.schedule.limits("global")

    def _scope_is_full(self, scheduler: Scheduler, pool: int) -> bool:
        """The scheduler has `depth` tasks per core, of that pool or in all, in flight."""
        if self.schedule.limits("global"):
            pools = range(len(self.shared))
            cores = [core for pool in pools for core in self._cores_of(scheduler, pool)]
        else:
            cores = self._cores_of(scheduler, pool)
        limit = self.schedule.depth * len(cores)
        return self._scoped and sum(core.in_flight for core in cores) >= limit

    def _stream_is_full(self, stream: int) -> bool:
        if stream < 0 or not self.schedule.limits("per_stream"):
            return False
        flying = [task for task in self.submitted if task.in_flight and task.plan.stream == stream]
        return len(flying) >= self.schedule.depth
