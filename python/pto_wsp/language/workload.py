"""Workloads: Python functions whose loops generate tasks, traced once with symbolic indices."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from xdsl.dialects.builtin import ModuleOp

from pto_wsp.dialects import task
from pto_wsp.errors import ExecutionError
from pto_wsp.language.current import is_recording, recording
from pto_wsp.language.kernel import Kernel
from pto_wsp.language.schedule import Schedulable
from pto_wsp.language.source import Place, check_name, definition_place, fail
from pto_wsp.language.tensor import Tensor
from pto_wsp.language.workload_trace import STRUCTURE, WorkloadTrace
from pto_wsp.transforms.analysis.axis_ranges import value_range
from pto_wsp.transforms.analysis.task_counts import task_counts
from pto_wsp.transforms.analysis.tensor_uses import tensor_uses

Body = Callable[[], None]
_MARK = "pto_workload"


class Workload(Schedulable):
    """A traced workload; schedules and compilation start here."""

    def __init__(self, name: str, place: Place, body: Body) -> None:
        check_name("a workload", name, place)
        self.name = name
        self.body = body
        trace = WorkloadTrace(name, place)
        with recording(trace):
            body()
        trace.check_finished(place)
        self.place = place
        self._op = trace.op
        self.tensors: dict[str, Tensor] = trace.tensors
        """The tensors in order of first use, by name."""
        self.kernels: dict[str, Kernel] = trace.kernels
        """The kernels in order of first launch, by name."""
        super().__init__(self)

    @property
    def kind(self) -> str:
        """The workload's root: the one op at its top, `combine` where there are several."""
        tops = [op for op in self._op.body.block.ops if isinstance(op, STRUCTURE)]
        return tops[0].name.removeprefix("task.") if len(tops) == 1 else "combine"

    def task_counts(self, symbols: Mapping[str, int] | None = None) -> dict[str, int]:
        """Tasks per kernel, from the loops and the numbers that they depend on; nothing runs.

        Symbols that are not given have their defaults. ExecutionError where the number depends on
        what the program computes, and where a run would end with one.
        """
        declared = {op.symbol_name: op for op in self._op.symbols}
        for name, value in (symbols or {}).items():
            if name not in declared:
                known = ", ".join(declared) or "none"
                raise ExecutionError(f"{self.name} has no symbol {name!r}; its symbols: {known}")
            least, most = declared[name].least, declared[name].most
            if not least <= value <= most:
                raise ExecutionError(f"symbol {name!r}: expected {least}..{most}, found {value}")
        return task_counts(self._op, symbols, self._element).per_kernel

    def _element(self, name: str, place: tuple[int, ...]) -> int | None:
        """An element of a tensor that holds values and that no task writes."""
        tensor = self.tensors[name]
        if name in self._written or not tensor.has_values:
            return None
        inside = all(0 <= at < extent for at, extent in zip(place, tensor.shape, strict=True))
        memory = tensor.array()
        if memory is None:
            return None
        if not inside:
            raise ExecutionError(f"{tensor!r}: the workload reads the element {place}")
        return int(memory[place])

    @functools.cached_property
    def _written(self) -> frozenset[str]:
        uses = tensor_uses(self._op).items()
        return frozenset(tensor.tensor_name for tensor, found in uses if found.writers)

    def launch_axes(self) -> list[tuple[str, frozenset[str]]]:
        """Kernel and axis names of every launch."""
        launches = (op for op in self._op.walk() if isinstance(op, task.LaunchOp))
        return [(op.kernel, frozenset(op.axes)) for op in launches]

    def largest_on(self, axis: str) -> int:
        """The largest absolute value of an axis, over all launches that have it."""
        launches = (op for op in self._op.walk() if isinstance(op, task.LaunchOp))
        ranges = [value_range(op.axes[axis]) for op in launches if axis in op.axes]
        return max(max(abs(found.low), abs(found.high)) for found in ranges)

    def ordered_kernels(self) -> list[str]:
        """The kernels of launches with `after=`."""
        launches = (op for op in self._op.walk() if isinstance(op, task.LaunchOp))
        return [op.kernel for op in launches if op.after]

    def base_module(self) -> ModuleOp:
        """A new module of the kernels and the workload, without a plan."""
        return ModuleOp([*(kernel.op() for kernel in self.kernels.values()), self._op.clone()])


def workload(function: Callable[..., None]) -> Callable[..., Workload]:
    """Makes a function a workload: calling it traces it. Its arguments are ordinary Python."""

    @functools.wraps(function)
    def trace(*args: Any, **kwargs: Any) -> Workload:
        place = definition_place(function.__code__)
        if is_recording():
            fail(f"workload {function.__name__!r} is called inside of another: use combine(..)")

        def body() -> None:
            if function(*args, **kwargs) is not None:
                fail(f"workload {function.__name__!r} returns a value: it only makes tasks", place)

        return Workload(function.__name__, place, body)

    vars(trace)[_MARK] = True
    return trace


def is_workload_function(value: object) -> bool:
    """Whether @workload made it."""
    return inspect.isfunction(value) and _MARK in vars(value)
