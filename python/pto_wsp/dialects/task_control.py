"""The `task` dialect's loops, parts and selections."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence, Set

from typing_extensions import Self
from xdsl.dialects.builtin import ArrayAttr, IndexType, IntAttr
from xdsl.interfaces import HasCanonicalizationPatternsInterface
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.irdl import (
    irdl_op_definition,
    operand_def,
    prop_def,
    region_def,
    traits_def,
    var_region_def,
)
from xdsl.parser import Parser
from xdsl.pattern_rewriter import RewritePattern
from xdsl.printer import Printer
from xdsl.traits import EffectInstance, MemoryEffectKind, NoTerminator, RecursiveMemoryEffect
from xdsl.utils.exceptions import VerifyException

from pto_wsp.dialects.dtypes import is_integer
from pto_wsp.dialects.syntax import (
    CustomSyntax,
    ints,
    join,
    new_body,
    parse_body,
    parse_ints,
    parse_value,
    print_body,
    print_values,
)
from pto_wsp.dialects.task_types import TICK, TensorType, tensor_type


class _SelectEffects(RecursiveMemoryEffect):
    @classmethod
    def get_effects(cls, op: Operation) -> Set[EffectInstance] | None:
        assert isinstance(op, SelectOp)
        nested = super().get_effects(op)
        if nested is None:
            return None
        return nested | {EffectInstance(MemoryEffectKind.READ, op.row), TICK}


class LoopOp(HasCanonicalizationPatternsInterface, CustomSyntax, ABC):
    """A nest of counted loops, the last axis fastest."""

    extent_list = prop_def(ArrayAttr[IntAttr], prop_name="extents")
    body = region_def("single_block")

    traits = traits_def(NoTerminator(), RecursiveMemoryEffect())

    def __init__(self, extents: Sequence[int], body: Region | None = None):
        """Without a body, an empty block with one index argument per extent is made."""
        if body is None:
            body = Region(Block(arg_types=[IndexType()] * len(extents)))
        super().__init__(properties={"extents": ints(extents)}, regions=[body])

    @property
    def extents(self) -> tuple[int, ...]:
        return tuple(extent.data for extent in self.extent_list)

    @property
    def induction_values(self) -> tuple[SSAValue, ...]:
        """The index of every axis."""
        return tuple(self.body.block.args)

    def verify_(self) -> None:
        arguments = self.body.block.args
        if len(self.extents) != len(arguments) or not arguments:
            raise VerifyException(
                f"an index per extent, got {len(arguments)} and {len(self.extents)}"
            )
        if any(not isinstance(argument.type, IndexType) for argument in arguments):
            raise VerifyException("a loop's arguments are of type index")
        if any(extent < 0 for extent in self.extents):
            raise VerifyException(f"extents are at least 0, got {join(self.extents)}")

    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        from pto_wsp.transforms.canonicalization_patterns.task import DropEmptyLoop

        return (DropEmptyLoop(),)

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        arguments = parser.parse_comma_separated_list(
            parser.Delimiter.PAREN, lambda: _parse_index_argument(parser)
        )
        parser.parse_keyword("in")
        extents = parse_ints(parser, parser.Delimiter.PAREN)
        return cls(extents, parse_body(parser, arguments))

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" (")
        print_values(printer, self.induction_values)
        printer.print_string(f") in ({join(self.extents)})")
        print_body(printer, self.body)


def _parse_index_argument(parser: Parser) -> Parser.Argument:
    return parser.parse_argument(expect_type=False).resolve(IndexType())


@irdl_op_definition
class ParallelOp(LoopOp):
    """Iterations in index order, without order in time: `task.parallel (%b, %s) in (1, 8) {..}`."""

    name = "task.parallel"


@irdl_op_definition
class SeqOp(LoopOp):
    """Iterations of which each waits for the one before it: `task.seq (%t) in (8) {..}`."""

    name = "task.seq"


@irdl_op_definition
class SequentialOp(CustomSyntax):
    """Parts of which each waits for the one before it: `task.sequential {..} then {..}`."""

    name = "task.sequential"

    parts = var_region_def("single_block")

    traits = traits_def(NoTerminator(), RecursiveMemoryEffect())

    def __init__(self, parts: Sequence[Region]):
        super().__init__(regions=[parts])

    def verify_(self) -> None:
        if not self.parts:
            raise VerifyException("a sequential has at least one part")
        if any(part.block.args for part in self.parts):
            raise VerifyException("a part has no arguments")

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        parts = [parse_body(parser)]
        while parser.parse_optional_keyword("then") is not None:
            parts.append(parse_body(parser))
        return cls(parts)

    def print_syntax(self, printer: Printer) -> None:
        for index, part in enumerate(self.parts):
            if index:
                printer.print_string(" then")
            print_body(printer, part)


@irdl_op_definition
class CombineOp(HasCanonicalizationPatternsInterface, CustomSyntax):
    """Groups what it holds and orders nothing: `task.combine {..}`."""

    name = "task.combine"

    body = region_def("single_block")

    traits = traits_def(NoTerminator(), RecursiveMemoryEffect())

    def __init__(self, body: Region | None = None):
        super().__init__(regions=[new_body(body)])

    def verify_(self) -> None:
        if self.body.block.args:
            raise VerifyException("a combine has no arguments")

    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        from pto_wsp.transforms.canonicalization_patterns.task import InlineCombine

        return (InlineCombine(),)

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        return cls(parse_body(parser))

    def print_syntax(self, printer: Printer) -> None:
        print_body(printer, self.body)


@irdl_op_definition
class SelectOp(CustomSyntax):
    """One iteration per element of a row of integers, which it waits for and reads.

    `task.select %e at %k in %row {..}`: %e is the element, %k its place in the row.
    """

    name = "task.select"

    row = operand_def(TensorType)
    body = region_def("single_block")

    traits = traits_def(NoTerminator(), _SelectEffects())

    def __init__(self, row: SSAValue, body: Region | None = None):
        """Without a body, an empty block with the arguments element and position is made."""
        if body is None:
            body = Region(Block(arg_types=[IndexType(), IndexType()]))
        super().__init__(operands=[row], regions=[body])

    @property
    def element(self) -> SSAValue:
        return self.body.block.args[0]

    @property
    def position(self) -> SSAValue:
        return self.body.block.args[1]

    @property
    def length(self) -> int:
        """The number of iterations: the row's elements."""
        return max(tensor_type(self.row).shape)

    def verify_(self) -> None:
        row = tensor_type(self.row)
        if not is_integer(row.element_type):
            raise VerifyException(f"a row of integers, got {row.short}")
        if sum(extent != 1 for extent in row.shape) > 1:
            raise VerifyException(f"at most one extent of a row is not 1, got {row.short}")
        arguments = self.body.block.args
        if [argument.type for argument in arguments] != [IndexType(), IndexType()]:
            raise VerifyException("the body has two index arguments: element and position")

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        element = _parse_index_argument(parser)
        parser.parse_keyword("at")
        position = _parse_index_argument(parser)
        parser.parse_keyword("in")
        row = parse_value(parser)
        return cls(row, parse_body(parser, [element, position]))

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.element)
        printer.print_string(" at ")
        printer.print_ssa_value(self.position)
        printer.print_string(" in ")
        printer.print_ssa_value(self.row)
        print_body(printer, self.body)
