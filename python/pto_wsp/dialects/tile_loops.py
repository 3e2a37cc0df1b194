"""The `tile` dialect's ops with a body: fused element-wise ops, and loops that carry values."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import Self
from xdsl.dialects.builtin import AffineMapAttr, IndexType, IntAttr
from xdsl.ir import Block, Operation, Region, SSAValue, TypeAttribute
from xdsl.ir.affine import AffineExpr
from xdsl.irdl import (
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

from pto_wsp.dialects.dtypes import dtype_info, is_integer
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
from pto_wsp.dialects.tile_types import SpaceAttr, TileType
from pto_wsp.dialects.tile_values import (
    Arguments,
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


@irdl_op_definition
class ForOp(CustomSyntax):
    """A loop that carries values: what the body yields is what its next run begins with.

    `%sum = tile.for %k in 0 to 64 step 1 carry(%a = %zero) { .. tile.yield %b }`
    """

    name = "tile.for"

    start_attr = prop_def(IntAttr, prop_name="start")
    stop_attr = prop_def(IntAttr, prop_name="stop")
    step_attr = prop_def(IntAttr, prop_name="step")
    inits = var_operand_def(TileType)
    carried = var_result_def(TileType)
    """What the last run yields; without a run, what the first would have begun with."""
    body = region_def("single_block")

    traits = traits_def(RecursiveMemoryEffect())

    def __init__(self, numbers: range, inits: Sequence[SSAValue], body: Region):
        """The body's block has the loop's number and one argument per carried value."""
        super().__init__(
            operands=[inits],
            properties={
                "start": IntAttr(numbers.start),
                "stop": IntAttr(numbers.stop),
                "step": IntAttr(numbers.step),
            },
            result_types=[[init.type for init in inits]],
            regions=[body],
        )

    @property
    def numbers(self) -> range:
        """The values of the loop's number, in order."""
        return range(self.start_attr.data, self.stop_attr.data, self.step_attr.data)

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
        if self.step_attr.data < 1 or not self.numbers:
            raise VerifyException(
                f"a loop runs at least once, with a step of at least 1: got {_text(self)}"
            )
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
        bounds: list[int] = []
        for word in ("in", "to", "step"):
            parser.parse_keyword(word)
            bounds.append(parser.parse_integer(allow_boolean=False))
        pairs: list[tuple[Parser.Argument, SSAValue]] = []
        if parser.parse_optional_keyword("carry") is not None:
            pairs = parser.parse_comma_separated_list(
                parser.Delimiter.PAREN, lambda: _parse_pair(parser)
            )
        inits = [init for _, init in pairs]
        body = parse_body(parser, [number, *(argument for argument, _ in pairs)])
        start, stop, step = (IntAttr(bound) for bound in bounds)
        return cls.create(
            operands=inits,
            properties={"start": start, "stop": stop, "step": step},
            result_types=[init.type for init in inits],
            regions=[body],
        )

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.number)
        printer.print_string(f" in {_text(self)}")
        if self.inits:
            printer.print_string(" carry(")
            pairs = zip(self.arguments, self.inits, strict=True)
            printer.print_list(pairs, lambda pair: _print_pair(printer, *pair))
            printer.print_string(")")
        print_body(printer, self.body)


def _text(loop: ForOp) -> str:
    return f"{loop.start_attr.data} to {loop.stop_attr.data} step {loop.step_attr.data}"


def _parse_pair(parser: Parser) -> tuple[Parser.Argument, SSAValue]:
    argument = parser.parse_argument(expect_type=False)
    parser.parse_punctuation("=")
    init = parse_value(parser)
    return argument.resolve(init.type), init


def _print_pair(printer: Printer, argument: SSAValue, init: SSAValue) -> None:
    printer.print_ssa_value(argument)
    printer.print_string(" = ")
    printer.print_ssa_value(init)


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
                raise VerifyException(
                    f"the number gets to {end}, which is not in {info.range[0]}..{info.range[-1]}"
                    f" of {info.name}"
                )
        return TileType((1, 1), self.type.element_type)

    @classmethod
    def parse_arguments(cls, parser: Parser) -> Arguments:
        index, operands = parse_index_list(parser)
        return operands, {"index": AffineMapAttr(index)}

    def print_arguments(self, printer: Printer) -> None:
        print_index_list(printer, self.map_attr.data, self.indices)


def index_range(expr: AffineExpr, operands: Sequence[SSAValue]) -> Interval:
    """The values of an index in a kernel, whose symbol i stands for operand i: a loop's number."""
    return interval_of(expr, [_number_range(operand) for operand in operands])


def _number_range(value: SSAValue) -> Interval:
    loop = value.owner.parent_op() if isinstance(value.owner, Block) else None
    if not isinstance(loop, ForOp) or value is not loop.number:
        raise VerifyException("an index in a kernel is the number of a tile.for around it")
    return Interval(loop.numbers[0], loop.numbers[-1], True)
