"""The `tile` dialect's pure ops along the rows or columns of a tile: reductions and scans."""

from __future__ import annotations

from abc import ABC
from typing import ClassVar

from xdsl.dialects.builtin import IntAttr, i32
from xdsl.ir import SSAValue
from xdsl.irdl import irdl_op_definition, operand_def, prop_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from pto_wsp.dialects.dtypes import is_numeric
from pto_wsp.dialects.syntax import parse_value
from pto_wsp.dialects.tile_types import TileType
from pto_wsp.dialects.tile_values import (
    Arguments,
    ValueOp,
    not_defined,
    parse_axis,
    tile_type,
)


class ReductionOp(ValueOp, ABC):
    """One number of every row (axis 1) or column (axis 0), by a tree of fixed shape."""

    AXIS: ClassVar[int]
    """The axis whose extent becomes 1."""

    source = operand_def(TileType)

    def __init__(self, source: SSAValue):
        super().__init__(operands=[source], result_types=[self._reduced(tile_type(source))])

    def infer_type(self) -> TileType:
        operand = tile_type(self.source)
        if not is_numeric(operand.element_type):
            raise VerifyException(not_defined(operand.element_type))
        return self._reduced(operand)

    @classmethod
    def _reduced(cls, operand: TileType) -> TileType:
        shape = (operand.rows, 1) if cls.AXIS == 1 else (1, operand.cols)
        return TileType(shape, operand.element_type)


@irdl_op_definition
class RowSumOp(ReductionOp):
    """The sum of every row: `%1 = tile.rowsum %0 : 32x1xf32`."""

    name = "tile.rowsum"
    AXIS: ClassVar[int] = 1


@irdl_op_definition
class RowMaxOp(ReductionOp):
    """The largest element of every row: `%1 = tile.rowmax %0 : 32x1xf32`."""

    name = "tile.rowmax"
    AXIS: ClassVar[int] = 1


@irdl_op_definition
class RowMinOp(ReductionOp):
    """The smallest element of every row: `%1 = tile.rowmin %0 : 32x1xf32`."""

    name = "tile.rowmin"
    AXIS: ClassVar[int] = 1


@irdl_op_definition
class ColSumOp(ReductionOp):
    """The sum of every column: `%1 = tile.colsum %0 : 1x128xf32`."""

    name = "tile.colsum"
    AXIS: ClassVar[int] = 0


@irdl_op_definition
class ColMaxOp(ReductionOp):
    """The largest element of every column: `%1 = tile.colmax %0 : 1x128xf32`."""

    name = "tile.colmax"
    AXIS: ClassVar[int] = 0


@irdl_op_definition
class ColMinOp(ReductionOp):
    """The smallest element of every column: `%1 = tile.colmin %0 : 1x128xf32`."""

    name = "tile.colmin"
    AXIS: ClassVar[int] = 0


@irdl_op_definition
class ArgmaxOp(ValueOp):
    """The column of every row's largest element: `%1 = tile.argmax %0 : 32x1xi32`.

    Of equal ones the first; a NaN counts as the largest.
    """

    name = "tile.argmax"

    source = operand_def(TileType)

    def __init__(self, source: SSAValue):
        result = TileType((tile_type(source).rows, 1), i32)
        super().__init__(operands=[source], result_types=[result])

    def infer_type(self) -> TileType:
        operand = tile_type(self.source)
        if not is_numeric(operand.element_type):
            raise VerifyException(not_defined(operand.element_type))
        return TileType((operand.rows, 1), i32)


@irdl_op_definition
class CumsumOp(ValueOp):
    """Sums from the first element of a row (axis 1) or column (axis 0) to each, in one chain.

    `%1 = tile.cumsum %0 axis(1) : 32x128xf32`
    """

    name = "tile.cumsum"

    source = operand_def(TileType)
    axis = prop_def(IntAttr)

    def __init__(self, source: SSAValue, axis: int):
        super().__init__(
            operands=[source], properties={"axis": IntAttr(axis)}, result_types=[source.type]
        )

    def infer_type(self) -> TileType:
        operand = tile_type(self.source)
        if self.axis.data not in (0, 1):
            raise VerifyException(f"axis must be 0 or 1, got {self.axis.data}")
        if not is_numeric(operand.element_type):
            raise VerifyException(not_defined(operand.element_type))
        return operand

    @classmethod
    def parse_arguments(cls, parser: Parser) -> Arguments:
        return [parse_value(parser)], parse_axis(parser)

    def print_arguments(self, printer: Printer) -> None:
        printer.print_ssa_value(self.source)
        printer.print_string(f" axis({self.axis.data})")
