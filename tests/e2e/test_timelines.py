"""The worked timelines, cycle by cycle, on the engine and on the model."""

from collections.abc import Callable
from typing import Any

import pytest
from model.engine import run_engine
from model.joins import JOINS
from model.pipelines import PIPELINES
from model.simulator import simulate
from model.timelines import COLUMNS, TIMELINES, Timeline

ALL = [*TIMELINES, *JOINS, *PIPELINES]
SIMULATORS = {"engine": run_engine, "model": simulate}


@pytest.fixture(params=SIMULATORS)
def simulator(request: pytest.FixtureRequest) -> Callable[..., dict[str, Any]]:
    return SIMULATORS[request.param]


@pytest.mark.parametrize(
    "timeline", [*TIMELINES, *JOINS, *PIPELINES], ids=lambda timeline: timeline.name
)
def test_worked_timeline(simulator: Callable[..., dict[str, Any]], timeline: Timeline) -> None:
    found = simulator(*timeline.arguments)
    tasks = [{column: row[column] for column in COLUMNS} for row in found["tasks"]]
    assert tasks == timeline.expected_tasks
    assert found["edges"] == timeline.expected_edges
    stalls = [(row[0], row[1], row[2], row[3]) for row in found["stalls"]]
    assert sorted(stalls) == sorted(timeline.expected_stalls)
    assert found["stats"]["makespan"] == timeline.expected_makespan
