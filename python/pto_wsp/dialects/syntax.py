"""What the custom syntaxes of the dialects share: operands without types, index lists, regions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from typing_extensions import Self
from xdsl.dialects.builtin import ArrayAttr, IntAttr, StringAttr
from xdsl.ir import Block, Region, SSAValue
from xdsl.ir.affine import (
    AffineBinaryOpExpr,
    AffineBinaryOpKind,
    AffineConstantExpr,
    AffineExpr,
    AffineMap,
    AffineSymExpr,
)
from xdsl.irdl import IRDLOperation
from xdsl.parser import AttrParser, Parser, UnresolvedOperand
from xdsl.printer import Printer


class CustomSyntax(IRDLOperation, ABC):
    """An op with hand-written syntax; unknown attributes follow it as `attributes {..}`."""

    @classmethod
    @abstractmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        """Parses what follows the op's name."""

    @abstractmethod
    def print_syntax(self, printer: Printer) -> None:
        """Prints what `parse_syntax` reads, with a leading space."""

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        op = cls.parse_syntax(parser)
        if (extra := parser.parse_optional_attr_dict_with_keyword()) is not None:
            op.attributes |= extra.data
        return op

    def print(self, printer: Printer) -> None:
        self.print_syntax(printer)
        printer.print_op_attributes(self.attributes, print_keyword=True)


# ---- Operands and regions ---------------------------------------------------------------------


def parse_value(parser: Parser) -> SSAValue:
    """A value that is defined above: its type is known, hence not written."""
    return resolved(parser, parser.parse_unresolved_operand("expected a value such as %x"))


def resolved(parser: Parser, operand: UnresolvedOperand) -> SSAValue:
    """The value that a name stands for."""
    values = parser.ssa_values.get(operand.operand_name)
    span = operand.span
    if values is None:
        parser.raise_error(f"%{operand.operand_name} is not defined above", span)
    if operand.index >= len(values):
        parser.raise_error(f"%{operand.operand_name} has only {len(values)} values", span)
    return values[operand.index]


def parse_values(parser: Parser) -> list[SSAValue]:
    """One or more values, separated by commas."""
    return parser.parse_comma_separated_list(parser.Delimiter.NONE, lambda: parse_value(parser))


def print_values(printer: Printer, values: Sequence[SSAValue]) -> None:
    printer.print_list(values, printer.print_ssa_value)


def parse_number_or_value(parser: Parser) -> int | SSAValue:
    """`8` or `%n`"""
    number = parser.parse_optional_integer(allow_boolean=False)
    return parse_value(parser) if number is None else number


def print_number_or_value(printer: Printer, number: int | SSAValue) -> None:
    if isinstance(number, int):
        printer.print_string(str(number))
    else:
        printer.print_ssa_value(number)


def parse_body(parser: Parser, arguments: Sequence[Parser.Argument] = ()) -> Region:
    """A region of one block, which `{}` is too (xDSL's parser makes none of that)."""
    region = parser.parse_region(arguments)
    if not region.blocks:
        region.add_block(Block(arg_types=[argument.type for argument in arguments]))
    return region


def print_body(printer: Printer, region: Region) -> None:
    printer.print_string(" ")
    printer.print_region(region, print_entry_block_args=False, print_empty_block=False)


def new_body(body: Region | None) -> Region:
    """The given region, or a new one with an empty block."""
    return Region(Block()) if body is None else body


# ---- Numbers -----------------------------------------------------------------------------------


def parse_ints(parser: AttrParser, delimiter: AttrParser.Delimiter) -> list[int]:
    return parser.parse_comma_separated_list(
        delimiter, lambda: parser.parse_integer(allow_boolean=False)
    )


def ints(values: Sequence[int] | ArrayAttr[IntAttr]) -> ArrayAttr[IntAttr]:
    if isinstance(values, ArrayAttr):
        return values
    return ArrayAttr(IntAttr(value) for value in values)


def integer(value: int | IntAttr) -> IntAttr:
    return value if isinstance(value, IntAttr) else IntAttr(value)


def strings(values: Sequence[str]) -> ArrayAttr[StringAttr]:
    return ArrayAttr(StringAttr(value) for value in values)


def number_text(number: float) -> str:
    """A number as MLIR's lexer reads it back."""
    return with_point(repr(number))


def with_point(text: str) -> str:
    """Digits with a point before the exponent, without which MLIR's lexer reads none."""
    return text.replace("e", ".0e") if "e" in text and "." not in text else text


def join(values: Sequence[int], separator: str = ", ") -> str:
    return separator.join(str(value) for value in values)


# ---- Index lists: `[%b, %s * 32 + 1, 0]` -------------------------------------------------------

_PRECEDENCE = {AffineBinaryOpKind.Add: 1}
_OPERATOR = {
    AffineBinaryOpKind.Add: "+",
    AffineBinaryOpKind.Mul: "*",
    AffineBinaryOpKind.Mod: "mod",
    AffineBinaryOpKind.FloorDiv: "floordiv",
    AffineBinaryOpKind.CeilDiv: "ceildiv",
}


def parse_index_list(parser: Parser) -> tuple[AffineMap, Sequence[SSAValue]]:
    """A map over symbols, and the index value of each symbol."""
    start = parser.pos
    try:
        return parser.parse_affine_map_of_ssa_ids()
    except (NotImplementedError, ZeroDivisionError):
        # How xDSL's affine expressions refuse what is not affine.
        message = "an index is multiplied and divided by numbers other than 0 only"
        parser.raise_error(message, start, parser.pos)


def print_index_list(printer: Printer, indices: AffineMap, operands: Sequence[SSAValue]) -> None:
    """Prints a map over symbols with its operands in the places of the symbols."""
    printer.print_string("[")
    printer.print_list(indices.results, lambda expr: _print_index(printer, expr, operands, 0))
    printer.print_string("]")


def _print_index(
    printer: Printer, expr: AffineExpr, operands: Sequence[SSAValue], outer: int
) -> None:
    match expr:
        case AffineConstantExpr():
            printer.print_string(str(expr.value))
        case AffineSymExpr():
            printer.print_ssa_value(operands[expr.position])
        case AffineBinaryOpExpr():
            level = _PRECEDENCE.get(expr.kind, 2)
            if level < outer:
                printer.print_string("(")
            _print_index(printer, expr.lhs, operands, level)
            printer.print_string(f" {_OPERATOR[expr.kind]} ")
            _print_index(printer, expr.rhs, operands, level + 1)
            if level < outer:
                printer.print_string(")")
        case _:
            raise ValueError(f"an index list has symbols only, got {expr}")
