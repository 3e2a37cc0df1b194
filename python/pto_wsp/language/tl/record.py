"""What the functions of `tl` share: they note their calls, and read their operands alike."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar, cast

from pto_wsp.language import kernel_trace as trace
from pto_wsp.language.kernel_trace import Value
from pto_wsp.language.source import fail

Operand = Value | int | float

_P = ParamSpec("_P")
_R = TypeVar("_R")

names: dict[str, None] = {}
"""All functions of `tl`, in order of definition."""


def recorded(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Makes a function of `tl`: noted in `kernel.calls` where the user's code calls it."""
    name = function.__name__
    names[name] = None
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        with trace.current_trace(f"tl.{name}").call(name):
            try:
                signature.bind(*args, **kwargs)
            except TypeError as error:
                fail(f"tl.{name}: {error}; it takes {', '.join(signature.parameters)}")
            return function(*args, **kwargs)

    return call


def tile_of(what: str, operand: object) -> Value:
    """The operand, which has to be a tile."""
    if not isinstance(operand, Value):
        fail(f"{what}: expected a tile, found {operand!r}")
    return operand


def shape_of(what: str, shape: object) -> tuple[int, int]:
    """Rows and columns; anything else is the user's mistake."""
    given = cast("Sequence[Any]", shape) if isinstance(shape, (tuple, list)) else ()
    if len(given) == 2 and all(_is_extent(extent) for extent in given):
        return given[0], given[1]
    fail(f"{what}: expected a shape (rows, columns) of integers of at least 1, found {shape!r}")


def _is_extent(extent: object) -> bool:
    return isinstance(extent, int) and not isinstance(extent, bool) and extent >= 1
