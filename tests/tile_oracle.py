"""What every function of `tl` gives, in NumPy: independent of the compiler and its reference."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pto_wsp import DType, tl

FLOATS = (DType.F16, DType.BF16, DType.F32, DType.F64)
SIGNED = (DType.I8, DType.I16, DType.I32, DType.I64)
INTEGERS = (*SIGNED, DType.U8, DType.U16, DType.U32, DType.U64)
NUMBERS = (*FLOATS, *INTEGERS)

Array = np.ndarray
Shape = tuple[int, int]


@dataclass(frozen=True)
class Function:
    """A function of `tl` and the numbers it should give.

    `exact` gets the inputs as they are computed with (f16 and bf16 in f32; f64 where the function
    is not exact) and answers without rounding to the dtype.
    """

    name: str
    body: Callable[..., Any]
    exact: Callable[..., Array]
    dtypes: Sequence[DType] = NUMBERS
    shapes: str = "same"
    """How the inputs' shapes belong together: see `input_shapes`."""
    ulps: float = 0.0
    """0: every bit agrees. Else the largest distance in units of the last place."""
    result: DType | None = None
    """The result's dtype; the inputs' where it is None."""
    data: str = "special"
    """`special`: with inf, nan, -0, subnormals; `plain`: without; `sums`: bounded, some of them."""


ERF = np.vectorize(math.erf, otypes=[np.float64])


def _unary(name: str, exact: Callable[[Array], Array], ulps: float, **more: Any) -> Function:
    return Function(name, getattr(tl, name), exact, FLOATS, "one", ulps, **more)


def _sigmoid(x: Array) -> Array:
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1.0) / (1.0 + e)


def _falling(x: Array) -> Array:
    """Every row, largest first, of equal ones the lower column."""
    order = x.shape[1] - 1 - np.argsort(x[:, ::-1], 1, kind="stable")[:, ::-1]
    return np.take_along_axis(x, order, 1)


def _softmax(x: Array) -> Array:
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def _rmsnorm(x: Array, gamma: Array) -> Array:
    return x / np.sqrt((x * x).mean(1, keepdims=True) + 1e-6) * gamma


def _layernorm(x: Array, gamma: Array) -> Array:
    return (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5) * gamma + gamma


ELEMENTS = (
    Function("add", tl.add, lambda a, b: a + b),
    Function("sub", tl.sub, lambda a, b: a - b),
    Function("mul", tl.mul, lambda a, b: a * b),
    Function("div", tl.div, lambda a, b: a / b, FLOATS),
    Function("maximum", tl.maximum, np.maximum),
    Function("minimum", tl.minimum, np.minimum),
    Function("neg", tl.neg, lambda a: -a, NUMBERS, "one"),
    Function("abs", tl.abs, np.abs, NUMBERS, "one"),
    Function("relu", tl.relu, lambda a: np.maximum(a, a.dtype.type(0)), NUMBERS, "one"),
    Function("sqrt", tl.sqrt, np.sqrt, FLOATS, "one"),
    Function("rsqrt", tl.rsqrt, lambda a: a.dtype.type(1) / np.sqrt(a), FLOATS, "one"),
    _unary("exp", np.exp, 1.0),
    _unary("log", np.log, 0.82),
    _unary("sin", np.sin, 0.51),
    _unary("cos", np.cos, 0.51),
    _unary("tanh", np.tanh, 0.51),
    _unary("erf", ERF, 0.51),
    _unary("sigmoid", _sigmoid, 2.5),
    Function("pow", tl.pow, np.power, FLOATS, "same", 0.51),
    Function("where", lambda a, b: tl.where(a > b, a, b), lambda a, b: np.where(a > b, a, b)),
    Function("not_equal", lambda a, b: tl.where(a != b, a, b), lambda a, b: np.where(a != b, a, b)),
    Function("rowmul", tl.rowmul, lambda a, b: a * b, NUMBERS, "rows"),
    Function("rowadd", tl.rowadd, lambda a, b: a + b, NUMBERS, "rows"),
    Function("colmul", tl.colmul, lambda a, b: a * b, NUMBERS, "cols"),
    Function("coladd", tl.coladd, lambda a, b: a + b, NUMBERS, "cols"),
)


def _compared(name: str, compare: Callable[[Any, Any], Any]) -> Function:
    """A comparison as 1 and 0."""

    def body(a: Any, b: Any) -> Any:
        return tl.where(compare(a, b), tl.full((1, 1), 1, DType.I32), 0)

    def exact(a: Array, b: Array) -> Array:
        return compare(a, b).astype(np.int32)

    return Function(name, body, exact, result=DType.I32)


def _silu(x: Array) -> Array:
    return x * _sigmoid(x)


def _gelu(x: Array) -> Array:
    return x * (ERF(x / math.sqrt(2)) + 1) / 2


WIDE = (DType.F32, DType.F64)
OPERATORS = (
    _compared("lt", operator.lt),
    _compared("le", operator.le),
    _compared("gt", operator.gt),
    _compared("ge", operator.ge),
    _compared("eq", operator.eq),
    _compared("ne", operator.ne),
    Function("numbers_right", lambda a: a * 3 - 2 + 1, lambda a: a * 3 - 2 + 1, WIDE, "one"),
    Function("numbers_left", lambda a: 1 + 3 * a, lambda a: 1 + 3 * a, INTEGERS, "one"),
    Function("minus", lambda a: 5 - a, lambda a: 5 - a, NUMBERS, "one"),
    Function("over", lambda a: 2.0 / a, lambda a: 2 / a, FLOATS, "one"),
    Function("half", lambda a: a / 2, lambda a: a / 2, FLOATS, "one"),
    Function("squared", lambda a: a**2, lambda a: a**2, FLOATS, "one", 0.51),
    Function("powers", lambda a: 2.0**a, lambda a: 2**a, FLOATS, "one", 0.51),
    Function("distance", lambda a: abs(-a), lambda a: np.abs(-a), NUMBERS, "one"),
    Function(
        "mixed",
        lambda a: tl.constant(7, a.dtype) - tl.maximum(a, 1),
        lambda a: a.dtype.type(7) - np.maximum(a, a.dtype.type(1)),
        NUMBERS,
        "one",
    ),
    Function(
        "rows",
        lambda a: tl.iota(a, 0) + tl.iota(a) * 2,
        lambda a: np.indices(a.shape)[0] + np.indices(a.shape)[1] * 2,
        NUMBERS,
        "one",
        result=DType.I32,
    ),
    Function("silu", tl.silu, _silu, WIDE, "one", data="sums"),
    Function("gelu", tl.gelu, _gelu, WIDE, "one", data="sums"),
    Function(
        "product",
        lambda a, b: tl.cast(tl.matmul(a, b, transpose_b=True), a.dtype),
        lambda a, b: a @ b.T,
        (DType.F16, DType.BF16, DType.F32),
        "same_columns",
        data="sums",
    ),
)

AXES = (
    Function("rowmax", tl.rowmax, lambda a: a.max(1, keepdims=True), NUMBERS, "one"),
    Function("rowmin", tl.rowmin, lambda a: a.min(1, keepdims=True), NUMBERS, "one"),
    Function("colmax", tl.colmax, lambda a: a.max(0, keepdims=True), NUMBERS, "one"),
    Function("colmin", tl.colmin, lambda a: a.min(0, keepdims=True), NUMBERS, "one"),
    Function("argmax", tl.argmax, lambda a: a.argmax(1)[:, None], NUMBERS, "one", result=DType.I32),
    Function("cumsum", tl.cumsum, lambda a: a.cumsum(1, a.dtype), NUMBERS, "one"),
    Function("cumsum_0", lambda a: tl.cumsum(a, 0), lambda a: a.cumsum(0, a.dtype), NUMBERS, "one"),
    Function(
        "sort",
        lambda a: tl.sort(a).values,
        lambda a: np.sort(a, 1, kind="stable"),
        NUMBERS,
        "one",
        data="plain",
    ),
    Function(
        "argsort",
        lambda a: tl.sort(a).indices,
        lambda a: np.argsort(a, 1, kind="stable"),
        NUMBERS,
        "one",
        result=DType.I32,
        data="plain",
    ),
    Function(
        "sort_down",
        lambda a: tl.sort(a, descending=True).values,
        _falling,
        NUMBERS,
        "one",
        data="plain",
    ),
    Function(
        "topk",
        lambda a: tl.topk(a, max(1, a.shape[1] // 3)).values,
        lambda a: _falling(a)[:, : max(1, a.shape[1] // 3)],
        NUMBERS,
        "one",
        data="plain",
    ),
)
SUMS = (
    Function(
        "rowsum",
        tl.rowsum,
        lambda a: a.sum(1, keepdims=True, dtype=a.dtype),
        NUMBERS,
        "one",
        data="sums",
    ),
    Function(
        "colsum",
        tl.colsum,
        lambda a: a.sum(0, keepdims=True, dtype=a.dtype),
        NUMBERS,
        "one",
        data="sums",
    ),
    Function("rowmean", tl.rowmean, lambda a: a.mean(1, keepdims=True), FLOATS, "one", data="sums"),
    Function("colmean", tl.colmean, lambda a: a.mean(0, keepdims=True), FLOATS, "one", data="sums"),
    Function("softmax", tl.softmax, _softmax, FLOATS, "one", data="sums"),
    Function("rmsnorm", tl.rmsnorm, _rmsnorm, FLOATS, "cols", data="sums"),
    Function(
        "layernorm", lambda a, b: tl.layernorm(a, b, b), _layernorm, FLOATS, "cols", data="sums"
    ),
)

MOVES = (
    Function("transpose", tl.transpose, lambda a: a.T, NUMBERS, "one"),
    Function(
        "reshape",
        lambda a: tl.reshape(a, (1, a.shape[0] * a.shape[1])),
        lambda a: a.reshape(1, -1),
        NUMBERS,
        "one",
    ),
    Function(
        "reshape_view",
        lambda a: tl.reshape(tl.slice_even(a), (-(-a.shape[1] // 2), a.shape[0])),
        lambda a: a[:, ::2].reshape(-1, a.shape[0]),
        NUMBERS,
        "one",
    ),
    Function("slice_even", tl.slice_even, lambda a: a[:, ::2], NUMBERS, "one"),
    Function("slice_odd", tl.slice_odd, lambda a: a[:, 1::2], NUMBERS, "wide"),
    Function(
        "interleave",
        tl.interleave,
        lambda a, b: np.stack([a, b], 2).reshape(a.shape[0], -1),
        NUMBERS,
        "equal",
    ),
    Function(
        "concat",
        lambda a, b: tl.concat([a, b, a]),
        lambda a, b: np.hstack([a, b, a]),
        NUMBERS,
        "equal",
    ),
    Function(
        "slice",
        lambda a: a[-1:, : max(1, a.shape[1] // 2)],
        lambda a: a[-1:, : max(1, a.shape[1] // 2)],
        NUMBERS,
        "one",
    ),
    Function(
        "rows_spread",
        lambda a, b: tl.broadcast(b, a.shape),
        lambda a, b: np.broadcast_to(b, a.shape),
        NUMBERS,
        "rows",
    ),
    Function(
        "cols_spread",
        lambda a, b: tl.broadcast(b, a.shape),
        lambda a, b: np.broadcast_to(b, a.shape),
        NUMBERS,
        "cols",
    ),
    Function(
        "gather",
        lambda a, i: tl.gather(a + a, i),
        lambda a, i: np.take_along_axis(a + a, i, 1),
        NUMBERS,
        "columns",
    ),
    Function(
        "gather_rows",
        lambda a, i: tl.gather_rows(a + a, i),
        lambda a, i: (a + a)[i[:, 0]],
        NUMBERS,
        "row_numbers",
    ),
    Function("load_rows", tl.gather_rows, lambda a, i: a[i[:, 0]], NUMBERS, "row_numbers"),
    Function(
        "full",
        lambda a: a + tl.full(a.shape, 3, a.dtype),
        lambda a: a + a.dtype.type(3),
        NUMBERS,
        "one",
    ),
    Function(
        "alloc",
        lambda a: tl.alloc(a.shape, a.dtype) + a,
        lambda a: a.dtype.type(0) + a,
        NUMBERS,
        "one",
    ),
)

FUNCTIONS = (*ELEMENTS, *OPERATORS, *AXES, *SUMS, *MOVES)


def input_shapes(kind: str, shape: Shape, side: int) -> tuple[Shape, ...]:
    """The shapes of a function's inputs around `shape`; `side` chooses who is broadcast."""
    rows, cols = shape
    match kind:
        case "one":
            return (shape,)
        case "wide":
            return ((rows, max(cols, 2)),)
        case "rows":
            return (shape, (rows, 1))
        case "cols":
            return (shape, (1, cols))
        case "equal":
            return (shape, shape)
        case "columns":
            return (shape, (rows, max(1, cols // 2)))
        case "same_columns":
            return (shape, (rows // 2 + 1, cols))
        case "row_numbers":
            return (shape, (max(1, rows // 2), 1))
        case _:
            narrow = ((rows, cols), (1, cols), (rows, 1), (1, 1))
            return (shape, narrow[side % 4]) if side < 4 else (narrow[side % 4], shape)
