"""The `tile` dialect's numbers: what of a loop or a launch is used as a tile."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import AffineMapAttr, IndexType
from xdsl.ir import SSAValue, TypeAttribute
from xdsl.ir.affine import AffineExpr
from xdsl.irdl import irdl_op_definition, prop_def, var_operand_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from pto_wsp.dialects.dtypes import dtype_info, is_integer
from pto_wsp.dialects.indices import index_map, verify_index_map
from pto_wsp.dialects.syntax import parse_index_list, print_index_list
from pto_wsp.dialects.tile_loops import index_range, is_dynamic
from pto_wsp.dialects.tile_types import TileType
from pto_wsp.dialects.tile_values import Arguments, ElementWiseOp


@irdl_op_definition
class NumberOp(ElementWiseOp):
    """An index as a tile of one integer: `%1 = tile.number [%k * 64] : 1x1xi32`."""

    name = "tile.number"

    map_attr = prop_def(AffineMapAttr, prop_name="index")
    indices = var_operand_def(IndexType())

    def __init__(self, index: AffineExpr, indices: Sequence[SSAValue], element_type: TypeAttribute):
        super().__init__(
            operands=[indices],
            properties={"index": index_map((index,), indices)},
            result_types=[TileType((1, 1), element_type)],
        )

    @property
    def index(self) -> AffineExpr:
        """The number, over one symbol per element of `indices`."""
        return self.map_attr.data.results[0]

    def infer_type(self) -> TileType:
        verify_index_map(self.map_attr.data, self.indices)
        if len(self.map_attr.data.results) != 1:
            raise VerifyException(f"one number, got {len(self.map_attr.data.results)}")
        if not is_integer(self.type.element_type):
            raise VerifyException(f"an index is an integer, got {self.type.short}")
        info, found = dtype_info(self.type.element_type), index_range(self.index, self.indices)
        for end in (found.low, found.high):
            if end not in info.range:
                hint = (
                    "; declare its range: Scalar[least, most]" if is_dynamic(self.indices) else ""
                )
                raise VerifyException(
                    f"the number gets to {end}, which is not in {info.range[0]}..{info.range[-1]}"
                    f" of {info.name}{hint}"
                )
        return TileType((1, 1), self.type.element_type)

    @classmethod
    def parse_arguments(cls, parser: Parser) -> Arguments:
        index, operands = parse_index_list(parser)
        return operands, {"index": AffineMapAttr(index)}

    def print_arguments(self, printer: Printer) -> None:
        print_index_list(printer, self.map_attr.data, self.indices)
