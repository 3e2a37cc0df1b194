"""Jumps out of a `with P.when(..)`: Python would leave out, for all iterations, what follows."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterable, Iterator
from functools import lru_cache
from types import CodeType, FrameType

from pto_wsp.language.source import Place, fail

_LOOPS = (ast.For, ast.While)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def check_jumps(what: str, frame: FrameType) -> None:
    """TraceError where the `with` statement that the frame enters holds a jump out of itself."""
    for first, last, jump in _jumping(frame.f_code):
        if first <= frame.f_lineno <= last:
            fail(
                f"`{jump.word}` inside `with {what}(..)`: the workload is traced once, so what"
                " follows would be left out whether the condition holds or not; put it into"
                " `with P.otherwise():`",
                jump.place,
            )


class _Jump:
    def __init__(self, node: ast.stmt, place: Place) -> None:
        self.word = type(node).__name__.lower()
        self.place = place


@lru_cache(maxsize=256)
def _jumping(code: CodeType) -> tuple[tuple[int, int, _Jump], ...]:
    """First and last line of the head of each `with` of a function that is left by a jump, and
    the jump; nothing where there is no source."""
    try:
        lines, begin = inspect.getsourcelines(code)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError):
        return ()
    indent = len(lines[0]) - len(lines[0].lstrip())
    found: list[tuple[int, int, _Jump]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.With):
            for jump in _jumps(node.body, in_loop=False):
                place = Place(
                    code.co_filename, begin + jump.lineno - 1, jump.col_offset + 1 + indent
                )
                head = max(item.context_expr.end_lineno or node.lineno for item in node.items)
                found.append((begin + node.lineno - 1, begin + head - 1, _Jump(jump, place)))
    return tuple(found)


def _jumps(body: Iterable[ast.AST], *, in_loop: bool) -> Iterator[ast.stmt]:
    """The statements that leave a block: `return`, and outside of inner loops `break` and
    `continue`."""
    for node in body:
        if isinstance(node, ast.Return) or (
            isinstance(node, (ast.Break, ast.Continue)) and not in_loop
        ):
            yield node
        elif not isinstance(node, _SCOPES):
            inside = in_loop or isinstance(node, _LOOPS)
            yield from _jumps(ast.iter_child_nodes(node), in_loop=inside)
