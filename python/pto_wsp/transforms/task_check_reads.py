"""`task-check-reads`: what decides which tasks exist has values."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from pto_wsp.dialects.task import ReadOp, SelectOp, WorkloadOp
from pto_wsp.transforms.analysis.tensor_uses import tensor_of, tensor_uses
from pto_wsp.transforms.diagnostics import Diagnostics


@dataclass(frozen=True)
class TaskCheckReadsPass(ModulePass):
    """Changes nothing; a read of a tensor that nothing fills is an error."""

    name = "task-check-reads"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        errors = Diagnostics()
        for workload in op.walk():
            if not isinstance(workload, WorkloadOp):
                continue
            uses = tensor_uses(workload)
            for reader in workload.walk():
                if not isinstance(reader, SelectOp | ReadOp):
                    continue
                is_selection = isinstance(reader, SelectOp)
                tensor = tensor_of(reader.row if is_selection else reader.source)
                if tensor.source is None and not uses[tensor].writers:
                    what = "selection" if is_selection else "workload"
                    errors.error(
                        reader,
                        f'the {what} reads "{tensor.tensor_name}", which has no values: no task'
                        " writes it; give it data, or a routing such as Zipf(0.8, seed=0)",
                    )
        errors.raise_if_any()
