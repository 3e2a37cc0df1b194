"""A lowered module as one C++ translation unit."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp

from pto_wsp.codegen.kernels import emit_kernels
from pto_wsp.codegen.program import emit_program
from pto_wsp.codegen.writer import Writer
from pto_wsp.dialects import task, tile
from pto_wsp.errors import CompileError

_HEAD = """\
// A task program: kernels, tensors, and the loops that generate tasks.
// Emitted: change the Python source instead.
#include "pto/abi.h"
#include "pto/kernel.h"
"""


def emit_cpp(module: ModuleOp) -> str:
    """The C++ source of a module that has passed the pipeline.

    Raises CompileError unless the module holds exactly one workload.
    """
    workloads = [op for op in module.walk() if isinstance(op, task.WorkloadOp)]
    if len(workloads) != 1:
        raise CompileError(f"a task program has one workload, this module has {len(workloads)}")
    launched = {op.kernel for op in workloads[0].walk() if isinstance(op, task.LaunchOp)}
    kernels = [
        op for op in module.walk() if isinstance(op, tile.KernelOp) and op.symbol in launched
    ]
    out = Writer()
    out.line(_HEAD)
    emit_kernels(out, kernels)
    emit_program(out, workloads[0].symbol, workloads[0], kernels)
    return out.text()
