"""The `task` dialect's loops, parts, conditions and selections."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence, Set

from typing_extensions import Self
from xdsl.dialects.builtin import ArrayAttr, IndexType, IntAttr, UnitAttr, i1
from xdsl.interfaces import HasCanonicalizationPatternsInterface
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.irdl import (
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    region_def,
    traits_def,
    var_operand_def,
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
    parse_number_or_value,
    parse_value,
    print_body,
    print_number_or_value,
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


DYNAMIC = -(2**63)
"""In the property of a loop's extents: the next of its operands, which only a run knows."""


class LoopOp(HasCanonicalizationPatternsInterface, CustomSyntax, ABC):
    """A nest of counted loops, the last axis fastest; an extent is a number or an index value."""

    extent_list = prop_def(ArrayAttr[IntAttr], prop_name="extents")
    checked = opt_prop_def(UnitAttr)
    """Set by `task-check-bounds`: an extent may be negative, so a run tests them."""
    sizes = var_operand_def(IndexType())
    body = region_def("single_block")

    traits = traits_def(NoTerminator(), RecursiveMemoryEffect())

    def __init__(self, extents: Sequence[int | SSAValue], body: Region | None = None):
        """Without a body, an empty block with one index argument per extent is made."""
        if body is None:
            body = Region(Block(arg_types=[IndexType()] * len(extents)))
        numbers = [extent if isinstance(extent, int) else DYNAMIC for extent in extents]
        sizes = [extent for extent in extents if not isinstance(extent, int)]
        super().__init__(operands=[sizes], properties={"extents": ints(numbers)}, regions=[body])

    @property
    def extents(self) -> tuple[int | SSAValue, ...]:
        sizes = iter(self.sizes)
        return tuple(
            next(sizes) if extent.data == DYNAMIC else extent.data for extent in self.extent_list
        )

    @property
    def is_static(self) -> bool:
        """Whether all extents are numbers."""
        return not self.sizes

    @property
    def induction_values(self) -> tuple[SSAValue, ...]:
        """The index of every axis."""
        return tuple(self.body.block.args)

    def verify_(self) -> None:
        arguments = self.body.block.args
        numbers = [extent.data for extent in self.extent_list]
        if len(numbers) != len(arguments) or not arguments:
            raise VerifyException(f"an index per extent, got {len(arguments)} and {len(numbers)}")
        if any(not isinstance(argument.type, IndexType) for argument in arguments):
            raise VerifyException("a loop's arguments are of type index")
        if numbers.count(DYNAMIC) != len(self.sizes):
            raise VerifyException(
                f"{numbers.count(DYNAMIC)} extents are values, got {len(self.sizes)} operands"
            )
        if any(number < 0 for number in numbers if number != DYNAMIC):
            raise VerifyException(f"extents are at least 0, got {join(numbers)}")

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
        extents = parser.parse_comma_separated_list(
            parser.Delimiter.PAREN, lambda: parse_number_or_value(parser)
        )
        checked = parser.parse_optional_keyword("checked") is not None
        op = cls(extents, parse_body(parser, arguments))
        op.checked = UnitAttr() if checked else None
        return op

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" (")
        print_values(printer, self.induction_values)
        printer.print_string(") in (")
        printer.print_list(self.extents, lambda extent: print_number_or_value(printer, extent))
        printer.print_string(")" if self.checked is None else ") checked")
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
class CondOp(CustomSyntax):
    """What runs where a condition holds, and what elsewhere: `task.cond %p {..} else {..}`."""

    name = "task.cond"

    condition = operand_def(i1)
    then = region_def("single_block")
    otherwise = region_def("single_block")

    traits = traits_def(NoTerminator(), RecursiveMemoryEffect())

    def __init__(
        self, condition: SSAValue, then: Region | None = None, otherwise: Region | None = None
    ):
        """Without regions, empty blocks are made."""
        super().__init__(operands=[condition], regions=[new_body(then), new_body(otherwise)])

    def verify_(self) -> None:
        if self.then.block.args or self.otherwise.block.args:
            raise VerifyException("the branches of a condition have no arguments")

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        condition = parse_value(parser)
        then = parse_body(parser)
        has_else = parser.parse_optional_keyword("else") is not None
        return cls(condition, then, parse_body(parser) if has_else else None)

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.condition)
        print_body(printer, self.then)
        if self.otherwise.block.ops:
            printer.print_string(" else")
            print_body(printer, self.otherwise)


@irdl_op_definition
class SelectOp(CustomSyntax):
    """One iteration per element of a row of integers, which it waits for and reads.

    `task.select %e at %k in %row {..}`: %e is the element, %k its place in the row. With
    `from %lo to %hi` only the elements in lo .. hi - 1 are read, and %k counts from lo.
    """

    name = "task.select"

    row = operand_def(TensorType)
    bounds = var_operand_def(IndexType())
    """None, or the first element's place in the row and the place behind the last one's."""
    checked = opt_prop_def(UnitAttr)
    """Set by `task-check-bounds`: the bounds may be in the wrong order, so a run tests them."""
    body = region_def("single_block")

    traits = traits_def(NoTerminator(), _SelectEffects())

    def __init__(self, row: SSAValue, body: Region | None = None, bounds: Sequence[SSAValue] = ()):
        """Without a body, an empty block with the arguments element and position is made."""
        if body is None:
            body = Region(Block(arg_types=[IndexType(), IndexType()]))
        super().__init__(operands=[row, bounds], regions=[body])

    @property
    def element(self) -> SSAValue:
        return self.body.block.args[0]

    @property
    def position(self) -> SSAValue:
        return self.body.block.args[1]

    @property
    def length(self) -> int:
        """The row's elements: the number of iterations, or with bounds the most there are."""
        return max(tensor_type(self.row).shape)

    @property
    def axis(self) -> int:
        """The axis of the row along which its elements lie."""
        shape = tensor_type(self.row).shape
        return max(range(len(shape)), key=lambda axis: (shape[axis] != 1, axis))

    def verify_(self) -> None:
        row = tensor_type(self.row)
        if not is_integer(row.element_type):
            raise VerifyException(f"a row of integers, got {row.short}")
        if sum(extent != 1 for extent in row.shape) > 1:
            raise VerifyException(f"at most one extent of a row is not 1, got {row.short}")
        if len(self.bounds) not in (0, 2):
            raise VerifyException(f"a selection has two bounds or none, got {len(self.bounds)}")
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
        bounds: list[SSAValue] = []
        if parser.parse_optional_keyword("from") is not None:
            bounds.append(parse_value(parser))
            parser.parse_keyword("to")
            bounds.append(parse_value(parser))
        checked = parser.parse_optional_keyword("checked") is not None
        op = cls(row, parse_body(parser, [element, position]), bounds)
        op.checked = UnitAttr() if checked else None
        return op

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.element)
        printer.print_string(" at ")
        printer.print_ssa_value(self.position)
        printer.print_string(" in ")
        printer.print_ssa_value(self.row)
        for keyword, bound in zip(("from", "to"), self.bounds, strict=False):
            printer.print_string(f" {keyword} ")
            printer.print_ssa_value(bound)
        if self.checked is not None:
            printer.print_string(" checked")
        print_body(printer, self.body)
