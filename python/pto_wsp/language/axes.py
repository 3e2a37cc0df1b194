"""Axes: named ranges that loops run over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from pto_wsp.language.csr import CSR
from pto_wsp.language.index import Number, Symbol
from pto_wsp.language.source import check_name, fail
from pto_wsp.language.tensor import Tensor


@dataclass(frozen=True, eq=False)
class Axis:
    """0 .. size - 1; tasks carry its name. Any other size is known when a loop begins."""

    name: str
    size: int | Number


@dataclass(frozen=True, eq=False)
class RaggedAxis:
    """As long as `lengths` says for the outer axis' index."""

    name: str
    outer: AnyAxis
    lengths: Tensor


@dataclass(frozen=True, eq=False)
class SparseAxis:
    """The columns of the CSR row that the outer axis' index says."""

    name: str
    outer: AnyAxis
    csr: CSR


AnyAxis = Axis | RaggedAxis | SparseAxis


class Dense:
    """`Dense[8]("tile")`: an axis of eight values that is called tile."""

    def __class_getitem__(cls, size: int) -> Callable[[str], Axis]:
        if isinstance(size, Number):
            fail("an axis has an integer size here: use DenseDyn[..] or Ragged[..]")
        if isinstance(size, bool) or not isinstance(size, int):  # pyright: ignore[reportUnnecessaryIsInstance]
            fail(f"an axis has an integer size, found Dense[{size!r}]")
        if size < 1:
            fail(f"an axis has at least one value, found Dense[{size}]")
        return _named(lambda name: Axis(name, size))


class DenseDyn:
    """`DenseDyn[256]("token")`: an axis whose size is a symbol of its own name.

    It has 256 values unless a run says otherwise: `program.simulate(symbols={"token": 100})`.
    `DenseDyn[n]("token")` takes a `Symbol`, or an expression of symbols such as `n // 32`.
    """

    def __class_getitem__(cls, size: int | Number) -> Callable[[str], Axis]:
        if isinstance(size, Number):
            return _named(lambda name: Axis(name, size))
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:  # pyright: ignore[reportUnnecessaryIsInstance]
            fail(f"an axis has a size of at least 0, or a Symbol, found DenseDyn[{size!r}]")
        return _named(lambda name: Axis(name, Symbol(name, size)))


class Ragged:
    """An axis whose length depends on an index of a loop around it.

    `Ragged[lengths[b]]("token")` or `Ragged[i + 1]("column")` inside the outer loop, or
    `Ragged[batch, lengths]("token")` anywhere: for the index b of the axis `batch` it has
    `lengths[b]` values, `lengths` being an integer tensor of one axis. A negative length ends a
    run with an ExecutionError.
    """

    def __class_getitem__(cls, size: Any) -> Callable[[str], Axis | RaggedAxis]:
        if isinstance(size, tuple):
            given = cast("tuple[Any, ...]", size)
            if len(given) != 2 or not isinstance(given[0], AnyAxis):
                fail(f"Ragged[axis, lengths] takes an axis and a tensor, found {given!r}")
            outer, lengths = given
            if not isinstance(lengths, Tensor) or lengths.dtype.is_float or len(lengths.shape) != 1:
                fail(f"Ragged: lengths are an integer tensor of one axis, found {lengths!r}")
            return _named(lambda name: RaggedAxis(name, outer, lengths))
        if not isinstance(size, Number):
            fail(
                f"Ragged[..] takes a number of the loop around it such as lengths[b],"
                f" found {size!r}"
            )
        return _named(lambda name: Axis(name, size))


class Sparse:
    """`Sparse[rows, csr]("column")`: for the index r of the axis `rows` the columns of row r."""

    def __class_getitem__(cls, given: tuple[AnyAxis, CSR]) -> Callable[[str], SparseAxis]:
        pair: Any = given
        if not (
            isinstance(pair, tuple)
            and len(pair) == 2  # pyright: ignore[reportUnknownArgumentType]
            and isinstance(pair[0], AnyAxis)
            and isinstance(pair[1], CSR)
        ):
            fail(f"Sparse[axis, csr] takes an axis and a CSR(indptr, indices), found {pair!r}")
        outer, csr = given
        return _named(lambda name: SparseAxis(name, outer, csr))


def _named(make: Callable[[str], Any]) -> Callable[[str], Any]:
    def named(name: str) -> Any:
        check_name("an axis", name)
        return make(name)

    return named
