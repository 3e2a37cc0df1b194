"""How large index arithmetic can get: it must stay within 64 bits."""

from __future__ import annotations

from collections.abc import Sequence

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
INDEX_MAX = 2**60
"""Offsets of views of views are added up: far enough from 64 bits for that."""


def magnitude(expr: AffineExpr, operands: Sequence[SSAValue]) -> int:
    """The largest absolute value of the expression and of its parts; symbol i is operand i."""
    match expr:
        case AffineConstantExpr():
            return abs(expr.value)
        case AffineSymExpr():
            return _of_value(operands[expr.position])
        case AffineBinaryOpExpr():
            lhs, rhs = magnitude(expr.lhs, operands), magnitude(expr.rhs, operands)
            match expr.kind:
                case AffineBinaryOpKind.Add:
                    return lhs + rhs
                case AffineBinaryOpKind.Mul:
                    return max(lhs, rhs, lhs * rhs)
                case _:
                    return max(lhs, rhs)
        case _:
            raise ValueError(f"an index has symbols only, got {expr}")


def _of_value(value: SSAValue) -> int:
    owner = value.owner
    if isinstance(owner, IndexOp):
        return magnitude(owner.expr, owner.indices)
    parent = owner.parent_op() if isinstance(owner, Block) else None
    if isinstance(parent, LoopOp):
        return parent.extents[parent.induction_values.index(value)]
    if isinstance(parent, SelectOp) and value is parent.position:
        return parent.length
    return SELECTED_MAX
