"""Schedules: how tasks are tracked, queued and issued. They never change what is computed."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, get_args, overload

from pto_wsp.errors import CompileError
from pto_wsp.language.policies import (
    Batch,
    Deps,
    DispatchPolicy,
    Pools,
    ReadyPolicy,
    StartPolicy,
    TaskWindow,
    TimingPolicy,
    TracePolicy,
    checked_count,
    complete_calls,
)
from pto_wsp.language.schedule_keys import NUMBER_MAX, KeyFunction, key_function, refuse
from pto_wsp.language.source import Place, user_place, user_stacklevel

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

    from pto_wsp.language.workload import Workload
    from pto_wsp.reference import ReferenceProgram
    from pto_wsp.runtime.program import Program

DepthScope = Literal["core", "per_pool", "global", "per_stream"]


@dataclass(frozen=True)
class Plan:
    """All that has been said of a schedule; None where the default holds."""

    deps: Deps | None = None
    window: TaskWindow | None = None
    pools: Pools | None = None
    ready: ReadyPolicy | None = None
    start: StartPolicy | None = None
    trace: TracePolicy | None = None
    batch: Batch | None = None
    depth: int | None = None
    depth_scope: DepthScope = "core"
    dispatch: DispatchPolicy | None = None
    dispatch_threshold: tuple[tuple[int, DispatchPolicy], ...] = ()
    spatial_map: tuple[int, ...] = ()
    timing: TimingPolicy | None = None
    streams: int | None = None
    stream_by: KeyFunction | None = None
    place: Place | None = None
    """Where the schedule was last added to."""


@complete_calls
class Schedulable:
    """A workload, or a workload with a schedule: each method adds to the schedule of a copy."""

    def __init__(self, workload: Workload, plan: Plan | None = None) -> None:
        self._workload = workload
        self._plan = plan or Plan()

    def task_graph(
        self,
        *,
        deps: Deps | None = None,
        window: TaskWindow | None = None,
        pools: Pools | None = None,
        ready: ReadyPolicy | None = None,
        start: StartPolicy | None = None,
        trace: TracePolicy | None = None,
        batch: int | None = None,
        range_compression: bool = False,
        depth: int | None = None,
        depth_scope: DepthScope = "core",
    ) -> Scheduled:
        """How tasks are tracked, queued and issued.

        `batch`: publish and report that many tasks at a time; `range_compression` makes runs of
        consecutive successors cost one `resolve`. `depth`: tasks in flight per core, of which the
        next one loads while the one before computes; `depth_scope="per_pool"` counts per scheduler
        and pool instead, "global" per scheduler, "per_stream" besides per stream. What is left out
        keeps what was said before, else the default.
        """
        given = {
            "deps": (deps, Deps),
            "window": (window, TaskWindow),
            "pools": (pools, Pools),
            "ready": (ready, ReadyPolicy),
            "start": (start, StartPolicy),
            "trace": (trace, TracePolicy),
        }
        for key, (value, kind) in given.items():
            if value is not None and not isinstance(value, kind):  # pyright: ignore[reportUnnecessaryIsInstance]
                refuse(f"task_graph: {key} takes a {kind.__name__}, found {value!r}")
        added: dict[str, Any] = {k: v for k, (v, _) in given.items() if v is not None}
        if batch is not None:
            added["batch"] = Batch(checked_count("batch", batch), range_compression)
        elif range_compression:
            refuse("task_graph: range_compression goes with batch")
        if depth_scope not in get_args(DepthScope):
            known = ", ".join(get_args(DepthScope))
            refuse(f"depth_scope: expected one of {known}, found {depth_scope!r}")
        if depth is not None:
            added |= {"depth": checked_count("depth", depth), "depth_scope": depth_scope}
        elif depth_scope != "core":
            refuse("task_graph: depth_scope goes with depth")
        return self._with(**added)

    def dispatch(self, policy: DispatchPolicy) -> Scheduled:
        """Which scheduler a task belongs to; by default all share their queues."""
        if not isinstance(policy, DispatchPolicy):  # pyright: ignore[reportUnnecessaryIsInstance]
            refuse(f"dispatch takes a DispatchPolicy, found {policy!r}")
        return self._with(dispatch=policy)

    def dispatch_threshold(
        self, thresholds: Sequence[int], policies: Mapping[int, DispatchPolicy]
    ) -> Scheduled:
        """Task i uses the policy of the largest threshold <= i + 1, else that of the smallest."""
        if not isinstance(thresholds, Sequence) or not isinstance(policies, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            refuse(
                "dispatch_threshold: expected thresholds and their policies, such as [1, 64], {1:"
                f" .., 64: ..}}; found {thresholds!r}, {policies!r}"
            )
        if not thresholds:
            refuse("dispatch_threshold: there are no thresholds")
        numbers = [checked_count("dispatch_threshold", threshold) for threshold in thresholds]
        if any(a >= b for a, b in pairwise(numbers)):
            refuse(f"dispatch_threshold: expected increasing thresholds, found {numbers}")
        if set(numbers) != set(policies):
            refuse(
                f"dispatch_threshold: thresholds {numbers} and policies for {list(policies)}:"
                " each threshold needs one policy"
            )
        for policy in policies.values():
            if not isinstance(policy, DispatchPolicy):  # pyright: ignore[reportUnnecessaryIsInstance]
                refuse(f"dispatch_threshold takes DispatchPolicy, found {policy!r}")
        steps = tuple((number, policies[number]) for number in numbers)
        return self._with(dispatch_threshold=steps)

    def spatial_map(self, grid: Sequence[int]) -> Scheduled:
        """Tasks by place: axis i of a task modulo extent i of the grid, row-major, is a position,
        and position p is at home at the scheduler that owns core p of the task's pool and unit."""
        if not isinstance(grid, Sequence) or not grid:  # pyright: ignore[reportUnnecessaryIsInstance]
            refuse(f"spatial_map: expected extents such as (4, 6), found {grid!r}")
        extents = tuple(checked_count("spatial_map", extent) for extent in grid)
        if math.prod(extents) > NUMBER_MAX:
            refuse(f"spatial_map: a grid has at most 2**60 positions, found {extents}")
        return self._with(spatial_map=extents)

    def timing(self, policy: TimingPolicy) -> Scheduled:
        """When ready tasks may be dispatched; by default at once."""
        if not isinstance(policy, TimingPolicy):  # pyright: ignore[reportUnnecessaryIsInstance]
            refuse(f"timing takes a TimingPolicy, found {policy!r}")
        return self._with(timing=policy)

    def streams(self, count: int) -> Scheduled:
        """Tasks belong to `count` streams, those of one in order; a task's is its id modulo
        `count`, or what stream_by() gives. With inferred deps streams order nothing."""
        return self._with(streams=checked_count("streams", count))

    def stream_by(self, function: Callable[[Any], Any]) -> Scheduled:
        """Which stream a task belongs to: a number below streams()."""
        return self._with(stream_by=key_function(function, "stream_by"))

    def batch_deps(self, threshold: int, *, range_compression: bool = False) -> Scheduled:
        """Deprecated: task_graph(batch=.., range_compression=..)."""
        _deprecated("batch_deps()", "task_graph(batch=..)")
        return self.task_graph(batch=threshold, range_compression=range_compression)

    def pipeline_depth(self, depth: int, *, scope: DepthScope = "core") -> Scheduled:
        """Deprecated: task_graph(depth=.., depth_scope=..)."""
        _deprecated("pipeline_depth()", "task_graph(depth=..)")
        return self.task_graph(depth=depth, depth_scope=scope)

    def module(self) -> ModuleOp:
        """The workload, its kernels and its plan as a new IR module."""
        from pto_wsp.language.plan import plan_module

        return plan_module(self._workload, self._plan)

    @overload
    def compile(self, *, target: Literal["reference"]) -> ReferenceProgram: ...
    @overload
    def compile(
        self,
        *,
        target: Literal["cpu_sim"] = "cpu_sim",
        machine: str | None = None,
        threads: int | None = None,
        compiler: str | None = None,
    ) -> Program: ...
    def compile(
        self,
        *,
        target: str = "cpu_sim",
        machine: str | None = None,
        threads: int | None = None,
        compiler: str | None = None,
    ) -> Program | ReferenceProgram:
        """Compiles for `target`, to run on a machine profile (a name, or a JSON file; `ascend_a3`
        where none is given).

        `threads` host threads compute values (default: one per core); `compiler` is the C++
        compiler (default: PTO_CXX, else the system's). The target `reference` takes none of these:
        it interprets the IR in NumPy, one task after the other, without virtual time.

        Raises CompileError, MachineError, ScheduleError.
        """
        from pto_wsp.compile import compile_reference, compile_workload

        workload, place = self._workload, self._plan.place
        try:
            module = self.module()
            if target == "reference":
                given = {"machine": machine, "threads": threads, "compiler": compiler}
                return compile_reference(workload, module, given)
            profile = "ascend_a3" if machine is None else machine
            return compile_workload(workload, module, target, profile, threads, compiler, place)
        except RecursionError:
            raise CompileError(
                f"{workload.place}: {workload.name}: loops and conditions are nested too deeply for"
                " Python's stack: raise sys.setrecursionlimit(..)"
            ) from None

    def _with(self, **added: Any) -> Scheduled:
        """A copy whose plan says more; what has been said stays."""
        for name in added:
            if getattr(self._plan, name) not in (None, ()) and name != "depth_scope":
                refuse(f"{name} has been set already at {self._plan.place}: set it once")
        dispatches = ("dispatch", "dispatch_threshold", "spatial_map")
        said = [name for name in dispatches if name in added or getattr(self._plan, name)]
        if len(said) > 1:
            refuse(f"{' and '.join(said)} both say which scheduler a task belongs to: use one")
        return Scheduled(self._workload, replace(self._plan, **added, place=user_place()))


class Scheduled(Schedulable):
    """A workload with a schedule."""

    @property
    def plan(self) -> Plan:
        """All that has been said, for reading."""
        return self._plan

    @property
    def workload(self) -> Workload:
        return self._workload

    @property
    def deps(self) -> Deps:
        return self._plan.deps or Deps.hybrid()

    @property
    def window(self) -> TaskWindow:
        return self._plan.window or TaskWindow(8192)

    @property
    def pools(self) -> Pools:
        return self._plan.pools or Pools.by_exec_unit()

    @property
    def ready(self) -> ReadyPolicy:
        return self._plan.ready or ReadyPolicy.fifo()

    @property
    def start(self) -> StartPolicy:
        return self._plan.start or StartPolicy.threshold(1)

    @property
    def trace(self) -> TracePolicy:
        return self._plan.trace or TracePolicy.cycles()

    @property
    def thresholds(self) -> list[int]:
        """Those of dispatch_threshold, increasing; empty without."""
        return [threshold for threshold, _ in self._plan.dispatch_threshold]

    @property
    def batch(self) -> Batch | None:
        return self._plan.batch

    @property
    def depth(self) -> int | None:
        return self._plan.depth

    @property
    def depth_scope(self) -> DepthScope:
        return self._plan.depth_scope


def _deprecated(old: str, new: str) -> None:
    warnings.warn(
        f"{old} is deprecated (L10): use {new}", DeprecationWarning, stacklevel=user_stacklevel()
    )
