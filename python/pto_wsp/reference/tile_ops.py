"""Ops of the `tile` dialect on NumPy arrays: plain formulas, one op after the other.

f16 and bf16 are computed in f32 and rounded once, as everywhere. Sums are NumPy's, in f32 for
these: they may differ from an emitted program's in the last places, and so may functions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import Operation, SSAValue

from pto_wsp.dialects import tile
from pto_wsp.dialects.dtypes import dtype_info
from pto_wsp.dialects.locations import where
from pto_wsp.errors import ExecutionError
from pto_wsp.language.dtypes import DType
from pto_wsp.reference.casts import cast

Array = NDArray[Any]
Values = Mapping[SSAValue, Array]


def numpy_dtype(value: SSAValue) -> np.dtype[Any]:
    """Of a tile's elements."""
    return DType(dtype_info(tile.tile_type(value).element_type).name).numpy


def evaluate(op: Operation, values: Values) -> list[Array]:
    """The results of an op that computes; ExecutionError for numbers that it cannot have."""
    operands = [values[operand] for operand in op.operands]
    with np.errstate(all="ignore"):
        found = zip(_results(op, operands), op.results, strict=True)
        return [_rounded(array, result) for array, result in found]


def _rounded(array: Array, result: SSAValue) -> Array:
    shape = tile.tile_type(result).shape
    return np.ascontiguousarray(np.broadcast_to(array, shape)).astype(numpy_dtype(result))


def _results(op: Operation, operands: Sequence[Array]) -> tuple[Array, ...]:
    match op:
        case tile.OrderOp():
            return _ordered(op, operands[0])
        case tile.MatmulOp():
            return (_matmul(op, operands),)
        case _:
            return (_computed(op, operands),)


def _computed(op: Operation, operands: Sequence[Array]) -> Array:
    match op:
        case tile.ConstantOp():
            return np.asarray(op.number)
        case tile.IotaOp():
            return np.indices(op.type.shape, np.int32)[op.axis.data]
        case tile.CompareOp():
            return _COMPARISONS[op.predicate.data](*map(_wide, operands))
        case tile.SelectOp():
            return np.where(*operands)
        case tile.CastOp():
            return cast(operands[0], numpy_dtype(op.result))
        case tile.BroadcastOp():
            return operands[0]
        case tile.CumsumOp():
            wide = _wide(operands[0])
            return wide.cumsum(op.axis.data, wide.dtype)
        case tile.ArgmaxOp():
            return operands[0].argmax(1)[:, None]
        case _ if op.name in _FUNCTIONS:
            return _FUNCTIONS[op.name](*map(_wide, operands))
        case _:
            return _moved(op, operands)


def _moved(op: Operation, operands: Sequence[Array]) -> Array:
    """What changes places and no number."""
    match op:
        case tile.SliceOp():
            (row, col), (down, across) = op.offsets, op.strides
            rows, cols = op.type.shape
            return operands[0][row::down, col::across][:rows, :cols]
        case tile.ConcatOp():
            return np.concatenate(operands, axis=1)
        case tile.InterleaveOp():
            return np.stack(operands, axis=-1).reshape(op.type.shape)
        case tile.TransposeOp():
            return operands[0].T
        case tile.ReshapeOp():
            return operands[0].reshape(op.type.shape)
        case tile.GatherOp():
            check_numbers(op, operands[1], operands[0].shape[1], "columns")
            return np.take_along_axis(operands[0], operands[1].astype(np.int64), axis=1)
        case tile.GatherRowsOp():
            check_numbers(op, operands[1], operands[0].shape[0], "rows")
            return operands[0][operands[1][:, 0]]
        case _:
            raise AssertionError(f"no formula for {op.name}")


def _wide(array: Array) -> Array:
    """As it is computed with: f16, bf16 and fp8 in f32."""
    kind = DType.of(array.dtype)
    narrow = kind is not None and kind.is_float and array.dtype.itemsize < 4
    return array.astype(np.float32) if narrow else array


def _matmul(op: tile.MatmulOp, operands: Sequence[Array]) -> Array:
    left, right = (_accumulated(operand) for operand in operands[:2])
    left = left if op.transpose_a is None else left.T
    right = right if op.transpose_b is None else right.T
    product = left @ right
    return product if op.acc is None else product + operands[2]


def _accumulated(array: Array) -> Array:
    """As matmuls sum it up: integers in i32, floats in f32."""
    return array.astype(np.int32) if array.dtype.kind in "iu" else _wide(array)


def _ordered(op: tile.OrderOp, source: Array) -> tuple[Array, Array]:
    wide = _wide(source)
    if np.isnan(wide).any():
        raise ExecutionError(f"{where(op)}: {op.name.removeprefix('tile.')}: NaN has no rank")
    falling = isinstance(op, tile.TopkOp) or (
        isinstance(op, tile.SortOp) and op.descending is not None
    )
    if falling:
        order = wide.shape[1] - 1 - np.argsort(wide[:, ::-1], 1, kind="stable")[:, ::-1]
    else:
        order = np.argsort(wide, 1, kind="stable")
    order = order[:, : op.count]
    return np.take_along_axis(source, order, 1), order


def check_numbers(op: Operation, numbers: Array, count: int, what: str) -> None:
    """ExecutionError for a number outside 0 .. count - 1."""
    wrong = numbers[(numbers < 0) | (numbers >= count)]
    if wrong.size:
        raise ExecutionError(
            f"{where(op)}: {op.name.removeprefix('tile.')}: expected {what} from 0 to {count - 1},"
            f" found {wrong.flat[0]}"
        )


_erf = np.vectorize(math.erf, otypes=[np.float64])


def _sigmoid(x: Array) -> Array:
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


def _in_f64(function: Callable[..., Array]) -> Callable[..., Array]:
    """Rounded once: NumPy's own functions on f32 are off by up to some units of the last place."""

    def rounded(*operands: Array) -> Array:
        return function(*(operand.astype(np.float64) for operand in operands))

    return rounded


def _rsqrt(x: Array) -> Array:
    return 1 / np.sqrt(x)


def _relu(x: Array) -> Array:
    return np.maximum(x, x.dtype.type(0))


def _sum(axis: int) -> Callable[[Array], Array]:
    def total(x: Array) -> Array:
        return x.sum(axis, keepdims=True, dtype=x.dtype)

    return total


def _largest(axis: int) -> Callable[[Array], Array]:
    def largest(x: Array) -> Array:
        return x.max(axis, keepdims=True)

    return largest


def _smallest(axis: int) -> Callable[[Array], Array]:
    def smallest(x: Array) -> Array:
        return x.min(axis, keepdims=True)

    return smallest


_FUNCTIONS: Mapping[str, Callable[..., Array]] = {
    "tile.neg": np.negative,
    "tile.abs": np.abs,
    "tile.exp": _in_f64(np.exp),
    "tile.log": _in_f64(np.log),
    "tile.sqrt": np.sqrt,
    "tile.rsqrt": _rsqrt,
    "tile.sigmoid": _in_f64(_sigmoid),
    "tile.tanh": _in_f64(np.tanh),
    "tile.sin": _in_f64(np.sin),
    "tile.cos": _in_f64(np.cos),
    "tile.erf": _erf,
    "tile.relu": _relu,
    "tile.add": np.add,
    "tile.sub": np.subtract,
    "tile.mul": np.multiply,
    "tile.div": np.divide,
    "tile.maximum": np.maximum,
    "tile.minimum": np.minimum,
    "tile.pow": _in_f64(np.power),
    "tile.rowsum": _sum(1),
    "tile.colsum": _sum(0),
    "tile.rowmax": _largest(1),
    "tile.rowmin": _smallest(1),
    "tile.colmax": _largest(0),
    "tile.colmin": _smallest(0),
}

_COMPARISONS: Mapping[tile.Predicate, Callable[[Array, Array], Array]] = {
    tile.Predicate.LT: np.less,
    tile.Predicate.LE: np.less_equal,
    tile.Predicate.GT: np.greater,
    tile.Predicate.GE: np.greater_equal,
    tile.Predicate.EQ: np.equal,
    tile.Predicate.NE: np.not_equal,
}
