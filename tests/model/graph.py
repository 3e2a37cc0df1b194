"""What is fixed before time begins: edges, joins, homes and the orchestrator's steps.

Rules 1, 2 and 6 of docs/execution-model.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .tables import Kernel, Machine, Region, Schedule, read_region

KINDS = ("raw", "waw", "war", "structural")


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
    sources: list[int] = field(default_factory=list)
    """Earlier tasks, ascending, and at most one join (a negative id)."""
    join: int | None = None
    """The join that the task is a member of."""


@dataclass
class Join:
    """A part of a sequential scope that holds a task."""

    id: int
    members: list[int] = field(default_factory=list)
    """Tasks, and the last parts of nested scopes."""
    around: int | None = None
    """The join that this one is a member of."""


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
    """The accesses that no single later write has covered."""

    def __init__(self) -> None:
        self._live: list[Access] = []

    def writers(self, region: Region) -> set[int]:
        return {a.task for a in self._live if a.writes and a.region.meets(region)}

    def readers(self, region: Region) -> set[int]:
        return {a.task for a in self._live if not a.writes and a.region.meets(region)}

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
            if not any(write.contains(access.region) for write in writes)
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

    def place(self, task: PlannedTask) -> None:
        """Gives the task its join and the join that it waits for."""
        for scope in self._scopes:
            if scope.current is None:
                scope.current = -1 - len(self._plan.joins)
                self._plan.joins[scope.current] = Join(scope.current)
        before = [scope.before for scope in self._scopes if scope.before is not None]
        if before:
            task.sources.append(before[-1])
            self._plan.edges.append(Edge(before[-1], task.id, "structural"))
        if self._scopes:
            task.join = self._scopes[-1].current
            assert task.join is not None
            self._plan.joins[task.join].members.append(task.id)
            self._plan.edges.append(Edge(task.id, task.join, "structural"))


def scheduler_count(machine: Machine, schedule: Schedule) -> int:
    """The largest number that a dispatch policy names."""
    return max(step.schedulers or machine.schedulers for step in schedule.dispatch)


class Homes:
    """Gives each task the scheduler whose queues it enters (rule 6)."""

    def __init__(self, machine: Machine, schedule: Schedule) -> None:
        self._machine = machine
        self._steps = schedule.dispatch
        self._schedulers = scheduler_count(machine, schedule)
        self._seen: defaultdict[str, int] = defaultdict(int)

    def home(self, task: int, unit: str, keys: Mapping[str, int]) -> int | None:
        passed = [step for step in self._steps if step.threshold <= task + 1]
        if passed:
            step = max(passed, key=lambda step: step.threshold)
        else:
            step = min(self._steps, key=lambda step: step.threshold)
        owners = min(self._schedulers, self._machine.cores(unit))
        earlier = self._seen[unit]
        self._seen[unit] += 1
        match step.policy.word:
            case "shared":
                return None
            case "affinity":
                return keys[step.policy.key] % owners
            case "round_robin":
                return earlier % min(owners, step.schedulers or self._machine.schedulers)
            case _:
                return earlier % owners


def plan_program(
    machine: Machine,
    schedule: Schedule,
    kernels: Sequence[Kernel],
    program: Sequence[tuple[Any, ...]],
) -> Plan:
    """Reads the program once, in order."""
    plan = Plan()
    structure = Structure(plan)
    accesses = LiveAccesses()
    homes = Homes(machine, schedule)
    for item in program:
        match item:
            case ("scope",):
                structure.begin()
            case ("part",):
                structure.part()
            case ("end",):
                structure.end()
            case ("read", region):
                writers = accesses.writers(read_region(region))
                if writers:
                    plan.steps.append(ReadStep(tuple(sorted(writers))))
            case ("task", number, operands, *rest):
                kernel = kernels[number]
                roles = list(zip(kernel.roles, map(read_region, operands), strict=True))
                reads = [region for role, region in roles if role != "out"]
                writes = [region for role, region in roles if role != "in"]
                id = len(plan.tasks)
                keys = rest[0] if rest else {}
                task = PlannedTask(id, number, len(roles), homes.home(id, kernel.unit, keys))
                for source, kind in sorted(accesses.sources(reads, writes).items()):
                    # The window keeps older tasks from being alive beside this one.
                    if id - source < schedule.window:
                        task.sources.append(source)
                        plan.edges.append(Edge(source, id, kind))
                structure.place(task)
                accesses.add(id, reads, writes)
                plan.tasks.append(task)
                plan.steps.append(TaskStep(id))
            case _:
                raise ValueError(f"not a line of a program: {item!r}")
    return plan
