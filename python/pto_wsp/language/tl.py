"""What a kernel computes with: functions over tiles.

A tile has two axes, rows and columns. Where a function takes two tiles, extents of 1 broadcast as
in NumPy and different float dtypes widen to f32; a number takes the dtype of the tile beside it.
A wrong shape or dtype raises TraceError with the user's line.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple, NoReturn, ParamSpec, TypeVar

from pto_wsp.dialects import tile
from pto_wsp.dialects.dtypes import dtype_named
from pto_wsp.dialects.tile import TileType
from pto_wsp.language import kernel_trace as trace
from pto_wsp.language.dtypes import DType
from pto_wsp.language.kernel_trace import Ref, Value
from pto_wsp.language.source import fail

Operand = Value | int | float

_P = ParamSpec("_P")
_R = TypeVar("_R")


class TopK(NamedTuple):
    """The largest elements of every row, and where they stand."""

    values: Value
    indices: Value


_names: dict[str, None] = {}


def _recorded(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Notes the call in `kernel.calls`."""
    name = function.__name__
    _names[name] = None

    @functools.wraps(function)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        trace.current_trace(f"tl.{name}").calls.setdefault(name)
        return function(*args, **kwargs)

    return call


# ---- Memory ------------------------------------------------------------------------------------


@_recorded
def load(
    x: Value, offsets: tuple[int, int] = (0, 0), shape: tuple[int, int] | None = None
) -> Value:
    """The box of `shape` (default: all) at `offsets` of a parameter."""
    if not isinstance(x, Ref):
        fail(f"tl.load reads a parameter of the kernel, found {x!r}")
    return x.load(offsets, shape or x.shape)


@_recorded
def store(target: Value, value: Operand, offsets: tuple[int, int] = (0, 0)) -> None:
    """Writes `value` to the box of its shape at `offsets` of an Out or InOut parameter.

    Floats are rounded to the parameter's dtype, to nearest even. A number fills the parameter.
    """
    if not isinstance(target, Ref):
        fail(f"tl.store writes to a parameter of the kernel, found {target!r}")
    if target.spec.role == "in":
        fail(f"parameter {target.name!r} is In: declare it Out or InOut to store to it")
    if not isinstance(value, Value):
        number = trace.as_value("tl.store", value, target.dtype)
        # A mask that holds everywhere gives the number the parameter's shape.
        counter = _iota(target.shape, 1)
        everywhere = trace.compare("tl.store", tile.Predicate.GE, counter, 0)
        value = trace.emit("tl.store", tile.SelectOp, everywhere, number, number)
    trace.emit_op("tl.store", tile.StoreOp, value, target.argument, offsets)
    trace.current_trace("tl.store").stored.add(target.name)


# ---- Numbers -----------------------------------------------------------------------------------


@_recorded
def constant(number: float, dtype: DType = DType.F32) -> Value:
    """A 1x1 tile; broadcasting does the rest."""
    return trace.constant("tl.constant", number, dtype)


@_recorded
def iota(like: Value, axis: int = 1) -> Value:
    """An i32 tile of the shape of `like`: the row (axis 0) or column (axis 1) of every element."""
    return _iota(like.shape, axis)


def _iota(shape: tuple[int, int], axis: int) -> Value:
    return trace.emit("tl.iota", tile.IotaOp, axis, TileType(shape, dtype_named("i32").type))


# ---- Arithmetic --------------------------------------------------------------------------------


@_recorded
def add(a: Operand, b: Operand) -> Value:
    """a + b, element by element."""
    return trace.binary("tl.add", tile.AddOp, a, b)


@_recorded
def sub(a: Operand, b: Operand) -> Value:
    """a - b, element by element."""
    return trace.binary("tl.sub", tile.SubOp, a, b)


@_recorded
def mul(a: Operand, b: Operand) -> Value:
    """a * b, element by element."""
    return trace.binary("tl.mul", tile.MulOp, a, b)


@_recorded
def div(a: Operand, b: Operand) -> Value:
    """a / b, element by element; floats only."""
    return trace.binary("tl.div", tile.DivOp, a, b)


@_recorded
def neg(x: Operand) -> Value:
    """-x"""
    return trace.unary("tl.neg", tile.NegOp, x)


@_recorded
def rowmul(x: Value, factors: Operand) -> Value:
    """Every row of x (R x C) times its own factor (R x 1)."""
    if isinstance(factors, Value) and factors.shape != (x.shape[0], 1):
        rows, cols = factors.shape
        fail(f"tl.rowmul: expected one factor per row, {x.shape[0]}x1, found {rows}x{cols}")
    return trace.binary("tl.rowmul", tile.MulOp, x, factors)


@_recorded
def maximum(a: Operand, b: Operand) -> Value:
    """The larger of a and b, element by element; NaN where one of them is."""
    return trace.binary("tl.maximum", tile.MaximumOp, a, b)


@_recorded
def minimum(a: Operand, b: Operand) -> Value:
    """The smaller of a and b, element by element; NaN where one of them is."""
    return trace.binary("tl.minimum", tile.MinimumOp, a, b)


@_recorded
def pow(a: Operand, b: Operand) -> Value:
    """a to the power b, within 0.51 ulp in f32; floats only.

    NaN for a < 0, unless b is an integer.
    """
    return trace.binary("tl.pow", tile.PowOp, a, b)


@_recorded
def abs(x: Operand) -> Value:
    """The distance from 0; the least integer stays as it is."""
    return trace.unary("tl.abs", tile.AbsOp, x)


# ---- Functions ---------------------------------------------------------------------------------


@_recorded
def exp(x: Operand) -> Value:
    """e to the power x, within 1 ulp in f32."""
    return trace.unary("tl.exp", tile.ExpOp, x)


@_recorded
def sqrt(x: Operand) -> Value:
    """The square root; NaN below 0."""
    return trace.unary("tl.sqrt", tile.SqrtOp, x)


@_recorded
def rsqrt(x: Operand) -> Value:
    """1 / sqrt(x)"""
    return trace.unary("tl.rsqrt", tile.RsqrtOp, x)


@_recorded
def sigmoid(x: Operand) -> Value:
    """1 / (1 + exp(-x))"""
    return trace.unary("tl.sigmoid", tile.SigmoidOp, x)


@_recorded
def log(x: Operand) -> Value:
    """The natural logarithm, within 0.51 ulp in f32; -inf of 0, NaN below."""
    return trace.unary("tl.log", tile.LogOp, x)


@_recorded
def tanh(x: Operand) -> Value:
    """The hyperbolic tangent, within 0.51 ulp in f32."""
    return trace.unary("tl.tanh", tile.TanhOp, x)


@_recorded
def sin(x: Operand) -> Value:
    """The sine of an angle in radians, within 0.51 ulp in f32 for any finite angle."""
    return trace.unary("tl.sin", tile.SinOp, x)


@_recorded
def cos(x: Operand) -> Value:
    """The cosine of an angle in radians, within 0.51 ulp in f32 for any finite angle."""
    return trace.unary("tl.cos", tile.CosOp, x)


@_recorded
def erf(x: Operand) -> Value:
    """2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x, within 0.51 ulp in f32."""
    return trace.unary("tl.erf", tile.ErfOp, x)


@_recorded
def relu(x: Operand) -> Value:
    """max(x, 0)"""
    return trace.unary("tl.relu", tile.ReluOp, x)


@_recorded
def silu(x: Operand) -> Value:
    """x * sigmoid(x)"""
    value = trace.as_value("tl.silu", x)
    return value * trace.unary("tl.silu", tile.SigmoidOp, value)


@_recorded
def gelu(x: Operand) -> Value:
    """x * (1 + erf(x / sqrt(2))) / 2, the exact form."""
    value = trace.as_value("tl.gelu", x)
    return value * (trace.unary("tl.gelu", tile.ErfOp, value * 0.7071067811865476) + 1.0) * 0.5


@_recorded
def cast(x: Value, dtype: DType) -> Value:
    """The same numbers in another dtype: to nearest even, from floats to integers towards zero."""
    if not isinstance(dtype, DType):  # pyright: ignore[reportUnnecessaryIsInstance]
        fail(f"tl.cast: expected a DType, found {dtype!r}")
    return trace.cast_to("tl.cast", x, dtype)


@_recorded
def where(mask: Value, a: Operand, b: Operand) -> Value:
    """An element of a where the mask (from a comparison) holds, else of b."""
    if not isinstance(mask, Value):  # pyright: ignore[reportUnnecessaryIsInstance]
        fail(f"tl.where: expected a mask such as x >= y, found {mask!r}")
    left = trace.as_value("tl.where", a, b.dtype if isinstance(b, Value) else None)
    right = trace.as_value("tl.where", b, left.dtype)
    return trace.emit("tl.where", tile.SelectOp, mask, left, right)


# ---- Rows --------------------------------------------------------------------------------------


@_recorded
def rowsum(x: Value) -> Value:
    """The sum of every row, R x 1, in a tree of fixed shape."""
    return trace.emit("tl.rowsum", tile.RowSumOp, x)


@_recorded
def rowmax(x: Value) -> Value:
    """The largest element of every row, R x 1."""
    return trace.emit("tl.rowmax", tile.RowMaxOp, x)


@_recorded
def rowmean(x: Value) -> Value:
    """rowsum(x) / C, R x 1."""
    total = trace.emit("tl.rowmean", tile.RowSumOp, x)
    return trace.binary("tl.rowmean", tile.DivOp, total, float(x.shape[1]))


@_recorded
def topk(x: Value, k: int) -> TopK:
    """The k largest of every row, largest first, and their columns in i32; ties: lower column.

    A NaN is an ExecutionError: it has no rank.
    """
    op = trace.emit_op("tl.topk", tile.TopkOp, x, k)
    return TopK(Value(op.results[0]), Value(op.results[1]))


@_recorded
def gather(x: Value, columns: Value) -> Value:
    """y[r, j] = x[r, columns[r, j]] for i32 columns; a column out of range is an ExecutionError."""
    return trace.emit("tl.gather", tile.GatherOp, x, columns)


# ---- Products ----------------------------------------------------------------------------------


@_recorded
def matmul(
    a: Value,
    b: Value,
    *,
    acc: Value | None = None,
    transpose_a: bool = False,
    transpose_b: bool = False,
) -> Value:
    """The product of a (M x K) and b (K x N) in f32, plus `acc` (M x N, f32) if given.

    Both operands have one float dtype. Every element is one chain of fused multiply-adds over K.
    """
    options = {"transpose_a": transpose_a, "transpose_b": transpose_b}
    operands = [trace.as_value("tl.matmul", operand) for operand in (a, b)]
    if acc is not None:
        operands.append(acc)
    return trace.emit("tl.matmul", tile.MatmulOp, *operands, **options)


# ---- Columns in and out of order ---------------------------------------------------------------


@_recorded
def slice_even(x: Value) -> Value:
    """Columns 0, 2, 4, ...: R x C/2."""
    return trace.sliced(x, (slice(None), slice(0, None, 2)))


@_recorded
def slice_odd(x: Value) -> Value:
    """Columns 1, 3, 5, ...: R x C/2."""
    return trace.sliced(x, (slice(None), slice(1, None, 2)))


@_recorded
def interleave(even: Value, odd: Value) -> Value:
    """The inverse of slice_even and slice_odd: columns in turn."""
    return trace.emit("tl.interleave", tile.InterleaveOp, even, odd)


@_recorded
def concat(parts: Sequence[Value]) -> Value:
    """Tiles of equal height side by side: `tl.concat([a, b])`."""
    if not isinstance(parts, (list, tuple)):
        fail(f"tl.concat takes one list of tiles, tl.concat([a, b]), found {parts!r}")
    values = [trace.as_value("tl.concat", part).ssa for part in parts]
    return trace.emit("tl.concat", tile.ConcatOp, values)


def __getattr__(name: str) -> NoReturn:
    if name.startswith("__") or not trace.is_tracing():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    close = difflib.get_close_matches(name, _names, 3)
    hint = f"did you mean {', '.join(f'tl.{c}' for c in close)}?" if close else ""
    fail(f"there is no tl.{name}; {hint or 'known: ' + ', '.join(_names)}")


def __dir__() -> list[str]:
    return sorted(_names)
