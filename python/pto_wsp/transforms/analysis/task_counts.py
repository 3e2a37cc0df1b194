"""How many tasks a workload makes, from its loops alone."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.ir import Block

from pto_wsp.dialects.task import LaunchOp, LoopOp, SelectOp, WorkloadOp


@dataclass(frozen=True)
class TaskCounts:
    """Numbers of tasks; a selection counts as its row is long."""

    per_kernel: dict[str, int]
    """By kernel, in order of first launch."""

    @property
    def total(self) -> int:
        return sum(self.per_kernel.values())


def task_counts(workload: WorkloadOp) -> TaskCounts:
    """The tasks of a workload, without a run."""
    counts: dict[str, int] = {}
    _count(workload.body.block, 1, counts)
    return TaskCounts(counts)


def _count(block: Block, trips: int, counts: dict[str, int]) -> None:
    for op in block.ops:
        inner = trips
        if isinstance(op, LaunchOp):
            counts[op.kernel] = counts.get(op.kernel, 0) + trips
        elif isinstance(op, LoopOp):
            for extent in op.extents:
                inner *= extent
        elif isinstance(op, SelectOp):
            inner *= op.length
        for region in op.regions:
            _count(region.block, inner, counts)
