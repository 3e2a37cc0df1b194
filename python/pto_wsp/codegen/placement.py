"""Where a kernel's values are: dense in scratch, views of others, or still in global memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from xdsl.ir import Block, Operation, SSAValue

from pto_wsp.codegen.index_text import index_text
from pto_wsp.codegen.scratch import Lifetime, plan_scratch
from pto_wsp.codegen.values import Buffer, c_bytes
from pto_wsp.dialects import tile
from pto_wsp.dialects.dtypes import dtype_info, is_float
from pto_wsp.dialects.tile import tile_type


@dataclass(frozen=True)
class Box:
    """A box of a parameter, its offsets as C++; its dtype is that of the memory."""

    parameter: int
    row: str
    col: str
    dtype: str


@dataclass
class _Life:
    """When a dense value is needed, in positions of ops; in which loops it is defined."""

    first: int
    last: int
    depth: int


class Placement:
    """Gives every value of a kernel its place.

    A value is dense in scratch, except: slices and other shapes of dense tiles are views, a load
    that only matmuls read stays in global memory, so that no weight matrix is copied whole, and
    what a loop carries on lies where the loop's results lie.

    What is loaded, or is only computed to be stored, and has the same elements in global memory,
    lies there if its box turns out to be dense; else it is copied. Nothing can come between: what
    a task writes shares no elements with its other parameters.
    """

    def __init__(self, kernel: tile.KernelOp) -> None:
        self._kernel = kernel
        self.arguments: dict[SSAValue, int] = {
            argument: i for i, argument in enumerate(kernel.arguments)
        }
        self.numbers: dict[SSAValue, str] = {
            value: f"call->numbers[{i}]" for i, value in enumerate(kernel.number_values)
        }
        """The C++ of the numbers of tasks and loops."""
        self.streamed: dict[SSAValue, Box] = {}
        self.buffers: dict[SSAValue, Buffer] = {}
        self.in_memory: dict[SSAValue, Box] = {}
        """Where values lie whose boxes in global memory are dense."""
        self.swapped: dict[tuple[tile.ForOp, int], Buffer] = {}
        """Room for what a loop yields from another of its carried values."""
        self._lives: dict[SSAValue | tuple[tile.ForOp, int], _Life] = {}
        self._root: dict[SSAValue, SSAValue] = {}
        self._ends: dict[tile.ForOp, int] = {}
        self._uses: list[tuple[SSAValue, int, tuple[tile.ForOp, ...]]] = []
        self._position = 0
        self._visit(kernel.body.block, ())
        self._plan()

    def box(self, op: tile.AccessOp) -> Box:
        """What a load or store touches; with rows by number, the box's first row is 0."""
        names = [self.numbers[index] for index in op.indices]
        row, col = (index_text(offset, names) for offset in op.offsets)
        index = self.arguments[op.ref]
        dtype = dtype_info(self._kernel.parameters[index].type.element_type).abi
        return Box(index, row, col, dtype)

    def is_placed(self, op: Operation) -> bool:
        """True for an op that needs no code: its result is a view, or stays in global memory."""
        if isinstance(op, tile.SliceOp):
            return True
        if isinstance(op, tile.ReshapeOp):
            return self._root[op.result] is not op.result
        return any(result in self.streamed for result in op.results)

    def is_in_place(self, op: tile.StoreOp) -> bool:
        """True if the value may have been computed where it is stored."""
        return op.value in self.in_memory and not isinstance(op.value.owner, tile.LoadOp)

    def offset(self, value: SSAValue) -> int:
        """The bytes from the start of scratch to a value that is dense there."""
        return self._offsets[self.buffers[value]]

    # ---- Values ----

    def _visit(self, block: Block, loops: tuple[tile.ForOp, ...]) -> None:
        for op in block.ops:
            self._position += 1
            inputs = op.inputs if isinstance(op, tile.FusedOp) else op.operands
            self._uses += [(v, self._position, loops) for v in inputs if v in self._root]
            match op:
                case tile.ForOp():
                    self._visit_loop(op, loops)
                case tile.YieldOp():
                    self._visit_yield(op, loops)
                case _:
                    for result in op.results:
                        self._place(op, result, len(loops))

    def _visit_loop(self, op: tile.ForOp, loops: tuple[tile.ForOp, ...]) -> None:
        self.numbers[op.number] = f"k{len(self.numbers)}"
        for argument, result in zip(op.arguments, op.carried, strict=True):
            self._dense(argument, len(loops))
            self._alias(result, argument, self.buffers[argument])
        self._visit(op.body.block, (*loops, op))
        self._position += 1
        self._ends[op] = self._position
        self._uses += [(argument, self._position, loops) for argument in op.arguments]

    def _visit_yield(self, op: tile.YieldOp, loops: tuple[tile.ForOp, ...]) -> None:
        loop = loops[-1]
        own = {self._root[argument] for argument in loop.arguments}
        for number, (value, argument) in enumerate(zip(op.values, loop.arguments, strict=True)):
            root = self._root[value]
            if root in own and root is not argument:
                self._lives[loop, number] = _Life(self._position, self._position, len(loops))
                kind = tile_type(value)
                self.swapped[loop, number] = Buffer.dense(
                    f"v{len(self._lives) - 1}", kind.shape, kind.element_type
                )

    def _place(self, op: Operation, result: SSAValue, depth: int) -> None:
        if isinstance(op, tile.LoadOp) and self._is_streamed(op):
            self.streamed[result] = self.box(op)
        elif isinstance(op, tile.SliceOp):
            view = self.buffers[op.source].slice(*op.offsets, op.type.shape, op.strides)
            self._alias(result, op.source, view)
        elif isinstance(op, tile.ReshapeOp) and self.buffers[op.source].is_dense:
            shape = op.type.shape
            view = replace(self.buffers[op.source], shape=shape, row_stride=shape[1], col_stride=1)
            self._alias(result, op.source, view)
        elif isinstance(op, tile.MatmulOp) and (argument := _accumulated_in_place(op)) is not None:
            self._alias(result, argument, self.buffers[argument])
        else:
            self._dense(result, depth)
            if (access := self._mirror(op, result)) is not None:
                self.in_memory[result] = self.box(access)

    def _mirror(self, op: Operation, result: SSAValue) -> tile.AccessOp | None:
        """The load or store whose box of global memory has the same elements as `result`."""
        if isinstance(op, tile.LoadOp):
            access, role = op, tile.Role.IN
        else:
            uses = [use.operation for use in result.uses]
            if len(uses) != 1 or not isinstance(uses[0], tile.StoreOp):
                return None
            access, role = uses[0], tile.Role.OUT
            if access.parent is not op.parent or access.value is not result:
                return None
        if access.rows is not None:
            return None
        parameter = self._kernel.parameters[self.arguments[access.ref]]
        element_type = tile_type(result).element_type
        same = parameter.type.element_type == element_type
        whole = c_bytes(element_type) == dtype_info(element_type).bytes
        alone = role is tile.Role.IN or len(tuple(access.ref.uses)) == 1
        return access if parameter.role is role and same and whole and alone else None

    def _dense(self, value: SSAValue, depth: int) -> None:
        self._root[value] = value
        kind = tile_type(value)
        name = f"v{len(self._lives)}"
        self.buffers[value] = Buffer.dense(name, kind.shape, kind.element_type)
        self._lives[value] = _Life(self._position, self._position, depth)

    def _alias(self, value: SSAValue, source: SSAValue, view: Buffer) -> None:
        self._root[value] = self._root[source]
        self.buffers[value] = view

    def _is_streamed(self, op: tile.LoadOp) -> bool:
        """True for a load of floats that only matmuls use, of what nothing stores to."""
        parameter = self._kernel.parameters[self.arguments[op.ref]]
        return (
            parameter.role is tile.Role.IN
            and is_float(op.type.element_type)
            and op.rows is None
            and all(
                isinstance(use.operation, tile.MatmulOp) and use.operation.acc is not op.result
                for use in op.result.uses
            )
        )

    # ---- Scratch ----

    def _plan(self) -> None:
        for value, position, loops in self._uses:
            life = self._lives[self._root[value]]
            # What is defined before a loop and used in it is needed until the loop ends.
            end = self._ends[loops[life.depth]] if len(loops) > life.depth else position
            life.last = max(life.last, end)
        rooms = [
            self.swapped[key] if isinstance(key, tuple) else self.buffers[key]
            for key in self._lives
        ]
        lives = zip(rooms, self._lives.values(), strict=True)
        plan = plan_scratch([Lifetime(_bytes(room), life.first, life.last) for room, life in lives])
        self._offsets = dict(zip(rooms, plan.offsets, strict=True))
        moved = {self.buffers[value] for value in self.in_memory}
        self.in_scratch = [(room, at) for room, at in self._offsets.items() if room not in moved]
        """The values that are always there, and their bytes from its start."""
        # Strided views that a routine wants dense are packed at the end of scratch, one at a time.
        ops = [op for op in self._kernel.walk() if not isinstance(op, tile.KernelOp)]
        packed = [_bytes(self.buffers[v]) for op in ops for v in self._packed_operands(op)]
        self.packing_offset, self.packing_bytes = plan.size, max(packed, default=0)
        self.scratch_bytes = plan.size + 3 * self.packing_bytes

    def _packed_operands(self, op: Operation) -> Sequence[SSAValue]:
        """The operands of an op that its routine may want dense and that are not."""
        if isinstance(op, (tile.ElementWiseOp, tile.FusedOp)):
            return ()
        return [v for v in op.operands if v in self.buffers and not self.buffers[v].is_dense]


def _accumulated_in_place(op: tile.MatmulOp) -> SSAValue | None:
    """The carried value that a matmul may overwrite: its accumulator, which nothing reads later."""
    loop = op.parent_op()
    if not isinstance(loop, tile.ForOp) or op.acc is None or op.acc not in loop.arguments:
        return None
    number = loop.arguments.index(op.acc)
    uses = [use.operation for use in op.acc.uses]
    if uses != [op] or loop.yielded[number] is not op.result or len(tuple(op.result.uses)) != 1:
        return None
    return op.acc


def _bytes(buffer: Buffer) -> int:
    size = buffer.shape[0] * buffer.shape[1] * c_bytes(buffer.element_type)
    return (size + 63) // 64 * 64
