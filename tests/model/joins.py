"""Worked timelines of what chance seldom meets: a join whose members are served at one time.

Two schedulers with a vector core each, and no cube core; homes are 0, 1, 0, 1, ...
"""

from .timelines import Timeline, box, kernel, task
from .worked import X, after

TWO = {"cube_cores": 0, "vector_cores": 2, "schedulers": 2, "schedulers_max": 2}
LONG_SERVICE = [
    kernel("a", compute=4),
    kernel("b", compute=5),
    kernel("w", compute=1),
    kernel("slow", *["in"] * 7, compute=1),
]
WAITERS = [
    after([0], task(2)),
    task(2),
    after([0], task(2)),
    task(3, *[box("z")] * 7),
]
ROWS = """
    0 0 0 0 0 0 0 4 20
    1 1 1 0 0 0 0 5 20
    2 0 0 0 20 20 20 21 21
    3 1 1 0 20 20 20 21 21
    4 0 0 0 20 21 21 22 22
    5 1 1 0 20 21 21 22 22"""
STALLS = "core 0: [4,20) dep_wait; core 1: [5,20) dep_wait; makespan 22"

JOINS = [
    # The service of 0 begins at 4 and resolves 2 and 4 at 12 and 20. That of 1 begins at 5 and
    # takes the last member: 2, 3 and 4 are one run, whose turn ends at 13, but the other service
    # ends at 20. 5 is published at 7 x 2 and finds the join complete, of services until 20.
    Timeline(
        "services that overlap at a join",
        kernels=LONG_SERVICE,
        machine={**TWO, "costs": {"resolve": 8, "submit_operand": 2}},
        schedule={"dispatch": "round_robin(2)", "range_compression": True},
        program=[("scope",), task(0), task(1), ("part",), *WAITERS, ("end",)],
        rows=ROWS,
        edges="0->-1 structural, 1->-1 structural, "
        "-1->2 structural, 0->2 explicit, 2->-2 structural, -1->3 structural, 3->-2 structural, "
        "-1->4 structural, 0->4 explicit, 4->-2 structural, -1->5 structural, 5->-2 structural",
        stalls=STALLS,
    ),
    # The same one level deeper: the inner join has nobody waiting and is the outer one's member.
    Timeline(
        "services that overlap at a nested join",
        kernels=LONG_SERVICE,
        machine={**TWO, "costs": {"resolve": 8, "submit_operand": 2}},
        schedule={"dispatch": "round_robin(2)", "range_compression": True},
        program=[
            *[("scope",), ("scope",), task(0), task(1), ("end",)],
            *[("part",), *WAITERS, ("end",)],
        ],
        rows=ROWS,
        edges="0->-2 structural, 1->-2 structural, -2->-1 structural, "
        "-1->2 structural, 0->2 explicit, 2->-3 structural, -1->3 structural, 3->-3 structural, "
        "-1->4 structural, 0->4 explicit, 4->-3 structural, -1->5 structural, 5->-3 structural",
        stalls=STALLS,
    ),
    # The services of 0 and 1 take [1,11) and [4,14). The read waits for the first and costs 1; at
    # 12 the inner scope ends, complete, but the service of its member goes on until 14.
    Timeline(
        "a nested scope that ends while its last service goes on",
        kernels=[kernel("write", "out", compute=1), *LONG_SERVICE[:1], kernel("w", compute=1)],
        machine={**TWO, "costs": {"complete": 10, "readback": 1}},
        schedule={"dispatch": "round_robin(2)"},
        program=[
            *[task(0, X), ("scope",), ("scope",), task(1), ("read", X), ("end",)],
            *[("part",), task(2), ("end",)],
        ],
        rows="""
            0 0 0 0 0 0 0 1 11
            1 1 1 0 0 0 0 4 14
            2 0 0 12 14 14 14 15 25""",
        edges="1->-2 structural, -2->-1 structural, -1->2 structural, 2->-3 structural",
        stalls="core 0: [1,12) readback, [12,14) dep_wait; core 1: [4,15) drained; makespan 15",
    ),
]
