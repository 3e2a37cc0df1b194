"""Every setting of a schedule on a smallest program, worked out by hand.

Costs that are not named are 0, there is no cube core and one scheduler, vector cores count from 0,
and a comment derives the rows from the rules of docs/execution-model.md. `instead` and `otherwise`
say what the same program takes with other settings: so the setting does what it is for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .timelines import Timeline, box, kernel, task


@dataclass(frozen=True, kw_only=True)
class Worked(Timeline):
    instead: Mapping[str, Any] = field(default_factory=dict)
    """Settings to compare with: the defaults, unless said otherwise."""
    otherwise: int
    """The makespan with these."""

    @property
    def arguments(self) -> tuple[Any, ...]:
        return {"cube_cores": 0, **self.machine}, *super().arguments[1:]

    @property
    def other_arguments(self) -> tuple[Any, ...]:
        machine, _, *rest = self.arguments
        return machine, self.instead, *rest


def after(ids: Sequence[int], line: tuple[Any, ...]) -> tuple[Any, ...]:
    return *line, list(ids)


WRITE, READ = kernel("write", "out", compute=4), kernel("read", "in", compute=4)
K4 = [kernel("k", compute=4)]
X, Y = box("x"), box("y")

DEPENDENCIES = [
    # All write x, but only `after` orders: 2 waits for 0 alone. Otherwise 0, 1, 2 one by one.
    Worked(
        name="explicit order",
        kernels=[WRITE],
        machine={"vector_cores": 3},
        schedule={"deps": "explicit"},
        program=[task(0, X), task(0, X), after([0], task(0, X))],
        rows="""
            0 0 0 0 0 0 0 4 4
            1 1 0 0 0 0 0 4 4
            2 0 0 0 4 4 4 8 8""",
        edges="0->2 explicit",
        stalls="core 1: [4,8) drained; core 2: [0,8) drained; makespan 8",
        otherwise=12,
    ),
    # Task 1 reads what 0 writes (raw comes before explicit), 2 shares nothing but comes after 1.
    # With `explicit`, 1 still comes after 0, for it says so; without `after` lists only raw stays.
    Worked(
        name="inferred and explicit order",
        kernels=[WRITE, READ],
        machine={"vector_cores": 2},
        schedule={"deps": "hybrid"},
        program=[task(0, X), after([0], task(1, X)), after([1], task(0, Y)), task(1, X)],
        rows="""
            0 0 0 0 0 0 0 4 4
            1 0 0 0 4 4 4 8 8
            2 0 0 0 8 8 8 12 12
            3 1 0 0 4 4 4 8 12""",
        edges="0->1 raw, 1->2 explicit, 0->3 raw",
        # Nothing was dispatched to core 1 before 4: what it waited for was task 3's source.
        stalls="core 1: [0,4) dep_wait, [8,12) drained; makespan 12",
        instead={"deps": "explicit"},
        # Task 3 does not wait any more: it runs beside 0.
        otherwise=12,
    ),
    # x[0:4] and x[0:2] are not equal: no edge, though they share elements. By overlap: 4 + 4.
    Worked(
        name="exact matching",
        kernels=[WRITE, READ],
        machine={"vector_cores": 2},
        schedule={"infer": "infer_tensor_map_exact"},
        program=[task(0, box("x", 0, 4)), task(1, box("x", 0, 2))],
        rows="""
            0 0 0 0 0 0 0 4 4
            1 1 0 0 0 0 0 4 4""",
        stalls="makespan 4",
        otherwise=8,
    ),
    # Ids modulo 2: tasks 0 and 2 are one stream and run one after the other.
    Worked(
        name="streams",
        kernels=K4,
        machine={"vector_cores": 3},
        schedule={"streams": 2},
        program=[task(0)] * 3,
        rows="""
            0 0 0 0 0 0 0 4 4
            1 1 0 0 0 0 0 4 4
            2 0 0 0 4 4 4 8 8""",
        edges="0->2 stream",
        stalls="core 1: [4,8) drained; core 2: [0,8) drained; makespan 8",
        otherwise=4,
    ),
    # The key says 1, 1, 0. Task 2 does not wait and takes core 1 in cycle 0.
    Worked(
        name="streams by a key",
        kernels=K4,
        machine={"vector_cores": 2},
        schedule={"streams": 2, "stream_by": "lane"},
        program=[task(0, lane=1), task(0, lane=1), task(0, lane=0)],
        rows="""
            0 0 0 0 0 0 0 4 4
            1 0 0 0 4 4 4 8 8
            2 1 0 0 0 0 0 4 8""",
        edges="0->1 stream",
        stalls="core 1: [4,8) drained; makespan 8",
        instead={"streams": 1},
        otherwise=12,
    ),
    # With inferred edges alone a stream is a lane: it orders nothing.
    Worked(
        name="streams are lanes",
        kernels=K4,
        machine={"vector_cores": 2},
        schedule={"deps": "inferred", "streams": 1},
        program=[task(0)] * 2,
        rows="""
            0 0 0 0 0 0 0 4 4
            1 1 0 0 0 0 0 4 4""",
        stalls="makespan 4",
        instead={"streams": 1},
        otherwise=8,
    ),
]

WINDOWS = [
    # Tasks 0 and 1 write 16 bytes each and fill the window; 2 writes 32, so both must retire: at 6.
    Worked(
        name="a window of bytes",
        kernels=[WRITE, kernel("slow", "out", compute=6)],
        machine={"vector_cores": 3},
        schedule={"window": 32, "window_unit": "bytes"},
        program=[task(0, box("x", 0, 4)), task(1, box("y", 0, 4)), task(0, box("z"))],
        rows="""
            0 0 0 0 0 0 0 4 4
            1 1 0 0 0 0 0 6 6
            2 0 0 6 6 6 6 10 10""",
        stalls="core 0: [4,6) window_full; core 1: [6,10) drained; core 2: [0,10) drained; "
        "makespan 10",
        otherwise=6,
    ),
    # One operand and two do not fit into two entries: 1 is submitted when 0 retires, at 4 + 1.
    Worked(
        name="a window of entries",
        kernels=[READ, kernel("both", "in", "in", compute=4)],
        machine={"vector_cores": 2, "costs": {"completion_latency": 1}},
        schedule={"window": 2, "window_unit": "entries"},
        program=[task(0, X), task(1, X, Y)],
        rows="""
            0 0 0 0 0 0 0 4 5
            1 0 0 5 5 5 5 9 10""",
        stalls="core 0: [4,5) window_full; core 1: [0,9) drained; makespan 9",
        otherwise=4,
    ),
    # The window holds one task, and nobody waits for it.
    Worked(
        name="a window that is only measured",
        kernels=K4,
        machine={"vector_cores": 2},
        schedule={"window": 1, "window_mode": "benchmark"},
        program=[task(0)] * 2,
        rows="""
            0 0 0 0 0 0 0 4 4
            1 1 0 0 0 0 0 4 4""",
        stalls="makespan 4",
        instead={"window": 1},
        otherwise=8,
    ),
]

QUEUES = [
    # Cores 0 and 1 are a's, core 2 is b's: the two tasks of b run one by one.
    Worked(
        name="custom pools",
        kernels=K4,
        machine={"vector_cores": 3},
        schedule={"pools": "custom(pool,a=0/2,b=0/1)"},
        program=[task(0, pool=1), task(0, pool=1), task(0, pool=0)],
        rows="""
            0 2 0 0 0 0 0 4 4
            1 2 0 0 0 4 4 8 8
            2 0 0 0 0 0 0 4 8""",
        stalls="core 0: [4,8) drained; core 1: [0,8) drained; makespan 8",
        otherwise=4,
    ),
    # The long task goes first, to core 0, and the short ones share core 1. In order: 2 + 4.
    Worked(
        name="priorities",
        kernels=[kernel("short", compute=2), kernel("long", compute=4)],
        machine={"vector_cores": 2},
        schedule={"ready": "priority(place)"},
        program=[task(0, place=1), task(0, place=1), task(1, place=-1)],
        rows="""
            0 1 0 0 0 0 0 2 2
            1 1 0 0 0 2 2 4 4
            2 0 0 0 0 0 0 4 4""",
        stalls="makespan 4",
        otherwise=6,
    ),
    # Two servers dispatch at once, each to its own core; one would take 3 cycles for each task.
    Worked(
        name="round robin",
        kernels=K4,
        machine={"vector_cores": 2, "schedulers_max": 2, "costs": {"dispatch": 3}},
        schedule={"dispatch": "round_robin(2)"},
        program=[task(0)] * 2,
        rows="""
            0 0 0 0 0 0 3 7 7
            1 1 1 0 0 0 3 7 7""",
        stalls="core 0: [0,3) dispatch_busy; core 1: [0,3) dispatch_busy; makespan 7",
        otherwise=10,
    ),
    # 3 and -1 are 1 modulo 2: both tasks are at home at scheduler 1, that owns core 1.
    Worked(
        name="affinity",
        kernels=K4,
        machine={"vector_cores": 2, "schedulers": 2, "schedulers_max": 2},
        schedule={"dispatch": "affinity(home)"},
        program=[task(0, home=3), task(0, home=-1)],
        rows="""
            0 1 1 0 0 0 0 4 4
            1 1 1 0 0 4 4 8 8""",
        stalls="core 0: [0,8) drained; makespan 8",
        otherwise=4,
    ),
    # splitmix64 of 0 is 0xe220a8397b1dcdaf, of 1 0x910a2dec89025cc1: both odd, so scheduler 1.
    Worked(
        name="a hash",
        kernels=K4,
        machine={"vector_cores": 2, "schedulers": 2, "schedulers_max": 2},
        schedule={"dispatch": "hash(home)"},
        program=[task(0, home=0), task(0, home=1)],
        rows="""
            0 1 1 0 0 0 0 4 4
            1 1 1 0 0 4 4 8 8""",
        stalls="core 0: [0,8) drained; makespan 8",
        instead={"dispatch": "affinity(home)"},
        otherwise=4,
    ),
    # The key is the scheduler.
    Worked(
        name="dispatch by a key",
        kernels=K4,
        machine={"vector_cores": 2, "schedulers": 2, "schedulers_max": 2},
        schedule={"dispatch": "dispatch_by(home)"},
        program=[task(0, home=1), task(0, home=1)],
        rows="""
            0 1 1 0 0 0 0 4 4
            1 1 1 0 0 4 4 8 8""",
        stalls="core 0: [0,8) drained; makespan 8",
        otherwise=4,
    ),
    # Homes 0, 1, 0, 1. In cycle 2 scheduler 1 has nothing left and steals task 2: 2 cycles more.
    # Without stealing task 2 waits for core 0, which is free at 6.
    Worked(
        name="stealing after round robin",
        kernels=[kernel("long", compute=6), kernel("short", compute=1)],
        machine={
            "vector_cores": 2,
            "schedulers": 2,
            "schedulers_max": 2,
            "costs": {"steal": 2},
        },
        schedule={"dispatch": "work_steal"},
        program=[task(0), task(1), task(1), task(1)],
        rows="""
            0 0 0 0 0 0 0 6 6
            1 1 1 0 0 0 0 1 6
            2 1 1 0 0 2 4 5 6
            3 1 1 0 0 1 1 2 6""",
        stalls="core 1: [2,4) dispatch_busy, [5,6) drained; makespan 6",
        instead={"dispatch": "round_robin(2)"},
        otherwise=7,
    ),
    # Tasks 0 and 1 are at home at scheduler 0, the third is everybody's: scheduler 1 takes it.
    Worked(
        name="a dispatch policy from the third task on",
        kernels=K4,
        machine={"vector_cores": 2, "schedulers": 2, "schedulers_max": 2},
        schedule={"dispatch_threshold": "1=affinity(home),3=shared"},
        program=[task(0, home=0)] * 3,
        rows="""
            0 0 0 0 0 0 0 4 4
            1 0 0 0 0 4 4 8 8
            2 1 1 0 0 0 0 4 8""",
        stalls="core 1: [4,8) drained; makespan 8",
        instead={"dispatch": "affinity(home)"},
        otherwise=12,
    ),
]

GATES = [
    # Both tasks are there at 4, when the submission has ended; otherwise 0 begins at 2.
    Worked(
        name="start after the submission",
        kernels=[kernel("k", compute=3)],
        machine={"costs": {"submit": 2}},
        schedule={"start": "after_orchestration"},
        program=[task(0)] * 2,
        rows="""
            0 0 0 0 2 4 4 7 7
            1 0 0 2 4 7 7 10 10""",
        stalls="core 0: [0,2) submit_busy, [2,4) gated; makespan 10",
        otherwise=8,
    ),
    # 0 is held from 2 to 4, when 1 completes the pair. 2 is alone: it enters when nothing else
    # goes on, at 7; otherwise it runs from 6 on.
    Worked(
        name="batched timing",
        kernels=[kernel("k", compute=3)],
        machine={"vector_cores": 2, "costs": {"submit": 2}},
        schedule={"timing": "batched(2)"},
        program=[task(0)] * 3,
        rows="""
            0 0 0 0 2 4 4 7 7
            1 1 0 2 4 4 4 7 7
            2 0 0 4 6 7 7 10 10""",
        stalls="core 0: [0,2) submit_busy, [2,4) gated; core 1: [0,4) submit_busy, "
        "[7,10) drained; makespan 10",
        otherwise=9,
    ),
    # Lanes 0 and 1 take turns: 0, 2, 1, 3. An order, not a gate: it takes as long as without.
    Worked(
        name="interleaved timing",
        kernels=[kernel("k", compute=2)],
        schedule={
            "deps": "inferred",
            "streams": 2,
            "stream_by": "lane",
            "timing": "interleaved(2)",
        },
        program=[task(0, lane=0), task(0, lane=0), task(0, lane=1), task(0, lane=1)],
        rows="""
            0 0 0 0 0 0 0 2 2
            1 0 0 0 0 4 4 6 6
            2 0 0 0 0 2 2 4 6
            3 0 0 0 0 6 6 8 8""",
        stalls="makespan 8",
        otherwise=8,
    ),
    # 300000 dispatches per millisecond at 1 GHz are 10/3 cycles apart, rounded up: 4.
    Worked(
        name="a limited rate",
        kernels=[kernel("k", compute=3)],
        machine={"vector_cores": 2},
        schedule={"timing": "rate_limit(300000)"},
        program=[task(0)] * 2,
        rows="""
            0 0 0 0 0 0 0 3 3
            1 0 0 0 0 4 4 7 7""",
        stalls="core 0: [3,4) gated; core 1: [0,7) drained; makespan 7",
        otherwise=3,
    ),
]

DEPTHS = [
    # A scheduler of two cores may have two tasks in flight, on whichever core: 1 is seen at 3 and
    # follows 0 without a gap; 2 is dispatched when 0 is finished and seen in time, at 10.
    Worked(
        name="depth per pool",
        kernels=[kernel("k", compute=4)],
        machine={"cube_cores": 1, "costs": {"dispatch_latency": 3}},
        schedule={"pools": "single", "depth": 1, "depth_scope": "per_pool"},
        program=[task(0)] * 3,
        rows="""
            0 1 0 0 0 0 3 7 7
            1 1 0 0 0 0 7 11 11
            2 1 0 0 0 7 11 15 15""",
        stalls="core 0: [0,15) drained; core 1: [0,3) latency; makespan 15",
        instead={"pools": "single", "depth": 1},
        otherwise=21,
    ),
    # The vector tasks 0 and 1 take both places of the scheduler: 2 has to wait, though its core
    # is free. With a place per pool it starts in cycle 0.
    Worked(
        name="depth in all",
        kernels=[kernel("v", compute=4), kernel("c", unit="cube", compute=6)],
        machine={"cube_cores": 1},
        schedule={"depth": 1, "depth_scope": "global"},
        program=[task(0), task(0), task(1)],
        rows="""
            0 1 0 0 0 0 0 4 4
            1 1 0 0 0 0 4 8 8
            2 0 0 0 0 4 4 10 10""",
        stalls="core 0: [0,4) gated; core 1: [8,10) drained; makespan 10",
        instead={"depth": 1, "depth_scope": "per_pool"},
        otherwise=8,
    ),
    # Task 1 is of the stream of 0, which holds its only place until 6; 2 passes it by.
    Worked(
        name="depth per stream",
        kernels=[
            kernel("c", unit="cube", compute=6),
            kernel("v", compute=3),
            kernel("w", compute=2),
        ],
        machine={"cube_cores": 1},
        schedule={
            "deps": "inferred",
            "streams": 2,
            "stream_by": "lane",
            "depth": 1,
            "depth_scope": "per_stream",
        },
        program=[task(0, lane=0), task(1, lane=0), task(2, lane=1)],
        rows="""
            0 0 0 0 0 0 0 6 6
            1 1 0 0 0 6 6 9 9
            2 1 0 0 0 0 0 2 9""",
        stalls="core 0: [6,9) drained; core 1: [2,6) gated; makespan 9",
        instead={"depth": 1},
        otherwise=6,
    ),
]

OTHERS = [
    # 1, 2 and 3 are one run of ids: 0's service takes 1 + 2 cycles, not 1 + 3 x 2.
    Worked(
        name="compressed ranges",
        kernels=[kernel("write", "out", compute=10), READ],
        machine={"vector_cores": 3, "costs": {"resolve": 2, "complete": 1}},
        schedule={"range_compression": True},
        program=[task(0, X), *[task(1, X)] * 3],
        rows="""
            0 0 0 0 0 0 0 10 13
            1 0 0 0 13 13 13 17 18
            2 1 0 0 13 13 13 17 19
            3 2 0 0 13 13 13 17 20""",
        edges="0->1 raw, 0->2 raw, 0->3 raw",
        stalls="core 0: [10,13) dep_wait; core 1: [0,13) dep_wait; core 2: [0,13) dep_wait; "
        "makespan 17",
        otherwise=21,
    ),
    # The key is the duration, all of it compute; the kernel's 6 cycles and its bytes do not count.
    Worked(
        name="cycles by a key",
        kernels=[kernel("k", load=2, compute=4, bytes=100)],
        machine={"memory_bytes": 10},
        schedule={"trace": "cycles(cost)"},
        program=[task(0, cost=3), task(0, cost=1)],
        rows="""
            0 0 0 0 0 0 0 3 3
            1 0 0 0 0 3 3 4 4""",
        stalls="makespan 4",
        # 100 bytes at 10 per cycle: each task ends with its booking, at 10 and at 20.
        otherwise=20,
    ),
]

WORKED = [*DEPENDENCIES, *WINDOWS, *QUEUES, *GATES, *DEPTHS, *OTHERS]
