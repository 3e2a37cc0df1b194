"""From a workload's module to a program: passes, C++, the compiler, the loader."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import ModuleOp

from pto_wsp.codegen import build, emit_cpp
from pto_wsp.dialects import make_context
from pto_wsp.dialects.text import part, to_text
from pto_wsp.errors import CompileError
from pto_wsp.runtime.program import Program
from pto_wsp.transforms.analysis.plan_settings import module_settings
from pto_wsp.transforms.pipeline import run_pipeline

if TYPE_CHECKING:
    from pto_wsp.language.workload import Workload

TARGETS = ("cpu_sim",)


def compile_workload(
    workload: Workload,
    module: ModuleOp,
    target: str,
    machine: str | os.PathLike[str],
    threads: int | None,
    compiler: str | None,
) -> Program:
    """Lowers `module` in place and builds its program. Raises CompileError, MachineError."""
    if target not in TARGETS:
        raise CompileError(f"expected target {' or '.join(TARGETS)}, found {target!r}")
    original = module.clone()
    run_pipeline(module, make_context())
    source = emit_cpp(module)
    sealed = build([source], module_settings(module), compiler=compiler)
    ir = {dialect: to_text(part(module, dialect)) for dialect in ("tile", "task", "schedule")}
    return Program(
        sealed,
        workload.tensors,
        machine=machine,
        ir=ir,
        cpp=source,
        module=original.clone,
        threads=threads,
    )
