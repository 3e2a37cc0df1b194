"""Schedules as users say them: what they say in the IR, what they refuse, what they warn of."""

import warnings
from pathlib import Path
from typing import Any

import pytest

from pto_wsp import (
    Dense,
    Deps,
    DispatchPolicy,
    DType,
    InOut,
    P,
    Pools,
    ReadyPolicy,
    ScheduleError,
    StartPolicy,
    TaskWindow,
    Tensor,
    Tile,
    TimingPolicy,
    TracePolicy,
    WindowMode,
    jit_kernel,
    tl,
    workload,
)
from pto_wsp.dialects import make_context
from pto_wsp.transforms.analysis.plan_settings import module_settings
from pto_wsp.transforms.pipeline import run_pipeline

F32 = DType.F32


@jit_kernel
def bump(x: InOut[Tile[1, 8, F32]]):
    tl.store(x, x + 1.0)


def work() -> Any:
    x = Tensor.empty((4, 8), F32, name="x")

    @workload
    def w():
        for i in P(Dense[4]("i")):
            bump[i](x=x[i])

    return w()


def settings(scheduled: Any) -> dict[str, object]:
    module = scheduled.module()
    run_pipeline(module, make_context())
    return dict(module_settings(module))


def line_of(mark: str) -> int:
    lines = Path(__file__).read_text().splitlines()
    return next(n for n, line in enumerate(lines, 1) if line.endswith(f"# {mark}"))


def basic() -> Any:
    return (
        work()
        .dispatch(DispatchPolicy.work_steal())
        .task_graph(
            deps=Deps.hybrid(),
            window=TaskWindow(16384, "tasks", WindowMode.STALL),
            pools=Pools.by_exec_unit(),
            ready=ReadyPolicy.work_steal(),
            start=StartPolicy.threshold(100),
            trace=TracePolicy.cycles(),
        )
    )


def test_the_basic_schedule_reaches_the_engines_settings() -> None:
    assert settings(basic()) == {
        "deps": "hybrid",
        "infer": "infer_bytes_overlap",
        "window": 16384,
        "window_unit": "tasks",
        "window_mode": "stall",
        "pools": "by_exec_unit",
        "ready": "work_steal",
        "dispatch": "work_steal",
        "start": "threshold(100)",
        "trace": "cycles",
        "timing": "immediate",
    }


def test_attributes_print_as_they_are_called() -> None:
    schedule = basic()
    shown = (schedule.deps, schedule.window.size, schedule.pools, schedule.trace)
    assert [str(value) for value in shown] == ["hybrid", "16384", "by_exec_unit", "cycles"]


def test_deprecated_methods_warn_at_the_users_line_and_mean_the_modern_form() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        old = work().batch_deps(128, range_compression=True)  # batch
        old = old.pipeline_depth(3, scope="per_pool")  # depth
    found = [(str(w.message), w.category, Path(w.filename).name, w.lineno) for w in caught]
    here = Path(__file__).name
    expected_lines = [line_of("batch"), line_of("depth")]
    assert [f[1:] for f in found] == [(DeprecationWarning, here, n) for n in expected_lines]
    assert found[0][0].startswith("batch_deps() is deprecated (L10)")
    assert found[1][0].startswith("pipeline_depth() is deprecated (L10)")
    modern = work().task_graph(batch=128, range_compression=True, depth=3, depth_scope="per_pool")
    assert settings(old) == settings(modern)
    assert settings(old)["batch"] == 128
    assert settings(old)["range_compression"] is True
    assert settings(old)["depth"] == 3
    assert settings(old)["depth_scope"] == "per_pool"


def test_nothing_else_warns() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        settings(basic())


def test_thresholds_in_increasing_order() -> None:
    few, many = DispatchPolicy.round_robin(1), DispatchPolicy.work_steal()
    schedule = work().dispatch_threshold(thresholds=[256, 1024], policies={1024: many, 256: few})
    assert schedule.thresholds == [256, 1024]
    assert settings(schedule)["dispatch_threshold"] == "256=round_robin(1),1024=work_steal"


def test_schedules_add_up_and_leave_their_origin_alone() -> None:
    first = work().task_graph(window=TaskWindow(7))
    second = first.task_graph(ready=ReadyPolicy.work_steal())
    assert (settings(second)["window"], settings(second)["ready"]) == (7, "work_steal")
    assert settings(first)["ready"] == "fifo"


def test_a_schedule_never_changes_workload_or_kernels() -> None:
    def without_plan(module: Any) -> str:
        return str(module).partition("schedule.plan")[0].rstrip(" \n}")

    origin = work()
    assert without_plan(origin.module()) == without_plan(origin.task_graph(depth=2).module())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: TaskWindow(0), ["TaskWindow", "at least 1", "0"]),
        (lambda: TaskWindow(8, "pages"), ["tasks", "bytes", "pages"]),  # type: ignore[arg-type]
        (lambda: TaskWindow(), ["TaskWindow", "size"]),  # type: ignore[call-arg]
        (lambda: TimingPolicy.batched(), ["TimingPolicy.batched", "tasks"]),  # type: ignore[call-arg]
        (lambda: DispatchPolicy.affinity(), ["affinity", "function"]),  # type: ignore[call-arg]
        (lambda: ReadyPolicy.priority(), ["priority", "function"]),  # type: ignore[call-arg]
        (lambda: Pools.custom(lambda task: 0), ["custom", "pools"]),  # type: ignore[call-arg]
        (lambda: Pools.custom(lambda task: 0, pools={"a b": (1, 1)}), ["identifier", "'a b'"]),
        (lambda: Pools.custom(lambda task: 0, pools={"unused": (1, 1)}), ["`unused`"]),
        (lambda: Deps.hybrid("infer"), ["hybrid", "infer"]),  # type: ignore[arg-type]
        (lambda: work().streams(), ["Schedulable.streams", "count"]),  # type: ignore[call-arg]
        (lambda: work().task_graph(windows=3), ["task_graph", "windows"]),  # type: ignore[call-arg]
        (lambda: work().spatial_map((2**40, 2**40)), ["spatial_map", "2**60"]),
        (lambda: work().dispatch_threshold(3, {}), ["thresholds", "3"]),  # type: ignore[arg-type]
        (lambda: StartPolicy.threshold(-1), ["threshold", "-1"]),
        (lambda: TimingPolicy.batched(0), ["batched", "at least 1"]),
        (lambda: TimingPolicy.rate_limit(2.5), ["rate_limit", "integer"]),  # type: ignore[arg-type]
        (lambda: work().streams(0), ["streams", "at least 1"]),
        (lambda: work().spatial_map(()), ["spatial_map", "extents"]),
        (lambda: work().spatial_map((4, 0)), ["spatial_map", "at least 1", "0"]),
        (lambda: work().timing(ReadyPolicy.fifo()), ["TimingPolicy"]),  # type: ignore[arg-type]
        (lambda: Deps.hybrid(Deps.explicit()), ["hybrid", "explicit"]),
        (lambda: DispatchPolicy.affinity(4), ["affinity", "function", "4"]),  # type: ignore[arg-type]
        (lambda: Pools.custom(lambda task: 0, pools={}), ["Pools.custom", "pools="]),
        (lambda: Pools.custom(lambda task: 0, pools={"a": (0, 0)}), ["'a'", "at least 1 core"]),
        (lambda: Pools.custom(lambda task: 0, pools={"a": (-1, 2)}), ["'a'", "at least 0", "-1"]),
        (lambda: work().task_graph(depth=2).task_graph(depth=3), ["depth", "set already", ":"]),
        (
            lambda: work().dispatch(DispatchPolicy.work_steal()).spatial_map((2,)),
            ["dispatch", "spatial_map", "use one"],
        ),
        (lambda: StartPolicy.threshold(1.5), ["integer", "1.5"]),  # type: ignore[arg-type]
        (lambda: DispatchPolicy.round_robin(0), ["round_robin", "0"]),
        (lambda: work().task_graph(batch=0), ["batch", "0"]),
        (lambda: work().task_graph(depth=0), ["depth", "0"]),
        (lambda: work().task_graph(depth=2, depth_scope="galaxy"), ["per_pool", "galaxy"]),
        (lambda: work().task_graph(depth_scope="per_pool"), ["depth_scope", "depth"]),
        (lambda: work().task_graph(range_compression=True), ["range_compression", "batch"]),
        (lambda: work().task_graph(ready=Pools.single()), ["ready", "ReadyPolicy"]),
        (lambda: work().dispatch("work_steal"), ["DispatchPolicy", "work_steal"]),
        (lambda: work().dispatch_threshold([], {}), ["no thresholds"]),
        (
            lambda: work().dispatch_threshold([2, 1], {1: DispatchPolicy.work_steal()}),
            ["increasing", "[2, 1]"],
        ),
        (
            lambda: work().dispatch_threshold([1, 2], {1: DispatchPolicy.work_steal()}),
            ["each threshold needs one policy"],
        ),
    ],
)
def test_what_a_schedule_refuses(make: Any, words: list[str]) -> None:
    with pytest.raises(ScheduleError) as caught:
        make()
    text = str(caught.value)
    assert "test_language_schedules.py:" in text
    for word in words:
        assert word in text
