"""`--verify-diagnostics`: a file says in comments which errors it has, and exactly those must come.

`// expected-error {{text}}` expects an error on its own line whose message contains the text;
`@+1`, `@-2`, `@above` and `@below` before the braces move the line, `@unknown` is without one. In
Python the comment begins with `#`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_EXPECTATION = re.compile(
    r"(?://|#)\s*expected-error\s*(?:@(above|below|unknown|[+-]\d+))?\s*\{\{(.*?)\}\}"
)
_DIAGNOSTIC = re.compile(r"(?:.*?:(\d+)(?::\d+)?: )?(?:.*?: )?error: (.*)", re.DOTALL)


@dataclass(frozen=True)
class Expectation:
    """An error that a comment announces."""

    line: int | None
    """Counts from 1; None: anywhere."""
    text: str


def expectations(source: str) -> list[Expectation]:
    """All expectations of a file, in order."""
    found: list[Expectation] = []
    for number, line in enumerate(source.splitlines(), start=1):
        for shift, text in _EXPECTATION.findall(line):
            moved = {"": 0, "above": -1, "below": 1}.get(shift)
            if shift == "unknown":
                found.append(Expectation(None, text))
            else:
                found.append(Expectation(number + (int(shift) if moved is None else moved), text))
    return found


def mismatches(source: str, diagnostics: Sequence[str]) -> list[str]:
    """What was expected and did not come, and what came unexpected."""
    open_ = expectations(source)
    problems: list[str] = []
    for diagnostic in diagnostics:
        match = _match(open_, diagnostic)
        if match is None:
            problems.append(f"unexpected: {diagnostic}")
        else:
            open_.remove(match)
    for missing in open_:
        at = "" if missing.line is None else f" on line {missing.line}"
        problems.append(f"expected error{at} did not come: {missing.text}")
    return problems


def _match(candidates: Sequence[Expectation], diagnostic: str) -> Expectation | None:
    found = _DIAGNOSTIC.match(diagnostic)
    if found is None:
        return None
    line = int(found[1]) if found[1] else None
    for candidate in candidates:
        if candidate.line in (line, None) and candidate.text in found[2]:
            return candidate
    return None
