"""The `tile` dialect: kernels over tile values.

Tile values are pure; only `tile.load` and `tile.store` touch memory. A value's type is its extents
and dtype; where it is placed is a property that a pass writes.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

from typing_extensions import Self
from xdsl.dialects.builtin import ArrayAttr, IntAttr, StringAttr, SymbolNameConstraint
from xdsl.ir import Block, Dialect, Operation, Region, SSAValue
from xdsl.irdl import (
    irdl_op_definition,
    lazy_traits_def,
    operand_def,
    opt_prop_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import (
    EffectInstance,
    HasParent,
    IsolatedFromAbove,
    IsTerminator,
    MemoryEffect,
    MemoryEffectKind,
    NoTerminator,
    Pure,
    SymbolOpInterface,
)
from xdsl.utils.exceptions import VerifyException

from pto_wsp.dialects.dtypes import is_float
from pto_wsp.dialects.syntax import (
    CustomSyntax,
    ints,
    join,
    parse_body,
    parse_value,
    print_body,
    strings,
)
from pto_wsp.dialects.tile_shapes import (
    ConcatOp,
    GatherOp,
    InterleaveOp,
    MatmulOp,
    ReductionOp,
    RowMaxOp,
    RowSumOp,
    SliceOp,
    TopkOp,
    parse_at,
    verify_in_range,
)
from pto_wsp.dialects.tile_types import (
    FragmentAttr,
    Pipe,
    Predicate,
    PredicateAttr,
    RefType,
    Role,
    RoleAttr,
    Shape,
    Space,
    SpaceAttr,
    TileType,
    Unit,
    UnitAttr,
    parse_shape,
)
from pto_wsp.dialects.tile_values import (
    AbsOp,
    AddOp,
    BinaryOp,
    CastOp,
    CompareOp,
    ConstantOp,
    CosOp,
    DivOp,
    ElementWiseOp,
    ErfOp,
    ExpOp,
    IotaOp,
    LogOp,
    MaximumOp,
    MinimumOp,
    MulOp,
    NegOp,
    PowOp,
    ReluOp,
    RsqrtOp,
    SelectOp,
    SigmoidOp,
    SinOp,
    SqrtOp,
    SubOp,
    TanhOp,
    UnaryOp,
    ValueOp,
    element_wise_type,
    parse_type,
    print_type,
    tile_type,
)

__all__ = [
    "AbsOp",
    "AddOp",
    "BinaryOp",
    "CastOp",
    "CompareOp",
    "ConcatOp",
    "ConstantOp",
    "CosOp",
    "DivOp",
    "ElementWiseOp",
    "ErfOp",
    "ExpOp",
    "FragmentAttr",
    "FusedOp",
    "GatherOp",
    "InterleaveOp",
    "IotaOp",
    "KernelOp",
    "LoadOp",
    "LogOp",
    "MatmulOp",
    "MaximumOp",
    "MinimumOp",
    "MulOp",
    "NegOp",
    "Parameter",
    "Pipe",
    "PowOp",
    "Predicate",
    "PredicateAttr",
    "ReductionOp",
    "RefType",
    "ReluOp",
    "Role",
    "RoleAttr",
    "RowMaxOp",
    "RowSumOp",
    "RsqrtOp",
    "SelectOp",
    "Shape",
    "SigmoidOp",
    "SinOp",
    "SliceOp",
    "Space",
    "SpaceAttr",
    "SqrtOp",
    "StoreOp",
    "SubOp",
    "TanhOp",
    "Tile",
    "TileType",
    "TopkOp",
    "UnaryOp",
    "Unit",
    "UnitAttr",
    "ValueOp",
    "YieldOp",
    "element_wise_type",
    "tile_type",
]


# ---- Memory ------------------------------------------------------------------------------------


class _ReadsRef(MemoryEffect):
    @classmethod
    def get_effects(cls, op: Operation) -> Set[EffectInstance]:
        assert isinstance(op, LoadOp)
        return {EffectInstance(MemoryEffectKind.READ, op.ref)}


class _WritesRef(MemoryEffect):
    @classmethod
    def get_effects(cls, op: Operation) -> Set[EffectInstance]:
        assert isinstance(op, StoreOp)
        return {EffectInstance(MemoryEffectKind.WRITE, op.ref)}


def _role_of(ref: SSAValue) -> Role | None:
    block = ref.owner
    kernel = block.parent_op() if isinstance(block, Block) else None
    if not isinstance(kernel, KernelOp):
        return None
    index = tuple(kernel.body.block.args).index(ref)
    return kernel.roles.data[index].data if index < len(kernel.roles) else None


def ref_type(value: SSAValue) -> RefType:
    """The type of a kernel's parameter; raises `VerifyException` for any other value."""
    if not isinstance(value.type, RefType):
        raise VerifyException(f"expected a kernel's parameter, got a value of type {value.type}")
    return value.type


@irdl_op_definition
class LoadOp(CustomSyntax):
    """Reads a box of a parameter: `%0 = tile.load %x at [0, 128] : 32x64xf16`."""

    name = "tile.load"

    ref = operand_def(RefType)
    offset_list = prop_def(ArrayAttr[IntAttr], prop_name="offsets")
    space = opt_prop_def(SpaceAttr)
    result = result_def(TileType)

    traits = traits_def(_ReadsRef())

    def __init__(self, ref: SSAValue, offsets: Shape = (0, 0), extents: Shape | None = None):
        source = ref_type(ref)
        result = TileType(source.shape if extents is None else extents, source.element_type)
        super().__init__(
            operands=[ref], properties={"offsets": ints(offsets)}, result_types=[result]
        )

    @property
    def type(self) -> TileType:
        """The result's type."""
        return self.result.type

    @property
    def offsets(self) -> Shape:
        row, col = (offset.data for offset in self.offset_list)
        return row, col

    def verify_(self) -> None:
        source = ref_type(self.ref)
        if self.type.element_type != source.element_type:
            raise VerifyException(
                f"a load keeps the dtype {source.element_type}, declared as {self.type.short};"
                " use tile.cast"
            )
        _verify_offsets(self.offset_list)
        verify_in_range(self.offsets, self.type.shape, source.shape)

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        ref = parse_value(parser)
        offsets = parse_at(parser)
        result, placement = parse_type(parser)
        return cls.create(
            operands=[ref],
            properties={"offsets": ints(offsets), **placement},
            result_types=[result],
        )

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.ref)
        printer.print_string(f" at [{join(self.offsets)}]")
        print_type(printer, self.type, self.space)


@irdl_op_definition
class StoreOp(CustomSyntax):
    """Writes a box of a parameter, rounded to its dtype: `tile.store %0, %y at [0, 128]`."""

    name = "tile.store"

    value = operand_def(TileType)
    ref = operand_def(RefType)
    offset_list = prop_def(ArrayAttr[IntAttr], prop_name="offsets")

    traits = traits_def(_WritesRef())

    def __init__(self, value: SSAValue, ref: SSAValue, offsets: Shape = (0, 0)):
        super().__init__(operands=[value, ref], properties={"offsets": ints(offsets)})

    @property
    def offsets(self) -> Shape:
        row, col = (offset.data for offset in self.offset_list)
        return row, col

    def verify_(self) -> None:
        value, target = tile_type(self.value), ref_type(self.ref)
        if value.element_type != target.element_type and not (
            _is_float_type(value) and _is_float_type(target)
        ):
            raise VerifyException(
                f"a store rounds floats only: {value.short} does not go into {target.short};"
                " use tile.cast"
            )
        if _role_of(self.ref) is Role.IN:
            raise VerifyException("the parameter is `in`: only `out` and `inout` can be stored to")
        _verify_offsets(self.offset_list)
        verify_in_range(self.offsets, value.shape, target.shape)

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        value = parse_value(parser)
        parser.parse_punctuation(",")
        ref = parse_value(parser)
        offsets = parse_at(parser)
        return cls.create(operands=[value, ref], properties={"offsets": ints(offsets)})

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list((self.value, self.ref), printer.print_ssa_value)
        printer.print_string(f" at [{join(self.offsets)}]")


def _verify_offsets(offsets: ArrayAttr[IntAttr]) -> None:
    if len(offsets) != 2:
        raise VerifyException(f"a box has two offsets, got {len(offsets)}")


def _is_float_type(type: TileType | RefType) -> bool:
    return is_float(type.element_type)


# ---- One loop ----------------------------------------------------------------------------------


@irdl_op_definition
class YieldOp(CustomSyntax):
    """The value of a `tile.fused`: `tile.yield %1`."""

    name = "tile.yield"

    value = operand_def(TileType)

    traits = lazy_traits_def(lambda: (IsTerminator(), HasParent(FusedOp), Pure()))

    def __init__(self, value: SSAValue):
        super().__init__(operands=[value])

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        return cls(parse_value(parser))

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.value)


@irdl_op_definition
class FusedOp(CustomSyntax):
    """Element-wise ops that run as one loop; they may use any value from above.

    `%2 = tile.fused { %1 = tile.exp %0 : 32x128xf32  tile.yield %1 } : 32x128xf32`
    """

    name = "tile.fused"

    space = opt_prop_def(SpaceAttr)
    result = result_def(TileType)
    body = region_def("single_block")

    traits = traits_def(Pure())

    def __init__(self, body: Region, result: TileType):
        super().__init__(regions=[body], result_types=[result])

    @property
    def type(self) -> TileType:
        """The result's type: the loop runs over its extents."""
        return self.result.type

    @property
    def ops(self) -> tuple[Operation, ...]:
        """The ops of the loop without the yield, in order."""
        return tuple(op for op in self.body.block.ops if not isinstance(op, YieldOp))

    @property
    def yielded(self) -> SSAValue:
        """The value, defined in the body, that becomes the result."""
        last = self.body.block.last_op
        assert isinstance(last, YieldOp)
        return last.value

    @property
    def inputs(self) -> tuple[SSAValue, ...]:
        """The values from above that the body uses, in order of first use."""
        inside = {result for op in self.body.block.ops for result in op.results}
        used = [operand for op in self.body.block.ops for operand in op.operands]
        return tuple(dict.fromkeys(value for value in used if value not in inside))

    def verify_(self) -> None:
        *ops, last = self.body.block.ops if self.body.block.ops else (None,)
        if not isinstance(last, YieldOp):
            raise VerifyException("the body ends in tile.yield")
        for op in ops:
            if not isinstance(op, ElementWiseOp):
                raise VerifyException(f"only element-wise ops can be fused, got {op.name}")
        if last.value.type != self.type:
            raise VerifyException(
                f"the body yields {tile_type(last.value).short}, declared as {self.type.short}"
            )

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        body = parse_body(parser)
        result, placement = parse_type(parser)
        return cls.create(properties=placement, regions=[body], result_types=[result])

    def print_syntax(self, printer: Printer) -> None:
        print_body(printer, self.body)
        print_type(printer, self.type, self.space)


# ---- Kernels -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Parameter:
    """A kernel's parameter: a box in global memory."""

    name: str
    role: Role
    type: RefType


@irdl_op_definition
class KernelOp(CustomSyntax):
    """A function over tiles that one execution unit runs.

    `tile.kernel @double unit(vector) (%x: in 32x64xf16, %y: out 32x64xf16) { .. }`
    """

    name = "tile.kernel"

    sym_name = prop_def(SymbolNameConstraint())
    names = prop_def(ArrayAttr[StringAttr])
    roles = prop_def(ArrayAttr[RoleAttr])
    unit_attr = opt_prop_def(UnitAttr, prop_name="unit")
    fragment_list = opt_prop_def(ArrayAttr[FragmentAttr], prop_name="fragments")
    """What the cost model sees, in program order, once `tile-fragments` has run."""
    body = region_def("single_block")

    traits = traits_def(IsolatedFromAbove(), SymbolOpInterface(), NoTerminator())

    def __init__(
        self,
        name: str,
        parameters: Sequence[Parameter],
        body: Region | None = None,
        unit: Unit | None = None,
    ):
        """Without a body, an empty block with one argument per parameter is made."""
        if body is None:
            body = Region(Block(arg_types=[parameter.type for parameter in parameters]))
        for argument, parameter in zip(body.block.args, parameters, strict=True):
            if SSAValue.is_valid_name(parameter.name):
                argument.name_hint = parameter.name
        super().__init__(
            properties={
                "sym_name": StringAttr(name),
                "names": strings([parameter.name for parameter in parameters]),
                "roles": ArrayAttr(RoleAttr(parameter.role) for parameter in parameters),
                "unit": None if unit is None else UnitAttr(unit),
            },
            regions=[body],
        )

    @property
    def symbol(self) -> str:
        """The kernel's name without the @."""
        return self.sym_name.data

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters in order."""
        types = [ref_type(argument) for argument in self.body.block.args]
        rows = zip(self.names, self.roles, types, strict=True)
        return tuple(Parameter(name.data, role.data, type) for name, role, type in rows)

    @property
    def unit(self) -> Unit | None:
        """The declared unit, after `tile-infer-unit` the unit of every kernel."""
        return None if self.unit_attr is None else self.unit_attr.data

    @unit.setter
    def unit(self, unit: Unit) -> None:
        self.unit_attr = UnitAttr(unit)

    @property
    def fragments(self) -> tuple[FragmentAttr, ...] | None:
        """The fragments in program order, or None before `tile-fragments`."""
        return None if self.fragment_list is None else self.fragment_list.data

    def verify_(self) -> None:
        arguments = self.body.block.args
        if not len(self.names) == len(self.roles) == len(arguments):
            raise VerifyException(
                f"{len(arguments)} parameters, {len(self.names)} names, {len(self.roles)} roles"
            )
        for argument in arguments:
            ref_type(argument)
        _verify_names([name.data for name in self.names])
        if all(role.data is Role.IN for role in self.roles):
            raise VerifyException(f"@{self.symbol} writes nothing: a parameter is out or inout")

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        name = parser.parse_symbol_name().data
        unit = None
        if parser.parse_optional_keyword("unit") is not None:
            with parser.in_parens():
                unit = parser.parse_str_enum(Unit)
        found = parser.parse_comma_separated_list(
            parser.Delimiter.PAREN, lambda: _parse_parameter(parser)
        )
        fragments = _parse_fragments(parser)
        region = parse_body(parser, [argument for argument, _ in found])
        kernel = cls(name, [parameter for _, parameter in found], region, unit)
        kernel.fragment_list = fragments
        return kernel

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_symbol_name(self.symbol)
        printer.print_string(" " if self.unit is None else f" unit({self.unit}) ")
        with printer.in_parens():
            rows = zip(self.body.block.args, self.parameters, strict=True)
            printer.print_list(rows, lambda row: _print_parameter(printer, *row))
        if self.fragments is not None:
            fragments = ",\n  ".join(f"<{fragment.short}>" for fragment in self.fragments)
            printer.print_string(f" fragments [\n  {fragments}]")
        print_body(printer, self.body)


def _verify_names(names: Sequence[str]) -> None:
    for name in names:
        if not SSAValue.is_valid_name(name):
            raise VerifyException(f"a parameter cannot be named {name!r}")
    if len(set(names)) < len(names):
        raise VerifyException(f"two parameters have one name: {', '.join(names)}")


def _parse_parameter(parser: Parser) -> tuple[Parser.Argument, Parameter]:
    argument = parser.parse_argument(expect_type=False)
    parser.parse_punctuation(":")
    role = parser.parse_str_enum(Role)
    type = RefType(*parse_shape(parser))
    parameter = Parameter(argument.name.text[1:], role, type)
    return argument.resolve(type), parameter


def _print_parameter(printer: Printer, argument: SSAValue, parameter: Parameter) -> None:
    # The name is part of the kernel's interface; a pass may have changed the hint.
    argument.name_hint = parameter.name
    printer.print_ssa_value(argument)
    printer.print_string(f": {parameter.role} {parameter.type.short}")


def _parse_fragments(parser: Parser) -> ArrayAttr[FragmentAttr] | None:
    if parser.parse_optional_keyword("fragments") is None:
        return None

    def fragment() -> FragmentAttr:
        with parser.in_angle_brackets():
            return FragmentAttr.parse_short(parser)

    return ArrayAttr(parser.parse_comma_separated_list(parser.Delimiter.SQUARE, fragment))


Tile = Dialect(
    "tile",
    [
        KernelOp,
        LoadOp,
        StoreOp,
        ConstantOp,
        IotaOp,
        NegOp,
        ExpOp,
        SqrtOp,
        RsqrtOp,
        SigmoidOp,
        AbsOp,
        ReluOp,
        LogOp,
        TanhOp,
        SinOp,
        CosOp,
        ErfOp,
        AddOp,
        SubOp,
        MulOp,
        DivOp,
        MaximumOp,
        MinimumOp,
        PowOp,
        CompareOp,
        SelectOp,
        CastOp,
        RowSumOp,
        RowMaxOp,
        MatmulOp,
        SliceOp,
        ConcatOp,
        InterleaveOp,
        GatherOp,
        TopkOp,
        FusedOp,
        YieldOp,
    ],
    [TileType, RefType, UnitAttr, RoleAttr, SpaceAttr, PredicateAttr, FragmentAttr],
)
