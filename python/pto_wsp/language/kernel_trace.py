"""A kernel while it is traced: symbolic tiles, and the IR that grows under them."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NoReturn, cast

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import Block, Operation, SSAValue
from xdsl.ir.affine import AffineExpr
from xdsl.utils.exceptions import VerifyException

from pto_wsp.dialects import tile
from pto_wsp.dialects.dtypes import dtype_info, dtype_named
from pto_wsp.dialects.locations import file_location, where
from pto_wsp.dialects.tile import TileType
from pto_wsp.dialects.tile_values import round_to
from pto_wsp.language.dtypes import DType
from pto_wsp.language.index import Index, Tiled, as_index
from pto_wsp.language.parameters import ParameterSpec
from pto_wsp.language.source import Place, fail, user_place

Number = int | float


class KernelTrace:
    """Collects the ops of one kernel."""

    def __init__(self, block: Block, folder: str) -> None:
        self._blocks = [block]
        """The kernel's, then those of the loops that are open."""
        self._left: Place | None = None
        self._folder = folder
        self.calls: dict[str, None] = {}
        """The `tl` names called, in order of first call."""
        self.stored: set[str] = set()
        """The parameters stored to."""
        self._depth = 0

    @contextmanager
    def call(self, name: str) -> Generator[None]:
        """Notes a call of a `tl` function, unless another one makes it."""
        if self._depth == 0:
            self.calls.setdefault(name)
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    @contextmanager
    def inside(self, block: Block) -> Generator[None]:
        """Ops go into the block of a loop's body."""
        self._blocks.append(block)
        try:
            yield
        finally:
            self._blocks.pop()

    def leave_loop(self) -> None:
        """Notes that a loop ends before its body does."""
        self._left = self._left or user_place()

    def check_loops(self) -> None:
        """TraceError for a loop that was left by `break` or `return`."""
        if self._left is not None:
            fail(
                "a tl.range loop has no `break` and no `return`: it runs to its end; choose per"
                " element with tl.where(mask, a, b)",
                self._left,
            )

    def sees(self, value: SSAValue) -> bool:
        """Can the ops that come next use it?"""
        owner = value.owner
        block = owner if isinstance(owner, Block) else owner.parent
        return any(block is known for known in self._blocks)

    def is_given(self, value: SSAValue) -> bool:
        """True for a number that launches give."""
        return value.owner is self._blocks[0]

    is_eager = False
    """Whether ops are computed at once."""

    def numbers(self, value: SSAValue) -> NDArray[Any] | None:
        """What a tile holds; None where only a run knows."""
        return None

    def insert(self, op: Operation) -> Operation:
        for operand in op.operands:
            if not self.sees(operand):
                fail(_unseen(operand, self._blocks[0]))
        place = user_place()
        name = place.relative_to(self._folder)
        op.location = file_location(name, place.line, place.column)
        self._blocks[-1].add_op(op)
        return op


def _unseen(value: SSAValue, kernel: Block) -> str:
    owner = value.owner
    block = owner if isinstance(owner, Block) else owner.parent
    while block is not None and isinstance(around := block.parent_op(), tile.ForOp):
        block = around.parent
    is_kernel = block is not None and isinstance(block.parent_op(), tile.KernelOp)
    if is_kernel and block is not kernel:
        return f"a tile of another kernel{_made_at(value)} cannot be used in this one"
    return (
        f"a tile of one run of a tl.range loop{_made_at(value)} cannot be used outside of it: a"
        " variable that holds a tile before the loop carries it on"
    )


def _made_at(value: SSAValue) -> str:
    owner = value.owner
    place = where(owner) if isinstance(owner, Operation) else ""
    return f" (made at {place})" if place else ""


_current: ContextVar[KernelTrace | None] = ContextVar("kernel_trace", default=None)


@contextmanager
def tracing(trace: KernelTrace) -> Generator[None]:
    """Makes `trace` the one that `tl` writes to."""
    token = _current.set(trace)
    try:
        yield
    finally:
        _current.reset(token)


def current_trace(what: str) -> KernelTrace:
    """The kernel being traced; TraceError outside of one."""
    trace = _current.get()
    if trace is None:
        fail(f"{what} works inside a @jit_kernel function only")
    return trace


def is_tracing() -> bool:
    return _current.get() is not None


class Value(Tiled):
    """A tile inside a kernel: a block of numbers that is known when the program runs."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> NoReturn:
        fail(
            f"a tile is known when the program runs: np.{ufunc.__name__} cannot look at it; use tl"
        )

    def __init__(self, ssa: SSAValue) -> None:
        self._ssa = ssa

    @property
    def ssa(self) -> SSAValue:
        """The tile value in the IR."""
        return self._ssa

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return tile.tile_type(self.ssa).shape

    @property
    def dtype(self) -> DType:
        return DType(dtype_info(tile.tile_type(self.ssa).element_type).name)

    def numpy(self) -> NDArray[Any]:
        """The numbers, in Kernel.run(); TraceError while a kernel is traced."""
        numbers = current_trace("a tile").numbers(self.ssa)
        if numbers is None:
            fail("a tile has no numbers while the kernel is traced; kernel.run(..) computes them")
        return numbers.copy()

    def __repr__(self) -> str:
        rows, cols = self.shape
        known = trace.numbers(self.ssa) if (trace := _current.get()) is not None else None
        numbers = "" if known is None else f"\n{known}"
        return f"<tile {rows}x{cols} {self.dtype.value}>{numbers}"

    # ---- Operators ----

    def __add__(self, other: Any) -> Value:
        return binary("+", tile.AddOp, self, other)

    def __radd__(self, other: Any) -> Value:
        return binary("+", tile.AddOp, other, self)

    def __sub__(self, other: Any) -> Value:
        return binary("-", tile.SubOp, self, other)

    def __rsub__(self, other: Any) -> Value:
        return binary("-", tile.SubOp, other, self)

    def __mul__(self, other: Any) -> Value:
        return binary("*", tile.MulOp, self, other)

    def __rmul__(self, other: Any) -> Value:
        return binary("*", tile.MulOp, other, self)

    def __truediv__(self, other: Any) -> Value:
        return binary("/", tile.DivOp, self, other)

    def __rtruediv__(self, other: Any) -> Value:
        return binary("/", tile.DivOp, other, self)

    def __pow__(self, other: Any) -> Value:
        return binary("**", tile.PowOp, self, other)

    def __rpow__(self, other: Any) -> Value:
        return binary("**", tile.PowOp, other, self)

    def __neg__(self) -> Value:
        return unary("-", tile.NegOp, self)

    def __abs__(self) -> Value:
        return unary("abs", tile.AbsOp, self)

    def __matmul__(self, other: Any) -> Value:
        return emit("@", tile.MatmulOp, as_value("@", self), as_value("@", other))

    def __lt__(self, other: Any) -> Value:
        return compare("<", tile.Predicate.LT, self, other)

    def __le__(self, other: Any) -> Value:
        return compare("<=", tile.Predicate.LE, self, other)

    def __gt__(self, other: Any) -> Value:
        return compare(">", tile.Predicate.GT, self, other)

    def __ge__(self, other: Any) -> Value:
        return compare(">=", tile.Predicate.GE, self, other)

    def __eq__(self, other: Any) -> Value:  # type: ignore[override]
        return compare("==", tile.Predicate.EQ, self, other)

    def __ne__(self, other: Any) -> Value:  # type: ignore[override]
        return compare("!=", tile.Predicate.NE, self, other)

    __hash__ = None  # type: ignore[assignment]

    def __getitem__(self, item: Any) -> Value:
        return sliced(self, item)

    # ---- What a symbolic value cannot do ----

    def __bool__(self) -> NoReturn:
        fail(
            "a tile has no value while the kernel is traced, so `if`, `and`, `or`, `not` and"
            " `while` cannot look at it: choose per element with tl.where(mask, a, b)"
        )

    def __int__(self) -> NoReturn:
        fail("a tile has no value while the kernel is traced: int() cannot look at it")

    def __float__(self) -> NoReturn:
        fail("a tile has no value while the kernel is traced: float() cannot look at it")

    __index__ = __int__

    def __len__(self) -> NoReturn:
        fail("a tile has no len(): use .shape, which is (rows, columns)")

    def __iter__(self) -> NoReturn:
        fail("a tile cannot be iterated over: slice it, for example x[:, i : i + 1]")


class Ref(Value):
    """A kernel's parameter. Used as a value it is loaded whole."""

    def __init__(self, name: str, spec: ParameterSpec, argument: SSAValue) -> None:
        self.name = name
        self.spec = spec
        self.argument = argument
        self._loaded: SSAValue | None = None

    @property
    def ssa(self) -> SSAValue:
        known = self._loaded
        if self.spec.role == "in" and known is not None and current_trace("a tile").sees(known):
            return known
        self._loaded = self.load((0, 0), self.shape).ssa
        self._loaded.name_hint = self.name
        return self._loaded

    @property
    def shape(self) -> tuple[int, int]:
        return self.spec.tile.rows, self.spec.tile.cols

    @property
    def dtype(self) -> DType:
        return self.spec.tile.dtype

    def load(self, offsets: Sequence[int | Index], extents: tuple[int, int]) -> Value:
        """A box of the parameter."""
        self.check_readable()
        place, indices = offsets_of("tl.load", offsets)
        return emit("tl.load", tile.LoadOp, self.argument, place, extents, indices)

    def check_readable(self) -> None:
        """TraceError for an Out parameter."""
        if self.spec.role == "out":
            fail(f"parameter {self.name!r} is Out: it can be stored to, not read; declare it InOut")

    def __repr__(self) -> str:
        return f"<parameter {self.name}: {self.spec.tile}>"


# ---- From Python values to ops -----------------------------------------------------------------


def emit(what: str, op: type[Any], *arguments: Any, **options: Any) -> Value:
    """Builds an op with one result; a shape or dtype that it refuses is the user's error."""
    return Value(emit_op(what, op, *arguments, **options).results[0])


def emit_op(what: str, op: type[Any], *arguments: Any, **options: Any) -> Operation:
    trace = current_trace(what)
    plain = [argument.ssa if isinstance(argument, Value) else argument for argument in arguments]
    try:
        built: Operation = op(*plain, **options)
        built.verify_()
    except VerifyException as error:
        fail(f"{what}: {error}")
    return trace.insert(built)


def as_value(what: str, operand: Any, like: DType | None = None) -> Value:
    """A tile of an operand; a number, of Python or of a loop, becomes a 1x1 tile of the dtype
    `like`."""
    if isinstance(operand, Value):
        return operand
    if isinstance(operand, Index):
        return _number(what, operand, like or DType.I32)
    if isinstance(operand, (np.integer, np.floating)):
        operand = operand.item()
    if isinstance(operand, bool) or not isinstance(operand, (int, float)):
        fail(f"{what}: expected a tile or a number, found {operand!r}")
    return constant(what, operand, like or DType.F32)


def _number(what: str, index: Index, dtype: DType) -> Value:
    """The number of a `tl.range` loop, or an expression of it; i32 on the way to floats."""
    expr, values = index.expression()
    own = DType.I32 if dtype.is_float else dtype
    number = emit(what, tile.NumberOp, expr, values, dtype_named(own.value).type)
    return cast_to(what, number, dtype) if dtype.is_float else number


def constant(what: str, number: Any, dtype: DType, shape: tuple[int, int] = (1, 1)) -> Value:
    """A tile of one number, which the dtype has to have."""
    if not isinstance(dtype, DType):  # pyright: ignore[reportUnnecessaryIsInstance]
        fail(f"{what}: expected a DType, found {dtype!r}")
    if isinstance(number, (np.integer, np.floating)):
        number = cast("Any", number).item()
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        fail(f"{what}: expected a number, found {number!r}")
    info = dtype_named(dtype.value)
    if dtype.is_storage:
        fail(f"{what}: {dtype.value} is computed with in f32: tl.cast(x, DType.F32)")
    if not dtype.is_float and (not math.isfinite(number) or number != int(number)):
        fail(f"{what}: {number} is no {dtype.value}; cast the tile to a float dtype first")
    if not dtype.is_float and int(number) not in info.range:
        fail(
            f"{what}: {number} is not in {info.range[0]}..{info.range[-1]}, the range of"
            f" {dtype.value}; cast the tile to a wider dtype first"
        )
    if dtype.is_float and math.isfinite(number) and math.isinf(round_to(number, info.name)):
        fail(f"{what}: {number} is beyond the range of {dtype.value}")
    return emit(what, tile.ConstantOp, number, TileType(shape, info.type))


def as_ssa(value: Value) -> SSAValue:
    """The IR value of a tile, for ops that take lists or options of them."""
    return value.ssa


def results(op: Operation) -> list[Value]:
    return [Value(result) for result in op.results]


def offsets_of(what: str, offsets: object) -> tuple[tuple[AffineExpr, ...], tuple[SSAValue, ...]]:
    """Row and column as expressions over symbols, and the values that the symbols stand for."""
    if not isinstance(offsets, (tuple, list)) or len(offsets) != 2:  # pyright: ignore[reportUnknownArgumentType]
        fail(f"{what}: expected two offsets, [row, column], found {offsets!r}")
    exprs: list[AffineExpr] = []
    values: list[SSAValue] = []
    for offset in cast("Sequence[object]", offsets):
        expr, own = as_index(offset).expression()
        exprs.append(expr.replace_dims_and_symbols((), _shifted(len(own), len(values))))
        values += own
    return tuple(exprs), tuple(values)


def _shifted(count: int, by: int) -> list[AffineExpr]:
    return [AffineExpr.symbol(number + by) for number in range(count)]


def unary(what: str, op: type[Any], operand: Any) -> Value:
    return emit(what, op, as_value(what, operand))


def binary(what: str, op: type[Any], lhs: Any, rhs: Any) -> Value:
    """An element-wise op on tiles and numbers; a number takes the other side's dtype."""
    left = as_value(what, lhs, rhs.dtype if isinstance(rhs, Value) else None)
    right = as_value(what, rhs, left.dtype)
    return emit(what, op, left, right)


def compare(what: str, predicate: tile.Predicate, lhs: Any, rhs: Any) -> Value:
    left = as_value(what, lhs)
    return emit(what, tile.CompareOp, predicate, left, as_value(what, rhs, left.dtype))


def cast_to(what: str, value: Value, dtype: DType) -> Value:
    return emit(what, tile.CastOp, value, dtype_named(dtype.value).type)


def widened(what: str, value: Value) -> Value:
    """Floats as their sums are computed: f16 and bf16 in f32; TraceError for fp8."""
    if value.dtype.is_storage:
        fail(f"{what}: {value.dtype.value} is computed with in f32: tl.cast(x, DType.F32)")
    narrow = value.dtype.is_float and value.dtype.numpy.itemsize < 4
    return cast_to(what, value, DType.F32) if narrow else value


def cast_like(what: str, value: Value, dtype: DType) -> Value:
    return value if value.dtype is dtype else cast_to(what, value, dtype)


def every_second(what: str, value: Value, first: int) -> Value:
    """Columns first, first + 2, ..."""
    rows, cols = value.shape
    if cols <= first:
        fail(f"{what}: a tile of {rows}x{cols} has no column {first}")
    return emit(what, tile.SliceOp, value, (0, first), (rows, (cols - first + 1) // 2), (1, 2))


def sliced(value: Value, item: Any) -> Value:
    """`value[rows, columns]` with slices or numbers of Python; a number keeps its axis."""
    parts = cast("tuple[Any, ...]", item if isinstance(item, tuple) else (item,))
    if len(parts) > 2:
        fail(f"a tile has two axes, found {len(parts)} indices")
    parts = (*parts, *([slice(None)] * (2 - len(parts))))
    rows, cols = (_range(part, size) for part, size in zip(parts, value.shape, strict=True))
    offsets = (rows.start, cols.start)
    extents = (len(rows), len(cols))
    strides = (rows.step, cols.step)
    if isinstance(value, Ref) and strides == (1, 1):
        return value.load(offsets, extents)
    return emit("slice", tile.SliceOp, value, offsets, extents, strides)


def _range(part: Any, size: int) -> range:
    if isinstance(part, slice):
        bounds = cast("slice[Any, Any, Any]", part)
        for bound in (bounds.start, bounds.stop, bounds.step):
            if bound is not None and (isinstance(bound, bool) or not isinstance(bound, int)):
                fail(f"a tile is sliced with Python integers, found {bound!r}")
        for bound in (bounds.start, bounds.stop):
            if bound is not None and not -size <= bound <= size:
                fail(f"a slice bound of {bound} does not lie in a tile of {size} along this axis")
        found = range(*bounds.indices(size))
        if len(found) == 0:
            fail(f"the slice {bounds.start}:{bounds.stop} of {size} is empty")
        if found.step not in (1, 2):
            fail(f"a tile is sliced with step 1 or 2, found {found.step}")
        return found
    if isinstance(part, bool) or not isinstance(part, int):
        fail(f"a tile is indexed with Python integers and slices, found {part!r}")
    if not -size <= part < size:
        fail(f"index {part} does not lie in 0..{size - 1}")
    start = part % size
    return range(start, start + 1)
