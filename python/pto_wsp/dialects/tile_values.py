"""The `tile` dialect's ops that work element by element, and the base of all pure ops."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, cast

from typing_extensions import Self
from xdsl.dialects.builtin import (
    BFloat16Type,
    Float16Type,
    Float32Type,
    Float64Type,
    FloatAttr,
    IntAttr,
    IntegerAttr,
    IntegerType,
    i1,
)
from xdsl.interfaces import HasFolderInterface
from xdsl.ir import Attribute, SSAValue, TypeAttribute
from xdsl.irdl import (
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from pto_wsp.dialects.dtypes import (
    dtype_info,
    is_integer,
    widened,
)
from pto_wsp.dialects.syntax import (
    CustomSyntax,
    join,
    parse_values,
    print_values,
    with_point,
)
from pto_wsp.dialects.tile_types import (
    Predicate,
    PredicateAttr,
    Shape,
    Space,
    SpaceAttr,
    TileType,
    parse_shape,
)

Arguments = tuple[Sequence[SSAValue], dict[str, Attribute]]
"""What the text between an op's name and its type gives: operands and properties."""


def tile_type(value: SSAValue) -> TileType:
    """The type of a tile value; raises `VerifyException` for any other value."""
    if not isinstance(value.type, TileType):
        raise VerifyException(f"expected a tile, got a value of type {value.type}")
    return value.type


def element_wise_type(*operands: TileType) -> TileType:
    """The type of an element-wise result: extents of 1 broadcast, different floats widen to f32."""
    element_type = operands[0].element_type
    rows, cols = operands[0].shape
    for operand in operands[1:]:
        common = widened(element_type, operand.element_type)
        if common is None:
            raise VerifyException(f"no common dtype for {element_type} and {operand.element_type}")
        element_type = common
        rows = _broadcast(rows, operand.rows, operands)
        cols = _broadcast(cols, operand.cols, operands)
    return TileType((rows, cols), element_type)


def _broadcast(a: int, b: int, operands: Sequence[TileType]) -> int:
    if a != b and 1 not in (a, b):
        shapes = " and ".join(join(operand.shape, "x") for operand in operands)
        raise VerifyException(f"extents do not broadcast: {shapes}")
    return max(a, b)


def verify_in_range(
    offsets: Sequence[int],
    extents: Sequence[int],
    bounds: Sequence[int],
    strides: Sequence[int] = (1, 1),
) -> None:
    """Raises `VerifyException` unless the box lies within the bounds."""
    for offset, extent, stride, bound in zip(offsets, extents, strides, bounds, strict=True):
        if offset < 0 or offset + (extent - 1) * stride >= bound:
            raise VerifyException(
                f"a box of {join(extents, 'x')} at [{join(offsets)}]"
                f" does not lie in {join(bounds, 'x')}"
            )


def print_type(printer: Printer, result: TileType, space: SpaceAttr | None) -> None:
    """Prints ` : 32x128xf32`, and the buffer once it is known."""
    printer.print_string(f" : {result.short}")
    if space is not None:
        printer.print_string(f" in {space.data}")


def parse_type(parser: Parser) -> tuple[TileType, dict[str, Attribute]]:
    parser.parse_punctuation(":")
    result = TileType(*parse_shape(parser))
    if parser.parse_optional_keyword("in") is None:
        return result, {}
    return result, {"space": SpaceAttr(parser.parse_str_enum(Space))}


def parse_axis(parser: Parser) -> dict[str, Attribute]:
    """`axis(1)`"""
    parser.parse_keyword("axis")
    with parser.in_parens():
        return {"axis": IntAttr(parser.parse_integer(allow_boolean=False))}


class ValueOp(CustomSyntax, ABC):
    """An op with one tile as its result, printed `op arguments : type`."""

    space = opt_prop_def(SpaceAttr)
    """The class of buffer that holds the result, once `tile-place` has chosen it."""
    result = result_def(TileType)

    traits = traits_def(Pure())

    @property
    def type(self) -> TileType:
        """The result's type."""
        return self.result.type

    @abstractmethod
    def infer_type(self) -> TileType | None:
        """The type that the operands demand, or None if any is right; raises `VerifyException`."""

    @classmethod
    def parse_arguments(cls, parser: Parser) -> Arguments:
        """Parses what stands before the type: by default the operands alone."""
        return parse_values(parser), {}

    def print_arguments(self, printer: Printer) -> None:
        print_values(printer, self.operands)

    def verify_(self) -> None:
        inferred = self.infer_type()
        if inferred is not None and inferred != self.type:
            raise VerifyException(f"the result is {inferred.short}, declared as {self.type.short}")

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        operands, properties = cls.parse_arguments(parser)
        result, placement = parse_type(parser)
        return cls.create(
            operands=operands, properties=properties | placement, result_types=[result]
        )

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        self.print_arguments(printer)
        print_type(printer, self.type, self.space)


class ElementWiseOp(ValueOp, ABC):
    """A value op whose element (i, j) depends on the elements (i, j) of its operands alone."""


# ---- Sources of values -------------------------------------------------------------------------


@irdl_op_definition
class ConstantOp(ElementWiseOp):
    """Every element is one number: `%0 = tile.constant -inf : 32x1xf32`."""

    name = "tile.constant"

    value = prop_def(FloatAttr | IntegerAttr)

    def __init__(self, value: float, result: TileType):
        super().__init__(
            properties={"value": _number(value, result.element_type)}, result_types=[result]
        )

    @property
    def number(self) -> float | int:
        """The number, already rounded to the dtype; an i1 is 0 or 1."""
        data = self.value.value.data
        return abs(data) if self.type.element_type == i1 else data

    def infer_type(self) -> TileType | None:
        if self.value.type != self.type.element_type:
            raise VerifyException(f"a {self.value.type} number in a {self.type.short} tile")
        return None

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        start = parser.pos
        negative = parser.parse_optional_punctuation("-") is not None
        word = parser.parse_optional_keyword_in(("inf", "nan"))
        number = parser.parse_number() if word is None else float(word)
        result, placement = parse_type(parser)
        try:
            op = cls(-number if negative else number, result)
        except (ValueError, OverflowError, VerifyException) as error:
            parser.raise_error(str(error), start, parser.pos)
        op.properties.update(placement)
        return op

    def print_arguments(self, printer: Printer) -> None:
        info = dtype_info(self.type.element_type)
        if info.kind != "float":
            printer.print_string(str(self.number))
            return
        # The shortest digits that the dtype reads back, and a point, for there is no integer -0.
        digits = with_point(str(_scalar(self.number, info.name)))
        printer.print_string(digits if set(digits) & set(".an") else f"{digits}.0")


def _number(value: float, element_type: TypeAttribute) -> FloatAttr | IntegerAttr:
    info = dtype_info(element_type)
    if info.storage:
        raise ValueError(f"{info.name} holds no constants: make it f32 and cast it")
    if info.kind == "float":
        assert isinstance(element_type, BFloat16Type | Float16Type | Float32Type | Float64Type)
        return FloatAttr(round_to(float(value), info.name), element_type)
    if value != int(value):
        raise ValueError(f"{value} is not an integer, and the dtype is {info.name}")
    if int(value) not in info.range:
        raise ValueError(f"{value} is not in {info.range[0]}..{info.range[-1]} of {info.name}")
    return IntegerAttr(int(value), cast("IntegerType", element_type))


def round_to(value: float, dtype: str) -> float:
    """The value of a float dtype, but fp8, that is nearest; beyond its range that is infinity."""
    return float(_scalar(value, dtype))


def _scalar(value: float, dtype: str) -> Any:
    import ml_dtypes
    import numpy as np

    kinds = {"f16": np.float16, "bf16": ml_dtypes.bfloat16, "f32": np.float32, "f64": np.float64}
    kind: Any = kinds[dtype]
    with np.errstate(over="ignore"):
        return kind(value)


@irdl_op_definition
class IotaOp(ElementWiseOp):
    """An element's number along an axis: `%0 = tile.iota axis(1) : 1x256xi32`."""

    name = "tile.iota"

    axis = prop_def(IntAttr)
    """0 counts rows, 1 columns."""

    def __init__(self, axis: int, result: TileType):
        super().__init__(properties={"axis": IntAttr(axis)}, result_types=[result])

    def infer_type(self) -> TileType | None:
        if self.axis.data not in (0, 1):
            raise VerifyException(f"axis must be 0 or 1, got {self.axis.data}")
        if not is_integer(self.type.element_type):
            raise VerifyException(f"element numbers are integers, got {self.type.short}")
        return None

    @classmethod
    def parse_arguments(cls, parser: Parser) -> Arguments:
        return (), parse_axis(parser)

    def print_arguments(self, printer: Printer) -> None:
        printer.print_string(f"axis({self.axis.data})")


# ---- Element by element ------------------------------------------------------------------------


def not_defined(element_type: Attribute) -> str:
    """Why an op does not take a dtype, and what to do."""
    hint = ": cast it to f32 first" if dtype_info(element_type).storage else ""
    return f"not defined for {dtype_info(element_type).name}{hint}"


@irdl_op_definition
class CompareOp(ElementWiseOp):
    """A mask of i1: `%2 = tile.compare ge, %0, %1 : 256x256xi1`."""

    name = "tile.compare"

    predicate = prop_def(PredicateAttr)
    lhs = operand_def(TileType)
    rhs = operand_def(TileType)

    def __init__(self, predicate: Predicate, lhs: SSAValue, rhs: SSAValue):
        common = element_wise_type(tile_type(lhs), tile_type(rhs))
        super().__init__(
            operands=[lhs, rhs],
            properties={"predicate": PredicateAttr(predicate)},
            result_types=[TileType(common.shape, i1)],
        )

    def infer_type(self) -> TileType:
        common = element_wise_type(tile_type(self.lhs), tile_type(self.rhs))
        if dtype_info(common.element_type).storage:
            raise VerifyException(not_defined(common.element_type))
        return TileType(common.shape, i1)

    @classmethod
    def parse_arguments(cls, parser: Parser) -> Arguments:
        predicate = PredicateAttr(parser.parse_str_enum(Predicate))
        parser.parse_punctuation(",")
        return parse_values(parser), {"predicate": predicate}

    def print_arguments(self, printer: Printer) -> None:
        printer.print_string(f"{self.predicate.data}, ")
        print_values(printer, self.operands)


@irdl_op_definition
class SelectOp(ElementWiseOp):
    """An element of the second operand where the mask holds, else of the third.

    `%3 = tile.select %mask, %1, %2 : 256x256xf32`
    """

    name = "tile.select"

    condition = operand_def(TileType)
    on_true = operand_def(TileType)
    on_false = operand_def(TileType)

    def __init__(self, condition: SSAValue, on_true: SSAValue, on_false: SSAValue):
        operands = [condition, on_true, on_false]
        super().__init__(operands=operands, result_types=[_selected_type(operands)])

    def infer_type(self) -> TileType:
        return _selected_type(self.operands)


def _selected_type(operands: Sequence[SSAValue]) -> TileType:
    condition, on_true, on_false = (tile_type(operand) for operand in operands)
    if condition.element_type != i1:
        raise VerifyException(f"the first operand is a mask of i1, got {condition.short}")
    values = element_wise_type(on_true, on_false)
    return element_wise_type(TileType(condition.shape, values.element_type), on_true, on_false)


@irdl_op_definition
class CastOp(HasFolderInterface, ElementWiseOp):
    """The numbers in another dtype, rounded to nearest even: `%1 = tile.cast %0 : 32x128xf16`."""

    name = "tile.cast"

    source = operand_def(TileType)

    def __init__(self, source: SSAValue, element_type: TypeAttribute):
        result = TileType(tile_type(source).extents, element_type)
        super().__init__(operands=[source], result_types=[result])

    def infer_type(self) -> TileType:
        return TileType(tile_type(self.source).extents, self.type.element_type)

    def fold(self) -> Sequence[SSAValue] | None:
        if self.source.type == self.type:
            return (self.source,)
        inner = self.source.owner
        if not isinstance(inner, CastOp) or inner.source.type != self.type:
            return None
        # What lies in a wider float comes back from there with every bit.
        wide, own = dtype_info(inner.type.element_type), dtype_info(self.type.element_type)
        kept = own.kind == "float" and wide.name in ("f32", "f64") and own.bytes < wide.bytes
        return (inner.source,) if kept else None


@irdl_op_definition
class BroadcastOp(HasFolderInterface, ElementWiseOp):
    """Repeats the only row, column or element: `%1 = tile.broadcast %0 : 32x128xf32`."""

    name = "tile.broadcast"

    source = operand_def(TileType)

    def __init__(self, source: SSAValue, shape: Shape):
        result = TileType(shape, tile_type(source).element_type)
        super().__init__(operands=[source], result_types=[result])

    def infer_type(self) -> TileType:
        source = tile_type(self.source)
        for extent, wanted in zip(source.shape, self.type.shape, strict=True):
            if extent not in (1, wanted):
                raise VerifyException(
                    f"{source.short} does not broadcast to {join(self.type.shape, 'x')}:"
                    " its extents are 1 or those of the result"
                )
        return TileType(self.type.extents, source.element_type)

    def fold(self) -> Sequence[SSAValue] | None:
        return (self.source,) if self.source.type == self.type else None
