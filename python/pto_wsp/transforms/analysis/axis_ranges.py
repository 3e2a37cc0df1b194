"""The values that an index can take: an interval per index expression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.ir import Block, SSAValue
from xdsl.ir.affine import (
    AffineBinaryOpExpr,
    AffineBinaryOpKind,
    AffineConstantExpr,
    AffineExpr,
    AffineSymExpr,
)

from pto_wsp.dialects.task import IndexOp, LoopOp, SelectOp

SELECTED_MAX = 2**40
"""An element of an index tensor is below this (PTO_INDEX_MAX); a run refuses any other."""


@dataclass(frozen=True)
class Interval:
    """All values from `low` to `high`."""

    low: int
    high: int
    exact: bool
    """Both ends are reached; never so for a number that a task computes."""


_SELECTED = Interval(1 - SELECTED_MAX, SELECTED_MAX - 1, False)


def value_range(value: SSAValue) -> Interval:
    """The values of a loop's axis, of a selected element or its position, of index arithmetic."""
    owner = value.owner
    if isinstance(owner, IndexOp):
        return expr_range(owner.expr, owner.indices)
    parent = owner.parent_op() if isinstance(owner, Block) else None
    if isinstance(parent, LoopOp):
        extent = parent.extents[parent.induction_values.index(value)]
        return Interval(0, extent - 1, True)
    if isinstance(parent, SelectOp) and value is parent.position:
        return Interval(0, parent.length - 1, True)
    return _SELECTED


def expr_range(expr: AffineExpr, operands: Sequence[SSAValue]) -> Interval:
    """The values of an expression whose symbol i stands for operand i."""
    ranges = [value_range(operand) for operand in operands]
    found = _range(expr, ranges)
    # A value that occurs twice may cancel, so the ends need not be reached.
    symbols = [part.position for part in expr.dfs() if isinstance(part, AffineSymExpr)]
    values = [operands[position] for position in symbols]
    derived = any(isinstance(value.owner, IndexOp) for value in values) and len(values) > 1
    alone = len(set(values)) == len(values) and not derived
    return Interval(found.low, found.high, found.exact and alone)


def largest_number(expr: AffineExpr, operands: Sequence[SSAValue]) -> int:
    """The largest absolute value that an expression or a part of it can have."""
    ranges = [value_range(operand) for operand in operands]
    parts = [_range(part, ranges) for part in expr.dfs()]
    return max(max(abs(part.low), abs(part.high)) for part in parts)


def _range(expr: AffineExpr, ranges: Sequence[Interval]) -> Interval:
    match expr:
        case AffineConstantExpr():
            return Interval(expr.value, expr.value, True)
        case AffineSymExpr():
            return ranges[expr.position]
        case AffineBinaryOpExpr():
            lhs, rhs = _range(expr.lhs, ranges), _range(expr.rhs, ranges)
            return _OPERATIONS[expr.kind](lhs, rhs)
        case _:
            raise ValueError(f"an index has symbols only, got {expr}")


def _add(a: Interval, b: Interval) -> Interval:
    return Interval(a.low + b.low, a.high + b.high, a.exact and b.exact)


def _mul(a: Interval, b: Interval) -> Interval:
    if a.low == a.high:
        a, b = b, a
    if b.low != b.high:
        raise ValueError("an index is multiplied by a number only")
    ends = sorted((a.low * b.low, a.high * b.low))
    return Interval(ends[0], ends[1], a.exact or b.low == 0)


def _floordiv(a: Interval, b: Interval) -> Interval:
    divisor = _positive(b)
    return Interval(a.low // divisor, a.high // divisor, a.exact)


def _mod(a: Interval, b: Interval) -> Interval:
    divisor = _positive(b)
    if a.low // divisor == a.high // divisor:
        return Interval(a.low % divisor, a.high % divisor, a.exact)
    return Interval(0, divisor - 1, False)


def _positive(interval: Interval) -> int:
    if interval.low != interval.high or interval.low < 1:
        raise ValueError("mod and floordiv are by a positive number")
    return interval.low


_OPERATIONS = {
    AffineBinaryOpKind.Add: _add,
    AffineBinaryOpKind.Mul: _mul,
    AffineBinaryOpKind.FloorDiv: _floordiv,
    AffineBinaryOpKind.Mod: _mod,
}
