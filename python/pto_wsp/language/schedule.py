"""Schedules: how tasks are tracked, queued and issued. They never change what is computed."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from pto_wsp.errors import ScheduleError
from pto_wsp.language.source import Place, user_place, user_stacklevel

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.ir import Operation

    from pto_wsp.dialects.schedule_types import PolicyAttr
    from pto_wsp.language.workload import Workload
    from pto_wsp.runtime.program import Program

DepthScope = Literal["core", "per_pool"]


def _refuse(message: str) -> ScheduleError:
    return ScheduleError(f"{user_place()}: {message}")


def _count(what: str, number: int) -> int:
    if isinstance(number, bool) or not isinstance(number, int):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise _refuse(f"{what}: expected an integer, found {number!r}")
    if number < 1:
        raise _refuse(f"{what}: expected at least 1, found {number}")
    return number


# ---- Policies ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Policy:
    """A word with its arguments, as it stands in the IR and in settings."""

    word: str
    arguments: tuple[int | str, ...] = ()

    def __str__(self) -> str:
        return self.word

    def attribute(self) -> PolicyAttr:
        from pto_wsp.dialects.schedule_types import policy

        return policy(self.word, *self.arguments)


class Deps(Policy):
    """Where dependencies come from: inferred from overlapping regions."""

    @classmethod
    def infer_bytes_overlap(cls) -> Deps:
        """Regions that share an element."""
        return cls("infer_bytes_overlap")

    @classmethod
    def hybrid(cls, infer: Deps | None = None) -> Deps:
        """Inferred dependencies beside the explicit ones of a program."""
        return cls("hybrid", () if infer is None else (infer.word,))


class Pools(Policy):
    """The ready queues of a scheduler."""

    @classmethod
    def single(cls) -> Pools:
        """One for all tasks."""
        return cls("single")

    @classmethod
    def by_exec_unit(cls) -> Pools:
        """One for cube tasks, one for vector tasks."""
        return cls("by_exec_unit")


class ReadyPolicy(Policy):
    """The order of a queue."""

    @classmethod
    def fifo(cls) -> ReadyPolicy:
        """Ready first, then lower id."""
        return cls("fifo")

    @classmethod
    def work_steal(cls) -> ReadyPolicy:
        """fifo; an idle scheduler takes the youngest task of the longest queue."""
        return cls("work_steal")


class StartPolicy(Policy):
    """When dispatch opens."""

    @classmethod
    def threshold(cls, tasks: int) -> StartPolicy:
        """Once `tasks` tasks have become ready, or the orchestrator waits or has ended."""
        return cls("threshold", (_count("StartPolicy.threshold", tasks),))


class TracePolicy(Policy):
    """What a run records."""

    @classmethod
    def cycles(cls) -> TracePolicy:
        """Tasks, edges and stalls in cycles of the machine's cost model."""
        return cls("cycles")


class DispatchPolicy(Policy):
    """Which scheduler a task belongs to."""

    @classmethod
    def round_robin(cls, schedulers: int | None = None) -> DispatchPolicy:
        """In turn among the first `schedulers` schedulers; by default the profile's number."""
        if schedulers is None:
            return cls("round_robin")
        return cls("round_robin", (_count("DispatchPolicy.round_robin", schedulers),))

    @classmethod
    def work_steal(cls) -> DispatchPolicy:
        """In turn among all schedulers; idle ones steal."""
        return cls("work_steal")


class WindowMode(Enum):
    """What happens where a task does not fit into the window."""

    STALL = "stall"
    """The orchestrator waits."""


@dataclass(frozen=True)
class TaskWindow:
    """How many tasks may be alive between the oldest unretired task and the newest."""

    size: int
    unit: Literal["tasks"] = "tasks"
    mode: WindowMode = WindowMode.STALL

    def __post_init__(self) -> None:
        _count("TaskWindow", self.size)
        if self.unit != "tasks":
            raise _refuse(f'TaskWindow: expected unit "tasks", found {self.unit!r}')
        if not isinstance(self.mode, WindowMode):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise _refuse(f"TaskWindow: expected a WindowMode, found {self.mode!r}")


# ---- The schedule of a workload ----------------------------------------------------------------


@dataclass(frozen=True)
class Batch:
    """Tasks are published, and reports served, `threshold` at a time."""

    threshold: int
    range_compression: bool = False
    """A run of consecutive ids among a report's successors costs one `resolve`."""


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
    place: Place | None = None
    """Where the schedule was last added to."""


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
        and pool instead. What is left out keeps what was said before, else the default.
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
                raise _refuse(f"task_graph: {key} takes a {kind.__name__}, found {value!r}")
        plan = replace(self._plan, **{k: v for k, (v, _) in given.items() if v is not None})
        if batch is not None:
            plan = replace(plan, batch=Batch(_count("batch", batch), range_compression))
        elif range_compression:
            raise _refuse("task_graph: range_compression goes with batch")
        if depth_scope not in ("core", "per_pool"):
            raise _refuse(f'depth_scope: expected "core" or "per_pool", found {depth_scope!r}')
        if depth is not None:
            plan = replace(plan, depth=_count("depth", depth), depth_scope=depth_scope)
        elif depth_scope != "core":
            raise _refuse("task_graph: depth_scope goes with depth")
        return self._with(plan)

    def dispatch(self, policy: DispatchPolicy) -> Scheduled:
        """Which scheduler a task belongs to; by default all share their queues."""
        if not isinstance(policy, DispatchPolicy):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise _refuse(f"dispatch takes a DispatchPolicy, found {policy!r}")
        return self._with(replace(self._plan, dispatch=policy, dispatch_threshold=()))

    def dispatch_threshold(
        self, thresholds: Sequence[int], policies: Mapping[int, DispatchPolicy]
    ) -> Scheduled:
        """Task i uses the policy of the largest threshold <= i + 1, else that of the smallest."""
        if not thresholds:
            raise _refuse("dispatch_threshold: there are no thresholds")
        numbers = [_count("dispatch_threshold", threshold) for threshold in thresholds]
        if any(a >= b for a, b in pairwise(numbers)):
            raise _refuse(f"dispatch_threshold: expected increasing thresholds, found {numbers}")
        if set(numbers) != set(policies):
            raise _refuse(
                f"dispatch_threshold: thresholds {numbers} and policies for {sorted(policies)}:"
                " each threshold needs one policy"
            )
        for policy in policies.values():
            if not isinstance(policy, DispatchPolicy):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise _refuse(f"dispatch_threshold takes DispatchPolicy, found {policy!r}")
        steps = tuple((number, policies[number]) for number in numbers)
        return self._with(replace(self._plan, dispatch=None, dispatch_threshold=steps))

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
        return plan_module(self._workload, self._plan)

    def compile(
        self,
        *,
        target: str = "cpu_sim",
        machine: str = "ascend_a3",
        threads: int | None = None,
        compiler: str | None = None,
    ) -> Program:
        """Compiles for `target`, to run on a machine profile (a name, or a JSON file).

        `threads` host threads compute values (default: one per core); `compiler` is the C++
        compiler (default: PTO_CXX, else the system's).

        Raises CompileError, MachineError, ScheduleError.
        """
        from pto_wsp.compile import compile_workload

        return compile_workload(self._workload, self.module(), target, machine, threads, compiler)

    def _with(self, plan: Plan) -> Scheduled:
        return Scheduled(self._workload, replace(plan, place=user_place()))


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


# ---- The plan in the IR ------------------------------------------------------------------------


def plan_module(workload: Workload, plan: Plan) -> ModuleOp:
    """The workload's module, with the plan if something has been said."""
    module = workload.base_module()
    if plan == Plan():
        return module
    from xdsl.ir import Block, Region

    from pto_wsp.dialects.schedule import PlanOp

    body = Region(Block(_plan_ops(plan)))
    op = PlanOp("plan", workload.name, body)
    if (place := plan.place) is not None:
        from pto_wsp.dialects.locations import file_location

        folder = place.file.rpartition("/")[0]
        op.location = file_location(place.relative_to(folder), place.line, place.column)
        for inner in op.body.block.ops:
            inner.location = op.location
    module.body.block.add_op(op)
    return module


def _plan_ops(plan: Plan) -> list[Operation]:
    from pto_wsp.dialects import schedule
    from pto_wsp.dialects.schedule_types import DepthAttr, WindowAttr, batch

    window = plan.window
    ops: list[Operation] = []
    if plan.dispatch is not None:
        ops.append(schedule.DispatchOp(plan.dispatch.attribute()))
    if plan.dispatch_threshold:
        steps = {threshold: policy.attribute() for threshold, policy in plan.dispatch_threshold}
        ops.append(schedule.DispatchThresholdOp(steps))
    graph = schedule.TaskGraphOp(
        deps=None if plan.deps is None else plan.deps.attribute(),
        window=None if window is None else WindowAttr(window.size, window.unit, window.mode.value),
        pools=None if plan.pools is None else plan.pools.attribute(),
        ready=None if plan.ready is None else plan.ready.attribute(),
        start=None if plan.start is None else plan.start.attribute(),
        trace=None if plan.trace is None else plan.trace.attribute(),
        batch=None if (b := plan.batch) is None else batch(b.threshold, b.range_compression),
        depth=None if plan.depth is None else DepthAttr(plan.depth, plan.depth_scope),
    )
    return [*ops, graph]
