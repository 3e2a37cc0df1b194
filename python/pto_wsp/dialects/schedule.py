"""The `schedule` dialect: how the tasks of a workload are tracked, queued and issued.

A plan is data beside the workload; it never changes what is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from typing_extensions import Self
from xdsl.dialects.builtin import (
    ArrayAttr,
    FlatSymbolRefAttrConstr,
    IntAttr,
    StringAttr,
    SymbolNameConstraint,
    SymbolRefAttr,
)
from xdsl.ir import Attribute, Dialect, Operation, Region
from xdsl.irdl import (
    irdl_op_definition,
    lazy_traits_def,
    opt_prop_def,
    prop_def,
    region_def,
    traits_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import HasParent, IsolatedFromAbove, NoTerminator, SymbolOpInterface
from xdsl.utils.exceptions import VerifyException

from pto_wsp.dialects.schedule_types import (
    DEPTH_SCOPES,
    POLICIES,
    BatchAttr,
    DepthAttr,
    PolicyAttr,
    WindowAttr,
    batch,
    parse_batch,
    parse_depth,
    parse_policy,
    parse_window,
    policy,
)
from pto_wsp.dialects.syntax import CustomSyntax, ints, new_body, parse_body, print_body

__all__ = [
    "DEPTH_SCOPES",
    "POLICIES",
    "BatchAttr",
    "BatchDepsOp",
    "DepthAttr",
    "DispatchOp",
    "DispatchThresholdOp",
    "PipelineDepthOp",
    "PlanOp",
    "PolicyAttr",
    "Schedule",
    "TaskGraphOp",
    "WindowAttr",
    "batch",
    "policy",
]

OpT = TypeVar("OpT", bound=Operation)

_CLAUSE_PARSERS: dict[str, Callable[[Parser], Attribute]] = {
    "deps": parse_policy,
    "window": parse_window,
    "pools": parse_policy,
    "ready": parse_policy,
    "start": parse_policy,
    "trace": parse_policy,
    "batch": parse_batch,
    "depth": parse_depth,
}
"""The clauses of `schedule.task_graph`, in the order in which they are printed."""


@irdl_op_definition
class TaskGraphOp(CustomSyntax):
    """How tasks become ready: clauses in any order, each at most once; what is absent is a default.

    `schedule.task_graph deps(hybrid) window(16384, tasks, stall) pools(by_exec_unit) depth(3)`
    """

    name = "schedule.task_graph"

    deps = opt_prop_def(PolicyAttr)
    window = opt_prop_def(WindowAttr)
    pools = opt_prop_def(PolicyAttr)
    ready = opt_prop_def(PolicyAttr)
    start = opt_prop_def(PolicyAttr)
    trace = opt_prop_def(PolicyAttr)
    batch = opt_prop_def(BatchAttr)
    depth = opt_prop_def(DepthAttr)

    traits = lazy_traits_def(lambda: (HasParent(PlanOp),))

    def __init__(
        self,
        *,
        deps: PolicyAttr | None = None,
        window: WindowAttr | None = None,
        pools: PolicyAttr | None = None,
        ready: PolicyAttr | None = None,
        start: PolicyAttr | None = None,
        trace: PolicyAttr | None = None,
        batch: BatchAttr | None = None,
        depth: DepthAttr | None = None,
    ):
        super().__init__(
            properties={
                "deps": deps,
                "window": window,
                "pools": pools,
                "ready": ready,
                "start": start,
                "trace": trace,
                "batch": batch,
                "depth": depth,
            }
        )

    def verify_(self) -> None:
        for clause, given in self.properties.items():
            if isinstance(given, PolicyAttr):
                given.verify_for(clause)

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        found: dict[str, Attribute] = {}
        while True:
            start = parser.pos
            clause = parser.parse_optional_keyword_in(tuple(_CLAUSE_PARSERS))
            if clause is None:
                return cls.create(properties=found)
            if clause in found:
                parser.raise_error(f"clause {clause} is given twice", start, parser.pos)
            with parser.in_parens():
                found[clause] = _parse_clause(parser, _CLAUSE_PARSERS[clause])

    def print_syntax(self, printer: Printer) -> None:
        for clause in _CLAUSE_PARSERS:
            given = self.properties.get(clause)
            if isinstance(given, PolicyAttr | WindowAttr | BatchAttr | DepthAttr):
                printer.print_string(f" {clause}({given.short})")


AttributeT = TypeVar("AttributeT", bound=Attribute)


def _parse_clause(parser: Parser, parse: Callable[[Parser], AttributeT]) -> AttributeT:
    start = parser.pos
    try:
        return parse(parser)
    except VerifyException as error:
        parser.raise_error(str(error), start, parser.pos)


@irdl_op_definition
class DispatchOp(CustomSyntax):
    """Which scheduler a task belongs to: `schedule.dispatch policy(round_robin<4>)`."""

    name = "schedule.dispatch"

    policy = prop_def(PolicyAttr)

    traits = lazy_traits_def(lambda: (HasParent(PlanOp),))

    def __init__(self, policy: PolicyAttr):
        super().__init__(properties={"policy": policy})

    def verify_(self) -> None:
        self.policy.verify_for("dispatch")

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        parser.parse_keyword("policy")
        with parser.in_parens():
            return cls(parse_policy(parser))

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(f" policy({self.policy.short})")


@irdl_op_definition
class DispatchThresholdOp(CustomSyntax):
    """Task i is dispatched by the policy of the largest threshold <= i + 1, else by the first.

    `schedule.dispatch_threshold {256 = round_robin<1>, 1024 = work_steal}`
    """

    name = "schedule.dispatch_threshold"

    threshold_list = prop_def(ArrayAttr[IntAttr], prop_name="thresholds")
    policy_list = prop_def(ArrayAttr[PolicyAttr], prop_name="policies")

    traits = lazy_traits_def(lambda: (HasParent(PlanOp),))

    def __init__(self, steps: Mapping[int, PolicyAttr]):
        """`steps`: threshold -> policy, in increasing order."""
        super().__init__(
            properties={
                "thresholds": ints(list(steps)),
                "policies": ArrayAttr(steps.values()),
            }
        )

    @property
    def steps(self) -> tuple[tuple[int, PolicyAttr], ...]:
        """Threshold and policy, increasing."""
        thresholds = (threshold.data for threshold in self.threshold_list)
        return tuple(zip(thresholds, self.policy_list, strict=True))

    def verify_(self) -> None:
        thresholds = [threshold.data for threshold in self.threshold_list]
        if not thresholds or len(thresholds) != len(self.policy_list):
            raise VerifyException(
                f"a policy per threshold, got {len(self.policy_list)} and {len(thresholds)}"
            )
        if thresholds != sorted(set(thresholds)) or thresholds[0] < 1:
            raise VerifyException(f"thresholds increase from at least 1, got {thresholds}")
        for step in self.policy_list:
            step.verify_for("dispatch")

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        def step() -> tuple[int, PolicyAttr]:
            threshold = parser.parse_integer(allow_boolean=False)
            parser.parse_punctuation("=")
            return threshold, parse_policy(parser)

        found = parser.parse_comma_separated_list(parser.Delimiter.BRACES, step)
        return cls.create(
            properties={
                "thresholds": ints([threshold for threshold, _ in found]),
                "policies": ArrayAttr([given for _, given in found]),
            }
        )

    def print_syntax(self, printer: Printer) -> None:
        steps = ", ".join(f"{threshold} = {given.short}" for threshold, given in self.steps)
        printer.print_string(f" {{{steps}}}")


@irdl_op_definition
class PipelineDepthOp(CustomSyntax):
    """Deprecated form of `task_graph depth(..)`: `schedule.pipeline_depth (3, per_pool)`."""

    name = "schedule.pipeline_depth"

    depth = prop_def(DepthAttr)

    traits = lazy_traits_def(lambda: (HasParent(PlanOp),))

    def __init__(self, depth: DepthAttr):
        super().__init__(properties={"depth": depth})

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        with parser.in_parens():
            return cls(_parse_clause(parser, parse_depth))

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(f" ({self.depth.short})")


@irdl_op_definition
class BatchDepsOp(CustomSyntax):
    """Deprecated form of `task_graph batch(..)`: `schedule.batch_deps (128, range_compression)`."""

    name = "schedule.batch_deps"

    batch = prop_def(BatchAttr)

    traits = lazy_traits_def(lambda: (HasParent(PlanOp),))

    def __init__(self, batch: BatchAttr):
        super().__init__(properties={"batch": batch})

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        with parser.in_parens():
            return cls(_parse_clause(parser, parse_batch))

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(f" ({self.batch.short})")


@irdl_op_definition
class PlanOp(CustomSyntax):
    """A schedule of a workload, each op in it at most once: `schedule.plan @p for @w {..}`."""

    name = "schedule.plan"

    sym_name = prop_def(SymbolNameConstraint())
    workload_attr = prop_def(FlatSymbolRefAttrConstr, prop_name="workload")
    body = region_def("single_block")

    traits = traits_def(IsolatedFromAbove(), SymbolOpInterface(), NoTerminator())

    def __init__(self, name: str, workload: str, body: Region | None = None):
        super().__init__(
            properties={"sym_name": StringAttr(name), "workload": SymbolRefAttr(workload)},
            regions=[new_body(body)],
        )

    @property
    def symbol(self) -> str:
        """The plan's name without the @."""
        return self.sym_name.data

    @property
    def workload(self) -> str:
        """The workload's name without the @."""
        return self.workload_attr.string_value()

    def find(self, kind: type[OpT]) -> OpT | None:
        """The plan's op of a kind, if it has one."""
        return next((op for op in self.body.block.ops if isinstance(op, kind)), None)

    def verify_(self) -> None:
        seen: set[str] = set()
        for op in self.body.block.ops:
            if not isinstance(op, _PLAN_OPS):
                raise VerifyException(f"{op.name} is no part of a plan")
            if op.name in seen:
                raise VerifyException(f"{op.name} is given twice")
            seen.add(op.name)
        if {DispatchOp.name, DispatchThresholdOp.name} <= seen:
            raise VerifyException(
                "schedule.dispatch and schedule.dispatch_threshold exclude each other"
            )

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        name = parser.parse_symbol_name().data
        parser.parse_keyword("for")
        return cls(name, parser.parse_symbol_name().data, parse_body(parser))

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_symbol_name(self.symbol)
        printer.print_string(" for ")
        printer.print_symbol_name(self.workload)
        print_body(printer, self.body)


_PLAN_OPS = (TaskGraphOp, DispatchOp, DispatchThresholdOp, PipelineDepthOp, BatchDepsOp)

Schedule = Dialect(
    "schedule",
    [PlanOp, *_PLAN_OPS],
    [PolicyAttr, WindowAttr, BatchAttr, DepthAttr],
)
