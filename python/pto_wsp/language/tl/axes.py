"""Along rows and columns: reductions, scans, order, choice by number."""

from __future__ import annotations

from typing import NamedTuple

from pto_wsp.dialects import tile
from pto_wsp.language import kernel_trace as trace
from pto_wsp.language.kernel_trace import Value
from pto_wsp.language.source import fail
from pto_wsp.language.tl.record import recorded, tile_of


class Ordered(NamedTuple):
    """Elements of every row in order, and the columns (i32) where they stand."""

    values: Value
    indices: Value


# ---- Reductions --------------------------------------------------------------------------------


@recorded
def rowsum(x: Value) -> Value:
    """The sum of every row, R x 1, in a tree of fixed shape.

    Floats are added in f32 (f64 in f64) and rounded once; integers wrap around in their own dtype.
    """
    return trace.emit("tl.rowsum", tile.RowSumOp, tile_of("tl.rowsum", x))


@recorded
def rowmax(x: Value) -> Value:
    """The largest element of every row, R x 1; NaN where there is one."""
    return trace.emit("tl.rowmax", tile.RowMaxOp, tile_of("tl.rowmax", x))


@recorded
def rowmin(x: Value) -> Value:
    """The smallest element of every row, R x 1; NaN where there is one."""
    return trace.emit("tl.rowmin", tile.RowMinOp, tile_of("tl.rowmin", x))


@recorded
def rowmean(x: Value) -> Value:
    """The sum of every row over C, R x 1; floats only. Summed and divided in f32 (f64 in f64)."""
    return _mean("tl.rowmean", tile.RowSumOp, x, tile_of("tl.rowmean", x).shape[1])


@recorded
def colsum(x: Value) -> Value:
    """The sum of every column, 1 x C, in a tree of fixed shape; otherwise as rowsum."""
    return trace.emit("tl.colsum", tile.ColSumOp, tile_of("tl.colsum", x))


@recorded
def colmax(x: Value) -> Value:
    """The largest element of every column, 1 x C; NaN where there is one."""
    return trace.emit("tl.colmax", tile.ColMaxOp, tile_of("tl.colmax", x))


@recorded
def colmin(x: Value) -> Value:
    """The smallest element of every column, 1 x C; NaN where there is one."""
    return trace.emit("tl.colmin", tile.ColMinOp, tile_of("tl.colmin", x))


@recorded
def colmean(x: Value) -> Value:
    """The sum of every column over R, 1 x C; floats only, otherwise as rowmean."""
    return _mean("tl.colmean", tile.ColSumOp, x, tile_of("tl.colmean", x).shape[0])


def _mean(what: str, op: type[tile.ReductionOp], x: Value, count: int) -> Value:
    if not x.dtype.is_float:
        fail(f"{what}: expected floats, found {x.dtype.value}: cast the tile first")
    mean = trace.binary(what, tile.DivOp, trace.emit(what, op, trace.widened(what, x)), count)
    return trace.cast_like(what, mean, x.dtype)


@recorded
def argmax(x: Value) -> Value:
    """The column of every row's largest element, R x 1 in i32: the first of equal ones.

    A NaN counts as the largest.
    """
    return trace.emit("tl.argmax", tile.ArgmaxOp, tile_of("tl.argmax", x))


@recorded
def cumsum(x: Value, axis: int = 1) -> Value:
    """y[r, c] = x[r, 0] + .. + x[r, c]; down the columns with axis 0. The shape of x.

    One addition after the other; floats in f32 (f64 in f64), each sum rounded to the dtype
    where it is given out. Integers wrap around.
    """
    return trace.emit("tl.cumsum", tile.CumsumOp, tile_of("tl.cumsum", x), axis)


# ---- Order -------------------------------------------------------------------------------------


@recorded
def topk(x: Value, k: int) -> Ordered:
    """The k largest of every row, largest first, and their columns: R x k; ties: lower column.

    A NaN is an ExecutionError: it has no rank.
    """
    if isinstance(k, bool) or not isinstance(k, int):  # pyright: ignore[reportUnnecessaryIsInstance]
        fail(f"tl.topk: expected k as an integer, found {k!r}")
    op = trace.emit_op("tl.topk", tile.TopkOp, tile_of("tl.topk", x), k)
    return Ordered(*trace.results(op))


@recorded
def sort(x: Value, *, descending: bool = False) -> Ordered:
    """Every row in order, smallest first, and the columns where its elements stood: R x C.

    Stable: of equal elements the lower column comes first, in both orders. A NaN is an
    ExecutionError: it has no rank.
    """
    op = trace.emit_op("tl.sort", tile.SortOp, tile_of("tl.sort", x), descending=descending)
    return Ordered(*trace.results(op))


@recorded
def gather(x: Value, columns: Value) -> Value:
    """y[r, j] = x[r, columns[r, j]] for R x N columns in i32: R x N.

    A column outside 0..C-1 is an ExecutionError.
    """
    source, indices = tile_of("tl.gather", x), tile_of("tl.gather", columns)
    return trace.emit("tl.gather", tile.GatherOp, source, indices)
