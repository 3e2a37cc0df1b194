"""Types and attributes of the `tile` dialect."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import Self
from xdsl.dialects.builtin import ArrayAttr, IntAttr, StringAttr
from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import (
    Attribute,
    ParametrizedAttribute,
    SpacedOpaqueSyntaxAttribute,
    TypeAttribute,
)
from xdsl.irdl import irdl_attr_definition, param_def
from xdsl.parser import AttrParser, Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.str_enum import StrEnum

from pto_wsp.dialects.dtypes import dtype_info
from pto_wsp.dialects.indices import NUMBER_MAX
from pto_wsp.dialects.syntax import integer, ints, join, parse_ints

Shape = tuple[int, int]
"""Rows and columns."""


class Unit(StrEnum):
    """The execution unit that runs a kernel."""

    CUBE = "cube"
    VECTOR = "vector"


class Role(StrEnum):
    """What a kernel does with a parameter."""

    IN = "in"
    OUT = "out"
    INOUT = "inout"


class Space(StrEnum):
    """The class of buffer that holds a value; capacities belong to the machine profile."""

    GM = "gm"
    L1 = "l1"
    UB = "ub"
    L0A = "l0a"
    L0B = "l0b"
    L0C = "l0c"


class Pipe(StrEnum):
    """The pipe of a core that a fragment occupies."""

    LOAD = "load"
    CUBE = "cube"
    VECTOR = "vector"
    STORE = "store"


class Predicate(StrEnum):
    """How `tile.compare` compares."""

    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"


@irdl_attr_definition
class UnitAttr(EnumAttribute[Unit], SpacedOpaqueSyntaxAttribute):
    """`#tile<unit cube>`"""

    name = "tile.unit"


@irdl_attr_definition
class RoleAttr(EnumAttribute[Role], SpacedOpaqueSyntaxAttribute):
    """`#tile<role in>`"""

    name = "tile.role"


@irdl_attr_definition
class SpaceAttr(EnumAttribute[Space], SpacedOpaqueSyntaxAttribute):
    """`#tile<space ub>`"""

    name = "tile.space"


@irdl_attr_definition
class PredicateAttr(EnumAttribute[Predicate], SpacedOpaqueSyntaxAttribute):
    """`#tile<predicate ge>`"""

    name = "tile.predicate"


def _verify_box(shape: Sequence[int], element_type: Attribute) -> None:
    if len(shape) != 2 or any(extent < 1 for extent in shape):
        raise VerifyException(f"a tile has two extents of at least 1, got {join(shape, 'x')}")
    try:
        dtype_info(element_type)
    except ValueError as error:
        raise VerifyException(str(error)) from None


def parse_shape(parser: AttrParser) -> tuple[Sequence[int], TypeAttribute]:
    """`32x128xf32`"""
    start = parser.pos
    shape, element_type = parser.parse_ranked_shape()
    try:
        _verify_box(shape, element_type)
    except VerifyException as error:
        parser.raise_error(str(error), start, parser.pos)
    assert isinstance(element_type, TypeAttribute)
    return shape, element_type


@irdl_attr_definition
class TileType(ParametrizedAttribute, TypeAttribute):
    """A value of rows x columns elements: `!tile.tile<32x128xf32>`."""

    name = "tile.tile"

    extents: ArrayAttr[IntAttr] = param_def(converter=ints)
    element_type: TypeAttribute

    @property
    def shape(self) -> Shape:
        rows, cols = (extent.data for extent in self.extents)
        return rows, cols

    @property
    def rows(self) -> int:
        return self.shape[0]

    @property
    def cols(self) -> int:
        return self.shape[1]

    @property
    def bytes(self) -> int:
        """Size of the elements in memory."""
        return self.rows * self.cols * dtype_info(self.element_type).bytes

    @property
    def short(self) -> str:
        """As it is written behind an op: `32x128xf32`."""
        return f"{join(self.shape, 'x')}x{self.element_type}"

    def verify(self) -> None:
        _verify_box([extent.data for extent in self.extents], self.element_type)

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            shape, element_type = parse_shape(parser)
        return ints(shape), element_type

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(self.short)


@irdl_attr_definition
class RefType(ParametrizedAttribute, TypeAttribute):
    """A box of rows x columns elements in global memory, a kernel's parameter: `!tile.ref<..>`."""

    name = "tile.ref"

    extents: ArrayAttr[IntAttr] = param_def(converter=ints)
    element_type: TypeAttribute

    @property
    def shape(self) -> Shape:
        rows, cols = (extent.data for extent in self.extents)
        return rows, cols

    @property
    def rows(self) -> int:
        return self.shape[0]

    @property
    def cols(self) -> int:
        return self.shape[1]

    @property
    def short(self) -> str:
        """As it is written in a kernel's signature: `32x128xf32`."""
        return f"{join(self.shape, 'x')}x{self.element_type}"

    def verify(self) -> None:
        _verify_box([extent.data for extent in self.extents], self.element_type)

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            shape, element_type = parse_shape(parser)
        return ints(shape), element_type

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(self.short)


@irdl_attr_definition
class NumberAttr(ParametrizedAttribute):
    """A number that every launch gives a kernel, and its range: `#tile.task_number<"n", 0, 64>`."""

    name = "tile.task_number"

    title: StringAttr = param_def(converter=StringAttr.get)
    low: IntAttr = param_def(converter=integer)
    high: IntAttr = param_def(converter=integer)

    @property
    def least(self) -> int:
        return self.low.data

    @property
    def most(self) -> int:
        return self.high.data

    def verify(self) -> None:
        if not -NUMBER_MAX <= self.least <= self.most <= NUMBER_MAX:
            raise VerifyException(
                f"expected a range from the least to the most, both less than 2**40 from 0, got"
                f" {self.least} to {self.most}"
            )

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            title = parser.parse_str_literal()
            parser.parse_punctuation(",")
            low = parser.parse_integer(allow_boolean=False)
            parser.parse_punctuation(",")
            return StringAttr(title), IntAttr(low), IntAttr(parser.parse_integer())

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string_literal(self.title.data)
            printer.print_string(f", {self.least}, {self.most}")


@irdl_attr_definition
class FragmentAttr(ParametrizedAttribute):
    """One tile op as the cost model sees it.

    `#tile.fragment<matmul, 32x4096x576, f16, 0, cube, 1>`, a transfer `<load, 32x1x64, f16, 4096,
    load, 1 of 0>`, in dynamic loops `.. cube, 1 in [0, 2]`
    """

    name = "tile.fragment"

    op: StringAttr = param_def(converter=StringAttr.get)
    """The tile op's name without its dialect: `load`, `matmul`, `exp`."""
    extents: ArrayAttr[IntAttr] = param_def(converter=ints)
    """m x k x n; what is no matmul has k = 1."""
    element_type: TypeAttribute
    """The dtype of the elements that are worked on."""
    moved: IntAttr = param_def(converter=integer)
    """Bytes moved from or to global memory; 0 for compute."""
    pipe: StringAttr = param_def(converter=StringAttr.get)
    trips: IntAttr = param_def(converter=integer)
    """How often it runs in one task, or in one trip of the loops around it."""
    loops: ArrayAttr[IntAttr] = param_def(converter=ints)
    """The kernel's dynamic loops around it, by number: their trips multiply."""
    parameter: IntAttr = param_def(converter=integer)
    """Of a transfer: the parameter, by number, that it moves to or from; else -1."""

    @property
    def shape(self) -> tuple[int, int, int]:
        m, k, n = (extent.data for extent in self.extents)
        return m, k, n

    @property
    def bytes(self) -> int:
        return self.moved.data

    def verify(self) -> None:
        if len(self.extents) != 3 or any(extent.data < 1 for extent in self.extents):
            raise VerifyException("a fragment has three extents of at least 1")
        if self.pipe.data not in tuple(Pipe):
            raise VerifyException(f"unknown pipe {self.pipe.data}, expected {', '.join(Pipe)}")
        if self.moved.data < 0 or self.trips.data < 1:
            raise VerifyException("a fragment has bytes >= 0 and trips >= 1")
        if any(loop.data < 0 for loop in self.loops):
            raise VerifyException("loops are counted from 0")
        if self.is_transfer != (self.parameter.data >= 0):
            raise VerifyException("a load or store is of a parameter, and nothing else is")

    @property
    def is_transfer(self) -> bool:
        return self.pipe.data in (Pipe.LOAD, Pipe.STORE)

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            return parse_fragment(parser)

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(self.short)

    @property
    def short(self) -> str:
        """`matmul, 32x4096x576, f16, 0, cube, 1`"""
        parts = (
            self.op.data,
            join(self.shape, "x"),
            str(self.element_type),
            str(self.bytes),
            self.pipe.data,
            str(self.trips.data),
        )
        parameter = f" of {self.parameter.data}" if self.is_transfer else ""
        loops = f" in [{join([loop.data for loop in self.loops])}]" if self.loops else ""
        return ", ".join(parts) + parameter + loops

    @classmethod
    def parse_short(cls, parser: Parser) -> Self:
        return cls.new(parse_fragment(parser))


def parse_fragment(parser: AttrParser) -> Sequence[Attribute]:
    """`matmul, 32x4096x576, f16, 0, cube, 1`"""
    op = parser.parse_identifier()
    parser.parse_punctuation(",")
    extents = parser.parse_dimension_list()
    parser.parse_punctuation(",")
    element_type = parser.parse_type()
    parser.parse_punctuation(",")
    moved = parser.parse_integer(allow_boolean=False)
    parser.parse_punctuation(",")
    pipe = parser.parse_str_enum(Pipe)
    parser.parse_punctuation(",")
    trips = parser.parse_integer(allow_boolean=False)
    parameter = -1
    if parser.parse_optional_keyword("of") is not None:
        parameter = parser.parse_integer(allow_boolean=False, allow_negative=False)
    loops: list[int] = []
    if parser.parse_optional_keyword("in") is not None:
        loops = parse_ints(parser, parser.Delimiter.SQUARE)
    return (
        StringAttr(op),
        ints(extents),
        element_type,
        IntAttr(moved),
        StringAttr(pipe),
        IntAttr(trips),
        ints(loops),
        IntAttr(parameter),
    )
