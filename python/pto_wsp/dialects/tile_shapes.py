"""The `tile` dialect's pure ops that change a tile's shape: reductions, matmul, slices, top-k."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence

from typing_extensions import Self
from xdsl.dialects.builtin import ArrayAttr, IntAttr, UnitAttr, f32, i32
from xdsl.interfaces import HasCanonicalizationPatternsInterface, HasFolderInterface
from xdsl.ir import SSAValue
from xdsl.irdl import (
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.pattern_rewriter import RewritePattern
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from pto_wsp.dialects.dtypes import is_float
from pto_wsp.dialects.syntax import CustomSyntax, ints, join, parse_ints, parse_value
from pto_wsp.dialects.tile_types import Shape, SpaceAttr, TileType
from pto_wsp.dialects.tile_values import Arguments, ValueOp, parse_type, print_type, tile_type

# ---- Reductions --------------------------------------------------------------------------------


class ReductionOp(ValueOp, ABC):
    """One number of every row, by a tree of fixed shape."""

    source = operand_def(TileType)

    def __init__(self, source: SSAValue):
        operand = tile_type(source)
        result = TileType((operand.rows, 1), operand.element_type)
        super().__init__(operands=[source], result_types=[result])

    def infer_type(self) -> TileType:
        operand = tile_type(self.source)
        if not is_float(operand.element_type):
            raise VerifyException(f"not defined for {operand.element_type}")
        return TileType((operand.rows, 1), operand.element_type)


@irdl_op_definition
class RowSumOp(ReductionOp):
    """The sum of every row: `%1 = tile.rowsum %0 : 32x1xf32`."""

    name = "tile.rowsum"


@irdl_op_definition
class RowMaxOp(ReductionOp):
    """The largest element of every row: `%1 = tile.rowmax %0 : 32x1xf32`."""

    name = "tile.rowmax"


# ---- Products ----------------------------------------------------------------------------------


@irdl_op_definition
class MatmulOp(ValueOp):
    """The matrix product in f32, added to an accumulator if there is one.

    `%2 = tile.matmul %0, %1 acc(%c) transpose_b : 256x256xf32`
    """

    name = "tile.matmul"

    lhs = operand_def(TileType)
    rhs = operand_def(TileType)
    acc = opt_operand_def(TileType)
    transpose_a = opt_prop_def(UnitAttr)
    transpose_b = opt_prop_def(UnitAttr)

    def __init__(
        self,
        lhs: SSAValue,
        rhs: SSAValue,
        acc: SSAValue | None = None,
        *,
        transpose_a: bool = False,
        transpose_b: bool = False,
    ):
        m, _ = _stored(lhs, transpose_a)
        _, n = _stored(rhs, transpose_b)
        super().__init__(
            operands=[lhs, rhs, acc],
            properties={
                "transpose_a": UnitAttr() if transpose_a else None,
                "transpose_b": UnitAttr() if transpose_b else None,
            },
            result_types=[TileType((m, n), f32)],
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        """m, k, n."""
        m, k = _stored(self.lhs, self.transpose_a is not None)
        _, n = _stored(self.rhs, self.transpose_b is not None)
        return m, k, n

    def infer_type(self) -> TileType:
        lhs, rhs = tile_type(self.lhs), tile_type(self.rhs)
        if lhs.element_type != rhs.element_type or not is_float(lhs.element_type):
            raise VerifyException(
                f"the operands have one float dtype, got {lhs.element_type} and {rhs.element_type}"
            )
        m, k, n = self.shape
        other, _ = _stored(self.rhs, self.transpose_b is not None)
        if k != other:
            raise VerifyException(
                f"the inner extents differ: {m}x{k} times {other}x{n}"
                " (rows x columns after transposition)"
            )
        result = TileType((m, n), f32)
        if self.acc is not None and self.acc.type != result:
            raise VerifyException(
                f"the accumulator is {result.short}, got {tile_type(self.acc).short}"
            )
        return result

    @classmethod
    def parse_arguments(cls, parser: Parser) -> Arguments:
        operands = [parse_value(parser)]
        parser.parse_punctuation(",")
        operands.append(parse_value(parser))
        if parser.parse_optional_keyword("acc") is not None:
            with parser.in_parens():
                operands.append(parse_value(parser))
        flags = ("transpose_a", "transpose_b")
        given = [flag for flag in flags if parser.parse_optional_keyword(flag) is not None]
        return operands, {flag: UnitAttr() for flag in given}

    def print_arguments(self, printer: Printer) -> None:
        printer.print_list((self.lhs, self.rhs), printer.print_ssa_value)
        if self.acc is not None:
            printer.print_string(" acc(")
            printer.print_ssa_value(self.acc)
            printer.print_string(")")
        if self.transpose_a is not None:
            printer.print_string(" transpose_a")
        if self.transpose_b is not None:
            printer.print_string(" transpose_b")


def _stored(value: SSAValue, transposed: bool) -> Shape:
    rows, cols = tile_type(value).shape
    return (cols, rows) if transposed else (rows, cols)


# ---- Parts and wholes --------------------------------------------------------------------------


@irdl_op_definition
class SliceOp(HasFolderInterface, HasCanonicalizationPatternsInterface, ValueOp):
    """A box of a tile, every element or every second one.

    `%1 = tile.slice %0 at [0, 1] step [1, 2] : 32x32xf32`
    """

    name = "tile.slice"

    source = operand_def(TileType)
    offset_list = prop_def(ArrayAttr[IntAttr], prop_name="offsets")
    stride_list = prop_def(ArrayAttr[IntAttr], prop_name="strides")

    def __init__(self, source: SSAValue, offsets: Shape, extents: Shape, strides: Shape = (1, 1)):
        super().__init__(
            operands=[source],
            properties={"offsets": ints(offsets), "strides": ints(strides)},
            result_types=[TileType(extents, tile_type(source).element_type)],
        )

    @property
    def offsets(self) -> Shape:
        row, col = (offset.data for offset in self.offset_list)
        return row, col

    @property
    def strides(self) -> Shape:
        row, col = (stride.data for stride in self.stride_list)
        return row, col

    def infer_type(self) -> TileType:
        source = tile_type(self.source)
        if len(self.offset_list) != 2 or len(self.stride_list) != 2:
            raise VerifyException("a slice has two offsets and two strides")
        if any(stride not in (1, 2) for stride in self.strides):
            raise VerifyException(f"strides are 1 or 2, got [{join(self.strides)}]")
        verify_in_range(self.offsets, self.type.shape, source.shape, self.strides)
        return TileType(self.type.extents, source.element_type)

    @classmethod
    def parse_arguments(cls, parser: Parser) -> Arguments:
        source = parse_value(parser)
        offsets = parse_at(parser)
        strides = [1, 1]
        if parser.parse_optional_keyword("step") is not None:
            strides = parse_ints(parser, parser.Delimiter.SQUARE)
        return [source], {"offsets": ints(offsets), "strides": ints(strides)}

    def print_arguments(self, printer: Printer) -> None:
        printer.print_ssa_value(self.source)
        printer.print_string(f" at [{join(self.offsets)}]")
        if self.strides != (1, 1):
            printer.print_string(f" step [{join(self.strides)}]")

    def fold(self) -> Sequence[SSAValue] | None:
        return (self.source,) if self.source.type == self.type else None

    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        from pto_wsp.transforms.canonicalization_patterns.tile import LoadSlices

        return (LoadSlices(),)


def parse_at(parser: Parser) -> Sequence[int]:
    """`at [0, 128]`; without it the first element."""
    if parser.parse_optional_keyword("at") is None:
        return (0, 0)
    return parse_ints(parser, parser.Delimiter.SQUARE)


def verify_in_range(
    offsets: Sequence[int],
    extents: Sequence[int],
    bounds: Sequence[int],
    strides: Sequence[int] = (1, 1),
) -> None:
    """Raises `VerifyException` unless the box lies within the bounds."""
    for offset, extent, stride, bound in zip(offsets, extents, strides, bounds, strict=True):
        if offset < 0 or offset + (extent - 1) * stride >= bound:
            raise VerifyException(
                f"a box of {join(extents, 'x')} at [{join(offsets)}]"
                f" does not lie in {join(bounds, 'x')}"
            )


@irdl_op_definition
class ConcatOp(ValueOp):
    """Tiles side by side: `%2 = tile.concat %0, %1 : 32x8xf32`."""

    name = "tile.concat"

    parts = var_operand_def(TileType)

    def __init__(self, parts: Sequence[SSAValue]):
        if not parts:
            raise VerifyException("there is nothing to concatenate")
        first = tile_type(parts[0])
        cols = sum(tile_type(part).cols for part in parts)
        super().__init__(
            operands=[parts], result_types=[TileType((first.rows, cols), first.element_type)]
        )

    def infer_type(self) -> TileType:
        types = [tile_type(part) for part in self.parts]
        if len({(part.rows, part.element_type) for part in types}) != 1:
            shapes = " and ".join(part.short for part in types) or "nothing"
            raise VerifyException(f"the parts agree in rows and dtype, got {shapes}")
        return TileType((types[0].rows, sum(part.cols for part in types)), types[0].element_type)


@irdl_op_definition
class InterleaveOp(ValueOp):
    """Columns in turn from two tiles: `%2 = tile.interleave %0, %1 : 32x64xf32`."""

    name = "tile.interleave"

    even = operand_def(TileType)
    odd = operand_def(TileType)

    def __init__(self, even: SSAValue, odd: SSAValue):
        half = tile_type(even)
        result = TileType((half.rows, 2 * half.cols), half.element_type)
        super().__init__(operands=[even, odd], result_types=[result])

    def infer_type(self) -> TileType:
        even, odd = tile_type(self.even), tile_type(self.odd)
        if even != odd:
            raise VerifyException(f"the halves have one type, got {even.short} and {odd.short}")
        return TileType((even.rows, 2 * even.cols), even.element_type)


# ---- Choosing by value -------------------------------------------------------------------------


@irdl_op_definition
class GatherOp(ValueOp):
    """Per row, the elements of the columns that the second operand names.

    `%2 = tile.gather %0, %1 : 32x8xf32`
    """

    name = "tile.gather"

    source = operand_def(TileType)
    indices = operand_def(TileType)

    def __init__(self, source: SSAValue, indices: SSAValue):
        result = TileType(tile_type(indices).extents, tile_type(source).element_type)
        super().__init__(operands=[source, indices], result_types=[result])

    def infer_type(self) -> TileType:
        source, indices = tile_type(self.source), tile_type(self.indices)
        if indices.element_type != i32:
            raise VerifyException(f"the indices are i32, got {indices.short}")
        if source.rows != indices.rows:
            raise VerifyException(
                f"one row of indices per row, got {indices.short} for {source.short}"
            )
        return TileType(indices.extents, source.element_type)


@irdl_op_definition
class TopkOp(CustomSyntax):
    """The k largest of every row, largest first, and their columns in i32; ties: lower column.

    `%values, %indices = tile.topk %0 k(8) : 32x8xf32`
    """

    name = "tile.topk"

    source = operand_def(TileType)
    k_attr = prop_def(IntAttr, prop_name="k")
    space = opt_prop_def(SpaceAttr)
    values = result_def(TileType)
    indices = result_def(TileType)

    traits = traits_def(Pure())

    def __init__(self, source: SSAValue, k: int):
        operand = tile_type(source)
        shape = (operand.rows, k)
        super().__init__(
            operands=[source],
            properties={"k": IntAttr(k)},
            result_types=[TileType(shape, operand.element_type), TileType(shape, i32)],
        )

    @property
    def k(self) -> int:
        return self.k_attr.data

    def verify_(self) -> None:
        source = tile_type(self.source)
        if not is_float(source.element_type):
            raise VerifyException(f"not defined for {source.element_type}")
        if not 1 <= self.k <= source.cols:
            raise VerifyException(f"k must be in 1..{source.cols}, the row's length, got {self.k}")
        values = TileType((source.rows, self.k), source.element_type)
        if self.values.type != values:
            raise VerifyException(
                f"the result is {values.short}, declared as {self.values.type.short}"
            )
        if self.indices.type != TileType((source.rows, self.k), i32):
            raise VerifyException(f"the indices are {join(values.shape, 'x')}xi32")

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        source = parse_value(parser)
        parser.parse_keyword("k")
        with parser.in_parens():
            k = parser.parse_integer(allow_boolean=False)
        values, placement = parse_type(parser)
        return cls.create(
            operands=[source],
            properties={"k": IntAttr(k), **placement},
            result_types=[values, TileType(values.extents, i32)],
        )

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.source)
        printer.print_string(f" k({self.k})")
        print_type(printer, self.values.type, self.space)
