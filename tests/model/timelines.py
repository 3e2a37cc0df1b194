"""Twelve small programs and the exact rows that the rules of virtual time give them.

Costs that are not named are 0; core 0 is an idle cube core and vector cores count from 1, unless
said otherwise. Everything else is the engine's default.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

COLUMNS = ("task", "core", "scheduler", "submit", "ready", "dispatch", "start", "end", "retire")


@dataclass(frozen=True)
class Timeline:
    name: str
    kernels: Sequence[Mapping[str, Any]]
    program: Sequence[tuple[Any, ...]]
    rows: str
    """One line per task: the columns of `COLUMNS`."""
    stalls: str
    """`core C: [BEGIN,END) CAUSE, ...; core C: ...; makespan M`"""
    edges: str = ""
    """`SRC->DST KIND, ...`"""
    machine: Mapping[str, Any] = field(default_factory=dict)
    schedule: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tensors(self) -> list[tuple[str, int, list[int]]]:
        return [("x", 4, [8]), ("y", 4, [8]), ("z", 4, [8])]

    @property
    def arguments(self) -> tuple[Any, ...]:
        return self.machine, self.schedule, self.kernels, self.tensors, self.program

    @property
    def expected_tasks(self) -> list[dict[str, int]]:
        lines = self.rows.strip().splitlines()
        return [dict(zip(COLUMNS, map(int, line.split()), strict=True)) for line in lines]

    @property
    def expected_edges(self) -> list[tuple[int, int, str]]:
        found = re.findall(r"(-?\d+)->(-?\d+) (\w+)", self.edges)
        return [(int(src), int(dst), kind) for src, dst, kind in found]

    @property
    def expected_stalls(self) -> list[tuple[int, int, int, str]]:
        found: list[tuple[int, int, int, str]] = []
        for core, pieces in re.findall(r"core (\d+): ([^;]*)", self.stalls):
            for begin, end, cause in re.findall(r"\[(\d+),(\d+)\) (\w+)", pieces):
                found.append((int(core), int(begin), int(end), cause))
        return found

    @property
    def expected_makespan(self) -> int:
        return int(self.stalls.split("makespan")[1])


def kernel(name: str, *roles: str, unit: str = "vector", **cost: int) -> dict[str, Any]:
    return {"name": name, "unit": unit, "roles": list(roles), **cost}


def box(tensor: str, begin: int = 0, end: int = 8) -> tuple[int, list[int], list[int]]:
    return "xyz".index(tensor), [begin], [end - begin]


def task(kernel: int, *operands: tuple[int, list[int], list[int]], **keys: int) -> tuple[Any, ...]:
    return "task", kernel, list(operands), keys


TIMELINES = [
    Timeline(
        "a chain with every cost",
        kernels=[kernel("write", "out", compute=10), kernel("read", "in", compute=10)],
        machine={
            "costs": {
                "submit": 2,
                "submit_operand": 1,
                "dispatch": 3,
                "dispatch_latency": 1,
                "completion_latency": 2,
                "complete": 4,
                "resolve": 1,
                "pickup": 1,
            }
        },
        program=[task(0, box("x")), task(1, box("x"))],
        rows="""
            0 1 0 0 3 3 8 18 25
            1 1 0 3 25 25 30 40 46""",
        edges="0->1 raw",
        stalls="core 0: [0,40) drained; core 1: [0,3) submit_busy, [3,6) dispatch_busy, "
        "[6,8) latency, [18,25) dep_wait, [25,28) dispatch_busy, [28,30) latency; makespan 40",
    ),
    Timeline(
        "a window of two",
        kernels=[kernel("k", compute=5)],
        machine={"vector_cores": 2, "costs": {"submit": 1}},
        schedule={"window": 2},
        program=[task(0)] * 4,
        rows="""
            0 1 0 0 1 1 1 6 6
            1 2 0 1 2 2 2 7 7
            2 1 0 6 7 7 7 12 12
            3 2 0 7 8 8 8 13 13""",
        stalls="core 0: [0,13) drained; core 1: [0,1) submit_busy, [6,7) submit_busy, "
        "[12,13) drained; core 2: [0,2) submit_busy, [7,8) submit_busy; makespan 13",
    ),
    Timeline(
        "write after read, write after write, and a covering write",
        kernels=[kernel("write", "out", compute=2), kernel("read", "in", compute=2)],
        machine={"vector_cores": 5},
        program=[
            task(0, box("x", 0, 4)),
            task(1, box("x", 1, 2)),
            task(0, box("x", 0, 2)),
            task(0, box("x", 0, 4)),
            task(1, box("x", 0, 1)),
        ],
        rows="""
            0 1 0 0 0 0 0 2 2
            1 1 0 0 2 2 2 4 4
            2 1 0 0 4 4 4 6 6
            3 1 0 0 6 6 6 8 8
            4 1 0 0 8 8 8 10 10""",
        edges="0->1 raw, 0->2 waw, 1->2 war, 0->3 waw, 2->3 waw, 3->4 raw",
        stalls="core 0: [0,10) drained; core 2: [0,10) drained; core 3: [0,10) drained; "
        "core 4: [0,10) drained; core 5: [0,10) drained; makespan 10",
    ),
    Timeline(
        "a sequential loop",
        kernels=[kernel(f"k{cycles}", compute=cycles) for cycles in (3, 5, 4, 1)],
        machine={"vector_cores": 2, "costs": {"resolve": 2}},
        program=[
            ("scope",),
            ("part",),
            task(0),
            task(1),
            ("part",),
            task(2),
            task(3),
            ("end",),
        ],
        rows="""
            0 1 0 0 0 0 0 3 3
            1 2 0 0 0 0 0 5 9
            2 1 0 0 7 9 9 13 13
            3 2 0 0 9 9 9 10 13""",
        edges="0->-1 structural, 1->-1 structural, -1->2 structural, 2->-2 structural, "
        "-1->3 structural, 3->-2 structural",
        stalls="core 0: [0,13) drained; core 1: [3,7) dep_wait, [7,9) dispatch_busy; "
        "core 2: [5,9) dep_wait, [10,13) drained; makespan 13",
    ),
    Timeline(
        "a fan-out",
        kernels=[kernel("write", "out", compute=10), kernel("read", "in", compute=4)],
        machine={"vector_cores": 3, "costs": {"resolve": 2, "complete": 1}},
        program=[task(0, box("x")), *[task(1, box("x"))] * 3],
        rows="""
            0 1 0 0 0 0 0 10 17
            1 1 0 0 13 17 17 21 22
            2 2 0 0 15 17 17 21 23
            3 3 0 0 17 17 17 21 24""",
        edges="0->1 raw, 0->2 raw, 0->3 raw",
        stalls="core 0: [0,21) drained; core 1: [10,13) dep_wait, [13,17) dispatch_busy; "
        "core 2: [0,15) dep_wait, [15,17) dispatch_busy; core 3: [0,17) dep_wait; makespan 21",
    ),
    Timeline(
        "stealing",
        kernels=[kernel("k", compute=20)],
        machine={
            "vector_cores": 2,
            "schedulers": 2,
            "schedulers_max": 2,
            "costs": {"dispatch": 1, "steal": 5},
        },
        schedule={"ready": "work_steal", "dispatch": "affinity(home)"},
        program=[task(0, home=0)] * 4,
        rows="""
            0 1 0 0 0 0 1 21 21
            1 1 0 0 0 21 22 42 42
            2 2 1 0 0 26 32 52 52
            3 2 1 0 0 0 6 26 52""",
        stalls="core 0: [0,52) drained; core 1: [0,1) dispatch_busy, [21,22) dispatch_busy, "
        "[42,52) drained; core 2: [0,6) dispatch_busy, [26,32) dispatch_busy; makespan 52",
    ),
    Timeline(
        "one queue for two units",
        kernels=[kernel("c", unit="cube", compute=6), kernel("v", compute=6)],
        schedule={"pools": "single"},
        program=[task(0), task(0), task(1)],
        rows="""
            0 0 0 0 0 0 0 6 6
            1 0 0 0 0 6 6 12 12
            2 1 0 0 0 6 6 12 12""",
        stalls="core 1: [0,6) no_core; makespan 12",
    ),
    Timeline(
        "two tasks on one core, without pipeline depth",
        kernels=[kernel("k", load=4, compute=6)],
        machine={
            "core_slots": 2,
            "costs": {"dispatch": 1, "dispatch_latency": 2, "completion_latency": 6, "pickup": 3},
        },
        program=[task(0)] * 2,
        rows="""
            0 1 0 0 0 0 6 16 22
            1 1 0 0 0 1 19 29 35""",
        stalls="core 0: [0,29) drained; core 1: [0,1) dispatch_busy, [1,6) latency, "
        "[16,19) latency; makespan 29",
    ),
    Timeline(
        "two tasks on one core, with a pipeline depth of two",
        kernels=[kernel("k", load=4, compute=6)],
        machine={
            "costs": {"dispatch": 1, "dispatch_latency": 2, "completion_latency": 6, "pickup": 3},
        },
        schedule={"depth": 2},
        program=[task(0)] * 2,
        rows="""
            0 1 0 0 0 0 6 16 22
            1 1 0 0 0 1 13 23 29""",
        stalls="core 0: [0,23) drained; core 1: [0,1) dispatch_busy, [1,6) latency; makespan 23",
    ),
    Timeline(
        "shared memory",
        kernels=[kernel("k", load=2, compute=10, load_bytes=2, bytes=10)],
        machine={"vector_cores": 3, "memory_bytes": 1, "memory_cycles": 1},
        program=[task(0)] * 3,
        rows="""
            0 1 0 0 0 0 0 12 12
            1 2 0 0 0 0 0 20 20
            2 3 0 0 0 0 0 30 30""",
        stalls="core 0: [0,30) drained; core 1: [12,30) drained; core 2: [20,30) drained; "
        "makespan 30",
    ),
    Timeline(
        "batched dependencies",
        kernels=[kernel("write", "out", compute=5), kernel("read", "in", "in", "in", compute=5)],
        machine={"vector_cores": 3, "costs": {"submit": 3, "complete": 4}},
        schedule={"batch": 2},
        program=[
            task(0, box("x")),
            task(0, box("y")),
            task(0, box("z")),
            task(1, box("x"), box("y"), box("z")),
        ],
        rows="""
            0 1 0 0 3 3 3 8 12
            1 2 0 0 3 3 3 8 12
            2 3 0 3 6 6 6 11 16
            3 1 0 3 16 16 16 21 25""",
        edges="0->3 raw, 1->3 raw, 2->3 raw",
        stalls="core 0: [0,21) drained; core 1: [0,3) submit_busy, [8,16) dep_wait; "
        "core 2: [0,3) submit_busy, [8,21) drained; core 3: [0,6) submit_busy, [11,21) drained; "
        "makespan 21",
    ),
    Timeline(
        "a threshold",
        kernels=[kernel("k", compute=4)],
        machine={"vector_cores": 2, "costs": {"submit": 2}},
        schedule={"start": "threshold(3)"},
        program=[task(0)] * 4,
        rows="""
            0 1 0 0 2 6 6 10 10
            1 2 0 2 4 6 6 10 10
            2 1 0 4 6 10 10 14 14
            3 2 0 6 8 10 10 14 14""",
        stalls="core 0: [0,14) drained; core 1: [0,2) submit_busy, [2,6) gated; "
        "core 2: [0,4) submit_busy, [4,6) gated; makespan 14",
    ),
    Timeline(
        "reading data back",
        kernels=[kernel("write", "out", compute=10), kernel("k", compute=5)],
        machine={"vector_cores": 2, "costs": {"completion_latency": 3, "readback": 7}},
        program=[task(0, box("x")), ("read", box("x")), task(1)],
        rows="""
            0 1 0 0 0 0 0 10 13
            1 1 0 20 20 20 20 25 28""",
        stalls="core 0: [0,25) drained; core 1: [10,20) readback; core 2: [0,25) drained; "
        "makespan 25",
    ),
]
