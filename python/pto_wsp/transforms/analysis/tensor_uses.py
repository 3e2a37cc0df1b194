"""Who reads and writes the tensors of a workload."""

from __future__ import annotations

from dataclasses import dataclass, field

from xdsl.ir import SSAValue

from pto_wsp.dialects.task import LaunchOp, ReadOp, SelectOp, TensorOp, ViewOp, WorkloadOp

Reader = LaunchOp | SelectOp | ReadOp


@dataclass
class TensorUses:
    """The ops that read and write a tensor, in program order; an inout does both."""

    readers: list[Reader] = field(default_factory=list[Reader])
    writers: list[LaunchOp] = field(default_factory=list[LaunchOp])
    read_first: bool = False
    """A task or the workload reads it before the text of the program writes it."""


def tensor_uses(workload: WorkloadOp) -> dict[TensorOp, TensorUses]:
    """The uses of every tensor, in order of declaration."""
    uses = {tensor: TensorUses() for tensor in workload.tensors}
    for op in workload.walk():
        if isinstance(op, SelectOp):
            _read(uses[tensor_of(op.row)], op)
        elif isinstance(op, ReadOp):
            _read(uses[tensor_of(op.source)], op)
        elif isinstance(op, LaunchOp):
            for value in (*op.ins, *op.inouts):
                _read(uses[tensor_of(value)], op)
            for value in (*op.outs, *op.inouts):
                uses[tensor_of(value)].writers.append(op)
    return uses


def _read(uses: TensorUses, op: Reader) -> None:
    uses.readers.append(op)
    uses.read_first = uses.read_first or not uses.writers


def tensor_of(value: SSAValue) -> TensorOp:
    """The tensor of which a value is a view, or which it is."""
    owner = value.owner
    while isinstance(owner, ViewOp):
        owner = owner.source.owner
    if not isinstance(owner, TensorOp):
        raise ValueError(f"a tensor or view is expected, got {owner}")
    return owner
