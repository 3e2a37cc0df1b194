"""A resolved plan as the settings that the engine reads: plain data in one key space."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp

from pto_wsp.dialects.schedule import (
    DispatchOp,
    DispatchThresholdOp,
    PlanOp,
    PolicyAttr,
    PoolOp,
    StreamsOp,
    TaskGraphOp,
    TimingOp,
    WindowAttr,
)
from pto_wsp.errors import ScheduleError
from pto_wsp.transforms.analysis.symbols import symbols

Setting = str | int | bool


def module_settings(module: ModuleOp) -> dict[str, Setting]:
    """The settings of the module's plan, and what its kernels take where that is given.

    Raises ScheduleError where there are several plans."""
    found = symbols(module)
    plans = found.plans
    costs: dict[str, Setting] = {
        f"kernels.{name}": kernel.cost for name, kernel in found.kernels.items() if kernel.cost
    }
    if len(plans) > 1:
        names = ", ".join(f"@{name}" for name in plans)
        raise ScheduleError(f"a task program has one plan, this module has {names}")
    for plan in plans.values():
        return costs | plan_settings(plan)
    return costs


def plan_settings(plan: PlanOp) -> dict[str, Setting]:
    """The settings of a plan after `schedule-resolve`; ValueError before it."""
    graph = plan.find(TaskGraphOp)
    if graph is None or not isinstance(graph.window, WindowAttr):
        raise ValueError(f"@{plan.symbol}: schedule-resolve has not run")
    settings: dict[str, Setting] = {
        "window": graph.window.size,
        "window_unit": graph.window.unit,
        "window_mode": graph.window.mode,
    }
    if graph.deps is not None:
        settings |= _deps(graph.deps)
    for key in ("ready", "start", "trace"):
        if isinstance(given := graph.properties.get(key), PolicyAttr):
            settings[key] = _word(given)
    if graph.pools is not None:
        settings["pools"] = _pools(graph.pools, plan)
    if (timing := plan.find(TimingOp)) is not None:
        settings["timing"] = _word(timing.policy)
    if (streams := plan.find(StreamsOp)) is not None:
        settings |= {"streams": streams.count, "stream_by": streams.by or "id"}
    if graph.batch is not None:
        settings |= {
            "batch": graph.batch.size,
            "range_compression": graph.batch.range_compression,
        }
    if graph.depth is not None:
        settings |= {"depth": graph.depth.size, "depth_scope": graph.depth.scope}
    return settings | _dispatch(plan)


def _deps(deps: PolicyAttr) -> dict[str, Setting]:
    if deps.word == "hybrid":
        return {"deps": "hybrid", "infer": str(deps.arguments[0])}
    if deps.word == "explicit":
        return {"deps": "explicit"}
    return {"deps": "inferred", "infer": deps.word}


def _pools(pools: PolicyAttr, plan: PlanOp) -> str:
    if pools.word != "custom":
        return pools.word
    shares = (f"{pool.pool}={pool.cube}/{pool.vector}" for pool in plan.all_of(PoolOp))
    return f"custom({','.join((str(pools.key), *shares))})"


def _dispatch(plan: PlanOp) -> dict[str, Setting]:
    steps = plan.find(DispatchThresholdOp)
    if steps is not None:
        text = ",".join(f"{threshold}={_word(given)}" for threshold, given in steps.steps)
        return {"dispatch_threshold": text}
    dispatch = plan.find(DispatchOp)
    return {} if dispatch is None else {"dispatch": _word(dispatch.policy)}


def _word(given: PolicyAttr) -> str:
    if given.word == "round_robin":
        return f"round_robin({given.arguments[0] if given.arguments else 0})"
    arguments = given.key or ", ".join(map(str, given.arguments))
    return f"{given.word}({arguments})" if arguments else given.word
