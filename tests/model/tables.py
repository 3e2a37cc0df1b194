"""What a run is made of: the same tables that `_core.simulate_table` takes, as typed records."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

UNITS = ("cube", "vector")


@dataclass(frozen=True)
class Costs:
    """Cycles that the runtime's own work takes."""

    submit: int = 0
    submit_operand: int = 0
    readback: int = 0
    dispatch: int = 0
    dispatch_latency: int = 0
    completion_latency: int = 0
    complete: int = 0
    resolve: int = 0
    steal: int = 0
    pickup: int = 0


@dataclass(frozen=True)
class Machine:
    clock_hz: int = 1_000_000_000
    cube_cores: int = 1
    vector_cores: int = 1
    schedulers: int = 1
    schedulers_max: int = 1
    core_slots: int = 1
    memory_bytes: int = 0
    """Through HBM in `memory_cycles`; 0: it is never the limit."""
    memory_cycles: int = 1
    l2_bytes: int = 0
    """Through L2 in `l2_cycles`; 0: it is never the limit."""
    l2_cycles: int = 1
    l2_capacity: int = 0
    """Bytes that it holds; 0: there is none."""
    costs: Costs = field(default_factory=Costs)

    def cores(self, unit: str) -> int:
        return self.cube_cores if unit == "cube" else self.vector_cores


class Policy(NamedTuple):
    """`word`, or `word(argument, ...)`."""

    word: str
    arguments: tuple[str, ...] = ()

    @property
    def number(self) -> int:
        return int(self.arguments[0])

    @property
    def key(self) -> str:
        """The name of a key function."""
        return self.arguments[0]


class DispatchStep(NamedTuple):
    threshold: int
    policy: Policy

    @property
    def schedulers(self) -> int:
        """0: the machine's."""
        return self.policy.number if self.policy.word == "round_robin" else 0


class CustomPool(NamedTuple):
    name: str
    cube_cores: int
    vector_cores: int


class Schedule(NamedTuple):
    deps: str = "hybrid"
    infer: str = "infer_bytes_overlap"
    window: int = 8192
    window_unit: str = "tasks"
    window_mode: str = "stall"
    pools: Policy = Policy("by_exec_unit")
    ready: Policy = Policy("fifo")
    dispatch: Sequence[DispatchStep] = (DispatchStep(1, Policy("shared")),)
    start: Policy = Policy("threshold", ("1",))
    timing: Policy = Policy("immediate")
    streams: int = 0
    stream_by: str = "id"
    trace: Policy = Policy("cycles")
    batch: int = 1
    range_compression: bool = False
    depth: int = 0
    depth_scope: str = "core"
    memory: str = "l2"

    @property
    def custom_pools(self) -> list[CustomPool]:
        found: list[CustomPool] = []
        for text in self.pools.arguments[1:]:
            name, cores = text.split("=")
            found.append(CustomPool(name, *map(int, cores.split("/"))))
        return found

    @property
    def pool_count(self) -> int:
        return len(self.custom_pools) or (1 if self.pools.word == "single" else len(UNITS))

    @property
    def implied_after(self) -> int | None:
        """Sources that many ids older are implied by the window; None: none are."""
        by_id = self.window_unit == "tasks" and self.window_mode != "benchmark"
        return self.window if by_id else None

    @property
    def infers(self) -> bool:
        return self.deps != "explicit"

    @property
    def is_sound(self) -> bool:
        """The edges order whatever shares an element."""
        return self.infers and self.infer == "infer_bytes_overlap"

    def limits(self, scope: str) -> bool:
        return self.depth > 0 and self.depth_scope == scope

    @property
    def start_threshold(self) -> int:
        """Tasks that must have become ready; 0: it is the end of the submission that opens."""
        return self.start.number if self.start.word == "threshold" else 0

    @property
    def steals(self) -> bool:
        return self.ready.word == "work_steal" or any(
            step.policy.word == "work_steal" for step in self.dispatch
        )


@dataclass(frozen=True)
class Kernel:
    name: str
    unit: str
    roles: Sequence[str]
    load: int = 0
    compute: int = 0
    store: int = 0
    load_bytes: int = 0
    bytes: int = 0
    moved_bytes: int | None = None
    """Through L2; None: as many as `bytes`."""
    loads: Sequence[int] | None = None
    """Bytes through each parameter; None: all of each region that it reads."""
    per_trip: Mapping[str, Any] | None = None
    """What each trip of a task adds to all of these."""

    @property
    def moved(self) -> int:
        return self.bytes if self.moved_bytes is None else self.moved_bytes

    def of(self, trips: int) -> Kernel:
        """As a task with so many trips has it."""
        trip = self.per_trip
        if trip is None:
            return self
        moved = trip.get("moved_bytes", trip.get("bytes", 0))
        added = {**trip, "moved_bytes": moved}
        own = {**vars(self), "moved_bytes": self.moved, "per_trip": None}
        more = added.pop("loads", None)
        if self.loads is not None and more is not None:
            own["loads"] = [a + trips * b for a, b in zip(self.loads, more, strict=True)]
        for name, count in added.items():
            own[name] += trips * count
        return Kernel(**own)


def trips_of(line: Sequence[Any]) -> int:
    """Of a task's line."""
    return line[5] if len(line) > 5 else 0


class Region(NamedTuple):
    """A box of elements of a tensor."""

    tensor: int
    offsets: tuple[int, ...]
    extents: tuple[int, ...]

    @property
    def empty(self) -> bool:
        return any(extent == 0 for extent in self.extents)

    def meets(self, other: Region) -> bool:
        """Both boxes have an element in common."""
        return (
            self.tensor == other.tensor
            and not self.empty
            and not other.empty
            and all(
                a < b + m and b < a + n
                for a, n, b, m in zip(
                    self.offsets, self.extents, other.offsets, other.extents, strict=True
                )
            )
        )

    def contains(self, other: Region) -> bool:
        return self.meets(other) and all(
            a <= b and b + m <= a + n
            for a, n, b, m in zip(
                self.offsets, self.extents, other.offsets, other.extents, strict=True
            )
        )


class Place(NamedTuple):
    """Of a core."""

    unit: str
    pool: int
    """-1: of none."""
    scheduler: int


def core_places(machine: Machine, schedule: Schedule, schedulers: int) -> list[Place]:
    """All cores, cube first (rules 6 and 7)."""
    places: list[Place] = []
    for unit in UNITS:
        shares = [
            (0 if schedule.pools.word == "single" else UNITS.index(unit), machine.cores(unit))
        ]
        if schedule.custom_pools:
            shares = [
                (number, pool.cube_cores if unit == "cube" else pool.vector_cores)
                for number, pool in enumerate(schedule.custom_pools)
            ]
            shares.append((-1, machine.cores(unit) - sum(share for _, share in shares)))
        for pool, share in shares:
            places += [Place(unit, pool, k % schedulers) for k in range(share)]
    return places


def read_region(value: Sequence[Any]) -> Region:
    tensor, offsets, extents = value
    return Region(tensor, tuple(offsets), tuple(extents))


def read_machine(fields: Mapping[str, Any]) -> Machine:
    return Machine(**{**fields, "costs": Costs(**fields.get("costs", {}))})


Setting = str | int | bool
Settings = Mapping[str, Setting]
"""A schedule as users set it: `{"window": 64, "ready": "priority(KEY)"}`."""


def read_schedule(settings: Settings) -> Schedule:
    read: dict[str, Any] = {}
    for name, value in settings.items():
        match name:
            case "dispatch":
                read["dispatch"] = [DispatchStep(1, read_policy(str(value)))]
            case "dispatch_threshold":
                steps = [step.split("=", 1) for step in split_list(str(value))]
                read["dispatch"] = [DispatchStep(int(n), read_policy(text)) for n, text in steps]
            case _ if isinstance(Schedule._field_defaults[name], Policy):
                read[name] = read_policy(str(value))
            case _:
                read[name] = value
    return Schedule(**read)


def read_policy(text: str) -> Policy:
    word, _, rest = text.partition("(")
    return Policy(word, tuple(split_list(rest.removesuffix(")"))) if rest else ())


def split_list(text: str) -> list[str]:
    """Splits at the commas that are in no brackets."""
    return re.split(r",(?![^(]*\))", text)
