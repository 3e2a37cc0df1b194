"""Text to IR and back."""

from __future__ import annotations

import io
from bisect import bisect_right
from itertools import accumulate

from xdsl.context import Context
from xdsl.dialects.builtin import UNKNOWN_LOC, ModuleOp
from xdsl.ir import Operation
from xdsl.parser import Parser
from xdsl.printer import Printer

from pto_wsp.dialects.locations import file_location


class LocatedParser(Parser):
    """Gives every op without a `loc(..)` its place in the text, so that all messages have one."""

    def __init__(self, ctx: Context, text: str, name: str):
        super().__init__(ctx, text, name)
        self._name = name
        self._line_ends = list(accumulate(len(line) + 1 for line in text.split("\n")))

    def parse_operation(self) -> Operation:
        start = self._current_token.span.start
        op = super().parse_operation()
        if op.location == UNKNOWN_LOC:
            line = bisect_right(self._line_ends, start)
            column = start - (self._line_ends[line - 1] if line else 0)
            op.location = file_location(self._name, line + 1, column + 1)
        return op


def parse_module(ctx: Context, text: str, name: str) -> ModuleOp:
    """The module that `text` holds; `name` stands for it in locations. Raises ParseError."""
    return LocatedParser(ctx, text, name).parse_module()


def to_text(op: Operation, *, generic: bool = False, debuginfo: bool = False) -> str:
    """An op as text with a newline at its end: generic syntax, with locations."""
    out = io.StringIO()
    Printer(out, print_generic_format=generic, print_debuginfo=debuginfo).print_op(op)
    return out.getvalue() + "\n"


def part(module: ModuleOp, dialect: str) -> ModuleOp:
    """A copy of the module that holds only the top-level ops of a dialect."""
    kept = [op.clone() for op in module.body.block.ops if op.dialect_name() == dialect]
    return ModuleOp(kept)
