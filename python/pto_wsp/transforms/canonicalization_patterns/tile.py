"""Canonical kernels: only what is used is loaded."""

from __future__ import annotations

from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from pto_wsp.dialects.tile import LoadOp, SliceOp


class LoadSlices(RewritePattern):
    """A load that only slices use becomes one load per slice, unless that moves more elements."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: SliceOp, rewriter: PatternRewriter) -> None:
        load = op.source.owner
        if not isinstance(load, LoadOp):
            return
        slices = [use.operation for use in load.result.uses]
        boxes = [s for s in slices if isinstance(s, SliceOp) and s.strides == (1, 1)]
        moved = sum(box.type.rows * box.type.cols for box in boxes)
        if len(boxes) < len(slices) or moved > load.type.rows * load.type.cols:
            return
        row, col = (a + b for a, b in zip(load.offsets, op.offsets, strict=True))
        part = LoadOp(load.ref, (row, col), op.type.shape)
        part.location = op.location
        part.result.name_hint = op.result.name_hint
        # Where the load stood, because a later store may change what it read.
        rewriter.insert(part, InsertPoint.before(load))
        rewriter.replace(op, [], [part.result])
