"""The records of a run: tasks, cores, queues, schedulers."""

from __future__ import annotations

from dataclasses import dataclass, field

from .graph import PlannedTask


@dataclass
class Task:
    """A task while it lives. A time is None until it is known."""

    plan: PlannedTask
    unit: str
    submit: int | None = None
    published: int | None = None
    resolved: dict[int, int] = field(default_factory=dict)
    """When each source was, or will be, resolved."""
    waits: dict[int, str] = field(default_factory=dict)
    """The name of the wait for a join that was not complete when the task was published."""
    waited: str = "dep_wait"
    """Of what was resolved last."""
    ready: int | None = None
    met: bool = False
    """It has become ready in a phase Ready."""
    entered: int | None = None
    """When it entered its queue."""
    no_core: bool = False
    """A scheduler met it at the head of a queue and found no core for it."""
    dispatch: int | None = None
    scheduler: int = -1
    core: int = -1
    stolen: bool = False
    dispatched: int = 0
    """The end of the dispatch's cost."""
    seen: int = 0
    start: int | None = None
    load_end: int = 0
    end: int | None = None
    memory: str = ""
    """Which shared memory decided how long it took, hbm or l2."""
    reported: bool = False
    service: int | None = None
    """The number of the service that takes its report."""
    service_end: int | None = None
    finished: bool = False
    retire: int | None = None
    orchestrator: str = "submit_busy"
    """What the orchestrator did before it submitted the task."""
    cuts: list[tuple[int, str]] = field(default_factory=list)
    """How the time between `ready` and `dispatch` is explained (rule 14)."""

    @property
    def id(self) -> int:
        return self.plan.id

    @property
    def pool(self) -> int:
        return self.plan.pool

    @property
    def in_flight(self) -> bool:
        return self.dispatch is not None and not self.finished

    @property
    def order(self) -> tuple[int, int]:
        assert self.ready is not None
        return self.ready, self.id


@dataclass
class Core:
    id: int
    unit: str
    pool: int
    scheduler: int
    tasks: list[Task] = field(default_factory=list)
    """In the order of their dispatch."""
    last_report: tuple[int, int] = (0, 0)
    """Arrival of the last report, and the end of its service."""

    @property
    def in_flight(self) -> int:
        return sum(not task.finished for task in self.tasks)


@dataclass
class Queue:
    tasks: list[Task] = field(default_factory=list)
    no_core_until: int = 0
    """The last dispatch of a task that had been a head without a core."""
    last_lane: int = -1
    """The lane that was served last."""

    def youngest(self) -> Task:
        return max(self.tasks, key=lambda task: task.order)


@dataclass
class Scheduler:
    id: int
    queues: list[Queue]
    """One per pool."""
    free_at: int = 0
    reports: list[Task] = field(default_factory=list)
    serving: list[Task] = field(default_factory=list)
    scope_opened: dict[int, int] = field(default_factory=dict)
    """Per pool (-1: all): when its scope last went from full to not full."""
    steals: int = 0
    busy: int = 0
