"""The `tile` dialect's op that shows numbers."""

from __future__ import annotations

from typing_extensions import Self
from xdsl.dialects.builtin import StringAttr
from xdsl.ir import SSAValue
from xdsl.irdl import irdl_op_definition, operand_def, prop_def
from xdsl.parser import Parser
from xdsl.printer import Printer

from pto_wsp.dialects.syntax import CustomSyntax, parse_value
from pto_wsp.dialects.tile_types import TileType


@irdl_op_definition
class DebugOp(CustomSyntax):
    """Prints a tile where the kernel computes numbers, in no time: `tile.debug "scores", %0`."""

    name = "tile.debug"

    title = prop_def(StringAttr, prop_name="name")
    source = operand_def(TileType)

    def __init__(self, title: str, source: SSAValue):
        super().__init__(operands=[source], properties={"name": StringAttr(title)})

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        title = parser.parse_str_literal()
        parser.parse_punctuation(",")
        return cls(title, parse_value(parser))

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_string_literal(self.title.data)
        printer.print_string(", ")
        printer.print_ssa_value(self.source)
