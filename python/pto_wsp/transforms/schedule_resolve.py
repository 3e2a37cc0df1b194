"""`schedule-resolve`: every plan says everything, in today's form."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from pto_wsp.dialects.schedule import (
    BatchDepsOp,
    DispatchOp,
    DispatchThresholdOp,
    PipelineDepthOp,
    PlanOp,
    PolicyAttr,
    PoolOp,
    TaskGraphOp,
    TimingOp,
    WindowAttr,
    policy,
)
from pto_wsp.transforms.diagnostics import Diagnostics


@dataclass(frozen=True)
class ScheduleResolvePass(ModulePass):
    """A plan becomes one dispatch op and one task_graph with every default written out.

    The deprecated `batch_deps` and `pipeline_depth` become its clauses `batch` and `depth`; given
    in both forms they are an error. Where neither is given, the clause stays away: it is off.
    """

    name = "schedule-resolve"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        errors = Diagnostics()
        for plan in op.walk():
            if isinstance(plan, PlanOp):
                _resolve(plan, errors)
        errors.raise_if_any()


def _resolve(plan: PlanOp, errors: Diagnostics) -> None:
    graph = plan.find(TaskGraphOp)
    given = graph if graph is not None else TaskGraphOp()
    batch, depth = plan.find(BatchDepsOp), plan.find(PipelineDepthOp)
    for old, clause, new in ((batch, "batch", given.batch), (depth, "depth", given.depth)):
        if old is not None and new is not None:
            errors.error(old, f"{old.name} and task_graph's {clause} both set the same; use one")
    resolved = TaskGraphOp(
        deps=_deps(given.deps),
        window=given.window or WindowAttr(8192, "tasks", "stall"),
        pools=given.pools or policy("by_exec_unit"),
        ready=given.ready or policy("fifo"),
        start=given.start or policy("threshold", 1),
        trace=given.trace or policy("cycles"),
        batch=given.batch or (batch.batch if batch is not None else None),
        depth=given.depth or (depth.depth if depth is not None else None),
    )
    _check_pools(plan, resolved, errors)
    resolved.location = plan.location if graph is None else graph.location
    for old in (graph, batch, depth):
        if old is not None:
            _remove(old)
    missing: list[Operation] = []
    if plan.find(DispatchOp) is None and plan.find(DispatchThresholdOp) is None:
        missing.append(DispatchOp(policy("shared")))
    if plan.find(TimingOp) is None:
        missing.append(TimingOp(policy("immediate")))
    for op in missing:
        op.location = plan.location
        plan.body.block.add_op(op)
    plan.body.block.add_op(resolved)


def _check_pools(plan: PlanOp, graph: TaskGraphOp, errors: Diagnostics) -> None:
    custom = graph.pools is not None and graph.pools.word == "custom"
    if custom and not plan.all_of(PoolOp):
        errors.error(plan, "pools(custom<..>) has no schedule.pool to choose from")
    if plan.all_of(PoolOp) and not custom:
        errors.error(plan, "schedule.pool goes with pools(custom<@key>)")


def _deps(given: PolicyAttr | None) -> PolicyAttr:
    if given is None or given == policy("hybrid"):
        return policy("hybrid", "infer_bytes_overlap")
    return given


def _remove(op: Operation) -> None:
    op.detach()
    op.erase()
