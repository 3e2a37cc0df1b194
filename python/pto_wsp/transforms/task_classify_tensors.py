"""`task-classify-tensors`: what a run does with every tensor."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from pto_wsp.dialects.task import MemoryAttr, RandomAttr, TensorOp, TensorRole, WorkloadOp
from pto_wsp.transforms.analysis.tensor_uses import TensorUses, tensor_uses


@dataclass(frozen=True)
class TaskClassifyTensorsPass(ModulePass):
    """Sets `role`: constant, input, output or temporary."""

    name = "task-classify-tensors"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for workload in op.walk():
            if isinstance(workload, WorkloadOp):
                for tensor, uses in tensor_uses(workload).items():
                    tensor.role = role_of(tensor, uses)


def role_of(tensor: TensorOp, uses: TensorUses) -> TensorRole:
    """Procedural: constant. What no task writes: input. Of the rest, what has memory of its own
    or is read by no task is an output; what is left is temporary.
    """
    if isinstance(tensor.source, RandomAttr):
        return TensorRole.CONSTANT
    if not uses.writers:
        return TensorRole.INPUT
    if isinstance(tensor.source, MemoryAttr) or not uses.readers:
        return TensorRole.OUTPUT
    return TensorRole.TEMPORARY
