"""Element by element: arithmetic, functions, choice.

Where a function takes two tiles, extents of 1 broadcast as in NumPy and different float dtypes
widen to f32 (f64 with an f64); a number takes the dtype of the tile beside it. Ulps are of f32; f16
and bf16 are computed in f32 and rounded once; f64 is as precise as the C library: 1 ulp, tanh 2.
"""

from __future__ import annotations

from pto_wsp.dialects import tile
from pto_wsp.language import kernel_trace as trace
from pto_wsp.language.dtypes import DType
from pto_wsp.language.index import Condition
from pto_wsp.language.kernel_trace import Value
from pto_wsp.language.source import fail
from pto_wsp.language.tl.masks import mask_of
from pto_wsp.language.tl.record import Operand, recorded, tile_of

# ---- Arithmetic --------------------------------------------------------------------------------


@recorded
def add(a: Operand, b: Operand) -> Value:
    """a + b, element by element; integers wrap around."""
    return trace.binary("tl.add", tile.AddOp, a, b)


@recorded
def sub(a: Operand, b: Operand) -> Value:
    """a - b, element by element; integers wrap around."""
    return trace.binary("tl.sub", tile.SubOp, a, b)


@recorded
def mul(a: Operand, b: Operand) -> Value:
    """a * b, element by element; integers wrap around."""
    return trace.binary("tl.mul", tile.MulOp, a, b)


@recorded
def div(a: Operand, b: Operand) -> Value:
    """a / b, element by element; floats only."""
    return trace.binary("tl.div", tile.DivOp, a, b)


@recorded
def neg(x: Operand) -> Value:
    """-x; of unsigned integers, modulo their range."""
    return trace.unary("tl.neg", tile.NegOp, x)


@recorded
def maximum(a: Operand, b: Operand) -> Value:
    """The larger of a and b, element by element; NaN where one of them is."""
    return trace.binary("tl.maximum", tile.MaximumOp, a, b)


@recorded
def minimum(a: Operand, b: Operand) -> Value:
    """The smaller of a and b, element by element; NaN where one of them is."""
    return trace.binary("tl.minimum", tile.MinimumOp, a, b)


@recorded
def pow(a: Operand, b: Operand) -> Value:
    """a to the power b, within 0.51 ulp; floats only.

    NaN for a < 0, unless b is an integer.
    """
    return trace.binary("tl.pow", tile.PowOp, a, b)


@recorded
def abs(x: Operand) -> Value:
    """The distance from 0; the least integer stays as it is."""
    return trace.unary("tl.abs", tile.AbsOp, x)


# ---- Rows and columns with their own number ----------------------------------------------------


@recorded
def rowmul(x: Value, factors: Operand) -> Value:
    """Every row of x (R x C) times its own factor (R x 1)."""
    return trace.binary("tl.rowmul", tile.MulOp, x, _per_row("tl.rowmul", x, factors))


@recorded
def rowadd(x: Value, terms: Operand) -> Value:
    """Every row of x (R x C) plus its own term (R x 1)."""
    return trace.binary("tl.rowadd", tile.AddOp, x, _per_row("tl.rowadd", x, terms))


@recorded
def colmul(x: Value, factors: Operand) -> Value:
    """Every column of x (R x C) times its own factor (1 x C)."""
    return trace.binary("tl.colmul", tile.MulOp, x, _per_column("tl.colmul", x, factors))


@recorded
def coladd(x: Value, terms: Operand) -> Value:
    """Every column of x (R x C) plus its own term (1 x C)."""
    return trace.binary("tl.coladd", tile.AddOp, x, _per_column("tl.coladd", x, terms))


def _per_row(what: str, x: object, numbers: Operand) -> Operand:
    rows = tile_of(what, x).shape[0]
    if isinstance(numbers, Value) and numbers.shape != (rows, 1):
        found = "x".join(map(str, numbers.shape))
        fail(f"{what}: expected one number per row, {rows}x1, found {found}")
    return numbers


def _per_column(what: str, x: object, numbers: Operand) -> Operand:
    cols = tile_of(what, x).shape[1]
    if isinstance(numbers, Value) and numbers.shape != (1, cols):
        found = "x".join(map(str, numbers.shape))
        fail(f"{what}: expected one number per column, 1x{cols}, found {found}")
    return numbers


# ---- Functions ---------------------------------------------------------------------------------


@recorded
def exp(x: Operand) -> Value:
    """e to the power x, within 1 ulp."""
    return trace.unary("tl.exp", tile.ExpOp, x)


@recorded
def sqrt(x: Operand) -> Value:
    """The square root, correctly rounded; NaN below 0."""
    return trace.unary("tl.sqrt", tile.SqrtOp, x)


@recorded
def rsqrt(x: Operand) -> Value:
    """1 / sqrt(x), each of the two rounded."""
    return trace.unary("tl.rsqrt", tile.RsqrtOp, x)


@recorded
def sigmoid(x: Operand) -> Value:
    """1 / (1 + exp(-x)), within 2.5 ulp."""
    return trace.unary("tl.sigmoid", tile.SigmoidOp, x)


@recorded
def log(x: Operand) -> Value:
    """The natural logarithm, within 0.82 ulp; -inf of 0, NaN below."""
    return trace.unary("tl.log", tile.LogOp, x)


@recorded
def tanh(x: Operand) -> Value:
    """The hyperbolic tangent, within 0.51 ulp."""
    return trace.unary("tl.tanh", tile.TanhOp, x)


@recorded
def sin(x: Operand) -> Value:
    """The sine of an angle in radians, within 0.51 ulp for any finite angle."""
    return trace.unary("tl.sin", tile.SinOp, x)


@recorded
def cos(x: Operand) -> Value:
    """The cosine of an angle in radians, within 0.51 ulp for any finite angle."""
    return trace.unary("tl.cos", tile.CosOp, x)


@recorded
def erf(x: Operand) -> Value:
    """2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x, within 0.51 ulp."""
    return trace.unary("tl.erf", tile.ErfOp, x)


@recorded
def relu(x: Operand) -> Value:
    """max(x, 0); NaN of a NaN."""
    return trace.unary("tl.relu", tile.ReluOp, x)


@recorded
def silu(x: Operand) -> Value:
    """x * sigmoid(x)"""
    value = trace.as_value("tl.silu", x)
    return value * trace.unary("tl.silu", tile.SigmoidOp, value)


@recorded
def gelu(x: Operand) -> Value:
    """x * (1 + erf(x / sqrt(2))) / 2, the exact form."""
    value = trace.as_value("tl.gelu", x)
    return value * (trace.unary("tl.gelu", tile.ErfOp, value * 0.7071067811865476) + 1.0) * 0.5


@recorded
def cast(x: Value, dtype: DType) -> Value:
    """The same numbers in another dtype.

    To floats: to the nearest, ties to even. From floats to integers: towards zero, stopping at the
    ends of the range, 0 of a NaN. Between integers: modulo the range. To BOOL: whether it is not 0.
    """
    if not isinstance(dtype, DType):  # pyright: ignore[reportUnnecessaryIsInstance]
        fail(f"tl.cast: expected a DType, found {dtype!r}")
    return trace.cast_to("tl.cast", tile_of("tl.cast", x), dtype)


@recorded
def where(mask: Value | Condition, a: Operand, b: Operand) -> Value:
    """An element of a where the mask holds, else of b; all three broadcast.

    The mask is a comparison of tiles, `x >= y`, or a condition on loops' numbers, `k < 3`, which
    holds for all elements or for none.
    """
    mask = mask_of("tl.where", mask) if isinstance(mask, Condition) else mask
    if not isinstance(mask, Value):  # pyright: ignore[reportUnnecessaryIsInstance]
        fail(f"tl.where: expected a mask such as x >= y, found {mask!r}")
    left = trace.as_value("tl.where", a, b.dtype if isinstance(b, Value) else None)
    right = trace.as_value("tl.where", b, left.dtype)
    return trace.emit("tl.where", tile.SelectOp, mask, left, right)
