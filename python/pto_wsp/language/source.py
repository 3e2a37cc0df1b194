"""Where the user's code stands: the innermost frame outside this package."""

from __future__ import annotations

import inspect
import linecache
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import NoReturn

from pto_wsp.errors import TraceError

_PACKAGE = __name__.partition(".")[0]


@dataclass(frozen=True)
class Place:
    """A place in the user's source; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{shown(self.file)}:{self.line}"

    def relative_to(self, folder: str) -> str:
        """The file's name in IR and emitted code: the same in any clone of the source."""
        relative = os.path.relpath(self.file, folder)
        return Path(self.file).name if relative.startswith("..") else Path(relative).as_posix()


def user_place() -> Place:
    """The place that the innermost user frame executes."""
    frame = user_frame()
    code = frame.f_code
    return Place(code.co_filename, frame.f_lineno, _column(code, frame.f_lasti))


def definition_place(code: CodeType) -> Place:
    """Where a function is defined."""
    return Place(code.co_filename, code.co_firstlineno, 1)


def user_stacklevel() -> int:
    """The `stacklevel` that makes a warning point at the user's line, for the function's caller."""
    level, frame = 1, _caller()
    while frame.f_back is not None and _is_ours(frame):
        level, frame = level + 1, frame.f_back
    return level


def shown(file: str) -> str:
    """A file's name in messages: relative where it lies below the working directory."""
    relative = os.path.relpath(file)
    return file if relative.startswith("..") else relative


def fail(message: str, place: Place | None = None) -> NoReturn:
    """Raises TraceError at `place`, or at the user's line, which the message shows."""
    place = place or user_place()
    raise TraceError(f"{place}: {message}{_excerpt(place)}")


def _excerpt(place: Place) -> str:
    """The line of a place and a caret below it; empty where there is no source."""
    line = linecache.getline(place.file, place.line).rstrip()
    indent = len(line) - len(line.lstrip())
    column = max(place.column - 1 - indent, 0)
    return f"\n    {line.lstrip()}\n    {' ' * column}^" if line else ""


def check_name(what: str, name: object, place: Place | None = None) -> None:
    """TraceError unless `name` can stand in the IR and in C++."""
    if not isinstance(name, str) or not (name.isascii() and name.isidentifier()):
        fail(f"{what} is named by an identifier of ASCII letters, found {name!r}", place)


def _caller() -> FrameType:
    """The frame of the function that calls this one's caller."""
    frame = inspect.currentframe()
    assert frame is not None, "CPython has frames"
    assert frame.f_back is not None
    assert frame.f_back.f_back is not None
    return frame.f_back.f_back


def _is_ours(frame: FrameType) -> bool:
    # By module and not by file: the methods that dataclasses generate have no file. The package's
    # context managers are entered by contextlib.
    name = str(frame.f_globals.get("__name__"))
    return name.partition(".")[0] == _PACKAGE or name == "contextlib"


def user_frame() -> FrameType:
    """The innermost frame outside this package."""
    frame = _caller()
    while frame.f_back is not None and _is_ours(frame):
        frame = frame.f_back
    return frame


def _column(code: CodeType, instruction: int) -> int:
    if sys.version_info < (3, 11):
        return 1
    for index, (_, _, column, _) in enumerate(code.co_positions()):
        if index * 2 == instruction and column is not None:
            return column + 1
    return 1
