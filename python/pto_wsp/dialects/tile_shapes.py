"""The `tile` dialect's pure ops that change a tile's shape: matmul, slices, other orders."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import ArrayAttr, IntAttr, UnitAttr, f32, i32
from xdsl.interfaces import HasCanonicalizationPatternsInterface, HasFolderInterface
from xdsl.ir import SSAValue, TypeAttribute
from xdsl.irdl import (
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    prop_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.pattern_rewriter import RewritePattern
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from pto_wsp.dialects.dtypes import dtype_info
from pto_wsp.dialects.syntax import ints, join, parse_ints, parse_value
from pto_wsp.dialects.tile_types import Shape, TileType
from pto_wsp.dialects.tile_values import Arguments, ValueOp, tile_type, verify_in_range

# ---- Products ----------------------------------------------------------------------------------

MULTIPLIED = ("f16", "bf16", "f32", "f8e4m3", "f8e5m2", "i8", "u8")
"""The dtypes of a matmul's operands."""


@irdl_op_definition
class MatmulOp(ValueOp):
    """The matrix product in f32 (i32 of i8 or u8), added to an accumulator if there is one.

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
            result_types=[TileType((m, n), _accumulated(lhs))],
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        """m, k, n."""
        m, k = _stored(self.lhs, self.transpose_a is not None)
        _, n = _stored(self.rhs, self.transpose_b is not None)
        return m, k, n

    def infer_type(self) -> TileType:
        lhs, rhs = tile_type(self.lhs), tile_type(self.rhs)
        multiplied = dtype_info(lhs.element_type).name in MULTIPLIED
        if lhs.element_type != rhs.element_type or not multiplied:
            raise VerifyException(
                f"the operands have one dtype of {', '.join(MULTIPLIED)},"
                f" got {lhs.element_type} and {rhs.element_type}"
            )
        m, k, n = self.shape
        other, _ = _stored(self.rhs, self.transpose_b is not None)
        if k != other:
            raise VerifyException(
                f"the inner extents differ: {m}x{k} times {other}x{n}"
                " (rows x columns after transposition)"
            )
        result = TileType((m, n), _accumulated(self.lhs))
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


def _accumulated(lhs: SSAValue) -> TypeAttribute:
    """The dtype of products and their sums: i32 of integers, f32 of floats."""
    return f32 if dtype_info(tile_type(lhs).element_type).kind == "float" else i32


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


@irdl_op_definition
class TransposeOp(HasFolderInterface, HasCanonicalizationPatternsInterface, ValueOp):
    """Rows become columns: `%1 = tile.transpose %0 : 128x32xf32`."""

    name = "tile.transpose"

    source = operand_def(TileType)

    def __init__(self, source: SSAValue):
        rows, cols = tile_type(source).shape
        result = TileType((cols, rows), tile_type(source).element_type)
        super().__init__(operands=[source], result_types=[result])

    def infer_type(self) -> TileType:
        source = tile_type(self.source)
        return TileType((source.cols, source.rows), source.element_type)

    def fold(self) -> Sequence[SSAValue] | None:
        inner = self.source.owner
        return (inner.source,) if isinstance(inner, TransposeOp) else None

    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        from pto_wsp.transforms.canonicalization_patterns.tile import TransposedOperands

        return (TransposedOperands(),)


@irdl_op_definition
class ReshapeOp(HasFolderInterface, ValueOp):
    """The same elements, row after row, in another shape: `%1 = tile.reshape %0 : 64x64xf32`."""

    name = "tile.reshape"

    source = operand_def(TileType)

    def __init__(self, source: SSAValue, shape: Shape):
        result = TileType(shape, tile_type(source).element_type)
        super().__init__(operands=[source], result_types=[result])

    def infer_type(self) -> TileType:
        source = tile_type(self.source)
        if source.rows * source.cols != self.type.rows * self.type.cols:
            raise VerifyException(
                f"{source.short} has {source.rows * source.cols} elements,"
                f" {join(self.type.shape, 'x')} has {self.type.rows * self.type.cols}"
            )
        return TileType(self.type.extents, source.element_type)

    def fold(self) -> Sequence[SSAValue] | None:
        inner = self.source.owner
        if self.source.type == self.type:
            return (self.source,)
        if isinstance(inner, ReshapeOp) and inner.source.type == self.type:
            return (inner.source,)
        return None
