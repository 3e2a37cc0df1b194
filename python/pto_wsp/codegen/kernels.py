"""`tile.kernel` to C++: one function per kernel, and the table that the engine reads."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Block, Operation, SSAValue

from pto_wsp.codegen.elementwise import emit_loop, is_element_wise
from pto_wsp.codegen.index_text import index_text
from pto_wsp.codegen.placement import Box, Placement
from pto_wsp.codegen.routines import Routine, routine
from pto_wsp.codegen.scratch import aligned
from pto_wsp.codegen.values import Buffer, c_bytes, c_type, rounded
from pto_wsp.codegen.writer import Writer, place, quoted
from pto_wsp.dialects import tile
from pto_wsp.dialects.dtypes import dtype_info, is_float
from pto_wsp.dialects.tile import tile_type
from pto_wsp.dialects.tile_memory import box_expected


class KernelEmitter:
    """Writes the C++ function of one kernel."""

    def __init__(self, out: Writer, kernel: tile.KernelOp) -> None:
        self._out = out
        self._kernel = kernel
        self._placement = Placement(kernel)
        self._buffers = self._placement.buffers

    @property
    def scratch_bytes(self) -> int:
        return self._placement.scratch_bytes

    def emit(self) -> None:
        with self._out.block(f"static void kernel_{self._kernel.symbol}(pto_call* call)"):
            for buffer, offset in self._placement.in_scratch:
                kind = c_type(buffer.element_type)
                self._out.line(
                    f"{kind}* const {buffer.name} = ({kind}*)(call->scratch + {offset});"
                )
            self._emit_block(self._kernel.body.block)
        self._out.line()

    def _emit_block(self, block: Block) -> None:
        self._check_boxes(block)
        for op in block.ops:
            if not self._placement.is_placed(op):
                self._out.locate(op)
                self._emit_op(op)

    def _check_boxes(self, block: Block) -> None:
        """Before anything points into a box that numbers may have moved out of its parameter."""
        for op in block.ops:
            if not isinstance(op, tile.AccessOp) or not op.is_checked:
                continue
            box = self._placement.box(op)
            bounds = self._kernel.parameters[box.parameter].type.shape
            for axis, at in enumerate((box.row, box.col)):
                last = bounds[axis] - op.box_shape[axis]
                self._refuse(f"{at} < 0 || {at} > {last}", box_expected(op, axis), at)

    # ---- Ops ----

    def _emit_op(self, op: Operation) -> None:
        for result in op.results:
            if result in self._placement.in_memory:
                self._emit_place(op, result)
        match op:
            case tile.LoadOp() if op.result in self._placement.in_memory:
                pass
            case tile.LoadOp():
                self._emit_access(op, "load", op.type, self._buffers[op.result].pointer)
            case tile.StoreOp() if self._placement.is_in_place(op):
                self._emit_finish(op)
            case tile.StoreOp():
                self._emit_access(op, "store", tile_type(op.value), self._dense(op.value))
            case tile.FusedOp():
                result = self._buffers[op.result]
                self._emit_elements(op.ops, op.yielded, result)
            case tile.MatmulOp():
                self._emit_matmul(op)
            case tile.ForOp():
                self._emit_for(op)
            case tile.YieldOp():
                self._emit_yield(op)
            case tile.DebugOp():
                self._emit_debug(op)
            case tile.ConcatOp():
                self._emit_concat(op)
            case tile.InterleaveOp():
                self._emit_interleave(op)
            case tile.ReshapeOp():
                self._copy(self._buffers[op.source], self._packed_target(op))
            case _ if is_element_wise(op):
                result = op.results[0]
                self._emit_elements([op], result, self._buffers[result])
            case _ if (call := routine(op)) is not None:
                self._emit_routine(op, call)
            case _:
                raise AssertionError(f"no C++ for {op.name}")

    def _emit_place(self, op: Operation, value: SSAValue) -> None:
        """Declares the pointer to a value that may lie in global memory."""
        buffer, box = self._buffers[value], self._placement.in_memory[value]
        kind = ("const " if isinstance(op, tile.LoadOp) else "") + c_type(buffer.element_type)
        function = "pto_loaded" if isinstance(op, tile.LoadOp) else "pto_place"
        scratch = f"call->scratch + {self._placement.offset(value)}"
        text = f"{function}<{c_type(buffer.element_type)}>(call, {_corner(box, buffer.shape)}"
        self._out.line(f"{kind}* const {buffer.name} = {text}, {scratch});")

    def _emit_finish(self, op: tile.StoreOp) -> None:
        box, buffer = self._placement.in_memory[op.value], self._buffers[op.value]
        self._out.line(f"pto_finish(call, {_corner(box, buffer.shape)}, {buffer.name});")

    def _emit_elements(self, ops: Sequence[Operation], result: SSAValue, buffer: Buffer) -> None:
        where = self._buffers.__getitem__
        emit_loop(self._out, ops, [(result, buffer)], where, self._placement.numbers)

    def _emit_access(self, op: tile.AccessOp, name: str, kind: tile.TileType, value: str) -> None:
        rows, cols = kind.shape
        box = self._placement.box(op)
        tensor = f"&call->args[{box.parameter}], {box.dtype}"
        if op.rows is None:
            self._out.line(
                f"call->ops->{name}({tensor}, {box.row}, {box.col}, {rows}, {cols}, {value});"
            )
            return
        numbers = self._dense(op.rows, 1)
        bound = self._kernel.parameters[box.parameter].type.rows
        function = "gather_rows" if name == "load" else "scatter_rows"
        self._refuse(
            f"pto_outside({rows}, {bound}, {numbers}) >= 0",
            f"tl.{function}: a row's number is not in 0..{bound - 1}, the rows of "
            f"{self._kernel.parameters[box.parameter].name!r}",
        )
        with self._out.block(f"for (int64_t r = 0; r < {rows}; ++r)"):
            self._out.line(
                f"call->ops->{name}({tensor}, {numbers}[r], {box.col}, 1, {cols}, "
                f"{value} + r * {cols});"
            )

    def _emit_matmul(self, op: tile.MatmulOp) -> None:
        if not is_float(op.type.element_type):
            self._emit_integer_matmul(op)
            return
        m, k, n = op.shape
        acc = "nullptr" if op.acc is None else self._dense(op.acc, 2)
        a = self._matmul_operand(op.lhs, op.transpose_a is not None, 0)
        b = self._matmul_operand(op.rhs, op.transpose_b is not None, 1)
        with self._out.block("", "}"):
            self._out.line(f"const pto_operand a = {a};")
            self._out.line(f"const pto_operand b = {b};")
            target = self._buffers[op.result].pointer
            self._out.line(
                f"call->ops->matmul(call->worker, {m}, {k}, {n}, &a, &b, {acc}, {target});"
            )

    def _emit_integer_matmul(self, op: tile.MatmulOp) -> None:
        sizes = ", ".join(map(str, op.shape))
        flags = [op.transpose_a is not None, op.transpose_b is not None]
        operands = [self._dense(value, slot) for slot, value in enumerate((op.lhs, op.rhs))]
        sides = [f"{name}, {str(flag).lower()}" for name, flag in zip(operands, flags, strict=True)]
        acc = "nullptr" if op.acc is None else self._dense(op.acc, 2)
        target = self._buffers[op.result].pointer
        self._out.line(f"pto_matmul({sizes}, {', '.join(sides)}, {acc}, {target});")

    def _matmul_operand(self, value: SSAValue, transposed: bool, slot: int) -> str:
        flag = int(transposed)
        if (box := self._placement.streamed.get(value)) is not None:
            corner = f"&call->args[{box.parameter}], {box.row}, {box.col}"
            return f"{{nullptr, {corner}, {box.dtype}, {flag}}}"
        return f"{{{self._dense(value, slot)}, nullptr, 0, 0, PTO_F32, {flag}}}"

    def _emit_routine(self, op: Operation, call: Routine) -> None:
        numbers = [str(number) for number in call.numbers]
        operands = [self._dense(operand, slot) for slot, operand in enumerate(op.operands)]
        results = [self._buffers[result].pointer for result in op.results]
        text = f"{call.function}{', '.join([*numbers, *operands, *results])})"
        if call.refusal:
            self._refuse(f"{text} >= 0", call.refusal)
        else:
            self._out.line(f"{text};")
        if call.rounds:
            self._round(self._buffers[op.results[0]])

    def _round(self, buffer: Buffer) -> None:
        """Rounds floats to their dtype in place, where that is narrower than a float."""
        element = f"{buffer.pointer}[i]"
        narrow = rounded(element, buffer.element_type)
        if narrow != element:
            count = buffer.shape[0] * buffer.shape[1]
            self._out.line(f"for (int64_t i = 0; i < {count}; ++i) {element} = {narrow};")

    def _emit_for(self, op: tile.ForOp) -> None:
        for init, argument in zip(op.inits, op.arguments, strict=True):
            self._copy(self._buffers[init], self._buffers[argument])
        name = self._placement.numbers[op.number]
        start, step = op.start, op.step
        stop = index_text(op.stop, [self._placement.numbers[index] for index in op.indices])
        with self._out.block(f"for (int64_t {name} = {start}; {name} < {stop}; {name} += {step})"):
            self._emit_block(op.body.block)

    def _emit_yield(self, op: tile.YieldOp) -> None:
        loop = op.parent_op()
        assert isinstance(loop, tile.ForOp)
        # What comes from another carried value is taken aside before any is overwritten.
        sources = [self._buffers[value] for value in op.values]
        for number, source in enumerate(sources):
            if (aside := self._placement.swapped.get((loop, number))) is not None:
                self._copy(source, aside)
                sources[number] = aside
        for source, argument in zip(sources, loop.arguments, strict=True):
            if source != self._buffers[argument]:
                self._copy(source, self._buffers[argument])

    def _emit_debug(self, op: tile.DebugOp) -> None:
        kind = tile_type(op.source)
        rows, cols = kind.shape
        names = f"{quoted(place(op))}, {quoted(op.title.data)}"
        box = f"{dtype_info(kind.element_type).abi}, {rows}, {cols}"
        self._out.line(f"call->debug(call->self, {names}, {box}, {self._dense(op.source)});")

    def _emit_concat(self, op: tile.ConcatOp) -> None:
        target, col = self._buffers[op.result], 0
        for part in op.parts:
            source = self._buffers[part]
            self._copy(source, target.slice(0, col, source.shape, (1, 1)))
            col += source.shape[1]

    def _emit_interleave(self, op: tile.InterleaveOp) -> None:
        target = self._buffers[op.result]
        for start, part in enumerate((op.even, op.odd)):
            source = self._buffers[part]
            self._copy(source, target.slice(0, start, source.shape, (1, 2)))

    def _packed_target(self, op: tile.ReshapeOp) -> Buffer:
        source, target = self._buffers[op.source], self._buffers[op.result]
        return Buffer.dense(target.name, source.shape, source.element_type)

    def _refuse(self, condition: str, message: str, found: str = "") -> None:
        """Ends the task with an error where the condition holds; it shows the number `found`."""
        with self._out.block(f"if ({condition})"):
            self._out.line(f"call->error = {quoted(message)};")
            if found:
                self._out.line(f"call->found = {found};")
                self._out.line("call->has_found = 1;")
            self._out.line("return;")

    # ---- Copies ----

    def _dense(self, value: SSAValue, slot: int = 0) -> str:
        """Pointer to the elements, row after row; a strided view is packed into `slot` first."""
        buffer = self._buffers[value]
        if buffer.is_dense:
            return f"({buffer.pointer})" if buffer.offset else buffer.pointer
        kind = c_type(buffer.element_type)
        offset = self._placement.packing_offset + slot * self._placement.packing_bytes
        name = f"(({kind}*)(call->scratch + {offset}))"
        self._copy(buffer, Buffer.dense(name, buffer.shape, buffer.element_type))
        return name

    def _copy(self, source: Buffer, target: Buffer) -> None:
        rows, cols = source.shape
        kind = c_type(source.element_type)
        if source.is_dense and target.is_dense:
            size = f"{rows * cols} * sizeof({kind})"
            self._out.line(f"__builtin_memcpy({target.pointer}, {source.pointer}, {size});")
            return
        with self._out.block(f"for (int64_t r = 0; r < {rows}; ++r)"):
            self._out.line(f"const {kind}* x = {source.row('r')};")
            self._out.line(f"{kind}* __restrict y = {target.row('r')};")
            element = f"y[{target.col('c')}] = x[{source.col('c')}]"
            self._out.line(f"for (int64_t c = 0; c < {cols}; ++c) {element};")


def _corner(box: Box, shape: tuple[int, int]) -> str:
    rows, cols = shape
    return f"{box.parameter}, {box.dtype}, {box.row}, {box.col}, {rows}, {cols}"


class _CppEmitter:
    """Writes the function of a kernel whose body is C++: all it reads is loaded before, all that it
    writes is stored after."""

    def __init__(self, out: Writer, kernel: tile.KernelOp) -> None:
        self._out = out
        self._kernel = kernel
        self._offsets: list[int] = []
        self.scratch_bytes = 0
        for parameter in kernel.parameters:
            rows, cols = parameter.type.shape
            self._offsets.append(self.scratch_bytes)
            self.scratch_bytes += aligned(rows * cols * c_bytes(parameter.type.element_type))

    def emit(self) -> None:
        assert self._kernel.cpp is not None
        with self._out.block(f"static void kernel_{self._kernel.symbol}(pto_call* call)"):
            for parameter, offset in zip(self._kernel.parameters, self._offsets, strict=True):
                kind = c_type(parameter.type.element_type)
                name = parameter.name
                self._out.line(f"{kind}* const {name} = ({kind}*)(call->scratch + {offset});")
            for number, given in enumerate(self._kernel.numbers):
                self._out.line(f"const int64_t {given.title.data} = call->numbers[{number}];")
            self._move("load", tile.Role.OUT)
            # A return of the body ends the body.
            with self._out.block("[&]() -> void", "}();"):
                self._out.locate(self._kernel)
                for line in self._kernel.cpp.splitlines():
                    self._out.line(line)
            self._move("store", tile.Role.IN)
        self._out.line()

    def _move(self, way: str, unless: tile.Role) -> None:
        for number, parameter in enumerate(self._kernel.parameters):
            if parameter.role is unless:
                continue
            rows, cols = parameter.type.shape
            dtype = dtype_info(parameter.type.element_type).abi
            box = f"&call->args[{number}], {dtype}, 0, 0, {rows}, {cols}"
            self._out.line(f"call->ops->{way}({box}, {parameter.name});")


def emit_kernels(out: Writer, kernels: Sequence[tile.KernelOp]) -> None:
    """Writes every kernel's function, parameters and fragments, then the table `kernels`."""
    rows: list[str] = []
    for kernel in kernels:
        emitter = KernelEmitter(out, kernel) if kernel.cpp is None else _CppEmitter(out, kernel)
        emitter.emit()
        rows.append(_table_row(out, kernel, emitter.scratch_bytes))
    with out.block("static const pto_kernel kernels[] =", "};"):
        for row in rows:
            out.line(row)
    out.line()


def _table_row(out: Writer, kernel: tile.KernelOp, scratch_bytes: int) -> str:
    name = kernel.symbol
    assert kernel.unit is not None, "tile-infer-unit has run"
    assert kernel.fragments is not None, "tile-fragments has run"
    with out.block(f"static const pto_param params_{name}[] =", "};"):
        for parameter in kernel.parameters:
            rows, cols = parameter.type.shape
            dtype = dtype_info(parameter.type.element_type).abi
            role = f"PTO_{parameter.role.upper()}"
            out.line(f"{{{quoted(parameter.name)}, {role}, {dtype}, {rows}, {cols}}},")
    with out.block(f"static const pto_fragment fragments_{name}[] =", "};"):
        for fragment in kernel.fragments:
            m, k, n = fragment.shape
            out.line(
                f"{{{quoted(fragment.op.data)}, PTO_PIPE_{fragment.pipe.data.upper()}, "
                f"{dtype_info(fragment.element_type).abi}, {m}, {k}, {n}, "
                f"{fragment.bytes}, {fragment.trips.data}, {_loop_bits(fragment)}, "
                f"{fragment.parameter.data}}},"
            )
    _numbers_and_loops(out, kernel)
    out.line()
    parameters, fragments = len(kernel.parameters), len(kernel.fragments)
    return (
        f"{{{quoted(name)}, {quoted(place(kernel))}, PTO_{kernel.unit.upper()}, "
        f"{parameters}, params_{name}, {fragments}, fragments_{name}, "
        f"{scratch_bytes}, kernel_{name}, {_rows('numbers', kernel.numbers, name)}, "
        f"{_rows('loops', kernel.dynamic_loops, name)}}},"
    )


def _rows(what: str, rows: Sequence[object], name: str) -> str:
    return f"{len(rows)}, {f'{what}_{name}' if rows else 'nullptr'}"


def _loop_bits(fragment: tile.FragmentAttr) -> str:
    bits = sum(1 << loop.data for loop in fragment.loops)
    return f"UINT64_C({bits})" if bits else "0"


def _numbers_and_loops(out: Writer, kernel: tile.KernelOp) -> None:
    name = kernel.symbol
    if kernel.numbers:
        with out.block(f"static const pto_number numbers_{name}[] =", "};"):
            for number in kernel.numbers:
                out.line(f"{{{quoted(number.title.data)}, {number.least}, {number.most}}},")
    if not kernel.dynamic_loops:
        return
    names = [f"numbers[{number}]" for number in range(len(kernel.numbers))]
    given = dict(zip(kernel.number_values, names, strict=True))
    with out.block(f"static const pto_loop loops_{name}[] =", "};"):
        for loop in kernel.dynamic_loops:
            stop = index_text(loop.stop, [given[index] for index in loop.indices])
            function = f"[](const int64_t* numbers) -> int64_t {{ return {stop}; }}"
            out.line(f"{{{quoted(place(loop))}, {loop.start}, {loop.step}, {function}}},")
