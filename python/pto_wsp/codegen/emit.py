"""A lowered module as C++: the program, and beside it the key functions of its plan."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp

from pto_wsp.codegen.kernels import emit_kernels
from pto_wsp.codegen.keys import emit_keys
from pto_wsp.codegen.program import emit_program
from pto_wsp.codegen.writer import Writer
from pto_wsp.dialects import task, tile
from pto_wsp.dialects.schedule import KeyOp
from pto_wsp.errors import CompileError

_HEAD = """\
// A task program: kernels, tensors, and the loops that generate tasks.
// Emitted: change the Python source instead.
#include "pto/abi.h"
#include "pto/kernel.h"
#include "pto/tiles.h"
"""

_KEYS_HEAD = """\
// A schedule's functions of a task. Emitted: change the Python source instead.
#include "pto/abi.h"
#include "pto/kernel.h"
"""


def emit_units(module: ModuleOp) -> list[str]:
    """The translation units of a module that has passed the pipeline: a schedule's functions have
    one of their own, so that another schedule compiles no kernel again.

    Raises CompileError unless the module holds exactly one workload.
    """
    workloads = [op for op in module.walk() if isinstance(op, task.WorkloadOp)]
    if len(workloads) != 1:
        raise CompileError(f"a task program has one workload, this module has {len(workloads)}")
    launches = [op for op in workloads[0].walk() if isinstance(op, task.LaunchOp)]
    launched = {op.kernel for op in launches}
    kernels = [
        op for op in module.walk() if isinstance(op, tile.KernelOp) and op.symbol in launched
    ]
    program = Writer()
    program.line(_HEAD)
    if any(isinstance(op, task.PipelineOp) for op in workloads[0].walk()):
        program.line('#include "pto/process.h"\n')
    emit_kernels(program, kernels)
    emit_program(program, workloads[0], launches, kernels)
    keys = Writer()
    keys.line(_KEYS_HEAD)
    emit_keys(keys, [op for op in module.walk() if isinstance(op, KeyOp)], launches, kernels)
    return [program.text(), keys.text()]


def emit_cpp(module: ModuleOp) -> str:
    """All translation units as one, for reading."""
    return "\n".join(emit_units(module))
