"""The `task` dialect's numbers: index arithmetic, symbols, slots, and what the workload reads."""

from __future__ import annotations

import operator
from collections.abc import Sequence, Set

from typing_extensions import Self
from xdsl.dialects.builtin import AffineMapAttr, IndexType, IntAttr, StringAttr, UnitAttr, i1
from xdsl.dialects.utils import EnumAttribute
from xdsl.interfaces import HasCanonicalizationPatternsInterface
from xdsl.ir import Operation, SpacedOpaqueSyntaxAttribute, SSAValue
from xdsl.ir.affine import AffineExpr
from xdsl.irdl import (
    irdl_attr_definition,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.pattern_rewriter import RewritePattern
from xdsl.printer import Printer
from xdsl.traits import EffectInstance, MemoryAllocEffect, MemoryEffect, MemoryEffectKind, Pure
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.str_enum import StrEnum

from pto_wsp.dialects.dtypes import is_integer
from pto_wsp.dialects.indices import NUMBER_MAX, IndexLike, index_map, verify_index_map
from pto_wsp.dialects.syntax import (
    CustomSyntax,
    parse_index_list,
    parse_value,
    print_index_list,
)
from pto_wsp.dialects.task_types import TICK, SlotType, TensorType, tensor_type


class _ReadsInTime(MemoryEffect):
    """Reads its operand, and virtual time sees it: equal reads are not the same read."""

    @classmethod
    def get_effects(cls, op: Operation) -> Set[EffectInstance]:
        return {EffectInstance(MemoryEffectKind.READ, op.operands[0]), TICK}


class _WritesInTime(MemoryEffect):
    @classmethod
    def get_effects(cls, op: Operation) -> Set[EffectInstance]:
        return {EffectInstance(MemoryEffectKind.WRITE, op.operands[-1]), TICK}


# ---- Arithmetic --------------------------------------------------------------------------------


@irdl_op_definition
class IndexOp(HasCanonicalizationPatternsInterface, CustomSyntax):
    """A number made of index values: `%i = task.index [%b * 32 + 1]`."""

    name = "task.index"

    map_attr = prop_def(AffineMapAttr, prop_name="map")
    indices = var_operand_def(IndexType())
    result = result_def(IndexType())

    traits = traits_def(Pure())

    def __init__(self, index: IndexLike, operands: Sequence[SSAValue] = ()):
        super().__init__(
            operands=[operands],
            properties={"map": index_map([index], operands)},
            result_types=[IndexType()],
        )

    @property
    def expr(self) -> AffineExpr:
        """The number, over one symbol per operand."""
        return self.map_attr.data.results[0]

    def verify_(self) -> None:
        verify_index_map(self.map_attr.data, self.indices)
        if len(self.map_attr.data.results) != 1:
            raise VerifyException(f"one number, got {len(self.map_attr.data.results)}")

    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        from pto_wsp.transforms.canonicalization_patterns.task import FoldIndexIntoIndex

        return (FoldIndexIntoIndex(),)

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        indices, operands = parse_index_list(parser)
        return cls.create(
            operands=operands,
            properties={"map": AffineMapAttr(indices)},
            result_types=[IndexType()],
        )

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        print_index_list(printer, self.map_attr.data, self.indices)


class Predicate(StrEnum):
    """How two numbers compare."""

    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"

    def holds(self, left: int, right: int) -> bool:
        """Whether two numbers compare so."""
        return bool(getattr(operator, self.value)(left, right))


@irdl_attr_definition
class PredicateAttr(EnumAttribute[Predicate], SpacedOpaqueSyntaxAttribute):
    """`#task<predicate lt>`"""

    name = "task.predicate"


@irdl_op_definition
class CompareOp(HasCanonicalizationPatternsInterface, CustomSyntax):
    """Whether two numbers compare so: `%p = task.compare lt [%i * 2, %n + 1]`."""

    name = "task.compare"

    predicate_attr = prop_def(PredicateAttr, prop_name="predicate")
    map_attr = prop_def(AffineMapAttr, prop_name="map")
    indices = var_operand_def(IndexType())
    result = result_def(i1)

    traits = traits_def(Pure())

    def __init__(
        self, predicate: Predicate, sides: Sequence[IndexLike], operands: Sequence[SSAValue] = ()
    ):
        """`sides` are numbers or expressions over symbols; symbol i stands for `operands[i]`."""
        super().__init__(
            operands=[operands],
            properties={
                "predicate": PredicateAttr(predicate),
                "map": index_map(sides, operands),
            },
            result_types=[i1],
        )

    @property
    def predicate(self) -> Predicate:
        return self.predicate_attr.data

    @property
    def sides(self) -> tuple[AffineExpr, ...]:
        """Left and right, over one symbol per operand."""
        return self.map_attr.data.results

    def verify_(self) -> None:
        verify_index_map(self.map_attr.data, self.indices)
        if len(self.sides) != 2:
            raise VerifyException(f"two numbers are compared, got {len(self.sides)}")

    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        from pto_wsp.transforms.canonicalization_patterns.task import FoldIndexIntoCompare

        return (FoldIndexIntoCompare(),)

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        predicate = parser.parse_str_enum(Predicate)
        sides, operands = parse_index_list(parser)
        return cls.create(
            operands=operands,
            properties={"predicate": PredicateAttr(predicate), "map": AffineMapAttr(sides)},
            result_types=[i1],
        )

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(f" {self.predicate} ")
        print_index_list(printer, self.map_attr.data, self.indices)


# ---- Numbers that a run gives ------------------------------------------------------------------


@irdl_op_definition
class SymbolOp(CustomSyntax):
    """A number that every run gives: `%n = task.symbol "n" from 0 to 1024 default 256`."""

    name = "task.symbol"

    symbol_name_attr = prop_def(StringAttr, prop_name="symbol_name")
    least_attr = prop_def(IntAttr, prop_name="least")
    most_attr = prop_def(IntAttr, prop_name="most")
    default_attr = opt_prop_def(IntAttr, prop_name="default")
    result = result_def(IndexType())

    # Not pure: a run may set a symbol that nothing uses.
    traits = traits_def(MemoryAllocEffect())

    def __init__(self, name: str, least: int, most: int, default: int | None = None):
        super().__init__(
            properties={
                "symbol_name": StringAttr(name),
                "least": IntAttr(least),
                "most": IntAttr(most),
                "default": None if default is None else IntAttr(default),
            },
            result_types=[IndexType()],
        )
        self.result.name_hint = name if SSAValue.is_valid_name(name) else None

    @property
    def symbol_name(self) -> str:
        return self.symbol_name_attr.data

    @property
    def least(self) -> int:
        return self.least_attr.data

    @property
    def most(self) -> int:
        return self.most_attr.data

    @property
    def default(self) -> int | None:
        """Its value in a run that gives none."""
        return None if self.default_attr is None else self.default_attr.data

    def verify_(self) -> None:
        _verify_at_top(self, "a symbol")
        if not -NUMBER_MAX <= self.least <= self.most <= NUMBER_MAX:
            raise VerifyException(
                f"a range within {-NUMBER_MAX} to {NUMBER_MAX}, got {self.least} to {self.most}"
            )
        if self.default is not None and not self.least <= self.default <= self.most:
            raise VerifyException(f"a default in {self.least} to {self.most}, got {self.default}")

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        name = parser.parse_str_literal()
        parser.parse_keyword("from")
        least = parser.parse_integer(allow_boolean=False)
        parser.parse_keyword("to")
        most = parser.parse_integer(allow_boolean=False)
        default = None
        if parser.parse_optional_keyword("default") is not None:
            default = parser.parse_integer(allow_boolean=False)
        return cls(name, least, most, default)

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_string_literal(self.symbol_name)
        printer.print_string(f" from {self.least} to {self.most}")
        if self.default is not None:
            printer.print_string(f" default {self.default}")


@irdl_op_definition
class ReadOp(CustomSyntax):
    """An element of an integer tensor, once the tasks that write it are done: `task.read %v`."""

    name = "task.read"

    source = operand_def(TensorType)
    result = result_def(IndexType())

    traits = traits_def(_ReadsInTime())

    def __init__(self, source: SSAValue):
        super().__init__(operands=[source], result_types=[IndexType()])

    def verify_(self) -> None:
        source = tensor_type(self.source)
        if not is_integer(source.element_type):
            raise VerifyException(f"an integer is read, got {source.short}")
        if any(extent != 1 for extent in source.shape):
            raise VerifyException(f"one element is read, got {source.short}")

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        return cls(parse_value(parser))

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.source)


# ---- Slots -------------------------------------------------------------------------------------


@irdl_op_definition
class SlotOp(CustomSyntax):
    """A number that the workload keeps while it runs, at first 0: `%s = task.slot "count"`."""

    name = "task.slot"

    slot_name_attr = prop_def(StringAttr, prop_name="slot_name")
    result = result_def(SlotType)

    traits = traits_def(MemoryAllocEffect())

    def __init__(self, name: str):
        super().__init__(properties={"slot_name": StringAttr(name)}, result_types=[SlotType()])
        self.result.name_hint = name if SSAValue.is_valid_name(name) else None

    @property
    def slot_name(self) -> str:
        return self.slot_name_attr.data

    def verify_(self) -> None:
        _verify_at_top(self, "a slot")

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        return cls(parser.parse_str_literal())

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_string_literal(self.slot_name)


@irdl_op_definition
class SlotLoadOp(CustomSyntax):
    """The number in a slot: `%n = task.slot_load %s`."""

    name = "task.slot_load"

    slot = operand_def(SlotType)
    result = result_def(IndexType())

    traits = traits_def(_ReadsInTime())

    def __init__(self, slot: SSAValue):
        super().__init__(operands=[slot], result_types=[IndexType()])

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        return cls(parse_value(parser))

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.slot)


@irdl_op_definition
class SlotStoreOp(CustomSyntax):
    """Puts a number into a slot: `task.slot_store %n, %s`."""

    name = "task.slot_store"

    value = operand_def(IndexType())
    slot = operand_def(SlotType)
    checked = opt_prop_def(UnitAttr)
    """Set by `task-check-bounds`: the number may be too large, so a run tests it."""

    traits = traits_def(_WritesInTime())

    def __init__(self, value: SSAValue, slot: SSAValue):
        super().__init__(operands=[value, slot])

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        checked = parser.parse_optional_keyword("checked") is not None
        value = parse_value(parser)
        parser.parse_punctuation(",")
        op = cls(value, parse_value(parser))
        op.checked = UnitAttr() if checked else None
        return op

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" " if self.checked is None else " checked ")
        printer.print_ssa_value(self.value)
        printer.print_string(", ")
        printer.print_ssa_value(self.slot)


def _verify_at_top(op: Operation, what: str) -> None:
    parent = op.parent_op()
    if parent is None or parent.name != "task.workload":
        raise VerifyException(f"{what} is declared at the top of a workload")
