"""The worked schedules, cycle by cycle, on engine and model; and what settings forbid."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from model.engine import run_engine
from model.simulator import simulate
from model.timelines import COLUMNS, task
from model.worked import WRITE, Worked, X, Y, after
from model.worked_dispatch import DISPATCH
from model.worked_tasks import TASKS

from pto_wsp.errors import ExecutionError, ScheduleError

WORKED = [*TASKS, *DISPATCH]
SIMULATORS = {"engine": run_engine, "model": simulate}


@pytest.fixture(params=SIMULATORS)
def simulator(request: pytest.FixtureRequest) -> Callable[..., dict[str, Any]]:
    return SIMULATORS[request.param]


@pytest.mark.parametrize("worked", WORKED, ids=lambda worked: worked.name)
def test_worked_schedule(simulator: Callable[..., dict[str, Any]], worked: Worked) -> None:
    found = simulator(*worked.arguments)
    tasks = [{column: row[column] for column in COLUMNS} for row in found["tasks"]]
    assert tasks == worked.expected_tasks
    assert found["edges"] == worked.expected_edges
    assert sorted(row[:4] for row in found["stalls"]) == sorted(worked.expected_stalls)
    assert found["stats"]["makespan"] == worked.expected_makespan
    assert simulator(*worked.other_arguments)["stats"]["makespan"] == worked.otherwise


@pytest.mark.parametrize("simulate_with", SIMULATORS.values(), ids=SIMULATORS)
def test_a_window_that_is_only_measured_counts(simulate_with: Callable[..., Any]) -> None:
    worked = next(worked for worked in WORKED if "measured" in worked.name)
    stats = simulate_with(*worked.arguments)["stats"]
    # Both tasks were live at once, which is one more than the window holds.
    assert (stats["window_high_water"], stats["window_overruns"]) == (2, 1)


@pytest.mark.parametrize(
    "worked", [w for w in WORKED if "trace" not in w.schedule], ids=lambda worked: worked.name
)
def test_without_rows_the_statistics_are_the_same(worked: Worked) -> None:
    machine, settings, *rest = worked.arguments
    found = run_engine(machine, {**settings, "trace": "none"}, *rest)
    assert (found["tasks"], found["edges"], found["stalls"]) == ([], [], [])
    assert found["stats"] == run_engine(machine, settings, *rest)["stats"]


def shown(settings: Mapping[str, Any]) -> str:
    texts = {key: str(value) for key, value in settings.items()}
    return ", ".join(f"`{key}={text.lower()}`" for key, text in texts.items())


def test_the_documents_numbers_are_these() -> None:
    text = (Path(__file__).parents[2] / "docs" / "schedules.md").read_text()
    rows = re.findall(r"^\| (.+?) \| [\d, ]+ \| \*(.+?)\*: .+? \| (.+?) \| (\d+) \|$", text, re.M)
    assert rows == [
        (
            shown(worked.schedule),
            worked.name,
            f"{worked.otherwise} with {shown(worked.instead)}".removesuffix(" with "),
            str(worked.expected_makespan),
        )
        for worked in WORKED
    ]


KEYED = [("task", 0, [X], {"key": 2})]
TWICE = [task(0, X), task(0, X)]


@pytest.mark.parametrize(
    ("settings", "program", "error", "message"),
    [
        # The wait of a larger window, as an error.
        (
            {"window": 1, "window_mode": "abort"},
            TWICE,
            ExecutionError,
            r"task 1 \(write\) needs 1 of window=1 tasks",
        ),
        # A task that no window of this size holds would wait for ever.
        (
            {"window": 16, "window_unit": "bytes"},
            TWICE,
            ExecutionError,
            "needs 32 of window=16 bytes: raise the window to at least 32",
        ),
        # Nothing runs before the submission ends, so what waits for a task never ends.
        (
            {"start": "after_orchestration", "window": 1},
            TWICE,
            ScheduleError,
            "raise the window to at least 2",
        ),
        (
            {"start": "after_orchestration"},
            [task(0, X), ("read", X)],
            ScheduleError,
            r"the workload reads what task 0 \(write\) writes",
        ),
        ({"deps": "inferred"}, [task(0, X), after([0], task(0, Y))], ScheduleError, "after="),
        # Settings that have nothing to act on.
        ({"stream_by": "key"}, KEYED, ScheduleError, "`streams` is 0"),
        ({"depth_scope": "per_pool"}, TWICE, ScheduleError, "`depth`, which is 0"),
        ({"depth": 1, "depth_scope": "per_stream"}, TWICE, ScheduleError, "`streams` is 0"),
        # Keys that name nothing.
        ({"streams": 2, "stream_by": "key"}, KEYED, ExecutionError, "stream 2, expected 0 to 1"),
        ({"dispatch": "dispatch_by(key)"}, KEYED, ExecutionError, "scheduler 2, expected 0 to 0"),
        ({"pools": "custom(key,p=0/1)"}, KEYED, ExecutionError, "2"),
        (
            {"trace": "cycles(key)"},
            [("task", 0, [X], {"key": 0})],
            ExecutionError,
            "0 cycles, expected at least 1",
        ),
        # Pools that the machine cannot make.
        ({"pools": "custom(key,p=0/2)"}, KEYED, ScheduleError, "at most 1"),
        (
            {"pools": "custom(key,p=0/1,q=1/0)"},
            [("task", 0, [X], {"key": 1})],
            ScheduleError,
            "pool `q` has none",
        ),
    ],
)
def test_what_a_setting_forbids(
    settings: Any, program: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        run_engine({}, settings, [WRITE], [("x", 4, [8]), ("y", 4, [8])], program)
