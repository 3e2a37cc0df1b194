"""From a workload's module to a program: passes, C++, the compiler, the loader."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import ModuleOp

from pto_wsp import _core
from pto_wsp.codegen import build, emit_units
from pto_wsp.dialects import make_context
from pto_wsp.dialects.text import part, to_text
from pto_wsp.errors import CompileError, ExecutionError, ScheduleError
from pto_wsp.machine import profile_path
from pto_wsp.machine.costs import kernel_reports
from pto_wsp.reference import ReferenceProgram
from pto_wsp.runtime.program import Program
from pto_wsp.transforms.analysis.plan_settings import Setting, module_settings
from pto_wsp.transforms.analysis.symbols import symbols
from pto_wsp.transforms.pipeline import run_pipeline

if TYPE_CHECKING:
    from pto_wsp.language.source import Place
    from pto_wsp.language.workload import Workload

TARGETS = ("cpu_sim", "reference")


def compile_workload(
    workload: Workload,
    module: ModuleOp,
    target: str,
    machine: str | os.PathLike[str],
    threads: int | None,
    compiler: str | None,
    place: Place | None,
) -> Program:
    """Lowers `module` in place and builds its program; `place` is where its schedule was set.

    Raises CompileError, MachineError, ScheduleError.
    """
    profile = profile_path(machine)
    if target not in TARGETS:
        raise CompileError(f"expected target {' or '.join(TARGETS)}, found {target!r}")
    original = module.clone()
    run_pipeline(module, make_context())
    units = emit_units(module)
    settings = module_settings(module)
    loaded = _core.LoadedProgram(build(units, settings, compiler=compiler))
    try:
        _check_start(settings, workload)
        loaded.check_schedule(profile)
    except ScheduleError as error:
        raise error if place is None else ScheduleError(f"{place}: {error}") from None
    return Program(
        loaded,
        workload.tensors,
        machine=profile,
        ir=lambda: _texts(module),
        costs=lambda machine: list(kernel_reports(module, machine)),
        cpp="\n".join(units),
        module=original.clone,
        threads=threads,
    )


def compile_reference(
    workload: Workload, module: ModuleOp, given: Mapping[str, object]
) -> ReferenceProgram:
    """Lowers `module` in place; the passes and what they refuse are every program's."""
    if unused := [name for name, value in given.items() if value is not None]:
        raise CompileError(f"target reference takes no {', '.join(unused)}: it has no virtual time")
    foreign = [op.symbol for op in symbols(module).kernels.values() if op.cpp is not None]
    if foreign:
        raise CompileError(f"target reference: the body of {', '.join(foreign)} is C++, not ops")
    run_pipeline(module, make_context())
    return ReferenceProgram(module, workload.tensors, ir=lambda: _texts(module))


def _check_start(settings: Mapping[str, Setting], workload: Workload) -> None:
    window = int(settings.get("window", 8192))
    in_tasks = settings.get("window_unit") == "tasks" and settings.get("window_mode") != "benchmark"
    if settings.get("start") != "after_orchestration" or not in_tasks:
        return
    try:
        tasks = sum(workload.task_counts().values())
    except ExecutionError:
        return  # only a run knows, and the engine refuses it where it would have to wait
    if window < tasks:
        raise ScheduleError(
            f"start=after_orchestration dispatches nothing before all tasks are submitted, but"
            f" window={window} < {tasks} tasks: raise the window to at least {tasks}"
        )


def _texts(module: ModuleOp) -> dict[str, str]:
    parts = {dialect: part(module, dialect) for dialect in ("tile", "task", "schedule")}
    return {"module": to_text(module)} | {name: to_text(text) for name, text in parts.items()}
