"""Products, and the same elements in other shapes and orders."""

from __future__ import annotations

from collections.abc import Sequence

from pto_wsp.dialects import tile
from pto_wsp.language import kernel_trace as trace
from pto_wsp.language.kernel_trace import Value
from pto_wsp.language.source import fail
from pto_wsp.language.tl.record import Operand, recorded, shape_of, tile_of


@recorded
def matmul(
    a: Value,
    b: Value,
    *,
    acc: Value | None = None,
    transpose_a: bool = False,
    transpose_b: bool = False,
) -> Value:
    """The product of a (M x K) and b (K x N), plus `acc` (M x N) if given; M x N.

    Both operands have one dtype: f16, bf16, f32 or fp8, where result and accumulator are f32 and
    every element is one chain of fused multiply-adds over K; or i8 or u8, where they are i32 and
    wrap around. `transpose_a` takes a as K x M, `transpose_b` b as N x K.
    """
    options = {"transpose_a": transpose_a, "transpose_b": transpose_b}
    operands = [tile_of("tl.matmul", operand) for operand in (a, b)]
    if acc is not None:
        operands.append(tile_of("tl.matmul", acc))
    return trace.emit("tl.matmul", tile.MatmulOp, *operands, **options)


# ---- Shapes ------------------------------------------------------------------------------------


@recorded
def transpose(x: Value) -> Value:
    """y[c, r] = x[r, c]: C x R."""
    return trace.emit("tl.transpose", tile.TransposeOp, tile_of("tl.transpose", x))


@recorded
def reshape(x: Value, shape: Sequence[int]) -> Value:
    """The same elements, row after row, in another shape of as many."""
    rows_cols = shape_of("tl.reshape", shape)
    return trace.emit("tl.reshape", tile.ReshapeOp, tile_of("tl.reshape", x), rows_cols)


@recorded
def broadcast(x: Operand, shape: Sequence[int]) -> Value:
    """The only row, the only column, or the only element of x repeated to `shape`."""
    value = trace.as_value("tl.broadcast", x)
    return trace.emit("tl.broadcast", tile.BroadcastOp, value, shape_of("tl.broadcast", shape))


# ---- Parts and wholes --------------------------------------------------------------------------


@recorded
def slice(x: Value, offsets: Sequence[int], shape: Sequence[int]) -> Value:
    """The box of `shape` at `offsets` of a tile, as x[r : r + rows, c : c + columns]."""
    box = shape_of("tl.slice", shape)
    if len(offsets) != 2 or any(isinstance(o, bool) or not isinstance(o, int) for o in offsets):  # pyright: ignore[reportUnnecessaryIsInstance]
        fail(f"tl.slice: expected two integers, (row, column), found {offsets!r}")
    row, col = offsets
    source = tile_of("tl.slice", x)
    return trace.emit("tl.slice", tile.SliceOp, source, (row, col), box)


@recorded
def slice_even(x: Value) -> Value:
    """Columns 0, 2, 4, ...: R x ceil(C / 2)."""
    return trace.every_second("tl.slice_even", tile_of("tl.slice_even", x), 0)


@recorded
def slice_odd(x: Value) -> Value:
    """Columns 1, 3, 5, ...: R x floor(C / 2); TraceError for a single column."""
    return trace.every_second("tl.slice_odd", tile_of("tl.slice_odd", x), 1)


@recorded
def interleave(even: Value, odd: Value) -> Value:
    """The inverse of slice_even and slice_odd: columns in turn, R x 2 C of two R x C."""
    operands = tile_of("tl.interleave", even), tile_of("tl.interleave", odd)
    return trace.emit("tl.interleave", tile.InterleaveOp, *operands)


@recorded
def concat(parts: Sequence[Value]) -> Value:
    """Tiles of equal height and dtype side by side: `tl.concat([a, b])`."""
    if not isinstance(parts, (list, tuple)):
        fail(f"tl.concat takes one list of tiles, tl.concat([a, b]), found {parts!r}")
    values = [trace.as_ssa(tile_of("tl.concat", part)) for part in parts]
    return trace.emit("tl.concat", tile.ConcatOp, values)
