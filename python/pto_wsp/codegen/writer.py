"""Indented C++ text with `#line` directives."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from xdsl.ir import Operation

from pto_wsp.dialects.locations import file_line_col


class Writer:
    """Collects lines; `block` indents what is written inside it."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._indent = 0
        self._location: tuple[str, int] | None = None

    def line(self, text: str = "") -> None:
        self._lines.append("  " * self._indent + text if text else "")

    @contextmanager
    def block(self, head: str, tail: str = "}") -> Generator[None]:
        self.line(f"{head} {{" if head else "{")
        self._indent += 1
        yield
        self._indent -= 1
        self.line(tail)

    def locate(self, op: Operation) -> None:
        """Points the compiler's messages and debuggers at the user's line."""
        where = source_line(op)
        if where is not None and where != self._location:
            self._location = where
            self._lines.append(f"#line {where[1]} {quoted(where[0])}")

    def text(self) -> str:
        return "\n".join(self._lines) + "\n"


def source_line(op: Operation) -> tuple[str, int] | None:
    """File and line of an op's location, where it has one."""
    location = file_line_col(op.location)
    return (location.filename.data, location.line.data) if location else None


def place(op: Operation) -> str:
    """`file.py:12`, or "" for an op without a location."""
    where = source_line(op)
    return f"{where[0]}:{where[1]}" if where else ""


def quoted(text: str) -> str:
    """A C string literal."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
