"""Source locations: how they are made and how messages show them."""

from __future__ import annotations

from typing import cast

from xdsl.dialects.builtin import (
    ArrayAttr,
    CallSiteLoc,
    FileLineColLoc,
    FusedLoc,
    IntAttr,
    NameLoc,
    StringAttr,
)
from xdsl.ir import Attribute, Operation


def file_location(file: str, line: int, column: int) -> FileLineColLoc:
    """A place in a source file; line and column count from 1."""
    return FileLineColLoc(StringAttr(file), IntAttr(line), IntAttr(column))


def file_line_col(location: Attribute) -> FileLineColLoc | None:
    """The place in a file that a location stands for, or None if it is unknown."""
    match location:
        case FileLineColLoc():
            return location
        case NameLoc():
            return file_line_col(location.location)
        case CallSiteLoc():
            return file_line_col(location.callee)
        case FusedLoc():
            parts = cast("ArrayAttr[Attribute]", location.locations)
            found = (file_line_col(part) for part in parts)
            return next((place for place in found if place is not None), None)
        case _:
            return None


def where(op: Operation) -> str:
    """`file:line:col` of an operation, of the closest one around it that has a location, or ``."""
    at: Operation | None = op
    while at is not None:
        if (place := file_line_col(at.location)) is not None:
            return f"{place.filename.data}:{place.line.data}:{place.column.data}"
        at = at.parent_op()
    return ""
