"""Tensors: where values come from, and the boxes that tasks take of them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, cast

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from pto_wsp.errors import ExecutionError
from pto_wsp.language.current import recorder
from pto_wsp.language.dtypes import DType
from pto_wsp.language.index import Index, Number, as_index
from pto_wsp.language.source import Place, fail, user_place

MAX_RANK = 6


@dataclass(frozen=True)
class Random:
    """Uniform in (-scale, scale), a hash of seed, tensor name and index."""

    seed: int
    scale: float


@dataclass(frozen=True)
class Zipf:
    """Synthetic routing: shuffled log-Zipf scores of the values plus noise per row, then top-k.

    `exponent` 0 is uniform; published expert loads have 0.5 to 1.2. The values are below `values`,
    by default the extent of the axes that selected elements index; with `groups`, a row's values
    come from `kept_groups` of them, as in group-limited top-k.
    """

    exponent: float
    seed: int = 0
    values: int | None = None
    groups: int = 1
    kept_groups: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.exponent < math.inf:
            fail(f"Zipf: expected an exponent of at least 0, found {self.exponent}")
        if not 0 <= self.seed < 2**64:
            fail(f"Zipf: expected a seed of 64 bits, found {self.seed}")
        if self.groups < 1:
            fail(f"Zipf: expected at least one group, found {self.groups}")
        if not 1 <= self.kept_groups <= self.groups:
            fail(f"Zipf: expected kept_groups in 1..{self.groups}, found {self.kept_groups}")


class Tensor:
    """A named array of up to six axes in global memory.

    `Tensor(data=array, name=..)` uses the array as it is (zero-copy if its dtype fits and it is
    C-contiguous), `Tensor.empty` has memory once something computes it, `Tensor.random` never has
    any: its elements are made when they are read. Names are unique in a workload.
    """

    def __init__(
        self, data: NDArray[Any] | None = None, *, name: str, dtype: DType | None = None
    ) -> None:
        if data is None:
            fail("Tensor(data=..) takes a NumPy array; without values use Tensor.empty(shape, ..)")
        array = np.asarray(data)
        own = dtype or DType.of(array.dtype)
        if own is None:
            known = ", ".join(d.value for d in DType if d is not DType.BOOL)
            swap = "" if array.dtype.isnative else "; use a.astype(a.dtype.newbyteorder('='))"
            fail(f"tensor {name!r}: expected one of the dtypes {known}, found {array.dtype}{swap}")
        self._declare(array.shape, own, name)
        self._memory: NDArray[Any] | None = np.ascontiguousarray(array, own.numpy)
        self._is_copy = not np.shares_memory(self._memory, array)
        self.has_values = True

    @classmethod
    def empty(
        cls, shape: tuple[int, ...], dtype: DType, *, name: str, routing: Zipf | None = None
    ) -> Tensor:
        """A tensor that tasks fill, or that stays without values (timing only).

        `routing` is what selections read of it where nothing has been computed.
        """
        tensor = cls.__new__(cls)
        tensor._declare(tuple(shape), dtype, name)
        if routing is not None and dtype.is_float:
            fail(f"tensor {name!r}: routing gives integers, the dtype is {dtype.value}")
        tensor.routing = routing
        return tensor

    @classmethod
    def random(
        cls,
        shape: tuple[int, ...],
        dtype: DType,
        *,
        name: str,
        seed: int = 0,
        scale: float = 1.0,
    ) -> Tensor:
        """A procedural tensor: element i is uniform in (-scale, scale), rounded to the dtype, and a
        function of seed, name and i alone. The scale is an f32. It takes no memory."""
        tensor = cls.__new__(cls)
        tensor._declare(tuple(shape), dtype, name)
        if not dtype.is_float:
            fail(f"tensor {name!r}: random elements are floats, found dtype {dtype.value}")
        if not 0 <= seed < 2**64:
            fail(f"tensor {name!r}: expected a seed of 64 bits, found {seed}")
        if not float(np.finfo(np.float32).smallest_subnormal) <= scale < math.inf:
            fail(f"tensor {name!r}: expected a positive scale, found {scale}")
        limit = DType.F32 if dtype is DType.F64 else dtype
        if scale > float(cast("Any", ml_dtypes.finfo(limit.numpy)).max):
            fail(f"tensor {name!r}: a scale of {scale} is beyond the range of {limit.value}")
        tensor.source = Random(seed, float(scale))
        return tensor

    def _declare(self, shape: tuple[int, ...], dtype: DType, name: str) -> None:
        if not isinstance(name, str) or not name:  # pyright: ignore[reportUnnecessaryIsInstance]
            fail(f"a tensor's name is a non-empty string, found {name!r}")
        if not isinstance(dtype, DType) or dtype is DType.BOOL:  # pyright: ignore[reportUnnecessaryIsInstance]
            fail(f"tensor {name!r}: expected a DType such as DType.F16, found {dtype!r}")
        if not 1 <= len(shape) <= MAX_RANK:
            fail(f"tensor {name!r}: expected 1 to {MAX_RANK} axes, found shape {shape}")
        for extent in shape:
            if isinstance(extent, Number):
                fail(
                    f"tensor {name!r}: extents are integers, found a number that only a run knows;"
                    " make the tensor as large as it may get"
                )
            if isinstance(extent, bool) or not hasattr(extent, "__index__") or extent < 1:
                fail(f"tensor {name!r}: expected extents of at least 1, found shape {shape}")
        self.name = name
        self.shape = tuple(int(extent) for extent in shape)
        self.dtype = dtype
        self.source: Random | None = None
        self.routing: Zipf | None = None
        self.place: Place = user_place()
        self._memory = None
        self._is_copy = False
        self._is_running: Callable[[], bool] | None = None
        self.has_values = False

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return math.prod(self.shape) * self.dtype.numpy.itemsize

    # ---- Values ----

    def array(self) -> NDArray[Any] | None:
        """The whole tensor's memory, C-contiguous; zeros on the first call for an empty one, None
        for a procedural one."""
        if self._memory is None and self.source is None:
            self._memory = _allocate(self, self.shape, np.zeros)
        return self._memory

    def check_writable(self) -> None:
        """Raises ExecutionError where results could not reach the array that was given."""
        if self._is_copy:
            raise ExecutionError(
                f"{self.place}: tensor {self.name!r} is written by the program, and its data is not"
                " C-contiguous in the tensor's dtype, so results could not reach it:"
                " give it np.ascontiguousarray(a)"
            )
        if self._memory is not None and not self._memory.flags.writeable:
            raise ExecutionError(
                f"{self.place}: tensor {self.name!r} is written by the program, and its data is"
                " read-only: give it a copy, Tensor(data=a.copy())"
            )

    def note_run(self, is_running: Callable[[], bool]) -> None:
        """A program that writes the tensor was started; its values count once `is_running()` is
        false."""
        self._is_running = is_running

    def check_settled(self) -> None:
        """Raises ExecutionError while a program computes the values."""
        if self._is_running is None:
            return
        if self._is_running():
            raise ExecutionError(
                f"{self.place}: tensor {self.name!r} is being computed: call synchronize() of the"
                " program that was executed, then numpy()"
            )
        self._is_running = None

    def numpy(self) -> NDArray[Any]:
        """The values; those of a procedural tensor are made here. ExecutionError between
        execute() and synchronize() of a program that writes them."""
        return self[...].numpy()

    def __getitem__(self, item: Any) -> TensorView:
        return view_of(self, item)

    def __iter__(self) -> NoReturn:
        fail(f"{self!r} cannot be iterated over: loop over an axis, for i in P(axis): tensor[i]")

    def __repr__(self) -> str:
        return f"Tensor({self.name!r}, {self.shape}, {self.dtype.value})"


@dataclass(frozen=True, eq=False)
class TensorView(Number):
    """A box of a tensor: an offset and an extent per axis.

    In a workload, an element of an integer tensor is a number: each time that it is used so, the
    orchestrator waits for the element's writers and reads it.
    """

    tensor: Tensor
    offsets: tuple[Index, ...]
    extents: tuple[int, ...]
    dropped: tuple[int, ...]
    """The axes that were indexed with a number; NumPy drops them, the IR keeps them."""

    @property
    def dtype(self) -> DType:
        return self.tensor.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """The extents without the axes that were indexed with a number."""
        return tuple(e for axis, e in enumerate(self.extents) if axis not in self.dropped)

    def index(self) -> Index:
        found: Index = recorder(f"a number out of tensor {self.tensor.name!r}").read(self, "a read")
        return found

    _what = "an element of a tensor"

    def numpy(self) -> NDArray[Any]:
        """The values of the box; its indices must be numbers."""
        offsets = [offset.constant for offset in self.offsets]
        if any(offset is None for offset in offsets):
            fail("a view with loop variables has no values: index with numbers")
        starts = [offset for offset in offsets if offset is not None]
        box = tuple(slice(s, s + e) for s, e in zip(starts, self.extents, strict=True))
        self.tensor.check_settled()
        memory = self.tensor.array()
        values: NDArray[Any] = memory[box] if memory is not None else self._generate(starts)
        return np.reshape(values, self.shape)

    def _generate(self, starts: list[int]) -> NDArray[Any]:
        from pto_wsp import _core

        tensor, source = self.tensor, self.tensor.source
        assert source is not None
        # The longest run of axes at the end that lies in one piece.
        run = len(self.extents) - 1
        while run > 0 and self.extents[run] == tensor.shape[run]:
            run -= 1
        strides = [math.prod(tensor.shape[axis + 1 :]) for axis in range(len(tensor.shape))]
        out = _allocate(tensor, self.extents, np.empty)
        count = math.prod(self.extents[run:])
        outer: tuple[int, ...]
        for outer in itertools.product(*map(range, self.extents[:run])):
            places = [s + o for s, o in zip(starts, outer, strict=False)] + starts[run:]
            first = sum(p * stride for p, stride in zip(places, strides, strict=True))
            piece = _core.fill_random(
                tensor.dtype.value, source.seed, tensor.name, source.scale, first, count
            )
            values = np.frombuffer(piece.tobytes(), tensor.dtype.numpy)
            out[outer] = np.reshape(values, self.extents[run:])
        return out


def _allocate(
    tensor: Tensor, shape: tuple[int, ...], make: Callable[..., NDArray[Any]]
) -> NDArray[Any]:
    try:
        return make(shape, tensor.dtype.numpy)
    except MemoryError as error:
        size = math.prod(shape) * tensor.dtype.numpy.itemsize
        raise ExecutionError(
            f"{tensor.place}: {size / 2**30:.1f} GiB for values of tensor {tensor.name!r} are more"
            " than there is; simulate() needs none"
        ) from error


def view_of(tensor: Tensor, item: Any) -> TensorView:
    """`tensor[item]`; TraceError where the item leaves the tensor or is no index."""
    items: list[Any] = list(cast("tuple[Any, ...]", item)) if isinstance(item, tuple) else [item]
    if any(part is Ellipsis for part in items):
        at = next(i for i, part in enumerate(items) if part is Ellipsis)
        missing = len(tensor.shape) - len(items) + 1
        items[at : at + 1] = [slice(None)] * missing
    if len(items) > len(tensor.shape):
        fail(f"{tensor!r} has {len(tensor.shape)} axes, found {len(items)} indices")
    items += [slice(None)] * (len(tensor.shape) - len(items))
    offsets: list[Index] = []
    extents: list[int] = []
    dropped: list[int] = []
    for axis, (part, size) in enumerate(zip(items, tensor.shape, strict=True)):
        offset, extent = _slice(tensor, axis, part, size)
        if extent is None:
            dropped.append(axis)
        offsets.append(offset)
        extents.append(1 if extent is None else extent)
    return TensorView(tensor, tuple(offsets), tuple(extents), tuple(dropped))


def _slice(tensor: Tensor, axis: int, part: Any, size: int) -> tuple[Index, int | None]:
    """Offset and extent along an axis; no extent for a single index."""
    if not isinstance(part, slice):
        offset = _wrapped(as_index(part), size)
        if (known := offset.constant) is not None and not 0 <= known < size:
            fail(f"{tensor!r}: index {part} is not in {-size}..{size - 1} on axis {axis}")
        return offset, None
    bounds = cast("slice[Any, Any, Any]", part)
    if bounds.step not in (None, 1):
        fail(f"{tensor!r}: a slice takes every element, found step {bounds.step} on axis {axis}")
    start = _wrapped(as_index(0 if bounds.start is None else bounds.start), size)
    stop = _wrapped(as_index(size if bounds.stop is None else bounds.stop), size)
    extent = (stop - start).constant
    if extent is None:
        fail(
            f"{tensor!r}: a slice's length must be a constant on axis {axis}:"
            " write it as slice(i * n, (i + 1) * n)"
        )
    if extent < 1:
        fail(f"{tensor!r}: the slice on axis {axis} is empty")
    first = start.constant
    if extent > size or (first is not None and not 0 <= first <= size - extent):
        where = "" if first is None else f"{first}..{first + extent - 1}"
        fail(
            f"{tensor!r}: the slice {where or extent} does not lie in 0..{size - 1} on axis {axis}"
        )
    return start, extent


def _wrapped(offset: Index, size: int) -> Index:
    known = offset.constant
    return Index({}, known + size) if known is not None and known < 0 else offset
