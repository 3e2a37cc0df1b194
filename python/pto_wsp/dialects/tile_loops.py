"""The `tile` dialect's ops with a body: fused element-wise ops, and loops that carry values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from typing_extensions import Self
from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr, IndexType, IntAttr
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineConstantExpr, AffineExpr
from xdsl.irdl import (
    AttrSizedOperandSegments,
    irdl_op_definition,
    lazy_traits_def,
    opt_prop_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import HasParent, IsTerminator, Pure, RecursiveMemoryEffect
from xdsl.utils.exceptions import VerifyException

from pto_wsp.dialects.indices import Interval, index_map, interval_of, verify_index_map
from pto_wsp.dialects.syntax import (
    CustomSyntax,
    parse_body,
    parse_index_list,
    parse_value,
    print_body,
    print_index_list,
    print_values,
    resolved,
)
from pto_wsp.dialects.tile_types import NumberAttr, SpaceAttr, TileType
from pto_wsp.dialects.tile_values import (
    ElementWiseOp,
    parse_type,
    print_type,
    tile_type,
)


@irdl_op_definition
class YieldOp(CustomSyntax):
    """The value of a `tile.fused`, or what a `tile.for` carries on: `tile.yield %1, %2`."""

    name = "tile.yield"

    values = var_operand_def(TileType)

    traits = lazy_traits_def(lambda: (IsTerminator(), HasParent(FusedOp, ForOp), Pure()))

    def __init__(self, *values: SSAValue):
        super().__init__(operands=[values])

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        values: list[SSAValue] = []
        if (first := parser.parse_optional_unresolved_operand()) is not None:
            values.append(resolved(parser, first))
            while parser.parse_optional_punctuation(",") is not None:
                values.append(parse_value(parser))
        return cls(*values)

    def print_syntax(self, printer: Printer) -> None:
        if self.values:
            printer.print_string(" ")
            print_values(printer, self.values)


@irdl_op_definition
class FusedOp(CustomSyntax):
    """Element-wise ops that run as one loop; they may use any value from above.

    `%2 = tile.fused { %1 = tile.exp %0 : 32x128xf32  tile.yield %1 } : 32x128xf32`
    """

    name = "tile.fused"

    space = opt_prop_def(SpaceAttr)
    result = result_def(TileType)
    body = region_def("single_block")

    traits = traits_def(Pure())

    def __init__(self, body: Region, result: TileType):
        super().__init__(regions=[body], result_types=[result])

    @property
    def type(self) -> TileType:
        """The result's type: the loop runs over its extents."""
        return self.result.type

    @property
    def ops(self) -> tuple[Operation, ...]:
        """The ops of the loop without the yield, in order."""
        return tuple(op for op in self.body.block.ops if not isinstance(op, YieldOp))

    @property
    def yielded(self) -> SSAValue:
        """The value, defined in the body, that becomes the result."""
        last = self.body.block.last_op
        assert isinstance(last, YieldOp)
        return last.values[0]

    @property
    def inputs(self) -> tuple[SSAValue, ...]:
        """The values from above that the body uses, in order of first use."""
        inside = {result for op in self.body.block.ops for result in op.results}
        used = [operand for op in self.body.block.ops for operand in op.operands]
        return tuple(dict.fromkeys(value for value in used if value not in inside))

    def verify_(self) -> None:
        *ops, last = self.body.block.ops if self.body.block.ops else (None,)
        if not isinstance(last, YieldOp) or len(last.values) != 1:
            raise VerifyException("the body ends in tile.yield of one value")
        for op in ops:
            if not isinstance(op, ElementWiseOp):
                raise VerifyException(f"only element-wise ops can be fused, got {op.name}")
        if self.yielded.type != self.type:
            raise VerifyException(
                f"the body yields {tile_type(self.yielded).short}, declared as {self.type.short}"
            )

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        body = parse_body(parser)
        result, placement = parse_type(parser)
        return cls.create(properties=placement, regions=[body], result_types=[result])

    def print_syntax(self, printer: Printer) -> None:
        print_body(printer, self.body)
        print_type(printer, self.type, self.space)


@dataclass(frozen=True)
class Bounds:
    """The numbers start, start + step, ... below a stop that only a task knows."""

    start: int
    stop: AffineExpr
    step: int
    indices: tuple[SSAValue, ...]
    """What the symbols of the stop stand for: numbers of the kernel."""


@irdl_op_definition
class ForOp(CustomSyntax):
    """A loop that carries values: what the body yields is what its next run begins with.

    `%sum = tile.for %k in 0 to 64 step 1 carry(%a = %zero) { .. tile.yield %b }`
    Where the kernel's numbers decide its length: `tile.for %k in 0 to [%n floordiv 64] step 1`.
    """

    name = "tile.for"

    start_attr = prop_def(IntAttr, prop_name="start")
    stop_attr = prop_def(AffineMapAttr, prop_name="stop")
    step_attr = prop_def(IntAttr, prop_name="step")
    indices = var_operand_def(IndexType())
    """What the stop is made of: numbers of the kernel."""
    inits = var_operand_def(TileType)
    carried = var_result_def(TileType)
    """What the last run yields; without a run, what the first would have begun with."""
    body = region_def("single_block")

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(RecursiveMemoryEffect())

    def __init__(self, bounds: range | Bounds, inits: Sequence[SSAValue], body: Region):
        """The body's block has the loop's number and one argument per carried value."""
        indices = bounds.indices if isinstance(bounds, Bounds) else ()
        super().__init__(
            operands=[indices, inits],
            properties={
                "start": IntAttr(bounds.start),
                "stop": index_map((bounds.stop,), indices),
                "step": IntAttr(bounds.step),
            },
            result_types=[[init.type for init in inits]],
            regions=[body],
        )

    @property
    def start(self) -> int:
        return self.start_attr.data

    @property
    def stop(self) -> AffineExpr:
        """The numbers stay below it: over one symbol per element of `indices`."""
        return self.stop_attr.data.results[0]

    @property
    def step(self) -> int:
        return self.step_attr.data

    @property
    def bounds(self) -> range | Bounds:
        """What the loop was made of."""
        if (numbers := self.numbers) is not None:
            return numbers
        return Bounds(self.start, self.stop, self.step, tuple(self.indices))

    @property
    def numbers(self) -> range | None:
        """The values of the loop's number, in order; None where the kernel's numbers decide."""
        if not isinstance(self.stop, AffineConstantExpr):
            return None
        return range(self.start, self.stop.value, self.step)

    @property
    def least_stop(self) -> int:
        """A stop below it, a negative length, is no loop of no runs but a mistake."""
        return min(self.start, 0)

    @property
    def number(self) -> SSAValue:
        """The loop's number, in its body."""
        return self.body.block.args[0]

    @property
    def arguments(self) -> tuple[SSAValue, ...]:
        """What the body begins with, per carried value."""
        return tuple(self.body.block.args[1:])

    @property
    def yielded(self) -> tuple[SSAValue, ...]:
        """What the body ends with, per carried value."""
        last = self.body.block.last_op
        assert isinstance(last, YieldOp)
        return tuple(last.values)

    def verify_(self) -> None:
        verify_index_map(self.stop_attr.data, self.indices)
        if len(self.stop_attr.data.results) != 1:
            raise VerifyException("a loop has one stop")
        if self.step < 1 or (self.numbers is not None and not self.numbers):
            found = f"{self.start} to {self.stop} step {self.step}"
            raise VerifyException(
                f"a loop runs at least once, with a step of at least 1: got {found}"
            )
        for index in self.indices:
            if _loop_of(index) is not None:
                raise VerifyException("a loop's length is no number of another loop")
        index_range(self.stop, self.indices)
        types = [tile_type(init) for init in self.inits]
        if [argument.type for argument in self.body.block.args] != [IndexType(), *types]:
            raise VerifyException("the body takes the loop's number and the carried values")
        if [value.type for value in self.carried] != types:
            raise VerifyException("the results have the types of the carried values")
        last = self.body.block.last_op
        if not isinstance(last, YieldOp):
            raise VerifyException("the body ends in tile.yield")
        if [value.type for value in last.values] != types:
            found = ", ".join(tile_type(value).short for value in last.values) or "nothing"
            wanted = ", ".join(type.short for type in types) or "nothing"
            raise VerifyException(f"the body yields {found}, the loop carries {wanted}")

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        number = parser.parse_argument(expect_type=False).resolve(IndexType())
        parser.parse_keyword("in")
        start = parser.parse_integer(allow_boolean=False)
        parser.parse_keyword("to")
        stop, indices = _parse_stop(parser)
        parser.parse_keyword("step")
        step = parser.parse_integer(allow_boolean=False)
        pairs: list[tuple[Parser.Argument, SSAValue]] = []
        if parser.parse_optional_keyword("carry") is not None:
            pairs = parser.parse_comma_separated_list(
                parser.Delimiter.PAREN, lambda: _parse_pair(parser)
            )
        inits = [init for _, init in pairs]
        body = parse_body(parser, [number, *(argument for argument, _ in pairs)])
        return cls.build(
            operands=[indices, inits],
            properties={"start": IntAttr(start), "stop": stop, "step": IntAttr(step)},
            result_types=[[init.type for init in inits]],
            regions=[body],
        )

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.number)
        printer.print_string(f" in {self.start} to ")
        if isinstance(self.stop, AffineConstantExpr):
            printer.print_string(str(self.stop.value))
        else:
            print_index_list(printer, self.stop_attr.data, self.indices)
        printer.print_string(f" step {self.step}")
        if self.inits:
            printer.print_string(" carry(")
            pairs = zip(self.arguments, self.inits, strict=True)
            printer.print_list(pairs, lambda pair: _print_pair(printer, *pair))
            printer.print_string(")")
        print_body(printer, self.body)


def _parse_stop(parser: Parser) -> tuple[AffineMapAttr, Sequence[SSAValue]]:
    """`8`, or `[%n + 1]`"""
    number = parser.parse_optional_integer(allow_boolean=False)
    if number is not None:
        return index_map((number,), ()), ()
    stop, indices = parse_index_list(parser)
    return AffineMapAttr(stop), indices


def _parse_pair(parser: Parser) -> tuple[Parser.Argument, SSAValue]:
    argument = parser.parse_argument(expect_type=False)
    parser.parse_punctuation("=")
    init = parse_value(parser)
    return argument.resolve(init.type), init


def _print_pair(printer: Printer, argument: SSAValue, init: SSAValue) -> None:
    printer.print_ssa_value(argument)
    printer.print_string(" = ")
    printer.print_ssa_value(init)


def index_range(expr: AffineExpr, operands: Sequence[SSAValue]) -> Interval:
    """The values of an index in a kernel, whose symbol i stands for operand i: the number of a
    loop, or one that the kernel's tasks give it."""
    ranges = [_number_range(operand) for operand in operands]
    for part in expr.dfs():
        found = interval_of(part, ranges)
        if max(-found.low, found.high) > _MOST:
            raise VerifyException("an index gets beyond 2**60: use smaller factors and ranges")
    return interval_of(expr, ranges)


def is_dynamic(operands: Sequence[SSAValue]) -> bool:
    """True for an index that the kernel's numbers decide, itself or by the length of a loop."""
    loops = [_loop_of(operand) for operand in operands]
    return any(loop is None or loop.numbers is None for loop in loops)


_MOST = 1 << 60


def _loop_of(index: SSAValue) -> ForOp | None:
    """The loop whose number it is; None for a number that the kernel's tasks give it."""
    block = index.owner
    loop = block.parent_op() if isinstance(block, Block) else None
    return loop if isinstance(loop, ForOp) and index is loop.number else None


def _number_range(value: SSAValue) -> Interval:
    if (loop := _loop_of(value)) is None:
        return _given_range(value)
    if (numbers := loop.numbers) is not None:
        return Interval(numbers[0], numbers[-1], True)
    most = range(loop.start, index_range(loop.stop, loop.indices).high, loop.step)
    return Interval(loop.start, most[-1] if most else loop.start, False)


def _given_range(value: SSAValue) -> Interval:
    """The range of a number that the kernel's tasks give it."""
    block = value.owner
    kernel = block.parent_op() if isinstance(block, Block) else None
    given = None if kernel is None else kernel.properties.get("numbers")
    if isinstance(block, Block) and isinstance(given, ArrayAttr):
        numbers = cast("ArrayAttr[Attribute]", given).data
        position = block.args.index(value) - (len(block.args) - len(numbers))
        number = numbers[position] if position >= 0 else None
        if isinstance(number, NumberAttr):
            return Interval(number.least, number.most, False)
    raise VerifyException(
        "an index in a kernel is a number of a tile.for around it or of its tasks"
    )
