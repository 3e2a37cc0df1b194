"""Key functions, explicit order and custom pools, from Python to rows of virtual time."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pto_wsp import (
    Dense,
    Deps,
    DispatchPolicy,
    DType,
    ExecutionError,
    In,
    Out,
    P,
    Pools,
    ReadyPolicy,
    ScheduleError,
    StartPolicy,
    TaskWindow,
    Tensor,
    Tile,
    TraceError,
    TracePolicy,
    WindowMode,
    jit_kernel,
    tl,
    workload,
)
from pto_wsp.runtime.program import Program

F32 = DType.F32
Row = Tile[1, 16, F32]
heads, parts = Dense[8]("head"), Dense[2]("part")


@jit_kernel
def double(x: In[Row], y: Out[Row]):
    tl.store(y, x * 2)


@jit_kernel(unit="cube")
def triple(x: In[Row], y: Out[Row]):
    tl.store(y, x * 3)


def work() -> Any:
    x = Tensor.random((8, 16), F32, name="x")
    y, z = Tensor.empty((8, 16), F32, name="y"), Tensor.empty((16, 16), F32, name="z")

    @workload
    def two_kinds():
        for h in P(heads):
            double[h](x=x[h], y=y[h])
            for p in P(parts):
                triple[h, p](x=x[h], y=z[h * 2 + p])

    return two_kinds()


def tasks_of(scheduled: Any) -> dict[str, Any]:
    return scheduled.compile().simulate().trace.tasks


def of_task(function: Callable[[int, int, bool], int]) -> list[int]:
    """What a Python function of (head, id, is triple) gives for each task."""
    kinds = [(h, triples) for h in range(8) for triples in (False, True, True)]
    return [function(h, i, triples) for i, (h, triples) in enumerate(kinds)]


# ---- What key functions can say ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "meaning"),
    [
        (lambda task: task["head"], lambda h, i, t: h),
        (lambda task: task.id, lambda h, i, t: i),
        (lambda task: 7, lambda h, i, t: 7),
        (
            lambda task: task.get("part", 5) * 3 - 1,
            lambda h, i, t: ((i - 1) % 3 if t else 5) * 3 - 1,
        ),
        (lambda task: -task.id // 4 + 9, lambda h, i, t: -i // 4 + 9),
        (lambda task: (task.id - 9) % 5 + 2 * task["head"], lambda h, i, t: (i - 9) % 5 + 2 * h),
        (lambda task: 40 - task.id * task["head"], lambda h, i, t: 40 - i * h),
        (lambda task: task.kernel == triple, lambda h, i, t: int(t)),
        (lambda task: task.kernel != "triple", lambda h, i, t: int(not t)),
        (
            lambda task: task.where((task.id < 9) & ~(task.kernel == double), task.id, 20),
            lambda h, i, t: i if i < 9 and t else 20,
        ),
        (
            lambda task: task.where((task.id >= 20) | (task["head"] == 0), 1, task["head"] > 3),
            lambda h, i, t: 1 if i >= 20 or h == 0 else int(h > 3),
        ),
    ],
)
def test_a_key_function_means_what_it_says_in_python(key: Any, meaning: Any) -> None:
    # A task's duration shows the number: 100 keeps it positive.
    trace = TracePolicy.cycles(lambda task: key(task) + 200)
    graph = work().task_graph(trace=trace)
    tasks = graph.compile().simulate(**FREE).trace.tasks
    assert list(tasks["end"] - tasks["start"] - 200) == of_task(meaning)


FREE: Any = {"core_slots": 1, "memory.hbm": 900}
"""A task's tile is its duration: it never overlaps with the one before."""


def test_affinity_keeps_a_head_at_one_scheduler() -> None:
    tasks = tasks_of(work().dispatch(DispatchPolicy.affinity(lambda task: task["head"] % 3)))
    assert list(tasks["scheduler"]) == of_task(lambda h, i, t: h % 3)


def test_dispatch_by_names_the_scheduler() -> None:
    tasks = tasks_of(work().dispatch(DispatchPolicy.dispatch_by(lambda task: task.id % 2)))
    assert list(tasks["scheduler"]) == of_task(lambda h, i, t: i % 2)


def test_hash_spreads_and_stays() -> None:
    homes = tasks_of(work().dispatch(DispatchPolicy.hash(lambda task: task["head"])))["scheduler"]
    by_head = homes.reshape(8, 3)
    assert (by_head == by_head[:, :1]).all()
    assert len(set(by_head[:, 0])) > 1


def test_thresholds_have_keys_of_their_own() -> None:
    policies = {
        1: DispatchPolicy.dispatch_by(lambda task: 2),
        13: DispatchPolicy.dispatch_by(lambda task: task.id % 2),
    }
    tasks = tasks_of(work().dispatch_threshold([1, 13], policies))
    assert list(tasks["scheduler"]) == [2] * 12 + [i % 2 for i in range(12, 24)]


def test_a_spatial_map_sends_a_place_to_the_scheduler_of_its_core() -> None:
    # Axis `head` modulo 2, then `part` modulo 2 (0 where there is none): core p is scheduler p's.
    tasks = tasks_of(work().spatial_map((2, 2)))
    places = [2 * (h % 2) + p for h in range(8) for p in (0, 0, 1)]
    assert list(tasks["scheduler"]) == [place % 3 for place in places]


def test_priority_runs_the_last_task_first() -> None:
    graph = work().task_graph(
        ready=ReadyPolicy.priority(lambda task: -task.id), start=StartPolicy.after_orchestration()
    )
    tasks = graph.compile().simulate(**{"cores.cube": 1, "cores.vector": 1}).trace.tasks
    for unit in ("cube", "vector"):
        begins = tasks["dispatch"][tasks["unit"] == unit]
        assert list(begins) == sorted(begins, reverse=True)


def test_custom_pools_have_cores_of_their_own() -> None:
    pools = Pools.custom(
        lambda task: task.where(task.kernel == triple, "experts", "rest"),
        pools={"experts": (3, 0), "rest": (1, 2)},
    )
    result = work().task_graph(pools=pools).compile().simulate()
    tasks = result.trace.tasks
    assert set(tasks["core"][tasks["kernel"] == "triple"]) <= {0, 1, 2}
    assert set(tasks["core"][tasks["kernel"] == "double"]) <= {24, 25}
    named = {pool.name: pool.cores for pool in result.stats.pools}
    assert named == {
        "experts.cube": 3,
        "rest.cube": 1,
        "unused.cube": 20,
        "rest.vector": 2,
        "unused.vector": 46,
    }


def test_tasks_of_a_stream_follow_each_other() -> None:
    graph = work().streams(4).stream_by(lambda task: task["head"] % 4)
    result = graph.task_graph(deps=Deps.explicit()).compile().simulate()
    tasks, edges = result.trace.tasks, result.trace.edges
    assert list(tasks["stream"]) == of_task(lambda h, i, t: h % 4)
    assert set(edges["kind"]) == {"stream"}
    assert len(edges["src"]) == 24 - 4


def test_after_is_an_explicit_edge() -> None:
    x, y = Tensor.random((8, 16), F32, name="x"), Tensor.empty((8, 16), F32, name="y")
    z = Tensor.empty((16, 16), F32, name="z")

    @workload
    def ordered():
        for h in P(heads):
            first = double[h](x=x[h], y=y[h])
            for p in P(parts):
                triple[h, p](x=x[h], y=z[h * 2 + p], after=[first])

    program = ordered().task_graph(deps=Deps.explicit()).compile()
    program.execute()
    program.synchronize()
    edges = program.trace.edges
    found = set(zip(edges["src"], edges["dst"], edges["kind"], strict=True))
    assert found == {(3 * h, 3 * h + p, "explicit") for h in range(8) for p in (1, 2)}
    assert np.array_equal(z.numpy()[5], 3 * x.numpy()[2])


def test_values_do_not_depend_on_what_deps_leaves_out() -> None:
    x = Tensor.random((1, 16), F32, name="x")
    y, z = Tensor.empty((1, 16), F32, name="y"), Tensor.empty((1, 16), F32, name="z")

    @workload
    def chain():
        for _ in P(Dense[1]("once")):
            double[0](x=x[0], y=y[0])
            triple[0](x=y[0], y=z[0])

    program = chain().task_graph(deps=Deps.explicit()).compile()
    program.execute()
    program.synchronize()
    assert len(program.trace.edges["src"]) == 0
    assert np.array_equal(z.numpy(), 6 * x.numpy())


def test_another_schedule_compiles_no_kernel_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    log = tmp_path / "compiled"
    script = tmp_path / "cxx"
    script.write_text(f'#!/bin/sh\necho "$@" >> {log}\nexec c++ "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PTO_CXX", str(script))
    monkeypatch.setenv("PTO_CACHE_DIR", str(tmp_path / "cache"))

    def compilations(scheduled: Any) -> int:
        log.write_text("")
        scheduled.compile()
        return sum(" -c " in line for line in log.read_text().splitlines())

    assert compilations(work()) == 2  # the program, and that it has no keys
    by_head = DispatchPolicy.affinity(lambda task: task["head"])
    assert compilations(work().dispatch(by_head)) == 1
    assert compilations(work().dispatch(by_head).task_graph(depth=2)) == 0


# ---- What is refused ---------------------------------------------------------------------------


def raises(error: Exception) -> Callable[[Any], Any]:
    def key(task: Any) -> Any:
        raise error

    return key


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (lambda task: 0.5, ["expected an integer", "float 0.5"]),
        (lambda task: None, ["expected an integer", "NoneType"]),
        (lambda task: task.id / 2, ["//"]),
        (lambda task: 1 if task.id > 4 else 0, ["task.where"]),
        (lambda task: min(task.id, 3), ["task.where"]),
        (lambda task: task.get("heed", 0), ["no launch has an axis 'heed'", "head, part"]),
        (lambda task: task["part"], ["double has no axis 'part'", "task.get"]),
        (lambda task: task.id % 0, ["positive integer", "0"]),
        (lambda task: task.id % task.id, ["positive integer", "a number of the task"]),
        (lambda task: task, ["expected an integer", "the task itself"]),
        (lambda task: task.id * 2**57, ["64 bits"]),
        (lambda task: task.kernel == "quadruple", ["double, triple", "quadruple"]),
        (raises(KeyError("oops")), ["key function raised KeyError", "oops"]),
        (lambda: 0, ["key function raised TypeError"]),
    ],
)
def test_key_functions_that_cannot_be_one(key: Any, words: list[str]) -> None:
    scheduled = work().task_graph(ready=ReadyPolicy.priority(key))
    with pytest.raises(ScheduleError, match=r"test_schedule_keys\.py:\d+") as caught:
        scheduled.compile()
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: work().stream_by(lambda task: 0), ["stream_by", "streams(n)"]),
        (lambda: work().streams(4).stream_by(lambda task: 4), ["gives 4", "0 to 3"]),
        (
            lambda: work().task_graph(trace=TracePolicy.cycles(lambda task: 0)),
            ["gives 0", "at least 1"],
        ),
        (
            lambda: work().task_graph(pools=Pools.custom(lambda task: "b", pools={"a": (1, 1)})),
            ["expected one of a", "'b'"],
        ),
        (
            lambda: work().task_graph(pools=Pools.custom(lambda task: 0, pools={"a": (99, 1)})),
            ["pool `a`", "99", "24"],
        ),
        (
            lambda: work().task_graph(pools=Pools.custom(lambda task: 0, pools={"a": (4, 0)})),
            ["'double'", "vector core", "no pool has one"],
        ),
        (
            lambda: work().task_graph(
                start=StartPolicy.after_orchestration(), window=TaskWindow(23)
            ),
            ["window=23 < 24 tasks", "at least 24"],
        ),
        (lambda: work().dispatch(DispatchPolicy.round_robin(9)), ["schedulers", "9", "at most"]),
    ],
)
def test_schedules_that_no_run_could_keep(make: Any, words: list[str]) -> None:
    with pytest.raises(ScheduleError, match=r"test_schedule_keys\.py:\d+") as caught:
        make().compile()
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("scheduled", "words"),
    [
        (
            lambda: work().streams(2).stream_by(lambda task: task.id),
            ["task 2", "stream_by gave stream 2", "0 to 1"],
        ),
        (
            lambda: work().dispatch(DispatchPolicy.dispatch_by(lambda task: task.id)),
            ["task 3 (double)", "scheduler 3", "0 to 2"],
        ),
        (
            lambda: work().task_graph(trace=TracePolicy.cycles(lambda task: 3 - task.id)),
            ["task 3 (double)", "0 cycles", "at least 1"],
        ),
        (
            lambda: work().task_graph(
                pools=Pools.custom(lambda task: task.id, pools={"a": (1, 1), "b": (1, 1)})
            ),
            ["task 2 (triple)", "pool is 2", "0 to 1"],
        ),
        (
            lambda: work().task_graph(window=TaskWindow(3, "tasks", WindowMode.ABORT)),
            ["task 3", "window=3 tasks", "task 0", "test_schedule_keys.py"],
        ),
        (
            lambda: work().task_graph(window=TaskWindow(60, "bytes")),
            ["task 0", "needs 64 of window=60 bytes", "at least 64"],
        ),
    ],
)
def test_numbers_that_only_a_run_knows(scheduled: Any, words: list[str]) -> None:
    program: Program = scheduled().compile()
    with pytest.raises(ExecutionError) as caught:
        program.simulate()
    for word in words:
        assert word in str(caught.value)


def test_after_needs_a_launch_of_the_loops_around_it() -> None:
    x, y = Tensor.random((8, 16), F32, name="x"), Tensor.empty((8, 16), F32, name="y")

    @workload
    def escapes():
        for h in P(heads):
            first = double[h](x=x[h], y=y[h])
        for h in P(heads):
            double[h](x=x[h], y=y[h], after=[first])

    with pytest.raises(TraceError, match=r"test_schedule_keys.*whose loop or part has ended"):
        escapes()


def test_after_with_inferred_dependencies_alone() -> None:
    x, y = Tensor.random((8, 16), F32, name="x"), Tensor.empty((8, 16), F32, name="y")

    @workload
    def ordered():
        for h in P(heads):
            first = double[h](x=x[h], y=y[h])
            double[h](x=x[h], y=y[h], after=[first])

    with pytest.raises(ScheduleError, match=r"test_schedule_keys.*after=.*Deps.hybrid"):
        ordered().task_graph(deps=Deps.infer_bytes_overlap()).compile()


@pytest.mark.parametrize("after", ["first", 3, [object()]])
def test_after_takes_handles(after: Any) -> None:
    x, y = Tensor.random((8, 16), F32, name="x"), Tensor.empty((8, 16), F32, name="y")

    @workload
    def wrong():
        for h in P(heads):
            double[h](x=x[h], y=y[h], after=after)

    with pytest.raises(TraceError, match="after= takes a list of what launches return"):
        wrong()
