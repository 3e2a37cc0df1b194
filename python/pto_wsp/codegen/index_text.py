"""Index expressions as C++."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir.affine import (
    AffineBinaryOpExpr,
    AffineBinaryOpKind,
    AffineConstantExpr,
    AffineExpr,
    AffineSymExpr,
)

_BINARY = {
    AffineBinaryOpKind.Add: "({0} + {1})",
    AffineBinaryOpKind.Mul: "({0} * {1})",
    AffineBinaryOpKind.Mod: "pto_mod({0}, {1})",
    AffineBinaryOpKind.FloorDiv: "pto_floordiv({0}, {1})",
}


def index_text(expr: AffineExpr, operands: Sequence[str]) -> str:
    """The C++ of an expression; `operands` are the C++ of its symbols."""
    match expr:
        case AffineConstantExpr():
            return str(expr.value)
        case AffineSymExpr():
            return operands[expr.position]
        case AffineBinaryOpExpr():
            lhs, rhs = index_text(expr.lhs, operands), index_text(expr.rhs, operands)
            return _BINARY[expr.kind].format(lhs, rhs)
        case _:
            raise AssertionError(f"no C++ for the index {expr}")
