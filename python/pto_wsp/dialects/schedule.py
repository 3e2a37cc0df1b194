"""The `schedule` dialect: how the tasks of a workload are tracked, queued and issued.

A plan is data beside the workload; it never changes what is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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

from pto_wsp.dialects.schedule_keys import KEY_OPS, KeyOp, TaskType
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
from pto_wsp.dialects.syntax import CustomSyntax, integer, ints, new_body, parse_body, print_body

__all__ = [
    "DEPTH_SCOPES",
    "POLICIES",
    "BatchAttr",
    "BatchDepsOp",
    "DepthAttr",
    "DispatchOp",
    "DispatchThresholdOp",
    "KeyOp",
    "PipelineDepthOp",
    "PlanOp",
    "PolicyAttr",
    "PoolOp",
    "Schedule",
    "StreamsOp",
    "TaskGraphOp",
    "TimingOp",
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
class StreamsOp(CustomSyntax):
    """Tasks of one stream follow each other: `schedule.streams 4 by(@head)`.

    Without `by` a task's stream is its id modulo the number.
    """

    name = "schedule.streams"

    count_attr = prop_def(IntAttr, prop_name="count")
    by_attr = opt_prop_def(FlatSymbolRefAttrConstr, prop_name="by")

    traits = lazy_traits_def(lambda: (HasParent(PlanOp),))

    def __init__(self, count: int, by: str | None = None):
        super().__init__(
            properties={
                "count": integer(count),
                "by": None if by is None else SymbolRefAttr(by),
            }
        )

    @property
    def count(self) -> int:
        return self.count_attr.data

    @property
    def by(self) -> str | None:
        """The key function's name without the @."""
        return None if self.by_attr is None else self.by_attr.string_value()

    def verify_(self) -> None:
        if self.count < 1:
            raise VerifyException(f"there is at least 1 stream, got {self.count}")

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        count = parser.parse_integer(allow_boolean=False)
        if parser.parse_optional_keyword("by") is None:
            return cls(count)
        with parser.in_parens():
            return cls(count, parser.parse_symbol_name().data)

    def print_syntax(self, printer: Printer) -> None:
        by = "" if self.by is None else f" by(@{self.by})"
        printer.print_string(f" {self.count}{by}")


@irdl_op_definition
class TimingOp(CustomSyntax):
    """When ready tasks are dispatched: `schedule.timing policy(batched<4>)`."""

    name = "schedule.timing"

    policy = prop_def(PolicyAttr)

    traits = lazy_traits_def(lambda: (HasParent(PlanOp),))

    def __init__(self, policy: PolicyAttr):
        super().__init__(properties={"policy": policy})

    def verify_(self) -> None:
        self.policy.verify_for("timing")

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        parser.parse_keyword("policy")
        with parser.in_parens():
            return cls(parse_policy(parser))

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(f" policy({self.policy.short})")


@irdl_op_definition
class PoolOp(CustomSyntax):
    """A custom pool and its share of the cores: `schedule.pool @experts cube(16) vector(0)`.

    `pools(custom<@key>)` gives a task's pool: a position among these ops.
    """

    name = "schedule.pool"

    pool_attr = prop_def(StringAttr, prop_name="pool")
    cube_attr = prop_def(IntAttr, prop_name="cube")
    vector_attr = prop_def(IntAttr, prop_name="vector")

    traits = lazy_traits_def(lambda: (HasParent(PlanOp),))

    def __init__(self, pool: str, cube: int, vector: int):
        super().__init__(
            properties={
                "pool": StringAttr(pool),
                "cube": integer(cube),
                "vector": integer(vector),
            }
        )

    @property
    def pool(self) -> str:
        return self.pool_attr.data

    @property
    def cube(self) -> int:
        return self.cube_attr.data

    @property
    def vector(self) -> int:
        return self.vector_attr.data

    def verify_(self) -> None:
        if min(self.cube, self.vector) < 0 or self.cube + self.vector == 0:
            raise VerifyException(
                f"a pool has at least 1 core, got {self.cube} cube and {self.vector} vector cores"
            )

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        pool = parser.parse_symbol_name().data
        cores: list[int] = []
        for unit in ("cube", "vector"):
            parser.parse_keyword(unit)
            with parser.in_parens():
                cores.append(parser.parse_integer(allow_boolean=False))
        return cls(pool, *cores)

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(f" @{self.pool} cube({self.cube}) vector({self.vector})")


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
            name = op.name
            if isinstance(op, (KeyOp, PoolOp)):
                name += f" @{op.symbol if isinstance(op, KeyOp) else op.pool}"
            if name in seen:
                raise VerifyException(f"{name} is given twice")
            seen.add(name)
        if {DispatchOp.name, DispatchThresholdOp.name} <= seen:
            raise VerifyException(
                "schedule.dispatch and schedule.dispatch_threshold exclude each other"
            )
        for key in self.named_keys():
            if f"{KeyOp.name} @{key}" not in seen:
                raise VerifyException(f"there is no schedule.key @{key} in this plan")

    def named_keys(self) -> list[str]:
        """The key functions that policies name, each once, in order."""
        keys: dict[str, None] = {}
        for op in self.body.block.ops:
            if isinstance(op, StreamsOp) and op.by is not None:
                keys[op.by] = None
            for given in _policies(op):
                if given.key is not None:
                    keys[given.key] = None
        return list(keys)

    def all_of(self, kind: type[OpT]) -> list[OpT]:
        """The plan's ops of a kind, in order."""
        return [op for op in self.body.block.ops if isinstance(op, kind)]

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


def _policies(op: Operation) -> Iterator[PolicyAttr]:
    for given in op.properties.values():
        if isinstance(given, PolicyAttr):
            yield given
    if isinstance(op, DispatchThresholdOp):
        yield from op.policy_list


_PLAN_OPS = (
    TaskGraphOp,
    DispatchOp,
    DispatchThresholdOp,
    StreamsOp,
    TimingOp,
    PoolOp,
    KeyOp,
    PipelineDepthOp,
    BatchDepsOp,
)

Schedule = Dialect(
    "schedule",
    [PlanOp, *_PLAN_OPS, *(op for op in KEY_OPS if op is not KeyOp)],
    [PolicyAttr, WindowAttr, BatchAttr, DepthAttr, TaskType],
)
