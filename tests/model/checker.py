"""Checks a finished run at any size from its three tables, without simulating anything.

What is asserted follows from the rules of virtual time for every schedule, so a table that fails is
wrong whatever the engine meant.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from heapq import heappop, heappush
from itertools import pairwise
from typing import Any

from .graph import scheduler_count
from .tables import Kernel, Machine, Region, Schedule, read_machine, read_region, read_schedule

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
        program,
        found,
    )
    checker.check_rows()
    checker.check_window()
    checker.check_edges()
    checker.check_values()
    checker.check_structure()
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
    ) -> None:
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
        self.core_units = ["cube"] * machine.cube_cores + ["vector"] * machine.vector_cores
        self.by_core = self._group("core")

    def _group(self, column: str) -> dict[int, list[Row]]:
        """Rows by core or scheduler, in the order of their dispatch."""
        groups: defaultdict[int, list[Row]] = defaultdict(list)
        for row in sorted(self.rows, key=lambda row: (row["dispatch"], row["end"])):
            groups[row[column]].append(row)
        return groups

    def _reported(self, row: Row) -> int:
        """The task is finished at this cycle at the earliest."""
        return row["end"] + self.costs.completion_latency + self.costs.complete

    def check_rows(self) -> None:
        """Ids, places, and the order of each task's own times."""
        assert [row["task"] for row in self.rows] == list(range(len(self.launches)))
        seen_after = self.costs.dispatch + self.costs.dispatch_latency + self.costs.pickup
        for row, (_, kernel, operands, *_) in zip(self.rows, self.launches, strict=True):
            unit = self.kernels[kernel].unit
            assert (row["kernel"], row["unit"], row["stream"]) == (kernel, unit, -1), row
            assert row["pool"] == self.schedule.pool_of(unit), row
            assert self.core_units[row["core"]] == unit, row
            within_unit = row["core"] - (self.machine.cube_cores if unit == "vector" else 0)
            assert row["scheduler"] == within_unit % self.schedulers, row
            submitted = (
                row["submit"] + self.costs.submit + self.costs.submit_operand * len(operands)
            )
            assert 0 <= row["submit"] <= submitted <= row["ready"] <= row["dispatch"], row
            assert row["dispatch"] + seen_after <= row["start"] <= row["end"], row
            assert self._reported(row) <= row["retire"], row
        for before, row in pairwise(self.rows):
            assert before["retire"] <= row["retire"], row
            operands = len(self.launches[before["task"]][2])
            assert before["submit"] + self.costs.submit_operand * operands <= row["submit"], row

    def check_window(self) -> None:
        live = [row["retire"] for row in self.rows]
        for row in self.rows[self.schedule.window :]:
            assert row["submit"] >= live[row["task"] - self.schedule.window], row

    def check_edges(self) -> None:
        """Edges go forward, once, and what they point at comes later."""
        assert len(self.edges) == len({(src, dst) for src, dst, _ in self.edges})
        joined: dict[int, int] = {}
        for src, dst, kind in self.edges:
            assert (kind == "structural") == (src < 0 or dst < 0), (src, dst, kind)
            if src >= 0 and dst < 0:
                joined[dst] = max(joined.get(dst, 0), self._reported(self.rows[src]))
        for src, dst, _ in self.edges:
            if dst < 0:
                continue
            if src >= 0:
                assert dst - self.schedule.window < src < dst, (src, dst)
            # A nested join only adds to what the join around it waits for.
            before = self._reported(self.rows[src]) if src >= 0 else joined.get(src, 0)
            assert self.rows[dst]["ready"] >= before, (src, dst)

    def check_values(self) -> None:
        """Of two tasks that share an element and do not both only read it, the later one waits."""
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
                    touched[place] = max(touched[place], self._reported(row))
                    if role != "in":
                        wrote[place] = max(wrote[place], self._reported(row))

    def check_structure(self) -> None:
        """A part is ready after all of the part before it, as the program's text has it."""
        ids = iter(range(len(self.rows)))
        after = [0]
        """Of each open scope, and of the program: when its current part may begin."""
        until = [0]
        """When all that the current part (of the program: everything) holds is over."""
        for line in self.program:
            match line[0]:
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
                    until[-1] = max(until[-1], self._reported(row))

    def check_schedulers(self) -> None:
        """One job at a time: dispatches of one scheduler are a dispatch's cost apart."""
        for rows in self._group("scheduler").values():
            for before, row in pairwise(rows):
                assert row["dispatch"] >= before["dispatch"] + self.costs.dispatch, row

    def check_scopes(self) -> None:
        """No more tasks are in flight, from dispatch until finished, than the depth allows."""
        scoped = self.schedule.depth > 0 and self.schedule.depth_scope == "per_pool"
        per_core = self.schedule.depth or self.machine.core_slots
        flights: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
        for row in sorted(self.rows, key=lambda row: row["dispatch"]):
            place = (row["scheduler"], row["pool"]) if scoped else (row["core"], -1)
            flight = flights[place]
            while flight and flight[0] <= row["dispatch"]:
                heappop(flight)
            heappush(flight, self._reported(row))
            assert len(flight) <= (self._scope_limit(row) if scoped else per_core), row

    def _scope_limit(self, row: Row) -> int:
        units = self.schedule.pool_units[row["pool"]]
        scheduler = row["scheduler"]
        owned = [len(range(scheduler, self.machine.cores(unit), self.schedulers)) for unit in units]
        return self.schedule.depth * sum(owned)

    def check_cores(self) -> None:
        """Tasks of a core follow each other; without depth they do not even touch."""
        depth = self.schedule.depth or 1
        for rows in self.by_core.values():
            for before, row in pairwise(rows):
                load_end = before["start"] + self.kernels[before["kernel"]].load
                assert row["start"] >= load_end + self.costs.pickup, row
                kernel = self.kernels[row["kernel"]]
                assert row["end"] >= before["end"] + kernel.compute + kernel.store, row
            for before, row in zip(rows, rows[depth:], strict=False):
                assert row["start"] >= before["end"] + self.costs.pickup, row

    def check_memory(self) -> None:
        """Every `end` is what the core, the kernel and the shared memory make of `start`."""
        memory_free_at = 0
        core_free_at: defaultdict[int, int] = defaultdict(int)
        place = {row["task"]: at for rows in self.by_core.values() for at, row in enumerate(rows)}
        for row in sorted(self.rows, key=lambda r: (r["start"], r["core"], place[r["task"]])):
            kernel = self.kernels[row["kernel"]]
            rest = kernel.compute + kernel.store or int(kernel.load == 0)
            load_end, floor = row["start"] + kernel.load, 0
            if self.machine.memory_bytes and kernel.bytes:
                begin = max(row["start"], memory_free_at)
                floor = memory_free_at = begin + self.machine.transfer(kernel.bytes)
                load_end = max(load_end, begin + self.machine.transfer(kernel.load_bytes))
            end = max(max(load_end, core_free_at[row["core"]]) + rest, floor)
            assert row["end"] == end, row
            core_free_at[row["core"]] = end

    def check_stalls(self) -> None:
        """Tiles and stalls tile [0, makespan) on every core, and a gap names the task after it."""
        pieces: defaultdict[int, list[tuple[int, int, str, int]]] = defaultdict(list)
        for core, begin, end, cause, task in self.stalls:
            assert begin < end, (core, begin, end)
            assert (cause == "drained") == (task == -1), (core, begin, end)
            pieces[core].append((begin, end, cause, task))
        for core in range(len(self.core_units)):
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
        assert stats["window_high_water"] <= self.schedule.window
        assert stats["memory_bytes"] == sum(self.kernels[r["kernel"]].bytes for r in self.rows)
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
