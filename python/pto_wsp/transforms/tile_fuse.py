"""`tile-fuse`: chains of element-wise ops become one loop each."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from pto_wsp.dialects.tile import ForOp, FusedOp, KernelOp, YieldOp
from pto_wsp.transforms.analysis.fusion_groups import FusionGroup, fusion_groups, is_generated


@dataclass(frozen=True)
class TileFusePass(ModulePass):
    """Replaces every group of two or more element-wise ops by a `tile.fused`.

    Constants and iotas are copied into every loop that uses them.
    """

    name = "tile-fuse"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for kernel in op.walk():
            if isinstance(kernel, KernelOp):
                _fuse(kernel.body.block)


def _fuse(block: Block) -> None:
    for op in tuple(block.ops):
        if isinstance(op, ForOp):
            _fuse(op.body.block)
    for group in fusion_groups(block):
        operands = [operand.owner for op in group.ops for operand in op.operands]
        if len(group.ops) > 1 or any(
            isinstance(owner, Operation) and is_generated(owner) for owner in operands
        ):
            _replace(block, group)
    for op in reversed(tuple(block.ops)):
        if is_generated(op) and not any(result.uses for result in op.results):
            op.detach()
            op.erase()


def _replace(block: Block, group: FusionGroup) -> None:
    root = group.root
    body = Block()
    copies: dict[SSAValue, SSAValue] = {}
    for op in group.ops:
        for operand in op.operands:
            owner = operand.owner
            if isinstance(owner, Operation) and is_generated(owner) and operand not in copies:
                body.add_op(owner.clone(copies))
        body.add_op(op.clone(copies))
    end = YieldOp(copies[root.result])
    end.location = root.location
    body.add_op(end)
    fused = FusedOp(Region(body), root.type)
    fused.location = root.location
    fused.result.name_hint = root.result.name_hint
    block.insert_op_before(fused, root)
    root.result.replace_all_uses_with(fused.result)
    for op in reversed(group.ops):
        op.detach()
        op.erase()
