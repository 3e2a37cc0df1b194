"""The values that an index can take: an interval per index expression."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Block, SSAValue
from xdsl.ir.affine import AffineExpr, AffineSymExpr

from pto_wsp.dialects.indices import Interval, interval_of
from pto_wsp.dialects.task import IndexOp, LoopOp, SelectOp

SELECTED_MAX = 2**40
"""An element of an index tensor is below this (PTO_INDEX_MAX); a run refuses any other."""


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
    found = interval_of(expr, ranges)
    # A value that occurs twice may cancel, so the ends need not be reached.
    symbols = [part.position for part in expr.dfs() if isinstance(part, AffineSymExpr)]
    values = [operands[position] for position in symbols]
    derived = any(isinstance(value.owner, IndexOp) for value in values) and len(values) > 1
    alone = len(set(values)) == len(values) and not derived
    return Interval(found.low, found.high, found.exact and alone)


def largest_number(expr: AffineExpr, operands: Sequence[SSAValue]) -> int:
    """The largest absolute value that an expression or a part of it can have."""
    ranges = [value_range(operand) for operand in operands]
    parts = [interval_of(part, ranges) for part in expr.dfs()]
    return max(max(abs(part.low), abs(part.high)) for part in parts)
