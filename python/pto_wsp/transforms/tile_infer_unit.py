"""`tile-infer-unit`: the unit of every kernel that declares none."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from pto_wsp.dialects.tile import KernelOp, MatmulOp, Unit


@dataclass(frozen=True)
class TileInferUnitPass(ModulePass):
    """Sets `unit`: cube for a kernel with a matmul, else vector."""

    name = "tile-infer-unit"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for kernel in op.walk():
            if isinstance(kernel, KernelOp) and kernel.unit is None:
                kernel.unit = needed_unit(kernel)


def needed_unit(kernel: KernelOp) -> Unit:
    """The unit that the kernel's ops ask for."""
    has_matmul = any(isinstance(op, MatmulOp) for op in kernel.walk())
    return Unit.CUBE if has_matmul else Unit.VECTOR
