"""HBM and L2: when a task's data has come and gone, and what L2 holds (rule 11)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any, NamedTuple

from .tables import Kernel, Machine, Region, Schedule, read_region, trips_of

MOST_CELLS = 4096

Cell = tuple[int, tuple[int, ...]]
"""Tensor and position in its grid."""


class Touch(NamedTuple):
    cell: Cell
    writes: bool
    bytes: int
    size: int


class Booking(NamedTuple):
    load_end: int
    end: int
    load_level: str
    """Which memory says so: hbm or l2."""
    level: str


@dataclass
class Server:
    bytes: int
    """Moved in `cycles`; 0: it is never the limit."""
    cycles: int
    first_free_at: int = 0
    free_at: int = 0
    busy: int = 0

    def book(self, now: int, first_bytes: int, all_bytes: int) -> tuple[int, int]:
        first, whole = self._time(first_bytes), self._time(all_bytes)
        first_end = end = now
        if first:
            first_end = self.first_free_at = max(now, self.first_free_at) + first
        if whole:
            end = self.free_at = max(now, self.free_at) + whole
        self.busy += whole
        return first_end, end

    def _time(self, count: int) -> int:
        return -(-count * self.cycles // self.bytes) if self.bytes else 0


class Cells:
    """What tasks touch, in the order of their ids."""

    def __init__(self, kernels: Sequence[Kernel], tensors: Sequence[tuple[Any, ...]]) -> None:
        self.kernels, self.tensors = kernels, tensors
        self.extents: dict[int, list[int]] = {}
        """Of a tensor's cells."""

    def touches(self, line: tuple[Any, ...]) -> list[Touch]:
        kernel = self.kernels[line[1]].of(trips_of(line))
        operands = zip(kernel.roles, map(read_region, line[2]), strict=True)
        touches: list[Touch] = []
        if kernel.bytes == 0:
            return touches
        for number, (role, region) in enumerate(operands):
            if region.empty:
                continue
            if role != "out":
                held = self._bytes(region)
                loaded = held if kernel.loads is None else min(held, kernel.loads[number])
                touches += [
                    touch._replace(bytes=-(-touch.bytes * loaded // held))
                    for touch in self._parts(region, writes=False)
                ]
            if role != "in":
                touches += self._parts(region, writes=True)
        return touches

    def _bytes(self, region: Region) -> int:
        return prod(region.extents) * self.tensors[region.tensor][1]

    def _grid(self, region: Region) -> list[int]:
        """The extents of the tensor's cells; its first region decides."""
        if region.tensor not in self.extents:
            extents = self.tensors[region.tensor][2]
            cell = list(region.extents)
            for axis in reversed(range(len(cell))):
                while (
                    prod(-(-n // c) for n, c in zip(extents, cell, strict=True)) > MOST_CELLS
                    and cell[axis] < extents[axis]
                ):
                    cell[axis] *= 2
            self.extents[region.tensor] = cell
        return self.extents[region.tensor]

    def _parts(self, region: Region, *, writes: bool) -> Iterator[Touch]:
        _, element, extents = self.tensors[region.tensor]
        axes: list[list[tuple[int, int, int]]] = []
        """For each axis: positions, elements met, elements of the cell."""
        for cell, extent, offset, length in zip(
            self._grid(region), extents, region.offsets, region.extents, strict=True
        ):
            met: dict[int, int] = {}
            for at in range(offset, offset + length):
                met[at // cell] = met.get(at // cell, 0) + 1
            axes.append([(at, n, min(cell, extent - at * cell)) for at, n in met.items()])
        for places in product(*axes):
            yield Touch(
                (region.tensor, tuple(at for at, _, _ in places)),
                writes,
                prod(n for _, n, _ in places) * element,
                prod(size for _, _, size in places) * element,
            )


class SharedMemory:
    def __init__(
        self,
        machine: Machine,
        schedule: Schedule,
        kernels: Sequence[Kernel],
        tensors: Sequence[tuple[Any, ...]],
        program: Sequence[tuple[Any, ...]],
    ) -> None:
        self.has_l2 = machine.l2_capacity > 0 and schedule.memory == "l2"
        self.capacity = machine.l2_capacity
        cells = Cells(kernels, tensors)
        self.touches = [cells.touches(line) for line in program if line[0] == "task"]
        self.hbm = Server(machine.memory_bytes, machine.memory_cycles)
        self.l2 = Server(machine.l2_bytes if self.has_l2 else 0, machine.l2_cycles)
        self.held: dict[Cell, list[int]] = {}
        """Bytes held and bytes changed; the oldest cell comes first."""
        self.hbm_bytes = 0
        self.l2_bytes = 0

    def book(self, task: int, kernel: Kernel, now: int) -> Booking:
        """The task starts `now`."""
        count = sum(map(self._touch, self.touches[task])) if self.has_l2 else kernel.bytes
        self.hbm_bytes += count
        hbm = self.hbm.book(now, min(count, kernel.load_bytes), count)
        l2 = (now, now)
        if self.has_l2:
            self.l2_bytes += kernel.moved
            l2 = self.l2.book(now, kernel.load_bytes, kernel.moved)
        return Booking(
            max(hbm[0], l2[0]),
            max(hbm[1], l2[1]),
            "hbm" if hbm[0] >= l2[0] else "l2",
            "hbm" if hbm[1] >= l2[1] else "l2",
        )

    def _touch(self, touch: Touch) -> int:
        """The bytes that go through HBM for it."""
        held, changed = self.held.pop(touch.cell, [0, 0])
        after = min(touch.size, held + touch.bytes)
        if touch.writes:
            changed = min(touch.size, changed + touch.bytes)
        self.held[touch.cell] = [after, changed]
        moved = 0 if touch.writes else after - held
        while sum(bytes_held for bytes_held, _ in self.held.values()) > self.capacity:
            _, left = self.held.pop(next(iter(self.held)))
            moved += left
        return moved
