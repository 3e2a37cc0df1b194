"""The `tile` dialect's arithmetic, element by element."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from typing import ClassVar

from xdsl.interfaces import HasFolderInterface
from xdsl.ir import SSAValue
from xdsl.irdl import irdl_op_definition, operand_def, traits_def
from xdsl.traits import Commutative, Pure
from xdsl.utils.exceptions import VerifyException

from pto_wsp.dialects.dtypes import is_computed_float, is_float, is_integer, is_numeric
from pto_wsp.dialects.tile_types import TileType
from pto_wsp.dialects.tile_values import (
    ConstantOp,
    ElementWiseOp,
    element_wise_type,
    not_defined,
    tile_type,
)


class UnaryOp(ElementWiseOp, ABC):
    """One operand, and a result of its type."""

    TAKES_INTEGERS: ClassVar[bool] = False

    source = operand_def(TileType)

    def __init__(self, source: SSAValue):
        super().__init__(operands=[source], result_types=[source.type])

    def infer_type(self) -> TileType:
        operand = tile_type(self.source)
        numeric = is_computed_float(operand.element_type) or (
            self.TAKES_INTEGERS and is_integer(operand.element_type)
        )
        if not numeric:
            raise VerifyException(not_defined(operand.element_type))
        return operand


@irdl_op_definition
class NegOp(HasFolderInterface, UnaryOp):
    """The negative: `%1 = tile.neg %0 : 32x128xf32`."""

    name = "tile.neg"
    TAKES_INTEGERS: ClassVar[bool] = True

    def fold(self) -> Sequence[SSAValue] | None:
        inner = self.source.owner
        return (inner.source,) if isinstance(inner, NegOp) else None


@irdl_op_definition
class ExpOp(UnaryOp):
    """e to the power: `%1 = tile.exp %0 : 32x128xf32`."""

    name = "tile.exp"


@irdl_op_definition
class SqrtOp(UnaryOp):
    """The square root: `%1 = tile.sqrt %0 : 32x128xf32`."""

    name = "tile.sqrt"


@irdl_op_definition
class RsqrtOp(UnaryOp):
    """One over the square root: `%1 = tile.rsqrt %0 : 32x1xf32`."""

    name = "tile.rsqrt"


@irdl_op_definition
class SigmoidOp(UnaryOp):
    """1 / (1 + exp(-x)): `%1 = tile.sigmoid %0 : 32x256xf32`."""

    name = "tile.sigmoid"


@irdl_op_definition
class AbsOp(UnaryOp):
    """The distance from 0: `%1 = tile.abs %0 : 32x128xf32`."""

    name = "tile.abs"
    TAKES_INTEGERS: ClassVar[bool] = True


@irdl_op_definition
class ReluOp(UnaryOp):
    """The larger of 0 and the number: `%1 = tile.relu %0 : 32x128xf32`."""

    name = "tile.relu"
    TAKES_INTEGERS: ClassVar[bool] = True


@irdl_op_definition
class LogOp(UnaryOp):
    """The natural logarithm: `%1 = tile.log %0 : 32x128xf32`."""

    name = "tile.log"


@irdl_op_definition
class TanhOp(UnaryOp):
    """The hyperbolic tangent: `%1 = tile.tanh %0 : 32x128xf32`."""

    name = "tile.tanh"


@irdl_op_definition
class SinOp(UnaryOp):
    """The sine of an angle in radians: `%1 = tile.sin %0 : 32x128xf32`."""

    name = "tile.sin"


@irdl_op_definition
class CosOp(UnaryOp):
    """The cosine of an angle in radians: `%1 = tile.cos %0 : 32x128xf32`."""

    name = "tile.cos"


@irdl_op_definition
class ErfOp(UnaryOp):
    """The error function: `%1 = tile.erf %0 : 32x128xf32`."""

    name = "tile.erf"


class BinaryOp(ElementWiseOp, ABC):
    """Two operands that broadcast and widen."""

    lhs = operand_def(TileType)
    rhs = operand_def(TileType)

    def __init__(self, lhs: SSAValue, rhs: SSAValue):
        result = element_wise_type(tile_type(lhs), tile_type(rhs))
        super().__init__(operands=[lhs, rhs], result_types=[result])

    def infer_type(self) -> TileType:
        result = element_wise_type(tile_type(self.lhs), tile_type(self.rhs))
        if not is_numeric(result.element_type):
            raise VerifyException(not_defined(result.element_type))
        return result


@irdl_op_definition
class AddOp(BinaryOp):
    """The sum: `%2 = tile.add %0, %1 : 32x128xf32`."""

    name = "tile.add"
    traits = traits_def(Pure(), Commutative())


@irdl_op_definition
class SubOp(BinaryOp):
    """The difference: `%2 = tile.sub %0, %1 : 32x128xf32`."""

    name = "tile.sub"


@irdl_op_definition
class MulOp(HasFolderInterface, BinaryOp):
    """The product: `%2 = tile.mul %0, %1 : 32x128xf32`."""

    name = "tile.mul"
    traits = traits_def(Pure(), Commutative())

    def fold(self) -> Sequence[SSAValue] | None:
        for kept, factor in ((self.lhs, self.rhs), (self.rhs, self.lhs)):
            if kept.type == self.type and _is_one(factor):
                return (kept,)
        return None


class FloatBinaryOp(BinaryOp, ABC):
    """A binary op that integers do not have."""

    def infer_type(self) -> TileType:
        result = super().infer_type()
        if not is_float(result.element_type):
            raise VerifyException(not_defined(result.element_type))
        return result


@irdl_op_definition
class DivOp(HasFolderInterface, FloatBinaryOp):
    """The quotient of floats: `%2 = tile.div %0, %1 : 32x128xf32`."""

    name = "tile.div"

    def fold(self) -> Sequence[SSAValue] | None:
        return (self.lhs,) if self.lhs.type == self.type and _is_one(self.rhs) else None


@irdl_op_definition
class MaximumOp(BinaryOp):
    """The larger one, NaN where one is: `%2 = tile.maximum %0, %1 : 32x128xf32`."""

    name = "tile.maximum"


@irdl_op_definition
class MinimumOp(BinaryOp):
    """The smaller one, NaN where one is: `%2 = tile.minimum %0, %1 : 32x128xf32`."""

    name = "tile.minimum"


@irdl_op_definition
class PowOp(FloatBinaryOp):
    """The first to the power of the second: `%2 = tile.pow %0, %1 : 32x128xf32`."""

    name = "tile.pow"


def _is_one(value: SSAValue) -> bool:
    return isinstance(value.owner, ConstantOp) and value.owner.number == 1
