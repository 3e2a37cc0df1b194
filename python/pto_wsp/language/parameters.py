"""What a kernel's signature says: `x: In[Tile[32, 128, DType.F16]]`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, cast

from pto_wsp.dialects.indices import NUMBER_MAX
from pto_wsp.language.dtypes import DType
from pto_wsp.language.source import fail

Role = Literal["in", "out", "inout"]


@dataclass(frozen=True)
class TileSpec:
    """Rows, columns and dtype of a parameter."""

    rows: int
    cols: int
    dtype: DType

    def __str__(self) -> str:
        return f"{self.rows}x{self.cols} {self.dtype.value}"


@dataclass(frozen=True)
class ParameterSpec:
    """A parameter's role and tile."""

    role: Role
    tile: TileSpec


@dataclass(frozen=True)
class ScalarSpec:
    """A number that a launch gives: from `least` to `most`."""

    least: int
    most: int


class Scalar:
    """`n: Scalar`, `n: Scalar[0, 64]`: an integer that every launch gives, in a range (32 bits).

    In the kernel it stands where the number of a `tl.range` loop may, and decides how long such a
    loop is: `for k in tl.range(n)`. A launch gives an index: `kernel[b](.., n=lengths[b] // 64)`.
    A run tests it: ExecutionError for a number outside of the range.
    """

    def __class_getitem__(cls, item: Any) -> ScalarSpec:
        parts = cast("tuple[Any, ...]", item if isinstance(item, tuple) else (item,))
        if len(parts) != 2 or any(isinstance(n, bool) or not isinstance(n, int) for n in parts):
            fail(f"expected Scalar[least, most], two integers, found Scalar[{_shown(parts)}]")
        least, most = parts
        if not -NUMBER_MAX <= least <= most <= NUMBER_MAX:
            fail(
                f"expected Scalar[least, most] with least <= most, both less than 2**40 from 0,"
                f" found Scalar[{least}, {most}]"
            )
        return ScalarSpec(least, most)


ANY_SCALAR = ScalarSpec(-(2**31), 2**31 - 1)
"""What `Scalar` without a range stands for."""


class Tile:
    """`Tile[rows, columns, dtype]`: a block of a tensor."""

    def __class_getitem__(cls, item: Any) -> TileSpec:
        parts = cast("tuple[Any, ...]", item if isinstance(item, tuple) else (item,))
        if len(parts) != 3 or not isinstance(parts[2], DType):
            fail(f"expected Tile[rows, columns, dtype], found Tile[{_shown(parts)}]")
        rows, cols, dtype = parts
        for extent in (rows, cols):
            if isinstance(extent, bool) or not isinstance(extent, int) or extent < 1:
                fail(f"a tile's extents are integers of at least 1, found Tile[{_shown(parts)}]")
        if dtype is DType.BOOL:
            known = ", ".join(each.value for each in DType if each is not DType.BOOL)
            fail(f"masks live inside kernels only: a parameter's dtype is one of {known}")
        return TileSpec(rows, cols, dtype)


def _shown(parts: tuple[Any, ...]) -> str:
    return ", ".join(part.value if isinstance(part, DType) else repr(part) for part in parts)


def _spec(role: Role, tile: Any) -> ParameterSpec:
    if not isinstance(tile, TileSpec):
        fail(f"expected {role.capitalize()}[Tile[rows, columns, dtype]], found {tile!r} in it")
    return ParameterSpec(role, tile)


class In:
    """`In[Tile[..]]`: the kernel reads the parameter."""

    def __class_getitem__(cls, item: Any) -> ParameterSpec:
        return _spec("in", item)


class Out:
    """`Out[Tile[..]]`: the kernel writes the parameter and may not read it."""

    def __class_getitem__(cls, item: Any) -> ParameterSpec:
        return _spec("out", item)


class InOut:
    """`InOut[Tile[..]]`: the kernel reads and writes the parameter."""

    def __class_getitem__(cls, item: Any) -> ParameterSpec:
        return _spec("inout", item)
