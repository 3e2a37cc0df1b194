"""A compiled program: runs it, and tells what came of it."""

from __future__ import annotations

import json
import math
import os
import tempfile
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from numpy.typing import NDArray

from pto_wsp import _core
from pto_wsp.errors import ExecutionError, LoadError, PtoError, ScheduleError
from pto_wsp.machine import Machine, profile_path
from pto_wsp.runtime.check import CheckReport
from pto_wsp.runtime.stats import Stats
from pto_wsp.runtime.trace import Trace
from pto_wsp.runtime.what_if import Changes, Setting, WhatIf, compare, each_alone_then_together

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

POLL_MS = 50
"""How long the interpreter stays away from signals while it waits."""
MAX_THREADS = 1024

_DTYPES = {
    "bool": "i1",
    **{f"int{bits}": f"i{bits}" for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": f"u{bits}" for bits in (8, 16, 32, 64)},
    **{f"float{bits}": f"f{bits}" for bits in (16, 32, 64)},
    "bfloat16": "bf16",
    "float8_e4m3fn": "f8e4m3",
    "float8_e5m2": "f8e5m2",
}


class TensorLike(Protocol):
    """What a program needs of a tensor."""

    has_values: bool
    """Whether there is memory with values in it; set once an execution has computed them."""

    def array(self) -> NDArray[Any] | None:
        """The tensor's memory, C-contiguous, made on the first call; None for a tensor without any
        (procedural, or timing only)."""
        ...

    def check_writable(self) -> None:
        """Raises ExecutionError where results could not reach the user's data."""
        ...

    def note_run(self, is_running: Callable[[], bool]) -> None:
        """A program that writes the tensor was started; `is_running` tells until when."""
        ...


@dataclass(frozen=True)
class Result:
    stats: Stats
    trace: Trace


class Program:
    """A task program with its tensors and its machine. Programs are independent of each other."""

    def __init__(
        self,
        program: str | PathLike[str] | _core.LoadedProgram,
        tensors: Mapping[str, TensorLike],
        settings: Mapping[str, Setting] | None = None,
        machine: str | PathLike[str] = "ascend_a3",
        ir: Callable[[], Mapping[str, str]] | None = None,
        costs: Callable[[Machine], list[_core.KernelReport]] | None = None,
        cpp: str = "",
        module: Callable[[], ModuleOp] | None = None,
        threads: int | None = None,
    ) -> None:
        """`settings` come on top of those that the program was sealed with; `machine` is the name
        of a profile or a file; `ir` gives the final module and its dialects by name, `costs` what
        its kernels cost, `module` the one that was compiled. Raises LoadError."""
        is_loaded = isinstance(program, _core.LoadedProgram)
        self._loaded = loaded = program if is_loaded else _core.LoadedProgram(program)
        self._session = _core.Session(loaded)
        self._tensors = dict(tensors)
        self._written = [t for t in loaded.tensors if t["role"] in ("output", "temporary")]
        self._bound: dict[str, tuple[NDArray[Any], bool]] = {}
        self._settings = [loaded.settings, _settings_text(settings or {})]
        self._profile = profile_path(machine)
        self._threads = _thread_count(threads)
        self._ir = ir
        self._costs = costs
        self._cpp = cpp
        self._module = module
        self._pending: tuple[_core.Run, Trace] | None = None
        self._failure: PtoError | None = None
        self._symbols: dict[str, int] = {}
        """Those that the last execution was given."""
        self._executed: Result | None = None
        self._simulated: Result | None = None

    # ---- Runs --------------------------------------------------------------------------------

    def execute(
        self, threads: int | None = None, *, symbols: Mapping[str, int] | None = None
    ) -> None:
        """Starts a run with numbers and virtual time and returns; `threads` host threads compute,
        by default one per core; `symbols` that are not given have their defaults. What goes wrong
        is raised by synchronize()."""
        if self._pending is not None or self._failure is not None:
            raise ExecutionError("the program has been started already: call synchronize() first")
        threads = _thread_count(threads)
        try:
            self._symbols = _checked_symbols(symbols)
            self._bind(allocate=True)
            trace = _temporary_trace()
            self._pending = self._start("execute", {}, threads, trace.path, {}), trace
            self._note_run()
        except PtoError as error:
            self._failure = error

    def synchronize(self) -> None:
        """Waits for execute(); raises what went wrong in it. An interrupt cancels the run."""
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        if self._pending is not None:
            pending, self._pending = self._pending, None
            run, trace = pending
            self._executed = Result(Stats.of(_finish(run)), trace)
            self._note_values()

    @property
    def is_complete(self) -> bool:
        """Whether synchronize() would return, or raise, at once."""
        return self._pending is None or self._pending[0].wait(0)

    def simulate(
        self,
        *,
        replay: Program | None = None,
        symbols: Mapping[str, int] | None = None,
        **settings: Setting,
    ) -> Result:
        """Virtual time alone, with changed settings: simulate(window=64, **{"cores.cube": 48}).

        Symbols that are not given have the values of the last execution, else their defaults. Data
        that the workload reads is what the last execution read (of `replay`, if given) if it had
        the same symbols, else what its tensor holds, else its declared routing; ExecutionError
        where there is none."""
        self._prepare_simulation(replay)
        trace = _temporary_trace()
        run = self._start("simulate", settings, 1, trace.path, symbols)
        self._simulated = Result(Stats.of(_finish(run)), trace)
        return self._simulated

    def what_if(
        self,
        changes: Changes | Sequence[Changes],
        *,
        replay: Program | None = None,
        symbols: Mapping[str, int] | None = None,
    ) -> WhatIf:
        """What other settings would be worth: simulates the program as it is and with changed
        settings, without compiling anything. `{"window": 1024, "cores.cube": 48}` compares each
        setting alone and then all of them; a list of such mappings compares each mapping.

        Symbols and the data that the workload reads are as in simulate(). ScheduleError names a
        setting that does not exist or has no such value."""
        runs = each_alone_then_together(changes)
        for run in runs:
            self._session.check_settings(self._all_settings(run), self._profile)
        self._prepare_simulation(replay)
        return compare(runs, lambda one: _finish(self._start("simulate", one, 1, "", symbols)))

    def check(
        self,
        *,
        replay: Program | None = None,
        symbols: Mapping[str, int] | None = None,
        **settings: Setting,
    ) -> CheckReport:
        """Whether the schedule's edges order every two tasks that touch the same element, one of
        them writing, whatever the timing; `settings` change it as in simulate(). Raises nothing
        for a race: ask the report. Symbols and the data that the workload reads are as in
        simulate()."""
        self._prepare_simulation(replay)
        return CheckReport.of(_finish(self._start("check", settings, 1, "", symbols)))

    def _prepare_simulation(self, replay: Program | None) -> None:
        if self._pending is not None:
            _poll(self._pending[0])
        if replay is not None:
            if not isinstance(replay, Program):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise ExecutionError(f"replay: expected a Program, found {replay!r}")
            self._session.replay(replay._session)
            self._symbols = replay._symbols
        self._bind(allocate=False)

    def _start(
        self,
        mode: Literal["execute", "simulate", "check"],
        changes: Changes,
        threads: int | None,
        trace: Path | str,
        symbols: Mapping[str, int] | None,
    ) -> _core.Run:
        given = {**self._symbols, **_checked_symbols(symbols)}
        count = threads or self._threads or len(os.sched_getaffinity(0))
        settings = self._all_settings(changes)
        return self._session.start(mode, settings, self._profile, count, trace, [*given.items()])

    def _all_settings(self, changes: Changes) -> list[str]:
        return [*self._settings, _settings_text(changes)]

    def _bind(self, allocate: bool) -> None:
        for info in self._loaded.tensors:
            tensor = self._tensors.get(info["name"])
            if tensor is None or not (allocate or tensor.has_values):
                continue
            has_values = tensor.has_values
            array = tensor.array()
            if array is None:
                continue
            if allocate and info in self._written:
                tensor.check_writable()
            before = self._bound.get(info["name"])
            if before is None or before[0] is not array or before[1] != has_values:
                self._session.bind(info["name"], _dtype_name(array), array, has_values)
                self._bound[info["name"]] = (array, has_values)
        if allocate:
            self._check_shared_memory()

    def _check_shared_memory(self) -> None:
        """Tasks are ordered by tensors: memory that a task writes must belong to one tensor."""
        written = {info["name"] for info in self._written if info["name"] in self._bound}
        spans = {name: _span(array) for name, (array, _) in self._bound.items()}
        for name, other in product(sorted(written), spans):
            begin = max(spans[name].start, spans[other].start)
            if name != other and begin < min(spans[name].stop, spans[other].stop):
                raise ExecutionError(
                    f"tensors '{name}' and '{other}' share memory, and tasks write it: make one "
                    "tensor of it and slice that in the workload"
                )

    def _note_run(self) -> None:
        program = weakref.ref(self)

        def is_running() -> bool:
            running = program()
            return running is not None and running._pending is not None

        for info in self._written:
            if info["name"] in self._bound:
                self._tensors[info["name"]].note_run(is_running)

    def _note_values(self) -> None:
        for info in self._written:
            if info["name"] in self._bound:
                self._tensors[info["name"]].has_values = True

    # ---- What came of it ---------------------------------------------------------------------

    @property
    def stats(self) -> Stats:
        """Of the last execution, or of the last simulation where there was none."""
        return self._result().stats

    @property
    def trace(self) -> Trace:
        """Of the last execution, or of the last simulation where there was none."""
        return self._result().trace

    def _result(self) -> Result:
        result = self._executed or self._simulated
        if result is None:
            raise ExecutionError(
                "there are no results yet: call execute() and synchronize(), or simulate()"
            )
        return result

    def ir(self, dialect: str = "module") -> str:
        """The final module, or its part in one dialect: `tile`, `task` or `schedule`."""
        if self._ir is None:
            raise LoadError(f"{self.name} was loaded from a file, which holds no IR")
        texts = self._ir()
        if dialect not in texts:
            raise PtoError(f"expected one of {', '.join(texts)}, found {dialect!r}")
        return texts[dialect]

    def costs(self, machine: str | PathLike[str] | None = None) -> list[_core.KernelReport]:
        """What each kernel costs and why: cycles per phase and pipe, bytes, buffers, the roofline.

        On the program's own machine, or another. Raises MachineError."""
        if self._costs is None:
            raise LoadError(f"{self.name} was loaded from a file, which holds no IR")
        return self._costs(Machine(self._profile if machine is None else machine))

    @property
    def cpp(self) -> str:
        """The emitted C++."""
        return self._cpp

    def module(self) -> ModuleOp:
        """The workload and its schedule as they were compiled, as a new IR module."""
        if self._module is None:
            raise LoadError(f"{self.name} was loaded from a file, which holds no IR")
        return self._module()

    @property
    def name(self) -> str:
        return self._loaded.name


def _thread_count(threads: int | None) -> int | None:
    if threads is None:
        return None
    if isinstance(threads, bool) or not isinstance(threads, int) or not 1 <= threads <= MAX_THREADS:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ExecutionError(f"threads: expected 1 to {MAX_THREADS}, found {threads!r}")
    return threads


def _checked_symbols(symbols: Mapping[str, int] | None) -> dict[str, int]:
    if symbols is None:
        return {}
    if not isinstance(symbols, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ExecutionError(f'symbols: expected a mapping such as {{"n": 8}}, found {symbols!r}')
    for name, value in symbols.items():
        integer = hasattr(value, "__index__") and not isinstance(value, bool)
        if not isinstance(name, str) or not integer or abs(value) >= 2**63:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ExecutionError(
                f"symbols: expected names with integers, found {name!r}: {value!r}"
            )
    return {name: int(value) for name, value in symbols.items()}


def _settings_text(settings: Mapping[str, object]) -> str:
    for key, value in settings.items():
        if not isinstance(key, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ScheduleError(f"expected the name of a setting, found {key!r}")
        if not isinstance(value, (str, int, float)):
            raise ScheduleError(
                f"setting `{key}`: expected a word, a number or a boolean, found `{value!r}`"
            )
        if isinstance(value, float) and not math.isfinite(value):
            raise ScheduleError(f"setting `{key}`: expected a finite number, found {value}")
    return json.dumps(dict(settings))


def _span(array: NDArray[Any]) -> range:
    begin = array.__array_interface__["data"][0]
    return range(begin, begin + array.nbytes)


def _dtype_name(array: NDArray[Any]) -> str:
    name = str(array.dtype)
    if name not in _DTYPES:
        raise ExecutionError(f"tensors of dtype {name} cannot be computed with")
    return _DTYPES[name]


def _poll(run: _core.Run) -> None:
    while not run.wait(POLL_MS):
        pass


def _finish(run: _core.Run) -> _core.RunResult:
    try:
        _poll(run)
    except BaseException:
        run.cancel()
        _poll(run)
        raise
    return run.result()


def _temporary_trace() -> Trace:
    handle, path = tempfile.mkstemp(prefix="pto-", suffix=".trace")
    os.close(handle)
    return Trace(path, temporary=True)
