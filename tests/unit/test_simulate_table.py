"""Tables that contradict themselves are refused with a sentence that says where."""

import json
from typing import Any

import pytest

from pto_wsp import _core
from pto_wsp.errors import ScheduleError

KERNELS: Any = [{"name": "copy", "unit": "vector", "roles": ["in", "out"], "compute": 3}]
TENSORS: Any = [("x", 4, [4, 8]), ("y", 4, [4, 8])]
X: Any = (0, [0, 0], [4, 8])
Y: Any = (1, [0, 0], [4, 8])


def simulate(
    program: Any = (), machine: Any = None, settings: Any = None, kernels: Any = KERNELS
) -> dict[str, Any]:
    return _core.simulate_table(
        machine or {}, json.dumps(settings or {}), kernels, TENSORS, list(program)
    )


def test_no_tasks_take_no_time() -> None:
    found = simulate()
    assert (found["tasks"], found["edges"], found["stalls"]) == ([], [], [])
    assert found["stats"]["makespan"] == 0


def test_tables_say_what_was_run() -> None:
    found = simulate([("task", 0, [X, Y]), ("task", 0, [Y, X])])
    assert [row["end"] for row in found["tasks"]] == [3, 6]
    assert found["edges"] == [(0, 1, "raw")]
    assert found["stats"]["pools"][1]["busy"] == 6


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (("task", 1, [X, Y]), r"program\[0\]: there is no kernel 1"),
        (("task", 0, [X]), "kernel 'copy' has 2 parameters, the task 1 operands"),
        (("task", 0, [X, (2, [0, 0], [1, 1])]), "there is no tensor 2"),
        (("task", 0, [X, (1, [0], [4])]), "tensor 'y' has 2 axes, the region 1 offsets"),
        (("task", 0, [X, (1, [0, 1], [4, 8])]), "the region leaves tensor 'y' on axis 1"),
        (("task", 0, [X, (1, [-1, 0], [1, 1])]), "the region leaves tensor 'y' on axis 0"),
        (("task", 0, [X, (1, [0, 0], [4, 2**63 - 1])]), "leaves tensor 'y' on axis 1"),
        (("read", (0, [5, 0], [1, 1])), "the region leaves tensor 'x' on axis 0"),
        (("task", 0), r'expected \("task", kernel, operands, keys, after, trips\)'),
        (("task", 0, [X, Y], {"home": 0.5}), r"keys: .* has the wrong type"),
        (("task", 0, [X, Y], {}, [0]), "after names task 0, which is no earlier one"),
        (("task", 0, [X, Y], {}, [], -1), "trips are negative"),
        (("task", 0, [X, Y], {}, [], 1), "kernel 'copy' has no per_trip"),
        (("part",), "there is no open scope"),
        (("end",), "there is no open scope"),
        (("scope",), "a scope is not closed"),
        (("loop",), "expected one of scope, part, end, found 'loop'"),
        ((), "expected a kind of line"),
        (("pipeline", [1]), r"expected \(.pipeline., depths, processes\)"),
        (("pipeline", [-1], []), "a depth is negative"),
        (("pipeline", [1], [[("send", 0)]]), "channel 0 needs a sender and a receiver"),
        (("pipeline", [1], [[("send", 1)]]), "there is no channel 1"),
        (("pipeline", [1], [[("receive", 0)]]), "a token is not done"),
        (("pipeline", [1], [[("done", 0)]]), "no token of the channel is being worked on"),
        (("pipeline", [], [[("loop",)]]), "a loop is not closed"),
        (("pipeline", [], [[("iteration",)]]), "there is no open loop"),
    ],
)
def test_bad_lines_are_refused(line: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        simulate([line])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"machine": {"core": 1}}, "machine has no field 'core'"),
        ({"machine": {"costs": {"submits": 1}}}, "machine.costs has no field 'submits'"),
        ({"machine": {"cube_cores": "one"}}, "machine.cube_cores: 'one' has the wrong type"),
        ({"settings": {"windows": 1}}, "there is no setting 'windows'"),
        ({"kernels": [{"name": "k", "unit": "scalar"}]}, "expected one of cube, vector"),
        ({"kernels": [{"name": "k", "cost": 1}]}, r"kernels\[0\] has no field 'cost'"),
        ({"kernels": [{"name": "k", "compute": -1}]}, r"kernels\[0\]: a cost is negative"),
        ({"kernels": [{"name": "k", "load_bytes": 2, "bytes": 1}]}, "load_bytes <= bytes"),
    ],
)
def test_bad_fields_are_refused(fields: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        simulate(**fields)


def test_affinity_needs_keys() -> None:
    with pytest.raises(ValueError, match="the schedule needs the key 'home'"):
        simulate([("task", 0, [X, Y])], settings={"dispatch": "affinity(home)"})


@pytest.mark.parametrize(
    "fields",
    [
        {"settings": {"dispatch": "round_robin(3)"}},
        {"settings": {"dispatch": "random"}},
        {"settings": {"pools": "one"}},
        {"settings": {"window": 0}},
        {"settings": {"batch": 0}},
        {"settings": {"depth": -1}},
        {"machine": {"core_slots": 0}},
        {"machine": {"vector_cores": 0}},
    ],
)
def test_schedules_that_the_machine_cannot_honour_are_refused(fields: Any) -> None:
    with pytest.raises(ScheduleError):
        simulate([("task", 0, [X, Y])], **fields)
