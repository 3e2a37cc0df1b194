"""Axes: named ranges that loops run over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pto_wsp.language.source import check_name, fail


@dataclass(frozen=True)
class Axis:
    """0 .. size - 1; tasks carry its name."""

    name: str
    size: int


class Dense:
    """`Dense[8]("tile")`: an axis of eight values that is called tile."""

    def __class_getitem__(cls, size: int) -> Callable[[str], Axis]:
        if isinstance(size, bool) or not isinstance(size, int):  # pyright: ignore[reportUnnecessaryIsInstance]
            fail(f"an axis has an integer size, found Dense[{size!r}]")
        if size < 1:
            fail(f"an axis has at least one value, found Dense[{size}]")

        def named(name: str) -> Axis:
            check_name("an axis", name)
            return Axis(name, size)

        return named
