"""The engine and the model agree, bit for bit, on random programs, machines and schedules."""

from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model.engine import run_engine
from model.graph import RefusedError
from model.programs import FOCI, Size, random_run
from model.simulator import simulate

from pto_wsp import PtoError

rngs = st.randoms(use_true_random=False)
sizes = st.integers(1, 40).map(Size)


def comparable(found: Mapping[str, Any]) -> dict[str, Any]:
    """Sorts what the rules leave unordered: cores among the stalls."""
    return {
        "tasks": found["tasks"],
        "edges": [tuple(edge) for edge in found["edges"]],
        "stalls": sorted((tuple(stall) for stall in found["stalls"]), key=lambda row: row[0]),
        "stats": found["stats"],
    }


@pytest.mark.parametrize("focus", FOCI)
@settings(max_examples=settings().max_examples // 4)
@given(rngs, sizes)
def test_engine_and_model_agree(focus: str, rng: Random, size: Size) -> None:
    run = random_run(rng, size, focus=FOCI[focus], refusable=True)
    try:
        expected = simulate(*run)
    except RefusedError:
        with pytest.raises(PtoError):
            run_engine(*run)
        return
    assert comparable(run_engine(*run)) == comparable(expected)


@pytest.mark.parametrize("focus", FOCI)
def test_longer_programs_agree(focus: str) -> None:
    """What a few tasks do not reach: long queues, windows that move on, ids that are far apart."""
    size = Size(250, cube_cores=6, vector_cores=9, extent=9, whole=0.1)
    run = random_run(Random(focus), size, focus=FOCI[focus])
    assert comparable(run_engine(*run)) == comparable(simulate(*run))
