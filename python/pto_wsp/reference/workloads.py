"""A workload, task by task in program order."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects import arith
from xdsl.dialects.builtin import IntegerAttr
from xdsl.ir import Block, Operation, SSAValue
from xdsl.ir.affine import AffineExpr

from pto_wsp.dialects import task, tile
from pto_wsp.dialects.indices import NUMBER_MAX
from pto_wsp.dialects.locations import where
from pto_wsp.dialects.task_channels import channel_of
from pto_wsp.errors import ExecutionError
from pto_wsp.language.tensor import Tensor
from pto_wsp.reference.kernels import run_kernel
from pto_wsp.reference.processes import Receive, Send, Steps, run_processes

Array = NDArray[Any]


@dataclass(frozen=True)
class _Box:
    """A part of a tensor."""

    tensor: task.TensorOp
    offsets: tuple[int, ...]
    extents: tuple[int, ...]

    @property
    def slices(self) -> tuple[slice, ...]:
        pairs = zip(self.offsets, self.extents, strict=True)
        return tuple(slice(offset, offset + extent) for offset, extent in pairs)

    def __str__(self) -> str:
        return f"{self.tensor.tensor_name}[{', '.join(f'{s.start}:{s.stop}' for s in self.slices)}]"


class Interpreter:
    """Runs the tasks of a workload on the memory of its tensors."""

    def __init__(
        self,
        kernels: Mapping[str, tile.KernelOp],
        tensors: Mapping[str, Tensor],
        symbols: Mapping[str, int],
    ) -> None:
        self._kernels = kernels
        self._tensors = tensors
        self._symbols = symbols
        self._numbers: dict[SSAValue, int] = {}
        self._task_count = 0
        self._slots: dict[SSAValue, int] = {}
        self._boxes: dict[SSAValue, _Box] = {}
        self._has_values: dict[str, Array] = {}
        """Which elements have values, of tensors that came without any."""
        self.written: set[str] = set()

    def run(self, workload: task.WorkloadOp) -> None:
        """Raises ExecutionError at the first number that cannot be."""
        for op in workload.tensors:
            shape = op.type.shape
            self._boxes[op.result] = _Box(op, (0,) * len(shape), shape)
            tensor = self._tensors[op.tensor_name]
            if tensor.source is None and not tensor.has_values:
                self._has_values[op.tensor_name] = np.zeros(shape, np.bool_)
        self._block(workload.body.block)

    def _block(self, block: Block) -> None:
        for op in block.ops:
            self._op(op)

    def _op(self, op: Operation) -> None:
        match op:
            case task.TensorOp():
                pass
            case task.ViewOp():
                self._boxes[op.result] = self._view(op)
            case (
                task.LoopOp()
                | task.SequentialOp()
                | task.CombineOp()
                | task.CondOp()
                | task.SelectOp()
            ):
                for block in self._bodies(op):
                    self._block(block)
            case task.PipelineOp():
                self._pipeline(op)
            case task.LaunchOp():
                self._launch(op)
            case task.SlotOp():
                self._slots[op.result] = 0
            case task.SlotStoreOp():
                self._slots[op.slot] = _checked(op, "a slot's number", self._numbers[op.value])
            case _:
                self._numbers[op.results[0]] = self._number(op)

    # ---- Numbers ----

    def _number(self, op: Operation) -> int:
        match op:
            case task.SymbolOp():
                return self._symbol(op)
            case task.IndexOp():
                return self._value(op.expr, op.indices)
            case task.CompareOp():
                left, right = (self._value(side, op.indices) for side in op.sides)
                return int(op.predicate.holds(left, right))
            case task.ReadOp():
                return int(self._read(op, self._boxes[op.source]).item())
            case task.SlotLoadOp():
                return self._slots[op.slot]
            case arith.ConstantOp():
                assert isinstance(op.value, IntegerAttr)
                return abs(op.value.value.data)
            case arith.AndIOp() | arith.OrIOp() | arith.XOrIOp():
                return _LOGIC[op.name](self._numbers[op.lhs], self._numbers[op.rhs])
            case _:
                raise AssertionError(f"no meaning for {op.name}")

    def _symbol(self, op: task.SymbolOp) -> int:
        value = self._symbols.get(op.symbol_name, op.default)
        if value is None:
            raise ExecutionError(
                f"{where(op)}: symbol {op.symbol_name!r} has no value: execute(symbols={{..}})"
            )
        if not op.least <= value <= op.most:
            raise ExecutionError(
                f"{where(op)}: symbol {op.symbol_name!r}: expected {op.least} to {op.most}, found"
                f" {value}"
            )
        return value

    def _value(self, expr: AffineExpr, operands: Sequence[SSAValue]) -> int:
        return expr.eval([], [self._numbers[operand] for operand in operands])

    # ---- Structure ----

    def _bodies(self, op: Operation) -> Iterator[Block]:
        """What the op runs, one after the other, with the numbers of each."""
        match op:
            case task.LoopOp():
                yield from self._loop(op)
            case task.SequentialOp():
                yield from (part.block for part in op.parts)
            case task.CombineOp():
                yield op.body.block
            case task.CondOp():
                taken = op.then if self._numbers[op.condition] else op.otherwise
                yield taken.block
            case task.SelectOp():
                yield from self._select(op)
            case _:
                raise AssertionError(f"no meaning for {op.name}")

    def _loop(self, op: task.LoopOp) -> Iterator[Block]:
        extents = [
            extent if isinstance(extent, int) else self._numbers[extent] for extent in op.extents
        ]
        if any(extent < 0 for extent in extents):
            raise ExecutionError(
                f"{where(op)}: a loop's length: expected at least 0, found {min(extents)}"
            )
        for indices in product(*map(range, extents)):
            self._numbers |= dict(zip(op.induction_values, indices, strict=True))
            yield op.body.block

    def _view(self, op: task.ViewOp) -> _Box:
        source = self._boxes[op.source]
        offsets = (self._value(offset, op.indices) for offset in op.offsets)
        moved = tuple(a + b for a, b in zip(source.offsets, offsets, strict=True))
        return _Box(source.tensor, moved, op.extents)

    def _select(self, op: task.SelectOp) -> Iterator[Block]:
        low, high = [self._numbers[bound] for bound in op.bounds] or [0, op.length]
        if not 0 <= low <= high <= op.length:
            raise ExecutionError(
                f"{where(op)}: a selection's bounds: expected 0 <= begin <= end <= {op.length},"
                f" found {low} and {high}"
            )
        box = self._boxes[op.row]
        offsets, extents = list(box.offsets), list(box.extents)
        offsets[op.axis], extents[op.axis] = offsets[op.axis] + low, high - low
        row = self._read(op, _Box(box.tensor, tuple(offsets), tuple(extents)))
        for position, element in enumerate(row.ravel().tolist()):
            self._numbers |= {op.element: element, op.position: position}
            yield op.body.block

    def _read(self, op: Operation, box: _Box) -> Array:
        self._check_box(box, where(op))
        self._check_values(box, f"{where(op)}: the workload")
        values = self._tensors[box.tensor.tensor_name].array()
        assert values is not None, "no tensor of integers is procedural"
        found = values[box.slices].astype(np.int64)
        for number in found.flat:
            _checked(op, f"an element of {box}", int(number))
        return found

    # ---- Pipelines ----

    def _pipeline(self, op: task.PipelineOp) -> None:
        copies: list[tuple[task.ProcessOp, Steps]] = []
        for part in op.body.block.ops:
            if isinstance(part, task.ProcessOp):
                copies += [(part, self._process(part, r)) for r in range(part.replicas)]
            elif not isinstance(part, task.ChannelOp):
                self._op(part)
        run_processes(op, copies)

    def _process(self, op: task.ProcessOp, replica: int) -> Steps:
        """The process with numbers of its own; it pauses at its sends and receives."""
        process = copy.copy(self)
        process._numbers = {**self._numbers, op.replica: replica}
        process._boxes = dict(self._boxes)
        return process._steps(op.body.block)

    def _steps(self, block: Block) -> Steps:
        for op in block.ops:
            match op:
                case task.SendOp():
                    what = f"a token of channel {channel_of(op.channel).channel_name!r}"
                    numbers = [_checked(op, what, self._numbers[value]) for value in op.values]
                    yield Send(op, channel_of(op.channel), numbers)
                case task.ConsumeOp():
                    yield from self._consume(op)
                case _ if op.regions:
                    for body in self._bodies(op):
                        yield from self._steps(body)
                case _:
                    self._op(op)

    def _consume(self, op: task.ConsumeOp) -> Steps:
        while True:
            received = Receive(op, channel_of(op.channel))
            yield received
            if received.numbers is None:
                return
            self._numbers |= dict(zip(op.values, received.numbers, strict=True))
            yield from self._steps(op.body.block)

    # ---- Tasks ----

    def _launch(self, op: task.LaunchOp) -> None:
        kernel = self._kernels[op.kernel]
        views = {tile.Role.IN: op.ins, tile.Role.OUT: op.outs, tile.Role.INOUT: op.inouts}
        operands: Mapping[tile.Role, Iterator[SSAValue]] = {
            role: iter(values) for role, values in views.items()
        }
        boxes = [self._boxes[next(operands[parameter.role])] for parameter in kernel.parameters]
        axes = ", ".join(f"{name}={self._numbers[value]}" for name, value in op.axes.items())
        what = f"task {op.kernel}[{axes}] at {where(op)}"
        number, self._task_count = self._task_count, self._task_count + 1
        arrays: list[Array] = []
        for parameter, box in zip(kernel.parameters, boxes, strict=True):
            self._check_box(box, what)
            if parameter.role is not tile.Role.OUT:
                self._check_values(box, f"{what}: parameter {parameter.name!r}")
            arrays.append(self._memory(box, parameter.type.shape))
        try:
            run = f"task {number} {op.kernel}" + (f"[{axes}]" if axes else "")
            run_kernel(kernel, arrays, [self._numbers[n] for n in op.numbers], run)
        except ExecutionError as error:
            raise ExecutionError(f"{what}: {error}") from None
        for parameter, box in zip(kernel.parameters, boxes, strict=True):
            if parameter.role is not tile.Role.IN:
                self._note_written(box)

    def _memory(self, box: _Box, shape: tuple[int, int]) -> Array:
        """Rows x columns; a view of the tensor's memory where there is any."""
        tensor = self._tensors[box.tensor.tensor_name]
        memory = tensor.array()
        if memory is None:
            return tensor[box.slices].numpy().reshape(shape)
        pairs = zip(box.slices, box.extents, strict=True)
        index = (one.start if extent == 1 else one for one, extent in pairs)
        part = memory[(*index, ...)]  # a view, also of a single element
        # Axes of extent 1 are dropped, and come back where the tile has them.
        return part[tuple(None if extent == 1 else slice(None) for extent in shape)]

    def _note_written(self, box: _Box) -> None:
        name = box.tensor.tensor_name
        self.written.add(name)
        if name in self._has_values:
            self._has_values[name][box.slices] = True

    def _check_box(self, box: _Box, what: str) -> None:
        shape = box.tensor.type.shape
        if any(s.start < 0 or s.stop > extent for s, extent in zip(box.slices, shape, strict=True)):
            size = "x".join(map(str, shape))
            raise ExecutionError(f"{what}: {box} does not lie in the tensor's {size}")

    def _check_values(self, box: _Box, reader: str) -> None:
        known = self._has_values.get(box.tensor.tensor_name)
        if known is not None and not known[box.slices].all():
            raise ExecutionError(
                f"{reader} reads {box}, where no task has written: write it before, or give the"
                " tensor data"
            )


def _checked(op: Operation, what: str, number: int) -> int:
    if abs(number) > NUMBER_MAX:
        raise ExecutionError(f"{where(op)}: {what}: expected less than 2^40, found {number}")
    return number


_LOGIC: Mapping[str, Callable[[int, int], int]] = {
    "arith.andi": int.__and__,
    "arith.ori": int.__or__,
    "arith.xori": int.__xor__,
}
