"""What is fixed before time begins: edges, joins, homes and the orchestrator's steps.

Rules 1, 2 and 6 of docs/execution-model.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, NamedTuple

from .tables import (
    UNITS,
    Kernel,
    Machine,
    Region,
    Schedule,
    core_places,
    read_region,
    trips_of,
)


class Edge(NamedTuple):
    src: int
    dst: int
    kind: str


@dataclass
class PlannedTask:
    id: int
    kernel: int
    operands: int
    home: int | None
    """The scheduler whose queues the task enters; None: the shared ones."""
    pool: int
    stream: int
    """-1: none."""
    priority: int
    cost: int
    """Cycles instead of the kernel's; 0: the kernel's."""
    size: int
    """In the window."""
    trips: int
    """Of the kernel's `per_trip`."""
    sources: list[int] = field(default_factory=list)
    """Earlier tasks, ascending, and at most one join (a negative id)."""
    joins: list[int] = field(default_factory=list)
    """The joins that the task is a member of."""


@dataclass
class Join:
    """A part of a sequential scope that holds a task, or what a process waits for."""

    id: int
    members: list[int] = field(default_factory=list)
    """Tasks, the last parts of nested scopes, and other joins."""
    around: int | None = None
    """The join of the part around, which this one is a member of."""
    others: list[tuple[int, str]] = field(default_factory=list)
    """Further joins that this one is a member of, and the name of the wait that it ends there;
    empty: as this one's own."""


class ReadStep(NamedTuple):
    """The orchestrator reads data that these tasks write."""

    writers: tuple[int, ...]


class TaskStep(NamedTuple):
    task: int


@dataclass
class Plan:
    tasks: list[PlannedTask] = field(default_factory=list)
    joins: dict[int, Join] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    steps: list[ReadStep | TaskStep] = field(default_factory=list)


class Access(NamedTuple):
    task: int
    region: Region
    writes: bool


class LiveAccesses:
    """The accesses that no single later write has covered.

    `exact`: regions meet and cover where they are equal.
    """

    def __init__(self, exact: bool = False) -> None:
        self._live: list[Access] = []
        self._exact = exact

    def _meet(self, a: Region, b: Region) -> bool:
        return a.meets(b) and (a == b or not self._exact)

    def _covers(self, write: Region, access: Region) -> bool:
        return write.contains(access) and (write == access or not self._exact)

    def writers(self, region: Region) -> set[int]:
        return {a.task for a in self._live if a.writes and self._meet(a.region, region)}

    def readers(self, region: Region) -> set[int]:
        return {a.task for a in self._live if not a.writes and self._meet(a.region, region)}

    def sources(self, reads: Sequence[Region], writes: Sequence[Region]) -> dict[int, str]:
        """Each task that these accesses come after, with the first kind that holds."""
        found: dict[int, str] = {}
        for kind, regions, meet in (
            ("raw", reads, self.writers),
            ("waw", writes, self.writers),
            ("war", writes, self.readers),
        ):
            for region in regions:
                for task in meet(region):
                    found.setdefault(task, kind)
        return found

    def add(self, task: int, reads: Sequence[Region], writes: Sequence[Region]) -> None:
        self._live = [
            access
            for access in self._live
            if not any(self._covers(write, access.region) for write in writes)
        ]
        self._live += [Access(task, region, False) for region in reads]
        self._live += [Access(task, region, True) for region in writes]


@dataclass
class Scope:
    """A sequential scope while its program text is read."""

    before: int | None = None
    """The join of the nearest part before the current one that holds a task."""
    current: int | None = None
    """The join of the current part, once it holds a task."""


class Structure:
    """Numbers the joins and says which one a task belongs to and waits for."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._scopes: list[Scope] = []
        self.processes: Processes | None = None

    def processes_begin(self, depths: Sequence[int], receivers: Sequence[int], count: int) -> None:
        self.processes = Processes(self._plan, depths, receivers, count)
        self._around = list(self._scopes)

    def process(self, number: int) -> None:
        """The process goes on: its scopes are the innermost ones."""
        assert self.processes is not None
        scopes = self.processes.turn(number, self._scopes[len(self._around) :])
        self._scopes = [*self._around, *scopes]

    def processes_end(self) -> None:
        self.processes = None

    def begin(self) -> None:
        self._scopes.append(Scope())

    def part(self) -> None:
        scope = self._scopes[-1]
        if scope.current is not None:
            scope.before, scope.current = scope.current, None

    def end(self) -> None:
        scope = self._scopes.pop()
        last = scope.current if scope.current is not None else scope.before
        if last is None or not self._scopes:
            return
        around = self._scopes[-1].current
        assert around is not None
        self._plan.joins[last].around = around
        self._plan.joins[around].members.append(last)
        self._plan.edges.append(Edge(last, around, "structural"))

    def wait(self, task: PlannedTask) -> None:
        """Opens the parts around the task and gives it the join that it waits for."""
        for scope in self._scopes:
            if scope.current is None:
                scope.current = -1 - len(self._plan.joins)
                self._plan.joins[scope.current] = Join(scope.current)
        before = [scope.before for scope in self._scopes if scope.before is not None]
        awaited = before[-1] if before else None
        if self.processes is not None:
            awaited = self.processes.begin_task(awaited)
        if awaited is not None:
            task.sources.append(awaited)
            self._plan.edges.append(Edge(awaited, task.id, "structural"))

    def enter(self, task: PlannedTask) -> None:
        """Gives the task its joins."""
        joins = [self._scopes[-1].current] if self._scopes else []
        if self.processes is not None:
            joins.append(self.processes.iteration_join)
        for join in joins:
            assert join is not None
            task.joins.append(join)
            self._plan.joins[join].members.append(task.id)
            self._plan.edges.append(Edge(task.id, join, "structural"))


@dataclass
class Iteration:
    """Of a loop of a process, or the process as a whole."""

    before: int | None = None
    """The join of what there was so far."""
    is_open: bool = False
    """What comes next is added to it."""
    ended: int | None = None
    """The join of the iterations before this one."""


@dataclass
class Process:
    scopes: list[Scope] = field(default_factory=list)
    loops: list[Iteration] = field(default_factory=lambda: [Iteration()])
    """Those around, outermost first; the first one is the process."""
    gate: int | None = None
    """The join that all that follows waits for."""
    both: tuple[int, int] | None = None
    """A part that the last task waited for besides the gate, and the join of the two."""


class Processes:
    """What processes wait for (rule 16)."""

    def __init__(
        self, plan: Plan, depths: Sequence[int], receivers: Sequence[int], count: int
    ) -> None:
        self._plan = plan
        self._depths, self._receivers = depths, receivers
        self._processes = [Process() for _ in range(count)]
        self._now: Process | None = None
        self._sends: dict[tuple[int, int], int | None] = {}
        self._bodies: dict[tuple[int, int], int | None] = {}

    @property
    def _process(self) -> Process:
        assert self._now is not None
        return self._now

    def turn(self, number: int, scopes: list[Scope]) -> list[Scope]:
        """Takes the scopes of the process before, and gives those of this one."""
        if self._now is not None:
            self._now.scopes = scopes
        self._now = self._processes[number]
        return self._now.scopes

    def _join(self, *members: tuple[int, str]) -> int:
        join = Join(-1 - len(self._plan.joins))
        self._plan.joins[join.id] = join
        for member, cause in members:
            self._add(member, join.id, cause)
        return join.id

    def _add(self, member: int, join: int, cause: str = "dep_wait") -> None:
        self._plan.joins[join].members.append(member)
        self._plan.joins[member].others.append((join, cause))
        self._plan.edges.append(Edge(member, join, "structural"))

    # ---- Iterations ----

    def _open(self, loop: Iteration) -> int:
        if not loop.is_open or loop.before is None:
            closed = loop.before
            loop.before, loop.is_open = self._join(), True
            if closed is not None:
                self._add(closed, loop.before)
        return loop.before

    def loop_begin(self) -> None:
        self._process.loops[-1].is_open = False
        self._process.loops.append(Iteration())

    def iteration(self) -> None:
        loop = self._process.loops[-1]
        loop.is_open = False
        if loop.before is not None:
            if loop.ended is None:
                loop.ended = self._join()
            self._add(loop.before, loop.ended)
            loop.before = None

    def loop_end(self) -> None:
        self.iteration()
        ended = self._process.loops.pop().ended
        if ended is not None:
            self._add(ended, self._open(self._process.loops[-1]))

    def _come_so_far(self) -> int | None:
        """A join of what is before this point in the iterations around, and of the gate."""
        process = self._process
        found: list[int] = []
        for loop in process.loops:
            loop.is_open = False
            if loop.before is not None:
                found.append(loop.before)
        if process.gate is not None and process.gate not in found:
            found.append(process.gate)
        if len(found) < 2:
            return found[0] if found else None
        return self._join(*((join, "dep_wait") for join in found))

    # ---- Channels ----

    def send(self, channel: int, token: int) -> None:
        self._sends[channel, token] = self._come_so_far()
        # A receiver has taken the token `depth` before: it has done the one before that.
        body = token - self._depths[channel] - self._receivers[channel]
        if body >= 0:
            self._wait(self._bodies[channel, body], "channel_full")

    def receive(self, channel: int, token: int) -> None:
        self._wait(self._sends[channel, token], "channel_empty")

    def done(self, channel: int, token: int) -> None:
        end = self._bodies[channel, token] = self._come_so_far()
        if end is not None:
            self._set_gate(end)

    def _wait(self, join: int | None, cause: str) -> None:
        gate = self._process.gate
        if join is None or join == gate:
            return
        before = [] if gate is None else [(gate, "")]
        self._set_gate(self._join(*before, (join, cause)))

    def _set_gate(self, gate: int) -> None:
        if gate != self._process.gate:
            self._process.gate, self._process.both = gate, None

    # ---- Tasks ----

    def begin_task(self, part: int | None) -> int | None:
        """The join that a task waits for, which waits for the part by itself."""
        process = self._process
        awaited = part
        if process.gate is not None:
            awaited = process.gate
            if part is not None:
                if process.both is None or process.both[0] != part:
                    both = self._join((part, "dep_wait"), (process.gate, ""))
                    process.both = part, both
                awaited = process.both[1]
        self._open(process.loops[-1])
        return awaited

    @property
    def iteration_join(self) -> int | None:
        return self._process.loops[-1].before


def scheduler_count(machine: Machine, schedule: Schedule) -> int:
    """The largest number that a dispatch policy names."""
    return max(step.schedulers or machine.schedulers for step in schedule.dispatch)


class RefusedError(Exception):
    """The engine has an error here."""


class Homes:
    """Gives each task the scheduler whose queues it enters (rule 6)."""

    def __init__(self, machine: Machine, schedule: Schedule) -> None:
        self._machine = machine
        self._steps = schedule.dispatch
        self._schedulers = scheduler_count(machine, schedule)
        self._places = core_places(machine, schedule, self._schedulers)
        self._seen: defaultdict[tuple[int, str], int] = defaultdict(int)

    def home(self, task: int, pool: int, unit: str, keys: Mapping[str, int]) -> int | None:
        passed = [step for step in self._steps if step.threshold <= task + 1]
        if passed:
            step = max(passed, key=lambda step: step.threshold)
        else:
            step = min(self._steps, key=lambda step: step.threshold)
        owners = {p.scheduler for p in self._places if p.pool == pool and p.unit == unit}
        if not owners:
            raise RefusedError("no core")
        earlier = self._seen[pool, unit]
        self._seen[pool, unit] += 1
        match step.policy.word:
            case "shared":
                return None
            case "affinity":
                return keys[step.policy.key] % len(owners)
            case "hash":
                return splitmix64(keys[step.policy.key]) % len(owners)
            case "dispatch_by":
                if keys[step.policy.key] not in owners:
                    raise RefusedError("home")
                return keys[step.policy.key]
            case "round_robin":
                return earlier % min(len(owners), step.schedulers or self._machine.schedulers)
            case _:
                return earlier % len(owners)


def splitmix64(key: int) -> int:
    mask = 2**64 - 1
    z = (key + 0x9E3779B97F4A7C15) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return z ^ (z >> 31)


class Planner:
    """Reads the program once, in order."""

    def __init__(
        self,
        machine: Machine,
        schedule: Schedule,
        kernels: Sequence[Kernel],
        tensors: Sequence[tuple[Any, ...]],
    ) -> None:
        self._schedule, self._kernels, self._tensors = schedule, kernels, tensors
        self.plan = Plan()
        self._structure = Structure(self.plan)
        self._accesses = LiveAccesses(exact=schedule.infer == "infer_tensor_map_exact")
        self._data = LiveAccesses()
        """What the orchestrator's reads wait for, whatever the edges are."""
        self._homes = Homes(machine, schedule)
        self._last_in_stream: dict[int, int] = {}

    def read(self, program: Sequence[tuple[Any, ...]]) -> Plan:
        for item in program:
            match item:
                case ("scope",):
                    self._structure.begin()
                case ("part",):
                    self._structure.part()
                case ("end",):
                    self._structure.end()
                case ("processes", depths, receivers, count):
                    self._structure.processes_begin(depths, receivers, count)
                case ("process", number):
                    self._structure.process(number)
                case ("endprocesses",):
                    self._structure.processes_end()
                case (("loop" | "iteration" | "endloop" | "send" | "receive" | "done"), *_):
                    self._in_process(*item)
                case ("read", region):
                    if writers := self._data.writers(read_region(region)):
                        self.plan.steps.append(ReadStep(tuple(sorted(writers))))
                case ("task", number, operands, *rest):
                    keys = rest[0] if rest else {}
                    after = rest[1] if len(rest) > 1 else []
                    regions = [read_region(operand) for operand in operands]
                    self._task(number, regions, keys, after, trips_of(item))
                case _:
                    raise ValueError(f"not a line of a program: {item!r}")
        return self.plan

    def _in_process(self, kind: str, *numbers: int) -> None:
        processes = self._structure.processes
        assert processes is not None
        match kind:
            case "loop":
                processes.loop_begin()
            case "iteration":
                processes.iteration()
            case "endloop":
                processes.loop_end()
            case "send":
                processes.send(*numbers)
            case "receive":
                processes.receive(*numbers)
            case _:
                processes.done(*numbers)

    def _task(
        self,
        number: int,
        operands: list[Region],
        keys: Mapping[str, int],
        after: Sequence[int],
        trips: int,
    ) -> None:
        schedule, kernel, id = self._schedule, self._kernels[number], len(self.plan.tasks)
        roles = list(zip(kernel.roles, operands, strict=True))
        reads = [region for role, region in roles if role != "out"]
        writes = [region for role, region in roles if role != "in"]
        pool = self._pool(kernel.unit, keys)
        task = PlannedTask(
            id,
            number,
            len(roles),
            self._homes.home(id, pool, kernel.unit, keys),
            pool,
            self._stream(id, keys),
            keys[schedule.ready.key] if schedule.ready.word == "priority" else 0,
            self._cost(keys),
            self._size(operands, writes),
            trips,
        )
        found = self._accesses.sources(reads, writes) if schedule.infers else {}
        if schedule.deps == "inferred":
            if after:
                raise RefusedError("after")
        else:
            for source in after:
                found.setdefault(source, "explicit")
            if task.stream in self._last_in_stream:
                found.setdefault(self._last_in_stream[task.stream], "stream")
        if task.stream >= 0:
            self._last_in_stream[task.stream] = id
        self._structure.wait(task)
        for source, kind in sorted(found.items()):
            # The window keeps older tasks from being alive beside this one.
            if schedule.implied_after is None or id - source < schedule.implied_after:
                task.sources.append(source)
                self.plan.edges.append(Edge(source, id, kind))
        self._structure.enter(task)
        self._accesses.add(id, reads, writes)
        self._data.add(id, reads, writes)
        self.plan.tasks.append(task)
        self.plan.steps.append(TaskStep(id))

    def _pool(self, unit: str, keys: Mapping[str, int]) -> int:
        match self._schedule.pools.word:
            case "single":
                return 0
            case "by_exec_unit":
                return UNITS.index(unit)
            case _:
                pool = keys[self._schedule.pools.key]
                if not 0 <= pool < self._schedule.pool_count:
                    raise RefusedError("pool")
                return pool

    def _stream(self, id: int, keys: Mapping[str, int]) -> int:
        schedule = self._schedule
        if schedule.streams == 0:
            return -1
        if schedule.stream_by == "id":
            return id % schedule.streams
        stream = keys[schedule.stream_by]
        if not 0 <= stream < schedule.streams:
            raise RefusedError("stream")
        return stream

    def _cost(self, keys: Mapping[str, int]) -> int:
        if not self._schedule.trace.arguments:
            return 0
        cost = keys[self._schedule.trace.key]
        if cost < 1:
            raise RefusedError("cost")
        return cost

    def _size(self, operands: Sequence[Region], writes: Sequence[Region]) -> int:
        match self._schedule.window_unit:
            case "tasks":
                return 1
            case "entries":
                return len(operands)
            case _:
                return sum(prod(r.extents) * self._tensors[r.tensor][1] for r in writes)
