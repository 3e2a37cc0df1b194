"""Index expressions: affine in values that are known when the program runs, and their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects.builtin import AffineMapAttr
from xdsl.ir import SSAValue
from xdsl.ir.affine import (
    AffineBinaryOpExpr,
    AffineBinaryOpKind,
    AffineConstantExpr,
    AffineExpr,
    AffineMap,
    AffineSymExpr,
)
from xdsl.utils.exceptions import VerifyException

NUMBER_MAX = 2**40 - 1
"""The largest number that a tensor, a symbol or a slot gives a workload (below PTO_INDEX_MAX)."""

IndexLike = AffineExpr | int
"""An index: a number, or an affine expression over symbols that stand for index values."""


def index_map(indices: Sequence[IndexLike], operands: Sequence[SSAValue]) -> AffineMapAttr:
    """The attribute of a list of indices; symbol i stands for `operands[i]`."""
    exprs = tuple(AffineExpr.constant(i) if isinstance(i, int) else i for i in indices)
    return AffineMapAttr(AffineMap(0, len(operands), exprs))


def verify_index_map(indices: AffineMap, operands: Sequence[SSAValue]) -> None:
    """Raises `VerifyException` unless the map is affine and has a symbol per operand."""
    if indices.num_dims != 0 or indices.num_symbols != len(operands):
        raise VerifyException(
            f"{len(operands)} index values for a map of {indices.num_dims} dimensions"
            f" and {indices.num_symbols} symbols"
        )
    for expr in indices.results:
        for part in expr.dfs():
            if isinstance(part, AffineBinaryOpExpr):
                _verify_affine(part)


def _verify_affine(part: AffineBinaryOpExpr) -> None:
    if part.kind is AffineBinaryOpKind.CeilDiv:
        raise VerifyException("indices use +, *, mod and floordiv; there is no ceildiv")
    if part.kind in (AffineBinaryOpKind.Mod, AffineBinaryOpKind.FloorDiv) and not (
        isinstance(part.rhs, AffineConstantExpr) and part.rhs.value > 0
    ):
        raise VerifyException(f"mod and floordiv are by a positive number, got {part.rhs}")
    if part.kind is AffineBinaryOpKind.Mul and not (
        isinstance(part.lhs, AffineConstantExpr) or isinstance(part.rhs, AffineConstantExpr)
    ):
        raise VerifyException("an index is multiplied by a number only")


@dataclass(frozen=True)
class Interval:
    """All values from `low` to `high`."""

    low: int
    high: int
    exact: bool
    """Both ends are reached; never so for a number that a task computes."""


def interval_of(expr: AffineExpr, ranges: Sequence[Interval]) -> Interval:
    """The values of an expression whose symbol i takes those of `ranges[i]`."""
    match expr:
        case AffineConstantExpr():
            return Interval(expr.value, expr.value, True)
        case AffineSymExpr():
            return ranges[expr.position]
        case AffineBinaryOpExpr():
            lhs, rhs = interval_of(expr.lhs, ranges), interval_of(expr.rhs, ranges)
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
