"""`tile-place`: the class of buffer of every value."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from pto_wsp.dialects.tile import (
    FusedOp,
    KernelOp,
    LoadOp,
    MatmulOp,
    OrderOp,
    Space,
    SpaceAttr,
    ValueOp,
)


@dataclass(frozen=True)
class TilePlacePass(ModulePass):
    """Sets `space`; capacities are the machine profile's and not looked at."""

    name = "tile-place"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for kernel in op.walk():
            if isinstance(kernel, KernelOp):
                for value_op in kernel.walk():
                    if isinstance(value_op, LoadOp | ValueOp | OrderOp | FusedOp) and not (
                        isinstance(value_op.parent_op(), FusedOp)
                    ):
                        value_op.space = SpaceAttr(space_of(value_op))


def space_of(op: Operation) -> Space:
    """Where an op's result lies: what only matmuls read in l1, their results in l0c, else ub."""
    match op:
        case MatmulOp():
            return Space.L0C
        case LoadOp() if op.result.uses and only_matmuls_read(op.result):
            return Space.L1
        case _:
            return Space.UB


def only_matmuls_read(value: SSAValue) -> bool:
    """True if every use is as the left or right side of a matmul."""
    return all(isinstance(use.operation, MatmulOp) and use.index < 2 for use in value.uses)
