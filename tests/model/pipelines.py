"""Worked timelines of processes and channels (rule 16). Core 0 is a vector core."""

from typing import Any

from .timelines import Timeline, kernel, task

LOAD, WORK = 0, 1


def process(*lines: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    return [("loop",), *lines, ("endloop",)]


def loader(tokens: int) -> list[tuple[Any, ...]]:
    return process(*[("iteration",), task(LOAD), ("send", 0)] * tokens)


def worker(tokens: int) -> list[tuple[Any, ...]]:
    return process(*[("receive", 0), ("iteration",), task(WORK), ("done", 0)] * tokens)


def two_cores(name: str, depth: int, rows: str, edges: str, stalls: str) -> Timeline:
    """Loads of 2 cycles, each for a body of 10."""
    return Timeline(
        name,
        kernels=[kernel("load", compute=2), kernel("work", compute=10)],
        machine={"cube_cores": 0, "vector_cores": 2},
        schedule={"deps": "explicit"},
        program=[("pipeline", [depth], [loader(3), worker(3)])],
        rows=rows,
        edges=edges,
        stalls=stalls,
    )


PIPELINES = [
    # Each token is taken as soon as it is sent, so loads have even numbers and bodies odd ones.
    # A body waits for its load and the body before it: 2, 12, 22. What follows the first send waits
    # for nothing: the load of token 1 begins at 0. What follows the second send waits until the
    # receiver is there, at the end of body 0: the load of token 2 begins at 12.
    two_cores(
        "a rendezvous",
        0,
        rows="""
            0 0 0 0 0 0 0 2 2
            1 0 0 0 2 2 2 12 12
            2 1 0 0 0 0 0 2 12
            3 0 0 0 12 12 12 22 22
            4 1 0 0 12 12 12 14 22
            5 0 0 0 22 22 22 32 32""",
        edges="0->-1 structural, -1->-2 structural, -2->1 structural, 1->-3 structural, "
        "-3->-4 structural, -2->-4 structural, -1->-5 structural, 2->-6 structural, "
        "-4->-7 structural, -4->-8 structural, -6->-8 structural, -3->-9 structural, "
        "-8->3 structural, 3->-10 structural, -10->-11 structural, -8->-11 structural, "
        "-6->-5 structural, -7->4 structural, 4->-12 structural, -12->-13 structural, "
        "-7->-13 structural, -7->-14 structural, -11->-14 structural, -11->-15 structural, "
        "-13->-15 structural, -10->-9 structural, -15->5 structural, 5->-16 structural, "
        "-16->-17 structural, -15->-17 structural, -16->-9 structural, -9->-18 structural, "
        "-12->-5 structural, -5->-19 structural",
        stalls="core 1: [2,12) channel_full, [14,32) drained; makespan 32",
    ),
    # The second token has a place: nothing holds the third load. It became ready at 0, before the
    # first body, so it takes core 0 at 2, and the body core 1.
    two_cores(
        "a buffer of one",
        1,
        rows="""
            0 0 0 0 0 0 0 2 2
            1 1 0 0 2 2 2 12 12
            2 1 0 0 0 0 0 2 12
            3 0 0 0 12 12 12 22 22
            4 0 0 0 0 2 2 4 22
            5 0 0 0 22 22 22 32 32""",
        edges="0->-1 structural, -1->-2 structural, -2->1 structural, 1->-3 structural, "
        "-3->-4 structural, -2->-4 structural, -1->-5 structural, 2->-6 structural, "
        "-4->-7 structural, -6->-7 structural, -3->-8 structural, -7->3 structural, "
        "3->-9 structural, -9->-10 structural, -7->-10 structural, -6->-5 structural, "
        "4->-11 structural, -4->-12 structural, -10->-13 structural, -11->-13 structural, "
        "-9->-8 structural, -13->5 structural, 5->-14 structural, -14->-15 structural, "
        "-13->-15 structural, -14->-8 structural, -8->-16 structural, -11->-5 structural, "
        "-5->-17 structural",
        stalls="core 0: [4,12) dep_wait; core 1: [12,32) drained; makespan 32",
    ),
    # Tokens 0 and 2 are the first replica's, 1 and 3 the second one's: two bodies at a time.
    Timeline(
        "two replicas",
        kernels=[kernel("load", compute=2), kernel("work", compute=10)],
        machine={"cube_cores": 0, "vector_cores": 4},
        schedule={"deps": "explicit"},
        program=[("pipeline", [1], [loader(4), worker(2), worker(2)])],
        rows="""
            0 0 0 0 0 0 0 2 2
            1 0 0 0 2 2 2 12 12
            2 1 0 0 0 0 0 2 12
            3 1 0 0 2 2 2 12 12
            4 2 0 0 0 0 0 2 12
            5 0 0 0 12 12 12 22 22
            6 3 0 0 0 0 0 2 22
            7 1 0 0 12 12 12 22 22""",
        edges="0->-1 structural, -1->-2 structural, -2->1 structural, 1->-3 structural, "
        "-3->-4 structural, -2->-4 structural, -1->-5 structural, 2->-6 structural, "
        "-6->-7 structural, -7->3 structural, 3->-8 structural, -8->-9 structural, "
        "-7->-9 structural, -6->-5 structural, 4->-10 structural, -4->-11 structural, "
        "-10->-11 structural, -3->-12 structural, -11->5 structural, 5->-13 structural, "
        "-13->-14 structural, -11->-14 structural, -13->-12 structural, -12->-15 structural, "
        "-10->-5 structural, 6->-16 structural, -4->-17 structural, -9->-18 structural, "
        "-16->-18 structural, -8->-19 structural, -18->7 structural, 7->-20 structural, "
        "-20->-21 structural, -18->-21 structural, -20->-19 structural, -19->-22 structural, "
        "-16->-5 structural, -5->-23 structural",
        stalls="core 2: [2,22) drained; core 3: [2,22) drained; makespan 22",
    ),
    # The process between the two launches nothing: its token is there when the load's service has
    # ended (1 + 3 for the one waiter, after 2), and the body is resolved in that service.
    Timeline(
        "a token that is handed on",
        kernels=[kernel("load", compute=2), kernel("work", compute=10)],
        machine={"cube_cores": 0, "vector_cores": 1, "costs": {"complete": 1, "resolve": 3}},
        schedule={"deps": "explicit"},
        program=[
            (
                "pipeline",
                [0, 0],
                [
                    loader(1),
                    process(("receive", 0), ("iteration",), ("send", 1), ("done", 0)),
                    process(("receive", 1), ("iteration",), task(WORK), ("done", 1)),
                ],
            )
        ],
        rows="""
            0 0 0 0 0 0 0 2 6
            1 0 0 0 6 6 6 16 17""",
        edges="0->-1 structural, -1->-2 structural, -2->-3 structural, -3->1 structural, "
        "1->-4 structural, -4->-5 structural, -3->-5 structural, -4->-6 structural, "
        "-6->-7 structural, -1->-8 structural, -8->-9 structural",
        stalls="core 0: [2,6) channel_empty; makespan 16",
    ),
]
