"""Worked schedules for what tasks are: edges, places in the window, turns, durations."""

from .timelines import box, kernel, task
from .worked import K4, READ, WRITE, Worked, X, Y, after, from_timeline

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
    # 1 and 3 read what 0 writes (raw comes before explicit), 2 shares nothing and comes after 1.
    # With `explicit` 1 waits for nobody: 0 and 1, then 2 and 3.
    Worked(
        name="inferred and explicit order",
        kernels=[WRITE, READ],
        machine={"vector_cores": 2},
        schedule={"deps": "hybrid"},
        program=[task(0, X), task(1, X), after([1], task(0, Y)), after([0], task(1, X))],
        rows="""
            0 0 0 0 0 0 0 4 4
            1 0 0 0 4 4 4 8 8
            2 0 0 0 8 8 8 12 12
            3 1 0 0 4 4 4 8 12""",
        edges="0->1 raw, 1->2 explicit, 0->3 raw",
        # Core 1 got nothing before 4: what it waited for was task 3's source.
        stalls="core 1: [0,4) dep_wait, [8,12) drained; makespan 12",
        instead={"deps": "explicit"},
        otherwise=8,
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
    # Without the window 2 and 3 are submitted in time, and follow 0 and 1 at 6 and 7.
    from_timeline("a window of two", otherwise=12),
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

COMPLETIONS = [
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
    # One by one: the reports of 0 and 1 keep the scheduler busy from 8 to 16, so 2 runs 16 to 21;
    # its report takes until 25, and 3 runs from there.
    from_timeline("batched dependencies", otherwise=30),
]

DURATIONS = [
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

TASKS = [*DEPENDENCIES, *WINDOWS, *COMPLETIONS, *DURATIONS]
