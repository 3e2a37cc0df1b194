"""Tiling: the numbers of the tiles that a length is cut into."""

from __future__ import annotations

from pto_wsp.language.axes import Axis
from pto_wsp.language.index import Condition, Index
from pto_wsp.language.source import check_name, fail


def tile_axis(length: Index, tile: int, name: str, what: str) -> Axis:
    """The axis of the tiles of `tile` elements that cover `length` elements."""
    if isinstance(tile, bool) or not isinstance(tile, int) or tile < 1:  # pyright: ignore[reportUnnecessaryIsInstance]
        fail(f"{what}: a tile has a positive number of elements, found {tile!r}")
    check_name("an axis", name)
    count = (length + (tile - 1)) // tile
    known = count.constant
    return Axis(name, count if known is None else known)


class TileIndex(Index):
    """The number of a tile, and what of the length belongs to it."""

    def __init__(self, index: Index, tile: int, length: Index) -> None:
        super().__init__(dict.fromkeys(index.values, 1), name=index.name)
        self.start: Index = index * tile
        """Its first element."""
        self.rows: slice = slice(self.start, self.start + tile)
        """All of its elements, for tensors that have them."""
        self.is_whole: Condition = self.start + tile <= length
        """Whether the length has all of its elements; only the last tile may be a part."""
