"""The `task` dialect: programs that generate tasks.

Loops have no results and there are no edges: what a task reads and writes are its regions, and
virtual time is an effect of its own (`clock`), so that no generic pass deletes or merges a task.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from typing_extensions import Self
from xdsl.dialects.builtin import (
    ArrayAttr,
    FlatSymbolRefAttrConstr,
    IndexType,
    StringAttr,
    SymbolNameConstraint,
    SymbolRefAttr,
    UnitAttr,
)
from xdsl.ir import Dialect, Operation, Region, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    irdl_op_definition,
    opt_prop_def,
    opt_result_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import (
    EffectInstance,
    IsolatedFromAbove,
    MemoryAllocEffect,
    MemoryEffect,
    MemoryEffectKind,
    NoTerminator,
    SymbolOpInterface,
)
from xdsl.utils.exceptions import VerifyException

from pto_wsp.dialects.dtypes import is_integer
from pto_wsp.dialects.indices import IndexLike
from pto_wsp.dialects.syntax import (
    CustomSyntax,
    new_body,
    parse_body,
    parse_value,
    parse_values,
    print_body,
    print_values,
    strings,
)
from pto_wsp.dialects.task_channels import (
    ChannelOp,
    ChannelType,
    ConsumeOp,
    PipelineOp,
    ProcessOp,
    SendOp,
)
from pto_wsp.dialects.task_control import (
    CombineOp,
    CondOp,
    LoopOp,
    ParallelOp,
    SelectOp,
    SeqOp,
    SequentialOp,
)
from pto_wsp.dialects.task_numbers import (
    CompareOp,
    IndexOp,
    PredicateAttr,
    ReadOp,
    SlotLoadOp,
    SlotOp,
    SlotStoreOp,
    SymbolOp,
)
from pto_wsp.dialects.task_types import (
    MAX_RANK,
    TICK,
    Clock,
    HandleType,
    MemoryAttr,
    RandomAttr,
    SlotType,
    Source,
    TensorRole,
    TensorRoleAttr,
    TensorType,
    ZipfAttr,
    parse_source,
    parse_tensor_type,
    print_source,
    tensor_type,
)
from pto_wsp.dialects.task_views import ViewOp

__all__ = [
    "MAX_RANK",
    "ChannelOp",
    "ChannelType",
    "Clock",
    "CombineOp",
    "CompareOp",
    "CondOp",
    "ConsumeOp",
    "IndexLike",
    "IndexOp",
    "LaunchOp",
    "LoopOp",
    "MemoryAttr",
    "ParallelOp",
    "PipelineOp",
    "ProcessOp",
    "RandomAttr",
    "ReadOp",
    "SelectOp",
    "SendOp",
    "SeqOp",
    "SequentialOp",
    "SlotLoadOp",
    "SlotOp",
    "SlotStoreOp",
    "Source",
    "SymbolOp",
    "Task",
    "TensorOp",
    "TensorRole",
    "TensorRoleAttr",
    "TensorType",
    "ViewOp",
    "WorkloadOp",
    "ZipfAttr",
    "tensor_type",
]


class _LaunchEffects(MemoryEffect):
    @classmethod
    def get_effects(cls, op: Operation) -> Set[EffectInstance]:
        assert isinstance(op, LaunchOp)
        reads = {EffectInstance(MemoryEffectKind.READ, v) for v in (*op.ins, *op.inouts)}
        writes = {EffectInstance(MemoryEffectKind.WRITE, v) for v in (*op.outs, *op.inouts)}
        return reads | writes | {TICK}


@irdl_op_definition
class TensorOp(CustomSyntax):
    """A tensor of the program, and where its values come from when no task writes them.

    `%up = task.tensor "up" from random<seed = 7, scale = 0.5> : 256x4096x1536xf16`
    """

    name = "task.tensor"

    tensor_name_attr = prop_def(StringAttr, prop_name="tensor_name")
    source_attr = opt_prop_def(MemoryAttr | RandomAttr | ZipfAttr, prop_name="source")
    role_attr = opt_prop_def(TensorRoleAttr, prop_name="role")
    result = result_def(TensorType)

    traits = traits_def(MemoryAllocEffect())

    def __init__(self, name: str, type: TensorType, source: Source | None = None):
        super().__init__(
            properties={"tensor_name": StringAttr(name), "source": source}, result_types=[type]
        )
        self.result.name_hint = name if SSAValue.is_valid_name(name) else None

    @property
    def tensor_name(self) -> str:
        return self.tensor_name_attr.data

    @property
    def type(self) -> TensorType:
        return self.result.type

    @property
    def source(self) -> Source | None:
        return self.source_attr

    @property
    def role(self) -> TensorRole | None:
        """What a run does with it, once `task-classify-tensors` knows."""
        return None if self.role_attr is None else self.role_attr.data

    @role.setter
    def role(self, role: TensorRole) -> None:
        self.role_attr = TensorRoleAttr(role)

    def verify_(self) -> None:
        if not isinstance(self.parent_op(), WorkloadOp):
            raise VerifyException("a tensor is declared at the top of a workload")
        if isinstance(self.source, ZipfAttr):
            if not is_integer(self.type.element_type):
                raise VerifyException(f"routing is of integers, got {self.type.short}")
            allowed = self.source.values // self.source.groups * self.source.kept_groups
            if self.type.shape[-1] > allowed:
                raise VerifyException(
                    f"a row of {self.type.shape[-1]} distinct numbers out of {allowed}"
                )

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        name = parser.parse_str_literal()
        role = None
        if parser.parse_optional_keyword("role") is not None:
            with parser.in_parens():
                role = parser.parse_str_enum(TensorRole)
        given = parser.parse_optional_keyword("from") is not None
        source = parse_source(parser) if given else None
        parser.parse_punctuation(":")
        op = cls(name, parse_tensor_type(parser), source)
        if role is not None:
            op.role = role
        return op

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_string_literal(self.tensor_name)
        if self.role is not None:
            printer.print_string(f" role({self.role})")
        if self.source is not None:
            printer.print_string(" from ")
            print_source(printer, self.source)
        printer.print_string(f" : {self.type.short}")


# ---- Tasks -------------------------------------------------------------------------------------


@irdl_op_definition
class LaunchOp(CustomSyntax):
    """One task: a kernel, the values of its named axes, and its regions.

    `task.launch @expert [token = %t, expert = %e] ins(%x, %u) outs(%y)`

    `numbers(%n)` are those that the kernel takes besides its regions.

    `%h = task.launch @a .. -> handle` stands for the latest task of the launch; `after(%h)` on
    another launch is an explicit dependency on it.
    """

    name = "task.launch"

    callee = prop_def(FlatSymbolRefAttrConstr)
    axis_names_attr = prop_def(ArrayAttr[StringAttr], prop_name="axis_names")
    checked = opt_prop_def(UnitAttr)
    """Set by `task-check-bounds`: an offset depends on data, so a run tests the regions."""
    axis_values = var_operand_def(IndexType())
    numbers = var_operand_def(IndexType())
    ins = var_operand_def(TensorType)
    outs = var_operand_def(TensorType)
    inouts = var_operand_def(TensorType)
    after = var_operand_def(HandleType())
    handle = opt_result_def(HandleType())

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(_LaunchEffects())

    def __init__(
        self,
        kernel: str,
        axes: Mapping[str, SSAValue],
        ins: Sequence[SSAValue] = (),
        outs: Sequence[SSAValue] = (),
        inouts: Sequence[SSAValue] = (),
        after: Sequence[SSAValue] = (),
        *,
        numbers: Sequence[SSAValue] = (),
        has_handle: bool = False,
    ):
        """Each list is in the order of the kernel's parameters of that role, or numbers."""
        super().__init__(
            operands=[list(axes.values()), numbers, ins, outs, inouts, after],
            properties={
                "callee": SymbolRefAttr(kernel),
                "axis_names": strings(list(axes)),
            },
            result_types=[[HandleType()] if has_handle else []],
        )

    @property
    def kernel(self) -> str:
        """The kernel's name without the @."""
        return self.callee.string_value()

    @property
    def axes(self) -> dict[str, SSAValue]:
        """The value of every named axis, in order."""
        names = (name.data for name in self.axis_names_attr)
        return dict(zip(names, self.axis_values, strict=True))

    def verify_(self) -> None:
        names = [name.data for name in self.axis_names_attr]
        if len(names) != len(self.axis_values):
            raise VerifyException(f"{len(self.axis_values)} axis values, {len(names)} names")
        if len(set(names)) != len(names):
            raise VerifyException(f"an axis is named twice: {', '.join(names)}")

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        kernel = parser.parse_symbol_name().data
        checked = parser.parse_optional_keyword("checked") is not None
        axes: dict[str, SSAValue] = {}

        def axis() -> None:
            start = parser.pos
            name = parser.parse_identifier_or_str_literal()
            if name in axes:
                parser.raise_error(f"axis {name} is named twice", start, parser.pos)
            parser.parse_punctuation("=")
            axes[name] = parse_value(parser)

        parser.parse_optional_comma_separated_list(parser.Delimiter.SQUARE, axis)
        numbers = _parse_operands(parser, "numbers")
        lists = [_parse_operands(parser, key) for key in ("ins", "outs", "inouts", "after")]
        has_handle = parser.parse_optional_punctuation("->") is not None
        if has_handle:
            parser.parse_keyword("handle")
        op = cls(kernel, axes, *lists, numbers=numbers, has_handle=has_handle)
        if checked:
            op.checked = UnitAttr()
        return op

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_symbol_name(self.kernel)
        if self.checked is not None:
            printer.print_string(" checked")
        if self.axes:
            printer.print_string(" [")
            printer.print_list(self.axes.items(), lambda axis: _print_axis(printer, *axis))
            printer.print_string("]")
        lists = {
            "numbers": self.numbers,
            "ins": self.ins,
            "outs": self.outs,
            "inouts": self.inouts,
            "after": self.after,
        }
        for key, values in lists.items():
            if values:
                printer.print_string(f" {key}(")
                print_values(printer, values)
                printer.print_string(")")
        if self.handle is not None:
            printer.print_string(" -> handle")


def _parse_operands(parser: Parser, key: str) -> Sequence[SSAValue]:
    if parser.parse_optional_keyword(key) is None:
        return ()
    with parser.in_parens():
        return parse_values(parser)


def _print_axis(printer: Printer, name: str, value: SSAValue) -> None:
    printer.print_identifier_or_string_literal(name)
    printer.print_string(" = ")
    printer.print_ssa_value(value)


# ---- Programs ----------------------------------------------------------------------------------


@irdl_op_definition
class WorkloadOp(CustomSyntax):
    """A closed program that generates tasks: `task.workload @moe {..}`, its tensors first."""

    name = "task.workload"

    sym_name = prop_def(SymbolNameConstraint())
    body = region_def("single_block")

    traits = traits_def(IsolatedFromAbove(), SymbolOpInterface(), NoTerminator())

    def __init__(self, name: str, body: Region | None = None):
        super().__init__(properties={"sym_name": StringAttr(name)}, regions=[new_body(body)])

    @property
    def symbol(self) -> str:
        """The workload's name without the @."""
        return self.sym_name.data

    @property
    def tensors(self) -> tuple[TensorOp, ...]:
        """The tensors in order of declaration."""
        return tuple(op for op in self.body.block.ops if isinstance(op, TensorOp))

    @property
    def symbols(self) -> tuple[SymbolOp, ...]:
        """The numbers that a run gives, in order of declaration."""
        return tuple(op for op in self.body.block.ops if isinstance(op, SymbolOp))

    def verify_(self) -> None:
        for kind, key in (
            (TensorOp, "tensor_name"),
            (SymbolOp, "symbol_name"),
            (SlotOp, "slot_name"),
        ):
            declared = [op for op in self.body.block.ops if isinstance(op, kind)]
            names = [op.properties.get(key) for op in declared]
            for index, name in enumerate(names):
                # One without a name is its own verifier's finding.
                if name is not None and name in names[:index]:
                    raise VerifyException(f"two {key.removesuffix('_name')}s are named {name}")

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        return cls(parser.parse_symbol_name().data, parse_body(parser))

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_symbol_name(self.symbol)
        print_body(printer, self.body)


Task = Dialect(
    "task",
    [
        WorkloadOp,
        TensorOp,
        ViewOp,
        IndexOp,
        SymbolOp,
        SlotOp,
        SlotLoadOp,
        SlotStoreOp,
        ReadOp,
        CompareOp,
        ParallelOp,
        SeqOp,
        SequentialOp,
        CombineOp,
        CondOp,
        SelectOp,
        LaunchOp,
        PipelineOp,
        ChannelOp,
        ProcessOp,
        SendOp,
        ConsumeOp,
    ],
    [
        TensorType,
        ChannelType,
        HandleType,
        SlotType,
        PredicateAttr,
        TensorRoleAttr,
        MemoryAttr,
        RandomAttr,
        ZipfAttr,
    ],
)
