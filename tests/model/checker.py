"""Checks a finished run at any size from its three tables, without simulating anything.

What is asserted follows from the rules of virtual time for every schedule, so a table that fails is
wrong whatever the engine meant.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from heapq import heappop, heappush
from itertools import pairwise
from math import prod
from typing import Any

from .channels import Turns, check_channels
from .graph import scheduler_count
from .memory import SharedMemory
from .tables import (
    UNITS,
    Kernel,
    Machine,
    Region,
    Schedule,
    core_places,
    read_machine,
    read_region,
    read_schedule,
    trips_of,
)
from .unrolling import unrolled

Row = Mapping[str, Any]


def check(
    machine: Mapping[str, Any],
    schedule: Mapping[str, Any],
    kernels: Sequence[Mapping[str, Any]],
    tensors: Sequence[tuple[Any, ...]],
    program: Sequence[tuple[Any, ...]],
    found: Mapping[str, Any],
) -> None:
    """Raises AssertionError for the first row that breaks a rule."""
    checker = Checker(
        read_machine(machine),
        read_schedule(schedule),
        [Kernel(**kernel) for kernel in kernels],
        unrolled(program),
        found,
        tensors,
    )
    if checker.schedule.trace.word == "none":
        assert not any(found[table] for table in ("tasks", "edges", "stalls"))
        return
    checker.check_rows()
    checker.check_window()
    checker.check_edges()
    checker.check_values()
    checker.check_structure()
    check_channels(checker.program, checker.rows, checker.reported)
    checker.check_schedulers()
    checker.check_scopes()
    checker.check_cores()
    checker.check_memory()
    checker.check_stalls()
    checker.check_statistics()


class Checker:
    def __init__(
        self,
        machine: Machine,
        schedule: Schedule,
        kernels: Sequence[Kernel],
        program: Sequence[tuple[Any, ...]],
        found: Mapping[str, Any],
        tensors: Sequence[tuple[Any, ...]],
    ) -> None:
        self.tensors = tensors
        self.machine, self.schedule, self.kernels = machine, schedule, kernels
        self.costs = machine.costs
        self.program = program
        self.launches = [line for line in program if line[0] == "task"]
        self.rows: Sequence[Row] = found["tasks"]
        self.edges: Sequence[tuple[int, int, str]] = found["edges"]
        self.stalls: Sequence[tuple[int, int, int, str, int]] = found["stalls"]
        self.stats: Mapping[str, Any] = found["stats"]
        self.makespan = max((row["end"] for row in self.rows), default=0)
        self.schedulers = scheduler_count(machine, schedule)
        self.places = core_places(machine, schedule, self.schedulers)
        self.by_core = self._group("core")

    def _group(self, column: str) -> dict[int, list[Row]]:
        """Rows by core or scheduler, in the order of their dispatch."""
        groups: defaultdict[int, list[Row]] = defaultdict(list)
        for row in sorted(self.rows, key=self._order):
            groups[row[column]].append(row)
        return groups

    def _order(self, row: Row) -> tuple[int, ...]:
        """On its core: of two that end together the later one does nothing but load."""
        kernel = self._timing(row)
        only_loads = kernel.load > 0 and kernel.compute + kernel.store == 0
        return row["dispatch"], row["end"], row["start"], int(only_loads)

    def reported(self, row: Row) -> int:
        """The task is finished at this cycle at the earliest."""
        return row["end"] + self.costs.completion_latency + self.costs.complete

    def _keys(self, row: Row) -> Mapping[str, int]:
        return self.launches[row["task"]][3] if len(self.launches[row["task"]]) > 3 else {}

    def _after(self, row: Row) -> Sequence[int]:
        return self.launches[row["task"]][4] if len(self.launches[row["task"]]) > 4 else ()

    def _stream(self, row: Row) -> int:
        if self.schedule.streams == 0:
            return -1
        by = self.schedule.stream_by
        return row["task"] % self.schedule.streams if by == "id" else self._keys(row)[by]

    def _pool(self, row: Row) -> int:
        if self.schedule.custom_pools:
            return self._keys(row)[self.schedule.pools.key]
        return 0 if self.schedule.pools.word == "single" else UNITS.index(row["unit"])

    def _timing(self, row: Row) -> Kernel:
        kernel = self.kernels[row["kernel"]].of(trips_of(self.launches[row["task"]]))
        if not self.schedule.trace.arguments:
            return kernel
        cost = self._keys(row)[self.schedule.trace.key]
        return Kernel(kernel.name, kernel.unit, kernel.roles, compute=cost)

    def check_rows(self) -> None:
        """Ids, places, and the order of each task's own times."""
        assert [row["task"] for row in self.rows] == list(range(len(self.launches)))
        seen_after = self.costs.dispatch + self.costs.dispatch_latency + self.costs.pickup
        for row, (_, kernel, operands, *_) in zip(self.rows, self.launches, strict=True):
            unit = self.kernels[kernel].unit
            assert (row["kernel"], row["unit"]) == (kernel, unit), row
            assert (row["stream"], row["pool"]) == (self._stream(row), self._pool(row)), row
            place = self.places[row["core"]]
            assert place == (unit, row["pool"], row["scheduler"]), (row, place)
            submitted = (
                row["submit"] + self.costs.submit + self.costs.submit_operand * len(operands)
            )
            assert 0 <= row["submit"] <= submitted <= row["ready"] <= row["dispatch"], row
            assert row["dispatch"] + seen_after <= row["start"] <= row["end"], row
            assert self.reported(row) <= row["retire"], row
        for before, row in pairwise(self.rows):
            assert before["retire"] <= row["retire"], row
            operands = len(self.launches[before["task"]][2])
            assert before["submit"] + self.costs.submit_operand * operands <= row["submit"], row

    def _size(self, row: Row) -> int:
        """What a task holds of the window."""
        _, kernel, operands, *_ = self.launches[row["task"]]
        match self.schedule.window_unit:
            case "tasks":
                return 1
            case "entries":
                return len(operands)
            case _:
                return sum(
                    prod(extents) * self.tensors[tensor][1]
                    for role, (tensor, _, extents) in zip(
                        self.kernels[kernel].roles, operands, strict=True
                    )
                    if role != "in"
                )

    def check_window(self) -> None:
        if self.schedule.window_mode == "benchmark":
            return
        oldest, used = 0, 0
        for row in self.rows:
            while oldest < row["task"] and self.rows[oldest]["retire"] <= row["submit"]:
                used -= self._size(self.rows[oldest])
                oldest += 1
            used += self._size(row)
            assert used <= self.schedule.window, row

    def check_edges(self) -> None:
        """Edges go forward, once, and what they point at comes later."""
        assert len(self.edges) == len({(src, dst) for src, dst, _ in self.edges})
        joined: dict[int, int] = {}
        for src, dst, kind in self.edges:
            assert (kind == "structural") == (src < 0 or dst < 0), (src, dst, kind)
            if src >= 0 and dst < 0:
                joined[dst] = max(joined.get(dst, 0), self.reported(self.rows[src]))
        for src, dst, _ in self.edges:
            if dst < 0:
                continue
            if src >= 0:
                assert self._listed(src, dst), (src, dst)
            # A nested join only adds to what the join around it waits for.
            before = self.reported(self.rows[src]) if src >= 0 else joined.get(src, 0)
            assert self.rows[dst]["ready"] >= before, (src, dst)

        self._check_asked_edges({(src, dst) for src, dst, _ in self.edges})

    def _listed(self, src: int, dst: int) -> bool:
        """The window does not imply the edge."""
        limit = self.schedule.implied_after
        return src < dst and (limit is None or dst - src < limit)

    def _check_asked_edges(self, edges: set[tuple[int, int]]) -> None:
        """What the program's text and the streams ask for is there."""
        if self.schedule.deps == "inferred":
            return
        last: dict[int, int] = {}
        for row in self.rows:
            sources = set(self._after(row))
            if row["stream"] in last:
                sources.add(last[row["stream"]])
            if row["stream"] >= 0:
                last[row["stream"]] = row["task"]
            for source in sources:
                asked = (source, row["task"])
                assert asked in edges or not self._listed(*asked), asked

    def check_values(self) -> None:
        """Of two tasks that share an element and do not both only read it, the later one waits."""
        if not self.schedule.is_sound:
            return
        wrote: defaultdict[tuple[int, ...], int] = defaultdict(int)
        touched: defaultdict[tuple[int, ...], int] = defaultdict(int)
        for row, (_, kernel, operands, *_) in zip(self.rows, self.launches, strict=True):
            accesses = [
                (role, [*elements(read_region(region))])
                for role, region in zip(self.kernels[kernel].roles, operands, strict=True)
            ]
            for role, places in accesses:
                before = wrote if role == "in" else touched
                assert all(row["ready"] >= before[place] for place in places), row
            for role, places in accesses:
                for place in places:
                    touched[place] = max(touched[place], self.reported(row))
                    if role != "in":
                        wrote[place] = max(wrote[place], self.reported(row))

    def check_structure(self) -> None:
        """A part is ready after all of the part before it, as the program's text has it."""
        ids = iter(range(len(self.rows)))
        after = [0]
        """Of each open scope, and of the program: when its current part may begin."""
        until = [0]
        """When all that the current part (of the program: everything) holds is over."""
        turns = Turns()
        for line in self.program:
            match line[0]:
                case "processes" | "process" | "endprocesses":
                    after, until = turns.take(line, after, until)
                case "scope":
                    after.append(after[-1])
                    until.append(0)
                case "part":
                    after[-1] = max(after[-1], until[-1])
                case "end":
                    after.pop()
                    over = until.pop()
                    until[-1] = max(until[-1], over)
                case "task":
                    row = self.rows[next(ids)]
                    assert row["ready"] >= after[-1], row
                    until[-1] = max(until[-1], self.reported(row))

    def check_schedulers(self) -> None:
        """One job at a time: dispatches of one scheduler are a dispatch's cost apart."""
        for rows in self._group("scheduler").values():
            for before, row in pairwise(rows):
                assert row["dispatch"] >= before["dispatch"] + self.costs.dispatch, row
        if self.schedule.timing.word == "rate_limit":
            begins = sorted(row["dispatch"] for row in self.rows)
            for first, second in pairwise(begins):
                ms = 1000 * (second - first) * self.schedule.timing.number
                assert ms >= self.machine.clock_hz, (first, second)

    def check_scopes(self) -> None:
        """No more tasks are in flight, from dispatch until finished, than the depth allows."""
        flights: defaultdict[tuple[str, int, int], list[int]] = defaultdict(list)
        for row in sorted(self.rows, key=lambda row: row["dispatch"]):
            for place, limit in self._limits(row):
                flight = flights[place]
                while flight and flight[0] <= row["dispatch"]:
                    heappop(flight)
                heappush(flight, self.reported(row))
                assert len(flight) <= limit, (row, place)

    def _limits(self, row: Row) -> Iterator[tuple[tuple[str, int, int], int]]:
        """The scopes that a task is in, each with its limit."""
        depth, scheduler, pool = self.schedule.depth, row["scheduler"], row["pool"]
        owned = [place.pool for place in self.places if place.scheduler == scheduler]
        if self.schedule.limits("per_pool"):
            yield ("pool", scheduler, pool), depth * owned.count(pool)
        elif self.schedule.limits("global"):
            yield ("all", scheduler, 0), depth * sum(pool >= 0 for pool in owned)
        else:
            yield ("core", row["core"], 0), depth or self.machine.core_slots
        if self.schedule.limits("per_stream") and row["stream"] >= 0:
            yield ("stream", row["stream"], 0), depth

    def check_cores(self) -> None:
        """Tasks of a core follow each other; without depth they do not even touch."""
        depth = self.schedule.depth or 1
        for rows in self.by_core.values():
            for before, row in pairwise(rows):
                load_end = before["start"] + self._timing(before).load
                assert row["start"] >= load_end + self.costs.pickup, row
                kernel = self._timing(row)
                assert row["end"] >= before["end"] + kernel.compute + kernel.store, row
            for before, row in zip(rows, rows[depth:], strict=False):
                assert row["start"] >= before["end"] + self.costs.pickup, row

    def check_memory(self) -> None:
        """Every `end` is what the core, the kernel and the shared memories make of `start`."""
        memory = SharedMemory(self.machine, self.schedule, self.kernels, self.tensors, self.program)
        core_free_at: defaultdict[int, int] = defaultdict(int)
        place = {row["task"]: at for rows in self.by_core.values() for at, row in enumerate(rows)}
        for row in sorted(self.rows, key=lambda r: (r["start"], r["core"], place[r["task"]])):
            kernel = self._timing(row)
            rest = kernel.compute + kernel.store or int(kernel.load == 0)
            load_end, floor = row["start"] + kernel.load, 0
            if self.schedule.trace.word != "cycles" or not self.schedule.trace.arguments:
                booking = memory.book(row["task"], kernel, row["start"])
                load_end, floor = max(load_end, booking.load_end), booking.end
            end = max(max(load_end, core_free_at[row["core"]]) + rest, floor)
            assert row["end"] == end, row
            core_free_at[row["core"]] = end
        assert self.stats["memory_bytes"] == memory.hbm_bytes
        assert self.stats["l2_bytes"] == memory.l2_bytes

    def check_stalls(self) -> None:
        """Tiles and stalls tile [0, makespan) on every core, and a gap names the task after it."""
        pieces: defaultdict[int, list[tuple[int, int, str, int]]] = defaultdict(list)
        for core, begin, end, cause, task in self.stalls:
            assert begin < end, (core, begin, end)
            assert (cause == "drained") == (task == -1), (core, begin, end)
            pieces[core].append((begin, end, cause, task))
        for core in range(len(self.places)):
            assert [*self._expected_gaps(core)] == _merged(pieces[core]), core
            for before, after in pairwise(pieces[core]):
                assert before[1] < after[0] or before[2:] != after[2:], (core, before)

    def _expected_gaps(self, core: int) -> Iterator[tuple[int, int, int]]:
        free_from = 0
        for row in self.by_core.get(core, []):
            if free_from < row["start"]:
                yield free_from, row["start"], row["task"]
            free_from = row["end"]
        if free_from < self.makespan:
            yield free_from, self.makespan, -1

    def check_statistics(self) -> None:
        """Sums agree with the tables that they sum up."""
        stats = self.stats
        assert stats["tasks"] == len(self.rows)
        assert stats["edges"] == len(self.edges)
        assert stats["makespan"] == self.makespan
        assert (stats["window_high_water"] > self.schedule.window) == (stats["window_overruns"] > 0)
        for pool in stats["pools"]:
            cycles = pool["busy"] + sum(pool["stalls"].values())
            assert cycles == pool["cores"] * self.makespan, pool
        assert sum(pool["tasks"] for pool in stats["pools"]) == len(self.rows)
        causes: Counter[str] = Counter()
        for _, begin, end, cause, _ in self.stalls:
            causes[cause] += end - begin
        for cause, cycles in causes.items():
            assert cycles == sum(pool["stalls"][cause] for pool in stats["pools"]), cause
        assert sum(s["dispatches"] for s in stats["schedulers"]) == len(self.rows)


def elements(region: Region) -> Iterator[tuple[int, ...]]:
    """Every element of a box, behind its tensor's number."""
    places: list[tuple[int, ...]] = [(region.tensor,)]
    for offset, extent in zip(region.offsets, region.extents, strict=True):
        places = [(*place, offset + i) for place in places for i in range(extent)]
    return iter(places)


def _merged(pieces: Sequence[tuple[int, int, str, int]]) -> list[tuple[int, int, int]]:
    """Pieces of one gap, put together again; pieces that do not touch stay apart."""
    gaps: list[tuple[int, int, int]] = []
    for begin, end, _, task in pieces:
        if gaps and gaps[-1][1] == begin and gaps[-1][2] == task:
            gaps[-1] = (gaps[-1][0], end, task)
        else:
            gaps.append((begin, end, task))
    return gaps
