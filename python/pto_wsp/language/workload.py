"""Workloads: Python functions whose loops generate tasks, traced once with symbolic indices."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, overload

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, Region, SSAValue, SSAValues
from xdsl.ir.affine import AffineExpr

from pto_wsp.dialects import task
from pto_wsp.dialects.dtypes import dtype_named
from pto_wsp.dialects.locations import file_location
from pto_wsp.language.axes import Axis
from pto_wsp.language.current import is_recording, recorder, recording
from pto_wsp.language.index import Index
from pto_wsp.language.kernel import Kernel
from pto_wsp.language.schedule import Schedulable
from pto_wsp.language.source import Place, check_name, definition_place, fail, user_place
from pto_wsp.language.tensor import Tensor, TensorView, Zipf
from pto_wsp.transforms.analysis.axis_ranges import value_range
from pto_wsp.transforms.analysis.task_counts import task_counts

Body = Callable[[], None]
_MARK = "pto_workload"


# ---- What a trace collects ---------------------------------------------------------------------


class WorkloadTrace:
    """The IR of one workload while its function runs."""

    def __init__(self, name: str, place: Place) -> None:
        self._folder = os.path.dirname(place.file)
        self.op = task.WorkloadOp(name)
        self.op.location = self._location(place)
        self._blocks = [self.op.body.block]
        self._last_tensor: Operation | None = None
        self.tensors: dict[str, Tensor] = {}
        self._values: dict[str, SSAValue] = {}
        self.kernels: dict[str, Kernel] = {}
        self._selected: dict[SSAValue, str] = {}
        self._choices: dict[str, int] = {}

    # ---- Structure ----

    def insert(self, op: Operation, place: Place | None = None) -> Operation:
        op.location = self._location(place or user_place())
        self._blocks[-1].add_op(op)
        return op

    @contextmanager
    def inside(self, block: Block) -> Generator[None]:
        """Inserts into `block` until the context ends."""
        self._blocks.append(block)
        yield
        if self._blocks[-1] is not block:
            fail(
                "loops and parts must end in the reverse order of their begin: was one left early?"
            )
        self._blocks.pop()

    def check_finished(self, place: Place) -> None:
        if len(self._blocks) != 1:
            fail(
                "a loop was left by `break`, `return` or an exception: a workload's loops run to"
                " their end",
                place,
            )
        for op in self.op.walk():
            # Only a launch that another one names shows its handle.
            if isinstance(op, task.LaunchOp) and op.handle is not None and not op.handle.uses:
                op.results = SSAValues()
        for op in self.op.tensors:
            routing = self.tensors[op.tensor_name].routing
            if routing is not None:
                op.source_attr = self._zipf(self.tensors[op.tensor_name], routing)

    def _zipf(self, tensor: Tensor, routing: Zipf) -> task.ZipfAttr:
        values = routing.values or self._choices.get(tensor.name)
        if values is None:
            fail(
                f"tensor {tensor.name!r}: nothing is indexed with its elements, so the routing"
                " needs Zipf(values=..)",
                tensor.place,
            )
        choices = values // routing.groups * routing.kept_groups
        if values % routing.groups or tensor.shape[-1] > choices:
            fail(
                f"tensor {tensor.name!r}: {tensor.shape[-1]} distinct values per row cannot come"
                f" from {routing.kept_groups} of {routing.groups} equal groups of {values} values",
                tensor.place,
            )
        return task.ZipfAttr(
            routing.exponent, routing.seed, values, routing.groups, routing.kept_groups
        )

    def check_visible(self, index: Index, what: str) -> None:
        """TraceError where an index comes from a loop that has ended."""
        for value in index.values:
            owner = value.owner if isinstance(value.owner, Block) else value.owner.parent
            if owner not in self._blocks:
                name = value.name_hint or "a loop variable"
                fail(f"{what} uses the loop variable {name!r} outside of its loop")

    # ---- Values ----

    def insert_index(self, expr: AffineExpr, operands: Sequence[SSAValue]) -> SSAValue:
        return self.insert(task.IndexOp(expr, operands)).results[0]

    def value_of(self, index: Index, what: str) -> SSAValue:
        """The index as one value of the IR."""
        self.check_visible(index, what)
        expr, operands = index.expression()
        if len(operands) == 1 and expr == AffineExpr.symbol(0):
            return operands[0]
        return self.insert_index(expr, operands)

    def tensor(self, tensor: Tensor) -> SSAValue:
        known = self.tensors.get(tensor.name)
        if known is None:
            return self._add_tensor(tensor)
        if known is not tensor:
            fail(
                f"two tensors are named {tensor.name!r} (made at {known.place} and {tensor.place}):"
                " names are unique in a workload"
            )
        return self._values[tensor.name]

    def _add_tensor(self, tensor: Tensor) -> SSAValue:
        source: task.Source | None = None
        if tensor.source is not None:
            source = task.RandomAttr(tensor.source.seed, tensor.source.scale)
        elif tensor.has_values:
            source = task.MemoryAttr()
        type = task.TensorType(tensor.shape, dtype_named(tensor.dtype.value).type)
        op = task.TensorOp(tensor.name, type, source)
        op.location = self._location(tensor.place)
        top = self._blocks[0]
        if self._last_tensor is not None:
            top.insert_op_after(op, self._last_tensor)
        elif top.first_op is not None:
            top.insert_op_before(op, top.first_op)
        else:
            top.add_op(op)
        self._last_tensor = op
        if SSAValue.is_valid_name(tensor.name):
            op.result.name_hint = tensor.name
        self.tensors[tensor.name] = tensor
        self._values[tensor.name] = op.result
        return op.result

    def view(self, view: TensorView, what: str) -> SSAValue:
        source = self.tensor(view.tensor)
        if view.extents == view.tensor.shape:
            return source
        exprs: list[AffineExpr] = []
        operands: list[SSAValue] = []
        for offset, size in zip(view.offsets, view.tensor.shape, strict=True):
            self.check_visible(offset, what)
            expr, values = offset.expression()
            if (
                expr == AffineExpr.symbol(0)
                and (chosen := self._selected.get(values[0])) is not None
            ):
                self._choices[chosen] = min(size, self._choices.get(chosen, size))
            exprs.append(_shifted(expr, len(operands), len(values)))
            operands.extend(values)
        return self.insert(task.ViewOp(source, exprs, view.extents, operands)).results[0]

    def selected(self, element: SSAValue, tensor: str) -> None:
        """Notes that `element` is read from `tensor`: what it indexes bounds its values."""
        self._selected[element] = tensor

    def launch(
        self,
        kernel: Kernel,
        axes: Sequence[Index],
        views: Mapping[str, TensorView],
        after: Sequence[Handle],
    ) -> Handle:
        known = self.kernels.setdefault(kernel.name, kernel)
        if known is not kernel:
            fail(
                f"two kernels are named {kernel.name!r} ({known.place} and {kernel.place}):"
                " names are unique in a workload"
            )
        what = f"the launch of {kernel.name}"
        names = _axis_names(kernel, axes)
        values = [self.value_of(axis, what) for axis in axes]
        operands: dict[str, list[SSAValue]] = {"in": [], "out": [], "inout": []}
        for name, view in views.items():
            operands[kernel.parameters[name].role].append(self.view(view, f"{what}, {name}"))
        named = dict(zip(names, values, strict=True))
        sources = [self._source(handle, what) for handle in after]
        lists = (operands["in"], operands["out"], operands["inout"], sources)
        op = task.LaunchOp(kernel.name, named, *lists, has_handle=True)
        self.insert(op)
        return Handle(op, what)

    def _source(self, handle: Handle, what: str) -> SSAValue:
        """The handle's value: known behind its launch, in the same or an inner loop."""
        block = handle.op.parent_block()
        if block is None or not any(open_block is block for open_block in self._blocks):
            fail(
                f"{what}: after= names {handle.what}, whose loop or part has ended: name launches"
                " of the loops around this one (P.seq and streams order the others)"
            )
        assert handle.op.handle is not None
        return handle.op.handle

    def _location(self, place: Place) -> Any:
        return file_location(place.relative_to(self._folder), place.line, place.column)


@dataclass(frozen=True)
class Handle:
    """A launch, for `after=[..]` of later ones: it stands for its latest task."""

    op: task.LaunchOp
    what: str


def _axis_names(kernel: Kernel, axes: Sequence[Index]) -> list[str]:
    names: list[str] = []
    for number, axis in enumerate(axes):
        name = axis.name or f"axis{number}"
        if name in names:
            fail(f"the launch of {kernel.name} has the axis {name!r} twice")
        names.append(name)
    return names


def _shifted(expr: AffineExpr, by: int, count: int) -> AffineExpr:
    """The expression with its symbols renumbered from `by` on."""
    return expr.replace_dims_and_symbols([], [AffineExpr.symbol(by + i) for i in range(count)])


def _trace(what: str) -> WorkloadTrace:
    """The workload being traced; TraceError outside of one."""
    trace: WorkloadTrace = recorder(what)
    return trace


# ---- What a user writes ------------------------------------------------------------------------


class Loops:
    """`P(axis, ..)`: for all values of the axes, in any order in time; `P.seq`: one after the
    other; `P.sel`: for the numbers that a row of a tensor holds when the program runs."""

    def __call__(self, *axes: Axis) -> Iterator[Any]:
        """`for b, s in P(batch, tiles):` the last axis runs fastest; one axis gives one index."""
        return _loop(task.ParallelOp, axes, "P")

    def seq(self, *axes: Axis) -> Iterator[Any]:
        """Like P(..), but each iteration waits for the one before it."""
        return _loop(task.SeqOp, axes, "P.seq")

    def sel(self, row: TensorView | Tensor, *, name: str | None = None) -> Iterator[Index]:
        """`for e in P.sel(chosen[b, t]):` one iteration per element of an integer row.

        The orchestrator waits for the tasks that write the row. `e.position` is the element's place
        in the row; `name` is the axis name that tasks carry (default: the tensor's).
        """
        trace = _trace("P.sel")
        view = row[...] if isinstance(row, Tensor) else row
        if not isinstance(view, TensorView):  # pyright: ignore[reportUnnecessaryIsInstance]
            fail(f"P.sel takes a row of a tensor, found {row!r}")
        if view.dtype.is_float:
            fail(f"P.sel takes integers, tensor {view.tensor.name!r} is {view.dtype.value}")
        if sum(extent != 1 for extent in view.extents) > 1:
            fail(f"P.sel takes one row, found a region of {view.extents} of {view.tensor.name!r}")
        value = trace.view(view, "P.sel")
        op = task.SelectOp(value)
        axis = view.tensor.name if name is None else name
        check_name("the axis of P.sel (name=, else the tensor's name)", axis)
        op.element.name_hint, op.position.name_hint = axis, "k"
        trace.insert(op)
        trace.selected(op.element, view.tensor.name)
        with trace.inside(op.body.block):
            position = Index({op.position: 1}, name="position")
            yield Index({op.element: 1}, name=axis, position=position)


P = Loops()


def _loop(op: type[task.LoopOp], axes: Sequence[Axis], what: str) -> Iterator[Any]:
    trace = _trace(what)
    if not axes:
        fail(f"{what}(..) takes at least one axis")
    for axis in axes:
        if not isinstance(axis, Axis):  # pyright: ignore[reportUnnecessaryIsInstance]
            fail(f'{what}(..) takes axes such as Dense[8]("tile"), found {axis!r}')
    loop = op([axis.size for axis in axes])
    trace.insert(loop)
    indices: list[Index] = []
    for axis, value in zip(axes, loop.induction_values, strict=True):
        value.name_hint = axis.name
        indices.append(Index({value: 1}, name=axis.name))
    with trace.inside(loop.body.block):
        yield indices[0] if len(indices) == 1 else tuple(indices)


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
        tops = [op for op in self._op.body.block.ops if isinstance(op, _STRUCTURE)]
        return tops[0].name.removeprefix("task.") if len(tops) == 1 else "combine"

    def task_counts(self) -> dict[str, int]:
        """Tasks per kernel, from the loops alone; nothing runs."""
        return task_counts(self._op).per_kernel

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


_STRUCTURE = (
    task.ParallelOp,
    task.SeqOp,
    task.SequentialOp,
    task.CombineOp,
    task.SelectOp,
    task.LaunchOp,
)


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


@overload
def combine() -> AbstractContextManager[None]: ...
@overload
def combine(first: Workload, /, *more: Workload) -> Workload: ...
def combine(*workloads: Workload) -> AbstractContextManager[None] | Workload:
    """Groups what it holds and orders nothing.

    `with combine():` inside a workload, or `combine(first, second)`: one workload of several.
    """
    if not workloads:
        return _combined()

    def body() -> None:
        with _combined():
            for part in workloads:
                part.body()

    return _composed("combine", workloads, body)


@contextmanager
def _combined() -> Generator[None]:
    trace = _trace("combine()")
    op = task.CombineOp()
    trace.insert(op)
    with trace.inside(op.body.block):
        yield


class Parts:
    """The parts of a `sequential`: `with step(): ..` is one."""

    def __init__(self, trace: WorkloadTrace) -> None:
        self._trace = trace
        self.regions: list[Region] = []

    @contextmanager
    def __call__(self) -> Generator[None]:
        region = Region(Block())
        self.regions.append(region)
        with self._trace.inside(region.block):
            yield


@overload
def sequential() -> AbstractContextManager[Parts]: ...
@overload
def sequential(first: Workload, /, *more: Workload) -> Workload: ...
def sequential(*workloads: Workload) -> AbstractContextManager[Parts] | Workload:
    """Parts of which each waits for the one before it.

    `with sequential() as step:` and in it `with step():` per part, or `sequential(first, second)`:
    one workload of several.
    """
    if not workloads:
        return _sequential()

    def body() -> None:
        with _sequential() as step:
            for part in workloads:
                with step():
                    part.body()

    return _composed("sequential", workloads, body)


@contextmanager
def _sequential() -> Generator[Parts]:
    trace = _trace("sequential()")
    place = user_place()
    # What stands beside the parts has no place in the order.
    beside = Block()
    parts = Parts(trace)
    with trace.inside(beside):
        yield parts
    if not parts.regions:
        fail("a sequential has at least one part: `with step(): ..`", place)
    for op in tuple(beside.ops):
        if isinstance(op, _STRUCTURE):
            fail("inside `with sequential() as step:` every task stands in a `with step():`", place)
        op.detach()  # index arithmetic
        trace.insert(op, place)
    trace.insert(task.SequentialOp(parts.regions), place)


def _composed(name: str, workloads: Sequence[Workload], body: Body) -> Workload:
    for part in workloads:
        if not isinstance(part, Workload):  # pyright: ignore[reportUnnecessaryIsInstance]
            fail(f"{name}(..) takes workloads, found {part!r}")
    return Workload("_then_".join(part.name for part in workloads), user_place(), body)
