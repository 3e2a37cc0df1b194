"""Layers of models that are formulas of other functions: they leave no op of their own."""

from __future__ import annotations

from pto_wsp.dialects import tile
from pto_wsp.language import kernel_trace as trace
from pto_wsp.language.kernel_trace import Value
from pto_wsp.language.source import fail
from pto_wsp.language.tl.axes import rowmax, rowmean, rowsum
from pto_wsp.language.tl.elements import exp, rsqrt
from pto_wsp.language.tl.record import recorded, tile_of


@recorded
def softmax(x: Value) -> Value:
    """exp(x - rowmax(x)) / its row sum, of every row; in f32 (f64 in f64), rounded once.

    A row of nothing but -inf is NaN, as is a row with a NaN or an inf.
    """
    value = _wide("tl.softmax", x)
    powers = exp(value - rowmax(value))
    return trace.cast_like("tl.softmax", powers / rowsum(powers), x.dtype)


@recorded
def rmsnorm(x: Value, gamma: Value | None = None, eps: float = 1e-6) -> Value:
    """x / sqrt(mean(x^2) + eps), of every row, times gamma (1 x C).

    In f32 (f64 in f64), rounded once.
    """
    value = _wide("tl.rmsnorm", x)
    normed = value * rsqrt(rowmean(value * value) + eps)
    return trace.cast_like("tl.rmsnorm", _scaled("tl.rmsnorm", normed, gamma), x.dtype)


@recorded
def layernorm(
    x: Value, gamma: Value | None = None, beta: Value | None = None, eps: float = 1e-5
) -> Value:
    """(x - mean) / sqrt(variance + eps), of every row, times gamma plus beta (1 x C each).

    The variance is the mean square of x - mean. In f32 (f64 in f64), rounded once.
    """
    value = _wide("tl.layernorm", x)
    centred = value - rowmean(value)
    normed = _scaled("tl.layernorm", centred * rsqrt(rowmean(centred * centred) + eps), gamma)
    if beta is not None:
        normed = normed + _row_like("tl.layernorm", "beta", normed, beta)
    return trace.cast_like("tl.layernorm", normed, x.dtype)


def _wide(what: str, x: object) -> Value:
    value = tile_of(what, x)
    if not value.dtype.is_float:
        fail(f"{what}: expected floats, found {value.dtype.value}: cast the tile first")
    return trace.widened(what, value)


def _scaled(what: str, x: Value, gamma: Value | None) -> Value:
    if gamma is None:
        return x
    return trace.binary(what, tile.MulOp, x, _row_like(what, "gamma", x, gamma))


def _row_like(what: str, name: str, x: Value, row: object) -> Value:
    value = tile_of(what, row)
    if value.shape != (1, x.shape[1]):
        found = "x".join(map(str, value.shape))
        fail(f"{what}: expected {name} of 1x{x.shape[1]}, found {found}")
    return value
