"""Worked schedules for how tasks get to cores: pools, orders, homes, gates, depths."""

from .timelines import kernel, task
from .worked import K4, Worked, from_timeline

QUEUES = [
    # The second cube task stands in front of the vector task until 6, when it finds its core.
    Worked(
        name="one queue for both units",
        kernels=[kernel("c", unit="cube", compute=6), kernel("v", compute=8)],
        machine={"cube_cores": 1},
        schedule={"pools": "single"},
        program=[task(0), task(0), task(1)],
        rows="""
            0 0 0 0 0 0 0 6 6
            1 0 0 0 0 6 6 12 12
            2 1 0 0 0 6 6 14 14""",
        stalls="core 0: [12,14) drained; core 1: [0,6) no_core; makespan 14",
        otherwise=12,
    ),
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
    # Otherwise core 1 runs all four one by one: 4 x (1 + 20).
    from_timeline("stealing", instead={"dispatch": "affinity(home)"}, otherwise=84),
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
    # Otherwise the tasks run from 2, 4, 6 and 8 on.
    from_timeline("a threshold", otherwise=12),
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
    # With one slot 1 is dispatched after the report of 0, at 22: seen at 25, 28 to 38.
    from_timeline("two tasks on one core, with a pipeline depth of two", otherwise=38),
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

DISPATCH = [*QUEUES, *GATES, *DEPTHS]
