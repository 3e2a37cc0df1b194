"""A schedule in the IR: `schedule.plan` beside the workload."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, Region

from pto_wsp.dialects import schedule
from pto_wsp.dialects.locations import file_location
from pto_wsp.dialects.schedule import DepthAttr, PlanOp, PolicyAttr, WindowAttr, batch, policy
from pto_wsp.dialects.schedule_types import Key
from pto_wsp.language.policies import CustomPools, Policy
from pto_wsp.language.schedule import Plan
from pto_wsp.language.schedule_keys import KeyFunction, place_key, refuse, trace_key
from pto_wsp.language.source import Place

if TYPE_CHECKING:
    from pto_wsp.language.workload import Workload


def plan_module(workload: Workload, plan: Plan) -> ModuleOp:
    """The workload's module, with the plan if something has been said.

    Raises ScheduleError for a key function that cannot be one.
    """
    module = workload.base_module()
    if plan != Plan():
        module.body.block.add_op(_PlanWriter(workload, plan).write())
    return module


class _PlanWriter:
    def __init__(self, workload: Workload, plan: Plan) -> None:
        self._workload, self._plan = workload, plan
        self._ops: list[Operation] = []

    def write(self) -> PlanOp:
        plan = self._plan
        if plan.stream_by is not None and plan.streams is None:
            refuse("stream_by goes with streams(n)", plan.stream_by.place)
        self._check_after()
        self._pools()
        self._streams()
        self._dispatch()
        if plan.timing is not None:
            self._add(schedule.TimingOp(self._attribute(plan.timing)))
        self._add(self._task_graph())
        op = PlanOp("plan", self._workload.name, Region(Block(self._ops)))
        self._locate(op, plan.place)
        return op

    def _check_after(self) -> None:
        deps = self._plan.deps
        if deps is None or not deps.word.startswith("infer_"):
            return
        if kernels := self._workload.ordered_kernels():
            refuse(
                f"deps={deps} knows no explicit dependencies, and launches of {kernels[0]} have"
                " after=: use Deps.hybrid(..) or Deps.explicit()",
                self._plan.place,
            )

    def _task_graph(self) -> Operation:
        plan, window = self._plan, self._plan.window
        given = {"deps": plan.deps, "pools": plan.pools, "start": plan.start}
        clauses = {clause: self._optional(policy) for clause, policy in given.items()}
        return schedule.TaskGraphOp(
            **clauses,
            ready=self._optional(plan.ready, "priority"),
            trace=self._optional(plan.trace, "cost", limits=(1, None)),
            window=window and WindowAttr(window.size, window.unit, window.mode.value),
            batch=plan.batch and batch(plan.batch.threshold, plan.batch.range_compression),
            depth=None if plan.depth is None else DepthAttr(plan.depth, plan.depth_scope),
        )

    def _pools(self) -> None:
        if isinstance(pools := self._plan.pools, CustomPools):
            for name, (cube, vector) in pools.shares:
                self._add(schedule.PoolOp(name, cube, vector))

    def _streams(self) -> None:
        count, by = self._plan.streams, self._plan.stream_by
        if count is not None:
            key = None if by is None else self._key("stream", by, limits=(0, count - 1))
            self._add(schedule.StreamsOp(count, key))

    def _dispatch(self) -> None:
        plan = self._plan
        if plan.dispatch is not None:
            self._add(schedule.DispatchOp(self._home(plan.dispatch, plan.dispatch.word)))
        if plan.dispatch_threshold:
            steps = {
                threshold: self._home(policy, f"{policy.word}_{threshold}")
                for threshold, policy in plan.dispatch_threshold
            }
            self._add(schedule.DispatchThresholdOp(steps))
        if plan.spatial_map:
            self._add(place_key("place", plan.spatial_map), plan.place)
            self._add(schedule.DispatchOp(policy("affinity", Key("place"))))

    def _home(self, given: Policy, key: str) -> PolicyAttr:
        return self._attribute(given, key, (0, None) if given.word == "dispatch_by" else None)

    def _optional(
        self, given: Policy | None, key: str = "pool", limits: tuple[int, int | None] | None = None
    ) -> PolicyAttr | None:
        return None if given is None else self._attribute(given, key, limits)

    def _attribute(
        self, given: Policy, key: str = "", limits: tuple[int, int | None] | None = None
    ) -> PolicyAttr:
        keys = [] if given.key is None else [Key(self._key(key, given.key, limits=limits))]
        return policy(given.word, *given.arguments, *keys)

    def _key(
        self, name: str, function: KeyFunction, limits: tuple[int, int | None] | None = None
    ) -> str:
        """Adds the function to the plan; gives its name."""
        labels: list[str] = []
        if isinstance(pools := self._plan.pools, CustomPools) and function is pools.key:
            labels = [pool for pool, _ in pools.shares]
            limits = (0, len(labels) - 1)
        op = trace_key(name, function, self._workload, labels=labels, limits=limits)
        self._add(op, function.place)
        return name

    def _add(self, op: Operation, place: Place | None = None) -> None:
        self._locate(op, place or self._plan.place)
        self._ops.append(op)

    def _locate(self, op: Operation, place: Place | None) -> None:
        if place is not None:
            folder = self._workload.place.file.rpartition("/")[0]
            op.location = file_location(place.relative_to(folder), place.line, place.column)
