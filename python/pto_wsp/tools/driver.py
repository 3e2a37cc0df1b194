"""One compilation: read, run the passes, show what was asked for, emit."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from pto_wsp.dialects import make_context, task, tile
from pto_wsp.dialects.text import part, to_text
from pto_wsp.errors import CompileError, PtoError
from pto_wsp.tools.expected import mismatches
from pto_wsp.tools.inputs import SPLIT, parse_text, read_text, split_text, trace_python
from pto_wsp.tools.options import DIAGNOSTIC, EVERY, OK, Options, UsageError
from pto_wsp.transforms import get_all_passes
from pto_wsp.transforms.pipeline import default_passes, parse_passes, run_pipeline

Result = TypeVar("Result")


def compile_file(options: Options) -> int:
    """Compiles `options.file`; returns the exit code."""
    _check(options)
    timer = _Timer()
    results: list[str] = []
    status = OK
    for index, unit in enumerate(_units(options)):
        problems, result = _compile_unit(options, unit, index, timer)
        for problem in problems:
            print(problem, file=sys.stderr)
            status = DIAGNOSTIC
        if result is not None:
            results.append(result)
    if status == OK and results:
        _write(options, f"{SPLIT}\n".join(results))
    if options.timing:
        print(timer.report(), file=sys.stderr)
    return status


def _check(options: Options) -> None:
    known = (EVERY, *get_all_passes())
    for name in (*options.print_ir_before, *options.print_ir_after):
        if name not in known:
            raise UsageError(f"there is no pass {name!r}; see ptoc --list-passes")
    if options.emit == "so" and options.output in (None, "-"):
        raise UsageError("--emit=so writes a file: say which with -o")
    if options.file is None and sys.stdin.isatty():
        raise UsageError("say what to compile: FILE.py, FILE.mlir, or - for standard input")


# ---- Units -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Unit:
    """What is compiled at once: a file, or a part of it."""

    path: str
    name: str | None
    """The object of a Python file, if one is named."""
    text: str | None
    """IR; None for a Python file."""

    @property
    def source(self) -> str:
        """The text in which expected errors are announced."""
        return read_text(self.path) if self.text is None else self.text


def _units(options: Options) -> Iterator[_Unit]:
    path = options.file or "-"
    base, colon, name = path.rpartition(":")
    if path.endswith(".py") or (colon and base.endswith(".py")):
        whole = path.endswith(".py")
        file = path if whole else base
        if not Path(file).is_file():
            raise UsageError(f"{file}: there is no such file")
        yield _Unit(file, None if whole else name, None)
        return
    try:
        text = read_text(path)
    except CompileError as error:
        raise UsageError(str(error).replace(": error: ", ": ")) from None
    for piece in split_text(text) if options.split_input_file else [text]:
        yield _Unit(path, None, piece)


def _compile_unit(
    options: Options, unit: _Unit, index: int, timer: _Timer
) -> tuple[list[str], str | None]:
    """The problems to report, and the text to write if there are none."""
    found: list[str] = []
    result: str | None = None
    try:
        result = _compile(options, unit, index, timer)
    except PtoError as error:
        found = [_as_diagnostic(line) for line in _entries(str(error))]
    if not options.verify_diagnostics:
        return found, result
    problems = mismatches(unit.source, found)
    return [f"{unit.path}: error: {problem}" for problem in problems], None


def _entries(text: str) -> list[str]:
    """The diagnostics of a message; a line without `error: ` belongs to the one before it."""
    entries: list[str] = []
    for line in text.splitlines():
        if entries and "error: " not in line:
            entries[-1] += f"\n{line}"
        else:
            entries.append(line)
    return entries


def _as_diagnostic(text: str) -> str:
    return text if "error: " in text else f"error: {text}"


def _compile(options: Options, unit: _Unit, index: int, timer: _Timer) -> str:
    ctx = make_context()
    with timer.step("read"):
        if unit.text is None:
            module = trace_python(unit.path, unit.name)
        else:
            module = parse_text(ctx, unit.text, unit.path)
    passes = (
        default_passes() if options.pass_pipeline is None else parse_passes(options.pass_pipeline)
    )
    observer = _Observer(options, index, timer)
    observer.start(module)
    run_pipeline(module, ctx, passes, after=observer.after, before=observer.before)
    with timer.step(f"emit {options.emit}"):
        return _emit(options, module)


# ---- Between the passes ------------------------------------------------------------------------


@dataclass
class _Timer:
    """Wall-clock seconds per step."""

    seconds: dict[str, float] = field(default_factory=dict[str, float])

    @contextmanager
    def step(self, name: str) -> Generator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - start)

    def add(self, name: str, seconds: float) -> None:
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    def report(self) -> str:
        total = sum(self.seconds.values())
        rows = [*self.seconds.items(), ("total", total)]
        return "\n".join(f"{seconds:9.4f} s  {name}" for name, seconds in rows)


class _Observer:
    """Dumps and times: called around every pass."""

    def __init__(self, options: Options, index: int, timer: _Timer) -> None:
        self._options = options
        self._timer = timer
        self._dumps = 0
        self._started = 0.0
        self._folder = None if options.dump_dir is None else Path(options.dump_dir)
        if self._folder is not None and options.split_input_file:
            self._folder /= f"{index:02}"

    def start(self, module: ModuleOp) -> None:
        self._dump("input", module)
        self._started = time.perf_counter()

    def before(self, step: ModulePass, module: ModuleOp) -> None:
        if {EVERY, step.name} & set(self._options.print_ir_before):
            self._show("Before", step, module)
        self._started = time.perf_counter()

    def after(self, step: ModulePass, module: ModuleOp) -> None:
        # With the verification that follows every pass.
        self._timer.add(step.name, time.perf_counter() - self._started)
        everything = self._options.print_ir_after_all
        if everything or {EVERY, step.name} & set(self._options.print_ir_after):
            self._show("After", step, module)
        self._dump(step.name, module)

    def _show(self, when: str, step: ModulePass, module: ModuleOp) -> None:
        print(f"// -----// IR Dump {when} {step.name} //----- //", file=sys.stderr)
        print(_text(self._options, module), file=sys.stderr, end="")

    def _dump(self, name: str, module: ModuleOp) -> None:
        if self._folder is None:
            return
        path = self._folder / f"{self._dumps:02}-{name}.mlir"
        _guarded(path, lambda: path.parent.mkdir(parents=True, exist_ok=True))
        _guarded(path, lambda: path.write_text(_text(self._options, module), encoding="utf-8"))
        self._dumps += 1


# ---- Output ------------------------------------------------------------------------------------


def _emit(options: Options, module: ModuleOp) -> str:
    match options.emit:
        case "cpp":
            return _cpp(module)
        case "so":
            return _task_program(options, module)
        case "cost":
            return _costs(options, module)
        case "mlir":
            return _text(options, module)
        case dialect:
            return _text(options, part(module, dialect))


def _text(options: Options, module: ModuleOp) -> str:
    return to_text(module, generic=options.print_op_generic, debuginfo=options.print_debuginfo)


def _cpp(module: ModuleOp) -> str:
    _check_lowered(module)
    from pto_wsp.codegen import emit_cpp

    return emit_cpp(module)


def _costs(options: Options, module: ModuleOp) -> str:
    _check_lowered(module)
    from pto_wsp.machine import Machine
    from pto_wsp.machine.costs import costs_text, kernel_reports

    machine = Machine(options.machine)
    return costs_text(list(kernel_reports(module, machine)), machine)


def _task_program(options: Options, module: ModuleOp) -> str:
    """Builds the task program and puts it where it is wanted; there is no text to write."""
    _check_lowered(module)
    from pto_wsp.codegen import build, emit_units
    from pto_wsp.transforms.analysis.plan_settings import module_settings

    built = build(emit_units(module), module_settings(module), compiler=options.compiler)
    assert options.output is not None
    target = Path(options.output)
    _guarded(target, lambda: shutil.copyfile(built, target))
    return ""


def _check_lowered(module: ModuleOp) -> None:
    """C++ is made of what the default passes leave; a shorter pipeline may not get there."""
    for op in module.walk():
        missing = None
        if isinstance(op, tile.KernelOp) and op.unit is None:
            missing = "tile-infer-unit"
        elif isinstance(op, tile.KernelOp) and op.fragments is None:
            missing = "tile-fragments"
        elif isinstance(op, task.TensorOp) and op.role is None:
            missing = "task-classify-tensors"
        if missing is not None:
            raise CompileError(f"error: C++ cannot be emitted before {missing} has run; add it")


def _write(options: Options, text: str) -> None:
    if options.emit == "so":
        return
    if options.output is None or options.output == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    target = Path(options.output)
    _guarded(target, lambda: target.write_text(text, encoding="utf-8"))


def _guarded(path: Path, action: Callable[[], Result]) -> Result:
    try:
        return action()
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None
