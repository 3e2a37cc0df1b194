"""The `tile` dialect's pure ops that choose elements by their values: gather, top-k, sort."""

from __future__ import annotations

from abc import ABC

from typing_extensions import Self
from xdsl.dialects.builtin import IntAttr, UnitAttr, i32
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from pto_wsp.dialects.dtypes import is_numeric
from pto_wsp.dialects.syntax import CustomSyntax, join, parse_value
from pto_wsp.dialects.tile_types import SpaceAttr, TileType
from pto_wsp.dialects.tile_values import (
    ValueOp,
    not_defined,
    parse_type,
    print_type,
    tile_type,
)


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
class GatherRowsOp(ValueOp):
    """The rows that the second operand, Nx1, names: `%2 = tile.gather_rows %0, %1 : 8x128xf32`."""

    name = "tile.gather_rows"

    source = operand_def(TileType)
    indices = operand_def(TileType)

    def __init__(self, source: SSAValue, indices: SSAValue):
        operand = tile_type(source)
        result = TileType((tile_type(indices).rows, operand.cols), operand.element_type)
        super().__init__(operands=[source, indices], result_types=[result])

    def infer_type(self) -> TileType:
        source, indices = tile_type(self.source), tile_type(self.indices)
        if indices.element_type != i32 or indices.cols != 1:
            raise VerifyException(f"the indices are Nx1xi32, got {indices.short}")
        return TileType((indices.rows, source.cols), source.element_type)


class OrderOp(CustomSyntax, ABC):
    """Elements of every row in order, and their columns in i32; of equal ones the lower column."""

    source = operand_def(TileType)
    space = opt_prop_def(SpaceAttr)
    values = result_def(TileType)
    indices = result_def(TileType)

    traits = traits_def(Pure())

    @property
    def count(self) -> int:
        """How many elements of a row are kept."""
        return tile_type(self.values).cols

    def verify_order(self, count: int) -> None:
        """Raises `VerifyException` unless the results keep `count` elements of every row."""
        source = tile_type(self.source)
        if not is_numeric(source.element_type):
            raise VerifyException(not_defined(source.element_type))
        values = TileType((source.rows, count), source.element_type)
        if self.values.type != values:
            raise VerifyException(
                f"the result is {values.short}, declared as {self.values.type.short}"
            )
        if self.indices.type != TileType((source.rows, count), i32):
            raise VerifyException(f"the indices are {join(values.shape, 'x')}xi32")

    @classmethod
    def parse_results(cls, parser: Parser, source: SSAValue, given: dict[str, Attribute]) -> Self:
        values, placement = parse_type(parser)
        return cls.create(
            operands=[source],
            properties={**given, **placement},
            result_types=[values, TileType(values.extents, i32)],
        )


@irdl_op_definition
class TopkOp(OrderOp):
    """The k largest of every row, largest first, and their columns in i32; ties: lower column.

    `%values, %indices = tile.topk %0 k(8) : 32x8xf32`
    """

    name = "tile.topk"

    k_attr = prop_def(IntAttr, prop_name="k")

    def __init__(self, source: SSAValue, k: int):
        operand = tile_type(source)
        if not 1 <= k <= operand.cols:
            raise VerifyException(_bad_k(k, operand))
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
        if not 1 <= self.k <= source.cols:
            raise VerifyException(_bad_k(self.k, source))
        self.verify_order(self.k)

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        source = parse_value(parser)
        parser.parse_keyword("k")
        with parser.in_parens():
            k = parser.parse_integer(allow_boolean=False)
        return cls.parse_results(parser, source, {"k": IntAttr(k)})

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.source)
        printer.print_string(f" k({self.k})")
        print_type(printer, self.values.type, self.space)


def _bad_k(k: int, source: TileType) -> str:
    return f"k must be in 1..{source.cols}, the row's length, got {k}"


@irdl_op_definition
class SortOp(OrderOp):
    """Every row in order, smallest first unless `descending`; ties: lower column.

    `%values, %indices = tile.sort %0 descending : 32x128xf32`
    """

    name = "tile.sort"

    descending = opt_prop_def(UnitAttr)

    def __init__(self, source: SSAValue, *, descending: bool = False):
        operand = tile_type(source)
        super().__init__(
            operands=[source],
            properties={"descending": UnitAttr() if descending else None},
            result_types=[operand, TileType(operand.extents, i32)],
        )

    def verify_(self) -> None:
        self.verify_order(tile_type(self.source).cols)

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        source = parse_value(parser)
        descending = parser.parse_optional_keyword("descending") is not None
        return cls.parse_results(parser, source, {"descending": UnitAttr()} if descending else {})

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.source)
        if self.descending is not None:
            printer.print_string(" descending")
        print_type(printer, self.values.type, self.space)
