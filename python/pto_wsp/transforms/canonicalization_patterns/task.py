"""Canonical views and indices: one view from tensor to box, its index arithmetic inside its map."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import TypeVar

from xdsl.ir import SSAValue
from xdsl.ir.affine import (
    AffineBinaryOpExpr,
    AffineBinaryOpKind,
    AffineConstantExpr,
    AffineExpr,
    AffineSymExpr,
)
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from pto_wsp.dialects.task import CombineOp, CompareOp, IndexOp, ParallelOp, SeqOp, ViewOp


def _simplified(expr: AffineExpr) -> AffineExpr:
    """A sum of products as one product per symbol, in order of appearance, and one number."""
    factors: dict[int, int] = {}
    constant = _collect(expr, 1, factors)
    if constant is None:
        return expr
    terms = [AffineExpr.symbol(symbol) * factor for symbol, factor in factors.items() if factor]
    if constant or not terms:
        terms.append(AffineExpr.constant(constant))
    return reduce(add, terms)


def _collect(expr: AffineExpr, scale: int, factors: dict[int, int]) -> int | None:
    """Adds `scale` times the expression to `factors`; answers its number, None if not linear."""
    match expr:
        case AffineConstantExpr():
            return scale * expr.value
        case AffineSymExpr():
            factors[expr.position] = factors.get(expr.position, 0) + scale
            return 0
        case AffineBinaryOpExpr(kind=AffineBinaryOpKind.Add):
            first = _collect(expr.lhs, scale, factors)
            second = _collect(expr.rhs, scale, factors)
            return None if first is None or second is None else first + second
        case AffineBinaryOpExpr(kind=AffineBinaryOpKind.Mul, rhs=AffineConstantExpr(value=factor)):
            return _collect(expr.lhs, scale * factor, factors)
        case _:
            return None


def _shifted(expr: AffineExpr, count: int, by: int) -> AffineExpr:
    """The expression with every symbol renumbered by `by`."""
    return expr.replace_dims_and_symbols([], [AffineExpr.symbol(i + by) for i in range(count)])


def _inline_indices(
    exprs: Sequence[AffineExpr], operands: Sequence[SSAValue]
) -> tuple[tuple[AffineExpr, ...], tuple[SSAValue, ...]] | None:
    """Expressions over the operands of the `task.index` ops among `operands`, or None without any.

    Equal operands share a symbol and unused ones go.
    """
    if not any(isinstance(value.owner, IndexOp) for value in operands):
        return None
    values: list[SSAValue] = []
    symbols: list[AffineExpr] = []
    for operand in operands:
        owner = operand.owner
        parts = tuple(owner.indices) if isinstance(owner, IndexOp) else (operand,)
        places = [AffineExpr.symbol(_place(values, part)) for part in parts]
        symbol = owner.expr if isinstance(owner, IndexOp) else AffineExpr.symbol(0)
        symbols.append(symbol.replace_dims_and_symbols([], places))
    return tuple(expr.replace_dims_and_symbols([], symbols) for expr in exprs), tuple(values)


def _place(values: list[SSAValue], value: SSAValue) -> int:
    if value not in values:
        values.append(value)
    return values.index(value)


class FoldIndexIntoIndex(RewritePattern):
    """`task.index` of `task.index` becomes one."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: IndexOp, rewriter: PatternRewriter) -> None:
        inlined = _inline_indices([op.expr], op.indices)
        if inlined is None:
            return
        (expr,), operands = inlined
        _replace(rewriter, op, IndexOp(_simplified(expr), operands))


class FoldIndexIntoView(RewritePattern):
    """Index arithmetic moves into the view's map."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ViewOp, rewriter: PatternRewriter) -> None:
        inlined = _inline_indices(op.offsets, op.indices)
        if inlined is None:
            return
        offsets, operands = inlined
        offsets = [_simplified(offset) for offset in offsets]
        _replace(rewriter, op, ViewOp(op.source, offsets, op.extents, operands))


class FoldIndexIntoCompare(RewritePattern):
    """Index arithmetic moves into the comparison's map."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: CompareOp, rewriter: PatternRewriter) -> None:
        inlined = _inline_indices(op.sides, op.indices)
        if inlined is None:
            return
        sides, operands = inlined
        sides = [_simplified(side) for side in sides]
        _replace(rewriter, op, CompareOp(op.predicate, sides, operands))


class ComposeViews(RewritePattern):
    """A view of a view becomes a view of the tensor."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ViewOp, rewriter: PatternRewriter) -> None:
        outer = op.source.owner
        if not isinstance(outer, ViewOp):
            return
        count = len(outer.indices)
        offsets = [
            _simplified(first + _shifted(second, len(op.indices), count))
            for first, second in zip(outer.offsets, op.offsets, strict=True)
        ]
        operands = [*outer.indices, *op.indices]
        _replace(rewriter, op, ViewOp(outer.source, offsets, op.extents, operands))


class DropWholeView(RewritePattern):
    """A view of all of a tensor is the tensor."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ViewOp, rewriter: PatternRewriter) -> None:
        at_origin = all(isinstance(o, AffineConstantExpr) and o.value == 0 for o in op.offsets)
        if at_origin and op.source.type == op.type:
            rewriter.replace(op, [], [op.source])


class InlineCombine(RewritePattern):
    """`task.combine` only groups: its content takes its place."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: CombineOp, rewriter: PatternRewriter) -> None:
        rewriter.inline_block(op.body.block, InsertPoint.before(op), ())
        rewriter.erase(op)


class DropEmptyLoop(RewritePattern):
    """A loop without iterations goes."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ParallelOp | SeqOp, rewriter: PatternRewriter) -> None:
        if 0 in op.extents:
            rewriter.erase(op)


_Indexed = TypeVar("_Indexed", IndexOp, ViewOp, CompareOp)


def _replace(rewriter: PatternRewriter, op: _Indexed, new: _Indexed) -> None:
    new.location = op.location
    new.result.name_hint = op.result.name_hint
    rewriter.replace(op, new)
