"""Which element-wise ops can run as one loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.ir import Block, Operation

from pto_wsp.dialects.tile import ConstantOp, ElementWiseOp, IotaOp, NumberOp, Shape


@dataclass(frozen=True)
class FusionGroup:
    """Element-wise ops of a block, in order; the last one gives the only value used elsewhere."""

    ops: tuple[Operation, ...]

    @property
    def root(self) -> ElementWiseOp:
        last = self.ops[-1]
        assert isinstance(last, ElementWiseOp)
        return last


def is_generated(op: Operation) -> bool:
    """True for an op that costs no operand: every loop that uses it makes its own."""
    return isinstance(op, ConstantOp | IotaOp | NumberOp)


def fusion_groups(block: Block) -> tuple[FusionGroup, ...]:
    """The groups of a kernel's block, in order of their roots.

    Every element-wise op is in one group, except those that are generated. An op joins the group of
    its users if they are all in one group and it costs no more there: it has the shape of the loop,
    or one column, and then it is computed once per row.
    """
    root_of: dict[Operation, ElementWiseOp] = {}
    members: dict[ElementWiseOp, list[Operation]] = {}
    for op in reversed(tuple(block.ops)):
        if not isinstance(op, ElementWiseOp) or is_generated(op):
            continue
        root = _common_root([use.operation for use in op.result.uses], root_of)
        if root is None or not _fits(op.type.shape, root.type.shape):
            root = op
        root_of[op] = root
        members.setdefault(root, []).append(op)
    return tuple(FusionGroup(tuple(reversed(ops))) for ops in reversed(members.values()))


def _common_root(
    users: Sequence[Operation], root_of: dict[Operation, ElementWiseOp]
) -> ElementWiseOp | None:
    roots = {root_of.get(user) for user in users}
    return roots.pop() if len(roots) == 1 else None


def _fits(shape: Shape, loop: Shape) -> bool:
    return shape == loop or shape[1] == 1
