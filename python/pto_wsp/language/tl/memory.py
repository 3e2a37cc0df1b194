"""Memory and numbers: what brings tiles into a kernel and out of it."""

from __future__ import annotations

from collections.abc import Sequence

from pto_wsp.dialects import tile
from pto_wsp.dialects.dtypes import dtype_named
from pto_wsp.dialects.tile import TileType
from pto_wsp.language import kernel_trace as trace
from pto_wsp.language.dtypes import DType
from pto_wsp.language.index import Index
from pto_wsp.language.kernel_trace import Ref, Value
from pto_wsp.language.source import fail
from pto_wsp.language.tl.record import Operand, recorded, shape_of, tile_of

Offsets = Sequence[int | Index]
"""Row and column where a box begins: numbers, or expressions of the numbers of `tl.range` loops."""


@recorded
def load(x: Value, offsets: Offsets = (0, 0), shape: Sequence[int] | None = None) -> Value:
    """The box of `shape` (default: all) at `offsets` of a parameter, in its dtype.

    Offsets may contain the numbers of `tl.range` loops: `tl.load(x, [i, k * 64], [128, 64])`.
    TraceError for what is no In or InOut parameter, and for a box that leaves it, whatever number
    the loops have.
    """
    if not isinstance(x, Ref):
        fail(f"tl.load reads a parameter of the kernel, found {x!r}")
    return x.load(offsets, x.shape if shape is None else shape_of("tl.load", shape))


@recorded
def store(target: Value, value: Operand, offsets: Offsets = (0, 0)) -> None:
    """Writes `value` to the box of its shape at `offsets` of an Out or InOut parameter.

    Floats are rounded to the parameter's dtype, to nearest even; other dtypes must agree. A number
    fills the parameter. TraceError for an In parameter, a box that leaves it, other dtypes.
    """
    ref = _target("tl.store", target)
    if not isinstance(value, Value):
        number = trace.as_value("tl.store", value, ref.dtype)
        value = trace.emit("tl.store", tile.BroadcastOp, number, ref.shape)
    place, indices = trace.offsets_of("tl.store", offsets)
    held = _held("tl.store", value, ref.dtype)
    trace.emit_op("tl.store", tile.StoreOp, held, ref.argument, place, indices)


@recorded
def gather_rows(x: Value, rows: Value) -> Value:
    """y[i, :] = x[rows[i, 0], :] for an N x 1 tile of i32: N x C, x R x C of any dtype.

    Of a parameter only these rows are read. A number outside 0..R-1 is an ExecutionError.
    """
    numbers = tile_of("tl.gather_rows", rows)
    if not isinstance(x, Ref):
        return trace.emit(
            "tl.gather_rows", tile.GatherRowsOp, tile_of("tl.gather_rows", x), numbers
        )
    x.check_readable()
    shape = (numbers.shape[0], x.shape[1])
    return trace.emit(
        "tl.gather_rows", tile.LoadOp, x.argument, (0, 0), shape, (), trace.as_ssa(numbers)
    )


@recorded
def scatter_rows(target: Value, value: Value, rows: Value) -> None:
    """target[rows[i, 0], :] = value[i, :] for an N x 1 tile of i32; value is N x C.

    The target is an InOut parameter, since other rows keep what they have. Rows are written in
    order: of equal numbers the last one stays. A number outside the target is an ExecutionError.
    """
    ref = _target("tl.scatter_rows", target)
    rounded = tile_of("tl.scatter_rows", value)
    numbers = trace.as_ssa(tile_of("tl.scatter_rows", rows))
    if rounded.shape[1] != ref.shape[1]:
        fail(
            f"tl.scatter_rows: rows of {ref.name!r} have {ref.shape[1]} columns,"
            f" found {rounded.shape[1]}"
        )
    held = _held("tl.scatter_rows", rounded, ref.dtype)
    trace.emit_op("tl.scatter_rows", tile.StoreOp, held, ref.argument, (0, 0), (), numbers)


@recorded
def debug(x: Value, name: str) -> None:
    """Prints a tile to stderr wherever its numbers are computed; in virtual time it takes none.

    One text per call, never mixed with another: the place, `name`, shape and dtype, the task with
    its number and axes (of Kernel.run its name), then a line per row; of more than 8 rows or
    columns the first and last 4. A task prints in the order of its body; tasks that run on several
    host threads print as they come, with threads=1 in the order in which they run.
    """
    if not isinstance(name, str) or not name or not name.isprintable():  # pyright: ignore[reportUnnecessaryIsInstance]
        fail(f"tl.debug: expected a name in one line, found {name!r}")
    trace.emit_op("tl.debug", tile.DebugOp, name, tile_of("tl.debug", x))


def _held(what: str, value: Value, dtype: DType) -> Value:
    """The value as a store to a parameter of `dtype` takes it: f64 is rounded, or widened to."""
    both_float = value.dtype.is_float and dtype.is_float
    if not both_float or value.dtype is dtype or DType.F64 not in (value.dtype, dtype):
        return value
    return trace.cast_to(what, value, dtype)


def _target(what: str, target: object) -> Ref:
    if not isinstance(target, Ref):
        fail(f"{what} writes to a parameter of the kernel, found {target!r}")
    if target.spec.role == "in":
        fail(f"parameter {target.name!r} is In: declare it Out or InOut to store to it")
    trace.current_trace(what).stored.add(target.name)
    return target


# ---- Numbers -----------------------------------------------------------------------------------


@recorded
def constant(number: float, dtype: DType = DType.F32) -> Value:
    """A 1 x 1 tile; broadcasting does the rest. TraceError for a number that the dtype has not."""
    return trace.constant("tl.constant", number, dtype)


@recorded
def full(shape: Sequence[int], number: float, dtype: DType = DType.F32) -> Value:
    """A tile whose elements are all `number`; TraceError for a number that the dtype has not."""
    return trace.constant("tl.full", number, dtype, shape_of("tl.full", shape))


@recorded
def alloc(shape: Sequence[int], dtype: DType = DType.F32) -> Value:
    """A tile of zeros: what sums begin with."""
    return trace.constant("tl.alloc", 0, dtype, shape_of("tl.alloc", shape))


@recorded
def iota(like: Value, axis: int = 1) -> Value:
    """An i32 tile of the shape of `like`: the row (axis 0) or column (axis 1) of every element."""
    shape = tile_of("tl.iota", like).shape
    return trace.emit("tl.iota", tile.IotaOp, axis, TileType(shape, dtype_named("i32").type))
