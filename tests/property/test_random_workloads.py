"""Random workloads make the tasks that plain Python's loops make, for any symbols and data."""

from __future__ import annotations

import functools
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tree_writer import COPIES, Writer
from workload_trees import SYMBOLS, Data, Model, Node, Trees

from pto_wsp import Program

rngs = st.randoms(use_true_random=False)


class Compiled:
    """Many trees in one program, which runs with any data."""

    def __init__(self, seed: int, *, computed: bool) -> None:
        trees = Trees(Random(seed), computed=computed)
        self.block: tuple[Node, ...] = tuple(
            statement for _ in range(8) for statement in trees.block(3, ())
        )
        self.copies = len(COPIES) if computed else 0
        self.data = Data.zeros()
        self.data.draw(Random(seed))
        self.writer = Writer(self.data)
        self.workload: Any = self.writer.workload(self.block, computed=computed)
        self.program: Program = self.workload.compile(threads=1)

    @functools.cached_property
    def reference(self) -> Any:
        return self.workload.compile(target="reference")

    def expected(self, symbols: dict[str, int]) -> Model:
        model = Model(self.data, symbols)
        model.run(self.block, {})
        return model


@functools.cache
def compiled(seed: int, computed: bool) -> Compiled:
    return Compiled(seed, computed=computed)


def made(program: Program, copies: int) -> list[tuple[int, ...]]:
    """The axis values of all tasks but the copies, in order of ids."""
    tasks = range(copies, len(program.trace.tasks["task"]))
    return [tuple(program.trace.axes(task).values()) for task in tasks]


def check_order(program: Program, copies: int, orders: list[list[range]]) -> None:
    """Each iteration of a P.seq begins when those before it have ended."""
    start, end = (program.trace.tasks[column][copies:] for column in ("start", "end"))
    for order in orders:
        over = 0
        for tasks in (slice(part.start, part.stop) for part in order if part):
            assert start[tasks].min() >= over
            over = max(over, end[tasks].max())


def drawn_symbols(rng: Random) -> dict[str, int]:
    return {name: rng.randint(0, 5) for name in SYMBOLS}


@pytest.mark.parametrize("seed", range(2))
@settings(max_examples=15)
@given(rngs)
def test_simulated_tasks_with_given_data(seed: int, rng: Random) -> None:
    case = compiled(seed, False)
    case.data.draw(rng)
    symbols = drawn_symbols(rng)
    case.program.simulate(symbols=symbols)
    wanted = case.expected(symbols)
    assert made(case.program, 0) == wanted.tasks
    check_order(case.program, 0, wanted.orders)
    assert case.workload.task_counts(symbols)["mark"] == len(wanted.tasks)


@pytest.mark.parametrize("seed", range(2, 4))
@settings(max_examples=15)
@given(rngs)
def test_executed_tasks_with_computed_data(seed: int, rng: Random) -> None:
    case = compiled(seed, True)
    case.data.draw(rng)
    symbols = drawn_symbols(rng)
    case.writer.places.numpy()[:] = 0
    case.program.execute(symbols=symbols)
    case.program.synchronize()
    wanted = case.expected(symbols)
    assert made(case.program, case.copies) == wanted.tasks
    check_order(case.program, case.copies, wanted.orders)
    counts = np.bincount(wanted.places, minlength=case.writer.places.shape[0])
    np.testing.assert_array_equal(case.writer.places.numpy(), counts)
    case.writer.places.numpy()[:] = 0
    case.reference.execute(symbols=symbols)
    case.reference.synchronize()
    np.testing.assert_array_equal(case.writer.places.numpy(), counts)
    assert case.program.simulate(window=64).stats.tasks == case.copies + len(wanted.tasks)


@settings(max_examples=40)
@given(rngs)
def test_counted_tasks(rng: Random) -> None:
    data = Data.zeros()
    data.draw(rng)
    symbols_used: Node = ("launch", (("symbol", "n"), ("symbol", "m")), ("const", 0))
    block = (symbols_used, *Trees(rng, computed=False).block(3, ()))
    symbols = drawn_symbols(rng)
    model = Model(data, symbols)
    model.run(block, {})
    counts = Writer(data).workload(block, computed=False).task_counts(symbols)
    assert counts.get("mark", 0) == len(model.tasks)
