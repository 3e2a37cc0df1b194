"""How passes report: every finding of a phase at once, each with the user's file and line."""

from __future__ import annotations

from dataclasses import dataclass, field

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.utils.exceptions import VerifyException

from pto_wsp.dialects.locations import where
from pto_wsp.errors import CompileError
from pto_wsp.transforms.analysis.symbols import symbols


def error_at(op: Operation, text: str) -> str:
    """`file:line:col: error: text`, without the place where none is known."""
    place = where(op)
    return f"{place}: error: {text}" if place else f"error: {text}"


@dataclass
class Diagnostics:
    """Collects findings; equal ones count once."""

    found: list[str] = field(default_factory=list[str])

    def error(self, op: Operation, text: str) -> None:
        line = error_at(op, text)
        if line not in self.found:
            self.found.append(line)

    def raise_if_any(self) -> None:
        """Raises CompileError with all findings, in the order in which they were made."""
        if self.found:
            raise CompileError("\n".join(self.found))


def verify(module: ModuleOp, after: str | None = None) -> None:
    """Verifies every op; raises CompileError with one line per op that does not hold.

    `after` names the pass that ran last: what it finds then is that pass's error, not the user's.
    """
    errors = Diagnostics()
    note = f" (after {after})" if after is not None else ""
    for op in module.walk():
        if op is not module:
            _verify_one(op, note, errors)
    errors.raise_if_any()
    for op, earlier in symbols(module).clashes:
        place = where(earlier)
        first = f"; the first is at {place}" if place else ""
        errors.error(op, f"two definitions of @{op.symbol}{first}{note}")
    # xDSL's own check of the module finds the same clashes, without a place.
    errors.raise_if_any()
    _verify_one(module, note, errors)
    errors.raise_if_any()


def _verify_one(op: Operation, note: str, errors: Diagnostics) -> None:
    try:
        op.verify_()
    except VerifyException as error:
        errors.error(op, f"{op.name}: {' '.join(str(error).split())}{note}")
