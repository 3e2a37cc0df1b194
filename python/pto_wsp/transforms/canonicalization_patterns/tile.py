"""Canonical kernels: only what is used is loaded; matmuls read as it lies what is transposed."""

from __future__ import annotations

from xdsl.ir import SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from pto_wsp.dialects.tile import LoadOp, MatmulOp, SliceOp, TransposeOp


class LoadSlices(RewritePattern):
    """A load that only slices use becomes one load per slice, unless that moves more elements."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: SliceOp, rewriter: PatternRewriter) -> None:
        load = op.source.owner
        if not isinstance(load, LoadOp) or load.rows is not None:
            return
        slices = [use.operation for use in load.result.uses]
        boxes = [s for s in slices if isinstance(s, SliceOp) and s.strides == (1, 1)]
        moved = sum(box.type.rows * box.type.cols for box in boxes)
        if len(boxes) < len(slices) or moved > load.type.rows * load.type.cols:
            return
        row, col = (a + b for a, b in zip(load.offsets, op.offsets, strict=True))
        part = LoadOp(load.ref, (row, col), op.type.shape, load.indices)
        part.location = op.location
        part.result.name_hint = op.result.name_hint
        # Where the load stood, because a later store may change what it read.
        rewriter.insert(part, InsertPoint.before(load))
        rewriter.replace(op, [], [part.result])


class TransposedOperands(RewritePattern):
    """A matmul of a transposed tile reads the tile itself, transposed."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: TransposeOp, rewriter: PatternRewriter) -> None:
        for use in tuple(op.result.uses):
            product = use.operation
            if isinstance(product, MatmulOp) and use.index < 2:
                rewriter.replace(product, _reading(product, use.index, op.source))


def _reading(product: MatmulOp, side: int, source: SSAValue) -> MatmulOp:
    operands = [product.lhs, product.rhs]
    flags = [product.transpose_a is not None, product.transpose_b is not None]
    operands[side], flags[side] = source, not flags[side]
    lhs, rhs = operands
    return MatmulOp(lhs, rhs, product.acc, transpose_a=flags[0], transpose_b=flags[1])
