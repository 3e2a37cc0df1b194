"""What every run obeys, on programs too large for the model; and the checker's own teeth."""

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model.checker import check
from model.engine import run_engine
from model.programs import FOCI, LARGE, Size, random_run
from model.simulator import simulate

rngs = st.randoms(use_true_random=False)
sizes = st.integers(1, 40).map(Size)


@pytest.mark.parametrize("focus", FOCI)
def test_large_programs_obey_the_rules(focus: str) -> None:
    run = random_run(Random(focus), LARGE, focus=FOCI[focus])
    found = run_engine(*run)
    check(*run, found)
    assert run_engine(*run) == found


@given(rngs, sizes)
def test_the_model_obeys_the_rules(rng: Random, size: Size) -> None:
    run = random_run(rng, size)
    check(*run, simulate(*run))


COSTS = {"submit": 1, "dispatch": 2, "dispatch_latency": 1, "completion_latency": 3, "complete": 1}
CHAIN: Any = (
    {"vector_cores": 2, "costs": COSTS},
    {"window": 2},
    [{"name": "k", "unit": "vector", "roles": ["inout"], "load": 1, "compute": 4}],
    [("x", 4, [4])],
    [
        ("task", 0, [(0, [0], [4])]),
        ("task", 0, [(0, [0], [2])]),
        ("scope",),
        ("part",),
        ("task", 0, [(0, [2], [2])]),
        ("part",),
        ("task", 0, [(0, [0], [0])]),
        ("end",),
    ],
)


@pytest.mark.parametrize(
    ("column", "task", "change"),
    [
        ("ready", 1, -1),
        ("submit", 2, -1),
        ("dispatch", 0, -2),
        ("start", 1, -1),
        ("end", 0, +1),
        ("core", 3, -1),
        ("scheduler", 0, 1),
        ("retire", 0, -6),
    ],
)
def test_the_checker_sees_a_wrong_column(column: str, task: int, change: int) -> None:
    found = simulate(*CHAIN)
    check(*CHAIN, found)
    found["tasks"][task][column] += change
    with pytest.raises(AssertionError):
        check(*CHAIN, found)


@pytest.mark.parametrize("table", ["tasks", "edges", "stalls"])
def test_the_checker_misses_a_row(table: str) -> None:
    found = simulate(*CHAIN)
    del found[table][0]
    with pytest.raises(AssertionError):
        check(*CHAIN, found)
