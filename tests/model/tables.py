"""What a run is made of: the same tables that `_core.simulate_table` takes, as typed records."""

from __future__ import annotations

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
    """Moved in `memory_cycles`; 0: the memory is never the limit."""
    memory_cycles: int = 1
    costs: Costs = field(default_factory=Costs)

    def cores(self, unit: str) -> int:
        return self.cube_cores if unit == "cube" else self.vector_cores

    def transfer(self, count: int) -> int:
        """Cycles that the shared memory needs for `count` bytes."""
        return -(-count * self.memory_cycles // self.memory_bytes)


class DispatchStep(NamedTuple):
    threshold: int = 1
    kind: str = "shared"
    schedulers: int = 0


@dataclass(frozen=True)
class Schedule:
    deps: str = "hybrid"
    infer: str = "bytes_overlap"
    window: int = 8192
    pools: str = "by_exec_unit"
    ready: str = "fifo"
    dispatch: Sequence[DispatchStep] = (DispatchStep(),)
    start_threshold: int = 1
    batch: int = 1
    range_compression: bool = False
    depth: int = 0
    depth_scope: str = "core"

    def pool_of(self, unit: str) -> int:
        return 0 if self.pools == "single" else UNITS.index(unit)

    @property
    def pool_units(self) -> tuple[tuple[str, ...], ...]:
        """The units of each pool."""
        return (UNITS,) if self.pools == "single" else tuple((unit,) for unit in UNITS)

    @property
    def steals(self) -> bool:
        return self.ready == "work_steal" or any(s.kind == "work_steal" for s in self.dispatch)


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


def read_region(value: Sequence[Any]) -> Region:
    tensor, offsets, extents = value
    return Region(tensor, tuple(offsets), tuple(extents))


def read_machine(fields: Mapping[str, Any]) -> Machine:
    return Machine(**{**fields, "costs": Costs(**fields.get("costs", {}))})


def read_schedule(fields: Mapping[str, Any]) -> Schedule:
    if "dispatch" not in fields:
        return Schedule(**fields)
    return Schedule(**{**fields, "dispatch": [DispatchStep(*step) for step in fields["dispatch"]]})
