"""Key functions of a plan: a number of a task, such as a priority or a stream.

A key's body is pure: what it asks of the task, `task.index`, and `arith` on index and i1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from typing_extensions import Self
from xdsl.dialects import arith
from xdsl.dialects.builtin import (
    ArrayAttr,
    FlatSymbolRefAttrConstr,
    IndexType,
    IntAttr,
    StringAttr,
    SymbolNameConstraint,
    SymbolRefAttr,
    i1,
)
from xdsl.ir import Block, BlockArgument, ParametrizedAttribute, Region, SSAValue, TypeAttribute
from xdsl.irdl import (
    irdl_attr_definition,
    irdl_op_definition,
    lazy_traits_def,
    operand_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsolatedFromAbove, IsTerminator, Pure
from xdsl.utils.exceptions import VerifyException

from pto_wsp.dialects.syntax import (
    CustomSyntax,
    integer,
    ints,
    join,
    parse_body,
    parse_ints,
    parse_value,
    print_body,
)
from pto_wsp.dialects.task import IndexOp

ARITHMETIC = (
    arith.ConstantOp,
    arith.AddiOp,
    arith.SubiOp,
    arith.MuliOp,
    arith.MinSIOp,
    arith.MaxSIOp,
    arith.CmpiOp,
    arith.SelectOp,
    arith.AndIOp,
    arith.OrIOp,
    arith.XOrIOp,
)


@irdl_attr_definition
class TaskType(ParametrizedAttribute, TypeAttribute):
    """The task that a key function looks at: `!schedule.task`."""

    name = "schedule.task"


@irdl_op_definition
class AxisOp(CustomSyntax):
    """The value of a task's axis, or a number where it has none of that name.

    `%h = schedule.axis %task "head" else 0`
    """

    name = "schedule.axis"

    task = operand_def(TaskType)
    axis_attr = prop_def(StringAttr, prop_name="axis")
    default_attr = prop_def(IntAttr, prop_name="default")
    result = result_def(IndexType())

    traits = traits_def(Pure())

    def __init__(self, task: SSAValue, axis: str, default: int = 0):
        super().__init__(
            operands=[task],
            properties={"axis": StringAttr(axis), "default": integer(default)},
            result_types=[IndexType()],
        )

    @property
    def axis(self) -> str:
        return self.axis_attr.data

    @property
    def default(self) -> int:
        return self.default_attr.data

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        task = parse_value(parser)
        axis = parser.parse_str_literal()
        parser.parse_keyword("else")
        return cls(task, axis, parser.parse_integer(allow_boolean=False))

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.task)
        printer.print_string(f' "{self.axis}" else {self.default}')


@irdl_op_definition
class IdOp(CustomSyntax):
    """A task's number in program order, from 0: `%i = schedule.id %task`."""

    name = "schedule.id"

    task = operand_def(TaskType)
    result = result_def(IndexType())

    traits = traits_def(Pure())

    def __init__(self, task: SSAValue):
        super().__init__(operands=[task], result_types=[IndexType()])

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        return cls(parse_value(parser))

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.task)


@irdl_op_definition
class IsKernelOp(CustomSyntax):
    """Whether the task runs a kernel: `%e = schedule.is_kernel %task @expert`."""

    name = "schedule.is_kernel"

    task = operand_def(TaskType)
    kernel_attr = prop_def(FlatSymbolRefAttrConstr, prop_name="kernel")
    result = result_def(i1)

    traits = traits_def(Pure())

    def __init__(self, task: SSAValue, kernel: str):
        super().__init__(
            operands=[task], properties={"kernel": SymbolRefAttr(kernel)}, result_types=[i1]
        )

    @property
    def kernel(self) -> str:
        """The kernel's name without the @."""
        return self.kernel_attr.string_value()

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        return cls(parse_value(parser), parser.parse_symbol_name().data)

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.task)
        printer.print_string(" ")
        printer.print_symbol_name(self.kernel)


@irdl_op_definition
class PlaceOp(CustomSyntax):
    """A task's position in a grid, row-major: axis i of the task modulo extent i of the grid.

    `%p = schedule.place %task [4, 6]`; axes that a task lacks count as 0.
    """

    name = "schedule.place"

    task = operand_def(TaskType)
    grid_attr = prop_def(ArrayAttr[IntAttr], prop_name="grid")
    result = result_def(IndexType())

    traits = traits_def(Pure())

    def __init__(self, task: SSAValue, grid: Sequence[int]):
        super().__init__(
            operands=[task], properties={"grid": ints(list(grid))}, result_types=[IndexType()]
        )

    @property
    def grid(self) -> tuple[int, ...]:
        return tuple(extent.data for extent in self.grid_attr)

    def verify_(self) -> None:
        if not self.grid or min(self.grid) < 1:
            raise VerifyException(f"a grid has extents of at least 1, got {join(self.grid)}")

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        return cls(parse_value(parser), parse_ints(parser, parser.Delimiter.SQUARE))

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.task)
        printer.print_string(f" [{join(self.grid)}]")


@irdl_op_definition
class YieldOp(CustomSyntax):
    """A key function's number: `schedule.yield %r`."""

    name = "schedule.yield"

    value = operand_def(IndexType())

    traits = lazy_traits_def(lambda: (IsTerminator(),))

    def __init__(self, value: SSAValue):
        super().__init__(operands=[value])

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        return cls(parse_value(parser))

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.value)


@irdl_op_definition
class KeyOp(CustomSyntax):
    """A number of a task, for the policies that name it.

    `schedule.key @turn (%task) { %h = schedule.axis %task "head" else 0  schedule.yield %h }`
    """

    name = "schedule.key"

    sym_name = prop_def(SymbolNameConstraint())
    body = region_def("single_block")

    traits = traits_def(IsolatedFromAbove())

    def __init__(self, name: str, body: Region | None = None):
        super().__init__(
            properties={"sym_name": StringAttr(name)},
            regions=[Region(Block(arg_types=[TaskType()])) if body is None else body],
        )
        if body is None:
            self.task.name_hint = "task"

    @property
    def symbol(self) -> str:
        """The key's name without the @."""
        return self.sym_name.data

    @property
    def task(self) -> BlockArgument:
        return self.body.block.args[0]

    @property
    def result(self) -> SSAValue:
        """What it yields."""
        return cast(YieldOp, self.body.block.last_op).value

    def verify_(self) -> None:
        if [type(argument.type) for argument in self.body.block.args] != [TaskType]:
            raise VerifyException("a key function has one argument, the task")
        *ops, last = self.body.block.ops or (None,)
        if not isinstance(last, YieldOp):
            raise VerifyException("a key function ends with schedule.yield")
        for op in ops:
            if not isinstance(op, (AxisOp, IdOp, IsKernelOp, PlaceOp, IndexOp, *ARITHMETIC)):
                raise VerifyException(
                    f"{op.name if op else 'nothing'} is no part of a key function"
                )

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        name = parser.parse_symbol_name().data
        with parser.in_parens():
            argument = parser.parse_argument(expect_type=False)
        return cls(name, parse_body(parser, [argument.resolve(TaskType())]))

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_symbol_name(self.symbol)
        printer.print_string(" (")
        printer.print_ssa_value(self.task)
        printer.print_string(")")
        print_body(printer, self.body)


KEY_OPS = (KeyOp, YieldOp, AxisOp, IdOp, IsKernelOp, PlaceOp)
