"""A kernel's body on NumPy arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from xdsl.ir import Block, Operation, SSAValue

from pto_wsp.dialects import tile
from pto_wsp.dialects.locations import where
from pto_wsp.dialects.tile_memory import box_expected
from pto_wsp.errors import ExecutionError
from pto_wsp.reference.casts import cast
from pto_wsp.reference.debug import show
from pto_wsp.reference.tile_ops import Array, check_numbers, evaluate, numpy_dtype


class KernelState:
    """The values of a kernel while it runs."""

    def __init__(self, run: str) -> None:
        """`run` says to whoever looks at numbers what computes them."""
        self._run_name = run
        self.values: dict[SSAValue, Array] = {}
        """Of tiles; a parameter's is the memory itself."""
        self.numbers: dict[SSAValue, int] = {}
        """Of loops."""

    def run_block(self, block: Block) -> None:
        for op in block.ops:
            self.run(op)

    def run(self, op: Operation) -> None:
        """Raises ExecutionError for numbers that the op cannot have."""
        match op:
            case tile.LoadOp():
                self.values[op.result] = self._box(op, op.type.shape).copy()
            case tile.StoreOp():
                self._store(op)
            case tile.ForOp():
                self._loop(op)
            case tile.FusedOp():
                self.run_block(op.body.block)
                self.values[op.result] = self.values[op.yielded]
            case tile.YieldOp():
                pass
            case tile.DebugOp():
                show(op, self.values[op.source], self._run_name)
            case tile.NumberOp():
                index = op.index.eval([], [self.numbers[index] for index in op.indices])
                self.values[op.result] = np.full((1, 1), index, numpy_dtype(op.result))
            case _:
                found = evaluate(op, self.values)
                self.values |= dict(zip(op.results, found, strict=True))

    def _loop(self, op: tile.ForOp) -> None:
        carried: list[Array] = [self.values[init] for init in op.inits]
        for number in self._numbers_of(op):
            self.numbers[op.number] = number
            self.values |= dict(zip(op.arguments, carried, strict=True))
            self.run_block(op.body.block)
            carried = [self.values[value] for value in op.yielded]
        self.values |= dict(zip(op.carried, carried, strict=True))

    def _numbers_of(self, op: tile.ForOp) -> range:
        if op.numbers is not None:
            return op.numbers
        stop = op.stop.eval([], [self.numbers[index] for index in op.indices])
        if stop < op.least_stop:
            raise ExecutionError(
                f"the end of the tl.range loop at {where(op)}: expected at least"
                f" {op.least_stop}, found {stop}"
            )
        return range(op.start, stop, op.step)

    def _box(self, op: tile.AccessOp, shape: tuple[int, int]) -> Array:
        """Of the parameter: a view, or a copy of the rows that a tile names."""
        memory = self.values[op.ref]
        if op.rows is not None:
            rows = self.values[op.rows]
            check_numbers(op, rows, memory.shape[0], "rows")
            return memory[rows[:, 0]]
        row, col = self._corner(op)
        for axis, at in enumerate((row, col)):
            if not 0 <= at <= memory.shape[axis] - shape[axis]:
                raise ExecutionError(f"{box_expected(op, axis)}, found {at}")
        return memory[row : row + shape[0], col : col + shape[1]]

    def _corner(self, op: tile.AccessOp) -> Sequence[int]:
        numbers = [self.numbers[index] for index in op.indices]
        return [offset.eval([], numbers) for offset in op.offsets]

    def _store(self, op: tile.StoreOp) -> None:
        memory, value = self.values[op.ref], self.values[op.value]
        rounded = cast(value, memory.dtype)
        if op.rows is None:
            self._box(op, rounded.shape)[...] = rounded
            return
        rows = self.values[op.rows]
        check_numbers(op, rows, memory.shape[0], "rows")
        for row, line in zip(rows[:, 0], rounded, strict=True):
            memory[row] = line


def run_kernel(
    kernel: tile.KernelOp, operands: Sequence[Array], numbers: Sequence[int], run: str
) -> None:
    """Runs a kernel on the memory of its parameters, rows x columns each, as the task `run`."""
    for given, number in zip(kernel.numbers, numbers, strict=True):
        if not given.least <= number <= given.most:
            raise ExecutionError(
                f"number {given.title.data!r}: expected {given.least} to {given.most}, found"
                f" {number}"
            )
    state = KernelState(run)
    state.values |= dict(zip(kernel.arguments, operands, strict=True))
    state.numbers |= dict(zip(kernel.number_values, numbers, strict=True))
    state.run_block(kernel.body.block)
