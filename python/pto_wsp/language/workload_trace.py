"""What a trace of a workload collects: the IR of its loops, launches and numbers."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xdsl.dialects import arith
from xdsl.ir import Block, Operation, SSAValue, SSAValues
from xdsl.ir.affine import AffineExpr

from pto_wsp.dialects import task
from pto_wsp.dialects.dtypes import dtype_named
from pto_wsp.dialects.locations import file_location
from pto_wsp.language.current import recorder
from pto_wsp.language.index import (
    Both,
    Comparison,
    Condition,
    Either,
    Index,
    SymbolDeclaration,
)
from pto_wsp.language.kernel import Kernel
from pto_wsp.language.source import Place, fail, user_place
from pto_wsp.language.tensor import Tensor, TensorView, Zipf

if TYPE_CHECKING:
    from pto_wsp.language.csp import Pipe

STRUCTURE = (
    task.ParallelOp,
    task.SeqOp,
    task.SequentialOp,
    task.CombineOp,
    task.CondOp,
    task.SelectOp,
    task.LaunchOp,
    task.PipelineOp,
)
"""The ops that make tasks."""


class WorkloadTrace:
    """The IR of one workload while its function runs."""

    def __init__(self, name: str, place: Place) -> None:
        self._folder = os.path.dirname(place.file)
        self.op = task.WorkloadOp(name)
        self.op.location = self._location(place)
        self._blocks = [self.op.body.block]
        self._last_declared: Operation | None = None
        self.tensors: dict[str, Tensor] = {}
        self._values: dict[str, SSAValue] = {}
        self.kernels: dict[str, Kernel] = {}
        self._selected: dict[SSAValue, str] = {}
        self._choices: dict[str, int] = {}
        self._symbols: dict[str, tuple[SymbolDeclaration, task.SymbolOp]] = {}
        self._slots: dict[str, SSAValue] = {}
        self.chain: task.CondOp | None = None
        """The condition that P.elsewhen and P.otherwise would go on from."""
        self.open_axes: dict[object, Index] = {}
        """The index of each axis whose loop is open."""
        self.pipe: Pipe | None = None
        """The pipeline that is open."""

    # ---- Structure ----

    def insert(self, op: Operation, place: Place | None = None) -> Operation:
        op.location = self._location(place or user_place())
        self._blocks[-1].add_op(op)
        return op

    def locate(self, op: Operation, place: Place) -> None:
        """The op is the user's at this place."""
        op.location = self._location(place)

    @property
    def block(self) -> Block:
        """Where ops are inserted."""
        return self._blocks[-1]

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
                fail(f"{what} uses {name!r} outside of its loop, part or condition")

    # ---- Values ----

    def value_of(self, index: Index, what: str) -> SSAValue:
        """The index as one value of the IR."""
        self.check_visible(index, what)
        expr, operands = index.expression()
        if len(operands) == 1 and expr == AffineExpr.symbol(0):
            return operands[0]
        return self.insert(task.IndexOp(expr, operands)).results[0]

    def symbol(self, declared: SymbolDeclaration) -> SSAValue:
        """The value of a symbol; TraceError where another one has its name."""
        name = declared.name
        op = task.SymbolOp(name, declared.least, declared.most, declared.default)
        if name in self._symbols:
            known, earlier = self._symbols[name]
            if op.properties != earlier.properties:
                fail(
                    f"two symbols are named {name!r} (made at {known.place} and {declared.place}):"
                    " names are unique in a workload"
                )
            return earlier.result
        self._declare(op, declared.place)
        self._symbols[name] = declared, op
        return op.result

    def slot(self, name: str) -> SSAValue:
        if name not in self._slots:
            op = task.SlotOp(name)
            self._declare(op, user_place())
            self._slots[name] = op.result
        return self._slots[name]

    def slot_load(self, name: str) -> Index:
        op = task.SlotLoadOp(self.slot(name))
        op.result.name_hint = name
        self.insert(op)
        return Index({op.result: 1})

    def slot_store(self, name: str, value: Index) -> None:
        self.insert(task.SlotStoreOp(self.value_of(value, f"slot {name!r}"), self.slot(name)))

    def read(self, view: TensorView, what: str = "a read") -> Index:
        """An element of an integer tensor, which the orchestrator waits for."""
        if view.dtype.is_float or any(extent != 1 for extent in view.extents):
            fail(
                f"a number is one element of an integer tensor, found a region of"
                f" {'x'.join(map(str, view.extents))} of tensor {view.tensor.name!r} of"
                f" {view.dtype.value}"
            )
        op = task.ReadOp(self.view(view, what))
        if SSAValue.is_valid_name(view.tensor.name):
            op.result.name_hint = view.tensor.name
        self.insert(op)
        return Index({op.result: 1})

    def condition(self, condition: Condition, what: str) -> SSAValue:
        """A condition as one value of the IR."""
        match condition:
            case Comparison():
                exprs: list[AffineExpr] = []
                operands: list[SSAValue] = []
                for side in (condition.left, condition.right):
                    self.check_visible(side, what)
                    expr, values = side.expression()
                    exprs.append(_shifted(expr, len(operands), len(values)))
                    operands.extend(values)
                return self.insert(task.CompareOp(condition.predicate, exprs, operands)).results[0]
            case Both() | Either():
                left, right = (self.condition(part, what) for part in condition.parts)
                joined = arith.AndIOp if isinstance(condition, Both) else arith.OrIOp
                return self.insert(joined(left, right)).results[0]
            case _:
                raise AssertionError(f"no such condition: {condition!r}")

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
        self._declare(op, tensor.place)
        self.tensors[tensor.name] = tensor
        self._values[tensor.name] = op.result
        return op.result

    def _declare(self, op: Operation, place: Place) -> None:
        """Puts a tensor, symbol or slot at the top of the workload."""
        op.location = self._location(place)
        top = self._blocks[0]
        if self._last_declared is not None:
            top.insert_op_after(op, self._last_declared)
        elif top.first_op is not None:
            top.insert_op_before(op, top.first_op)
        else:
            top.add_op(op)
        self._last_declared = op

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
        numbers: Mapping[str, Index],
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
        given = [self.value_of(number, f"{what}, {name}") for name, number in numbers.items()]
        sources = [self._source(handle, what) for handle in after]
        lists = (operands["in"], operands["out"], operands["inout"], sources)
        op = task.LaunchOp(kernel.name, named, *lists, numbers=given, has_handle=True)
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


def current_trace(what: str) -> WorkloadTrace:
    """The workload being traced; TraceError outside of one."""
    trace: WorkloadTrace = recorder(what)
    return trace
