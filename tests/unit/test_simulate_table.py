"""Tables that contradict themselves are refused with a sentence that says where."""

from typing import Any

import pytest

from pto_wsp import _core
from pto_wsp.errors import ScheduleError

KERNELS: Any = [{"name": "copy", "unit": "vector", "roles": ["in", "out"], "compute": 3}]
TENSORS: Any = [("x", 4, [4, 8]), ("y", 4, [4, 8])]
X: Any = (0, [0, 0], [4, 8])
Y: Any = (1, [0, 0], [4, 8])


def simulate(
    program: Any = (), machine: Any = None, schedule: Any = None, kernels: Any = KERNELS
) -> dict[str, Any]:
    return _core.simulate_table(machine or {}, schedule or {}, kernels, TENSORS, list(program))


def test_no_tasks_take_no_time() -> None:
    found = simulate()
    assert (found["tasks"], found["edges"], found["stalls"]) == ([], [], [])
    assert found["stats"]["makespan"] == 0


def test_tables_say_what_was_run() -> None:
    found = simulate([("task", 0, [X, Y], None), ("task", 0, [Y, X], None)])
    assert [row["end"] for row in found["tasks"]] == [3, 6]
    assert found["edges"] == [(0, 1, "raw")]
    assert found["stats"]["pools"][1]["busy"] == 6


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (("task", 1, [X, Y], None), r"program\[0\]: there is no kernel 1"),
        (("task", 0, [X], None), "kernel 'copy' has 2 parameters, the task 1 operands"),
        (("task", 0, [X, (2, [0, 0], [1, 1])], None), "there is no tensor 2"),
        (("task", 0, [X, (1, [0], [4])], None), "tensor 'y' has 2 axes, the region 1 offsets"),
        (("task", 0, [X, (1, [0, 1], [4, 8])], None), "the region leaves tensor 'y' on axis 1"),
        (("task", 0, [X, (1, [-1, 0], [1, 1])], None), "the region leaves tensor 'y' on axis 0"),
        (("task", 0, [X, (1, [0, 0], [4, 2**63 - 1])], None), "leaves tensor 'y' on axis 1"),
        (("read", (0, [5, 0], [1, 1])), "the region leaves tensor 'x' on axis 0"),
        (("task", 0, [X, Y]), 'expected \\("task", kernel, operands, key\\)'),
        (("part",), "there is no open scope"),
        (("end",), "there is no open scope"),
        (("scope",), "a scope is not closed"),
        (("loop",), "expected one of scope, part, end, found 'loop'"),
        ((), "expected a kind of line"),
    ],
)
def test_bad_lines_are_refused(line: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        simulate([line])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"machine": {"core": 1}}, "machine has no field 'core'"),
        ({"machine": {"costs": {"submits": 1}}}, "machine.costs has no field 'submits'"),
        ({"machine": {"cube_cores": "one"}}, "machine.cube_cores: 'one' has the wrong type"),
        ({"schedule": {"windows": 1}}, "schedule has no field 'windows'"),
        ({"schedule": {"pools": "one"}}, "expected one of single, by_exec_unit, found 'one'"),
        ({"schedule": {"dispatch": [(1, "random", 0)]}}, "found 'random'"),
        ({"kernels": [{"name": "k", "unit": "scalar"}]}, "expected one of cube, vector"),
        ({"kernels": [{"name": "k", "cost": 1}]}, r"kernels\[0\] has no field 'cost'"),
        ({"kernels": [{"name": "k", "compute": -1}]}, r"kernels\[0\]: a cost is negative"),
        ({"kernels": [{"name": "k", "load_bytes": 2, "bytes": 1}]}, "load_bytes <= bytes"),
    ],
)
def test_bad_settings_are_refused(settings: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        simulate(**settings)


def test_affinity_needs_keys() -> None:
    with pytest.raises(ValueError, match="dispatch by affinity needs a key"):
        simulate([("task", 0, [X, Y], None)], schedule={"dispatch": [(1, "affinity", 0)]})


@pytest.mark.parametrize(
    "settings",
    [
        {"schedule": {"dispatch": [(1, "round_robin", 3)]}},
        {"schedule": {"window": 0}},
        {"schedule": {"batch": 0}},
        {"schedule": {"depth": -1}},
        {"machine": {"core_slots": 0}},
        {"machine": {"vector_cores": 0}},
    ],
)
def test_schedules_that_the_machine_cannot_honour_are_refused(settings: Any) -> None:
    with pytest.raises(ScheduleError):
        simulate([("task", 0, [X, Y], None)], **settings)
