"""Layers of models that are formulas of other functions: they leave no op of their own."""

from __future__ import annotations

from collections.abc import Sequence

from pto_wsp.dialects import tile
from pto_wsp.language import kernel_trace as trace
from pto_wsp.language.dtypes import DType
from pto_wsp.language.kernel_trace import Value
from pto_wsp.language.source import fail
from pto_wsp.language.tl.axes import rowmax, rowmean, rowsum
from pto_wsp.language.tl.elements import exp, rsqrt
from pto_wsp.language.tl.record import recorded, shape_of, tile_of
from pto_wsp.language.tl.shapes import broadcast, reshape, transpose


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


@recorded
def dequantize(x: Value, scales: Value, block: Sequence[int] = (128, 128)) -> Value:
    """x[r, c] * scales[r // block[0], c // block[1]] in f32, for x of fp8, i8 or u8.

    `scales` is f32, one number per block: ceil(R / block[0]) x ceil(C / block[1]). The blocks of
    128 x 128 are those of weights in DeepSeek-V3, 1 x 128 those of its activations. A scale that
    many elements share is broadcast; several along an axis are first repeated to one per element.
    """
    rows, cols = shape_of("tl.dequantize", block)
    value, factors = tile_of("tl.dequantize", x), tile_of("tl.dequantize", scales)
    if value.dtype not in _QUANTIZED:
        known = ", ".join(dtype.value for dtype in _QUANTIZED)
        fail(f"tl.dequantize: expected a tile of {known}, found {value.dtype.value}")
    blocks = -(-value.shape[0] // rows), -(-value.shape[1] // cols)
    if factors.shape != blocks or factors.dtype is not DType.F32:
        found = "x".join(map(str, factors.shape))
        fail(
            f"tl.dequantize: expected scales of {blocks[0]}x{blocks[1]} f32, one per block of"
            f" {rows}x{cols}, found {found} {factors.dtype.value}"
        )
    along_rows = _repeated(factors, cols, value.shape[1])
    if rows == 1 or blocks[0] == 1:
        spread = along_rows
    else:
        spread = transpose(_repeated(transpose(along_rows), rows, value.shape[0]))
    return trace.cast_to("tl.dequantize", value, DType.F32) * spread


_QUANTIZED = (DType.F8E4M3, DType.F8E5M2, DType.I8, DType.U8)


def _repeated(x: Value, times: int, cols: int) -> Value:
    """Every column `times` times, up to `cols` columns; a single one is left to broadcasting."""
    rows, blocks = x.shape
    if blocks == 1 or times == 1:
        return x
    spread = broadcast(reshape(x, (rows * blocks, 1)), (rows * blocks, times))
    return reshape(spread, (rows, blocks * times))[:, :cols]


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
