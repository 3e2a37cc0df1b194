"""The `tile` dialect's kernels: what they take, and what the passes know of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from typing_extensions import Self
from xdsl.dialects.builtin import ArrayAttr, IndexType, StringAttr, SymbolNameConstraint
from xdsl.ir import Block, Region, SSAValue
from xdsl.irdl import irdl_op_definition, opt_prop_def, prop_def, region_def, traits_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsolatedFromAbove, NoTerminator, SymbolOpInterface
from xdsl.utils.exceptions import VerifyException

from pto_wsp.dialects.syntax import CustomSyntax, parse_body, print_body, strings
from pto_wsp.dialects.tile_loops import ForOp
from pto_wsp.dialects.tile_memory import ref_type
from pto_wsp.dialects.tile_types import (
    FragmentAttr,
    NumberAttr,
    RefType,
    Role,
    RoleAttr,
    Unit,
    UnitAttr,
    parse_shape,
)


@dataclass(frozen=True)
class Parameter:
    """A kernel's parameter: a box in global memory."""

    name: str
    role: Role
    type: RefType


@irdl_op_definition
class KernelOp(CustomSyntax):
    """A function over tiles that one execution unit runs.

    `tile.kernel @double unit(vector) (%x: in 32x64xf16, %y: out 32x64xf16) { .. }`
    A number that its tasks give it stands behind them, with its range: `%n: number 0 to 64`.
    With `cost("2.5us")` or `cost("4200")`, in cycles, behind the unit it takes what is given. With
    `cpp("y[0] = x[0];")` behind the parameters its body is C++ and not ops.
    """

    name = "tile.kernel"

    sym_name = prop_def(SymbolNameConstraint())
    names = prop_def(ArrayAttr[StringAttr])
    roles = prop_def(ArrayAttr[RoleAttr])
    unit_attr = opt_prop_def(UnitAttr, prop_name="unit")
    cost_attr = opt_prop_def(StringAttr, prop_name="cost")
    cpp_attr = opt_prop_def(StringAttr, prop_name="cpp")
    fragment_list = opt_prop_def(ArrayAttr[FragmentAttr], prop_name="fragments")
    """What the cost model sees, in program order, once `tile-fragments` has run."""
    number_list = opt_prop_def(ArrayAttr[NumberAttr], prop_name="numbers")
    body = region_def("single_block")

    traits = traits_def(IsolatedFromAbove(), SymbolOpInterface(), NoTerminator())

    def __init__(
        self,
        name: str,
        parameters: Sequence[Parameter],
        body: Region | None = None,
        unit: Unit | None = None,
        cost: str | None = None,
        cpp: str | None = None,
        numbers: Sequence[NumberAttr] = (),
    ):
        """Without a body, an empty block is made, with one argument per parameter and number."""
        if body is None:
            types = [parameter.type for parameter in parameters]
            body = Region(Block(arg_types=[*types, *(IndexType() for _ in numbers)]))
        titles = [*(parameter.name for parameter in parameters), *(n.title.data for n in numbers)]
        for argument, title in zip(body.block.args, titles, strict=True):
            if SSAValue.is_valid_name(title):
                argument.name_hint = title
        super().__init__(
            properties={
                "sym_name": StringAttr(name),
                "names": strings([parameter.name for parameter in parameters]),
                "roles": ArrayAttr(RoleAttr(parameter.role) for parameter in parameters),
                "unit": None if unit is None else UnitAttr(unit),
                "cost": None if cost is None else StringAttr(cost),
                "cpp": None if cpp is None else StringAttr(cpp),
                "numbers": ArrayAttr(numbers) if numbers else None,
            },
            regions=[body],
        )

    @property
    def symbol(self) -> str:
        """The kernel's name without the @."""
        return self.sym_name.data

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters in order."""
        types = [ref_type(argument) for argument in self.arguments]
        rows = zip(self.names, self.roles, types, strict=True)
        return tuple(Parameter(name.data, role.data, type) for name, role, type in rows)

    @property
    def arguments(self) -> tuple[SSAValue, ...]:
        """What the parameters are in the body."""
        return tuple(self.body.block.args[: len(self.names)])

    @property
    def numbers(self) -> tuple[NumberAttr, ...]:
        """What a launch gives besides, in order."""
        return () if self.number_list is None else self.number_list.data

    @property
    def number_values(self) -> tuple[SSAValue, ...]:
        """What the numbers are in the body."""
        return tuple(self.body.block.args[len(self.names) :])

    @property
    def dynamic_loops(self) -> tuple[ForOp, ...]:
        """The loops whose length the numbers decide, in program order."""
        return tuple(op for op in self.walk() if isinstance(op, ForOp) and op.numbers is None)

    @property
    def unit(self) -> Unit | None:
        """The declared unit, after `tile-infer-unit` the unit of every kernel."""
        return None if self.unit_attr is None else self.unit_attr.data

    @unit.setter
    def unit(self, unit: Unit) -> None:
        self.unit_attr = UnitAttr(unit)

    @property
    def cost(self) -> str | None:
        """What a run of it takes, where that is given: cycles, or a time with its unit."""
        return None if self.cost_attr is None else self.cost_attr.data

    @property
    def cpp(self) -> str | None:
        """The body as C++, where it is: statements on pointers that are named as the parameters."""
        return None if self.cpp_attr is None else self.cpp_attr.data

    @property
    def fragments(self) -> tuple[FragmentAttr, ...] | None:
        """The fragments in program order, or None before `tile-fragments`."""
        return None if self.fragment_list is None else self.fragment_list.data

    def verify_(self) -> None:
        arguments = self.body.block.args
        if len(self.names) != len(self.roles) or len(arguments) != len(self.names) + len(
            self.numbers
        ):
            raise VerifyException(
                f"{len(arguments)} parameters, {len(self.names)} names, {len(self.roles)} roles"
            )
        for argument in self.arguments:
            ref_type(argument)
        if any(value.type != IndexType() for value in self.number_values):
            raise VerifyException("a kernel's numbers are indices, behind its other parameters")
        numbers = [number.title.data for number in self.numbers]
        _verify_names([*(name.data for name in self.names), *numbers])
        if len(self.dynamic_loops) > MOST_DYNAMIC_LOOPS:
            raise VerifyException(
                f"a kernel has at most {MOST_DYNAMIC_LOOPS} loops of a length that its numbers"
                f" decide, got {len(self.dynamic_loops)}"
            )
        if self.cost is not None and not is_cost(self.cost):
            raise VerifyException(f"cost: expected {COST_EXPECTED}, found {self.cost!r}")
        if self.cpp is not None and self.body.block.ops:
            raise VerifyException("a kernel whose body is C++ has no ops")
        if self.cpp is not None and self.cost is None:
            raise VerifyException("a kernel whose body is C++ needs a cost: nobody can see its ops")
        if all(role.data is Role.IN for role in self.roles):
            raise VerifyException(f"@{self.symbol} writes nothing: a parameter is out or inout")

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        name = parser.parse_symbol_name().data
        unit = None
        if parser.parse_optional_keyword("unit") is not None:
            with parser.in_parens():
                unit = parser.parse_str_enum(Unit)
        cost = None
        if parser.parse_optional_keyword("cost") is not None:
            with parser.in_parens():
                cost = parser.parse_str_literal()
        found = parser.parse_comma_separated_list(
            parser.Delimiter.PAREN, lambda: _parse_parameter(parser)
        )
        cpp = None
        if parser.parse_optional_keyword("cpp") is not None:
            with parser.in_parens():
                cpp = parser.parse_str_literal()
        fragments = _parse_fragments(parser)
        region = parse_body(parser, [argument for argument, _ in found])
        parameters = [given for _, given in found if isinstance(given, Parameter)]
        numbers = [given for _, given in found if isinstance(given, NumberAttr)]
        kernel = cls(name, parameters, region, unit, cost, cpp, numbers)
        kernel.fragment_list = fragments
        return kernel

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_symbol_name(self.symbol)
        printer.print_string(" " if self.unit is None else f" unit({self.unit}) ")
        if self.cost is not None:
            printer.print_string(f'cost("{self.cost}") ')
        with printer.in_parens():
            rows = zip(self.body.block.args, (*self.parameters, *self.numbers), strict=True)
            printer.print_list(rows, lambda row: _print_parameter(printer, *row))
        if self.cpp is not None:
            printer.print_string(" cpp(")
            printer.print_string_literal(self.cpp)
            printer.print_string(")")
        if self.fragments is not None:
            fragments = ",\n  ".join(f"<{fragment.short}>" for fragment in self.fragments)
            printer.print_string(f" fragments [\n  {fragments}]")
        print_body(printer, self.body)


MOST_DYNAMIC_LOOPS = 64

COST_EXPECTED = "cycles, a whole number from 1 on, or a time such as 2.5us, 800ns or 3ms"


def is_cost(text: str) -> bool:
    """Whether the text gives what a kernel takes."""
    if re.fullmatch(r"\d{1,14}", text):
        return int(text) > 0
    time = re.fullmatch(r"(\d{1,9}(\.\d{1,9})?)(ns|us|ms)", text)
    return time is not None and float(time[1]) > 0


def _verify_names(names: Sequence[str]) -> None:
    for name in names:
        if not SSAValue.is_valid_name(name):
            raise VerifyException(f"a parameter cannot be named {name!r}")
    if len(set(names)) < len(names):
        raise VerifyException(f"two parameters have one name: {', '.join(names)}")


def _parse_parameter(parser: Parser) -> tuple[Parser.Argument, Parameter | NumberAttr]:
    argument = parser.parse_argument(expect_type=False)
    parser.parse_punctuation(":")
    start = parser.pos
    if parser.parse_optional_keyword("number") is not None:
        low = parser.parse_integer(allow_boolean=False)
        parser.parse_keyword("to")
        high = parser.parse_integer(allow_boolean=False)
        try:
            number = NumberAttr(argument.name.text[1:], low, high)
        except VerifyException as error:
            parser.raise_error(str(error), start, parser.pos)
        return argument.resolve(IndexType()), number
    role = parser.parse_str_enum(Role)
    type = RefType(*parse_shape(parser))
    parameter = Parameter(argument.name.text[1:], role, type)
    return argument.resolve(type), parameter


def _print_parameter(
    printer: Printer, argument: SSAValue, parameter: Parameter | NumberAttr
) -> None:
    # The name is part of the kernel's interface; a pass may have changed the hint.
    is_number = isinstance(parameter, NumberAttr)
    argument.name_hint = parameter.title.data if is_number else parameter.name
    printer.print_ssa_value(argument)
    if is_number:
        printer.print_string(f": number {parameter.least} to {parameter.most}")
        return
    printer.print_string(f": {parameter.role} {parameter.type.short}")


def _parse_fragments(parser: Parser) -> ArrayAttr[FragmentAttr] | None:
    if parser.parse_optional_keyword("fragments") is None:
        return None

    def fragment() -> FragmentAttr:
        with parser.in_angle_brackets():
            return FragmentAttr.parse_short(parser)

    return ArrayAttr(parser.parse_comma_separated_list(parser.Delimiter.SQUARE, fragment))
