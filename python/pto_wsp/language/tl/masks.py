"""Conditions on the numbers of a kernel's loops, as masks."""

from __future__ import annotations

from pto_wsp.dialects import tile
from pto_wsp.language import kernel_trace as trace
from pto_wsp.language.dtypes import DType
from pto_wsp.language.index import Both, Comparison, Condition, Either
from pto_wsp.language.kernel_trace import Value


def mask_of(what: str, condition: Condition) -> Value:
    """The condition as a mask of 1 x 1."""
    if isinstance(condition, Comparison):
        sides = (condition.left, condition.right)
        left, right = (trace.as_value(what, side, DType.I64) for side in sides)
        return trace.compare(what, tile.Predicate(condition.predicate), left, right)
    assert isinstance(condition, (Both, Either))
    first, second = (mask_of(what, part) for part in condition.parts)
    no, yes = (trace.constant(what, number, DType.I32) for number in (0, 1))
    holds = trace.emit(what, tile.SelectOp, second, yes, no)
    choice = (holds, no) if isinstance(condition, Both) else (yes, holds)
    return trace.compare(
        what, tile.Predicate.NE, trace.emit(what, tile.SelectOp, first, *choice), no
    )
