"""`tile.kernel` to C++: one function per kernel, and the table that the engine reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.ir import Operation, SSAValue

from pto_wsp.codegen.elementwise import emit_loop, is_element_wise
from pto_wsp.codegen.scratch import Lifetime, plan_scratch
from pto_wsp.codegen.values import Buffer, c_bytes, c_type
from pto_wsp.codegen.writer import Writer, place, quoted
from pto_wsp.dialects import tile
from pto_wsp.dialects.dtypes import dtype_info
from pto_wsp.dialects.tile import tile_type


@dataclass(frozen=True)
class _Parameter:
    """A matmul operand that is read from global memory while it is packed."""

    index: int
    row: int
    col: int
    element_type: str


class KernelEmitter:
    """Writes the C++ function of one kernel.

    Every value has a dense place in scratch, except: a slice is a strided view of its source, and a
    load that only matmuls read stays in global memory, so that no weight matrix is copied whole.
    """

    def __init__(self, out: Writer, kernel: tile.KernelOp) -> None:
        self._out = out
        self._kernel = kernel
        self._ops = tuple(kernel.body.block.ops)
        self._arguments: dict[SSAValue, int] = {
            argument: i for i, argument in enumerate(kernel.body.block.args)
        }
        self._streamed: dict[SSAValue, _Parameter] = {
            op.result: self._parameter(op)
            for op in self._ops
            if isinstance(op, tile.LoadOp) and self._is_streamed(op)
        }
        self._buffers: dict[SSAValue, Buffer] = {}
        self.scratch_bytes = 0

    def emit(self) -> None:
        places = self._place_values()
        with self._out.block(f"static void kernel_{self._kernel.symbol}(pto_call* call)"):
            for value, offset in places.items():
                buffer = self._buffers[value]
                kind = c_type(buffer.element_type)
                self._out.line(
                    f"{kind}* const {buffer.name} = ({kind}*)(call->scratch + {offset});"
                )
            for op in self._ops:
                if not isinstance(op, tile.SliceOp) and not any(
                    r in self._streamed for r in op.results
                ):
                    self._out.locate(op)
                    self._emit_op(op)
        self._out.line()

    # ---- Where values are ----

    def _is_streamed(self, op: tile.LoadOp) -> bool:
        """True for a load that only matmuls use, of a parameter that nothing stores to."""
        parameter = self._kernel.parameters[self._arguments[op.ref]]
        return parameter.role is tile.Role.IN and all(
            isinstance(use.operation, tile.MatmulOp) and use.operation.acc is not op.result
            for use in op.result.uses
        )

    def _parameter(self, op: tile.LoadOp) -> _Parameter:
        return _Parameter(
            self._arguments[op.ref], *op.offsets, dtype_info(op.type.element_type).abi
        )

    def _place_values(self) -> dict[SSAValue, int]:
        """Gives every dense value its bytes in scratch; slices become views."""
        values: list[SSAValue] = []
        first: dict[SSAValue, int] = {}
        last: dict[SSAValue, int] = {}
        root: dict[SSAValue, SSAValue] = {}
        for position, op in enumerate(self._ops):
            inputs = op.inputs if isinstance(op, tile.FusedOp) else op.operands
            for operand in inputs:
                if operand in root:
                    last[root[operand]] = position
            for result in op.results:
                if result in self._streamed:
                    continue
                if isinstance(op, tile.SliceOp):
                    root[result] = root[op.source]
                    self._buffers[result] = self._buffers[op.source].slice(
                        *op.offsets, op.type.shape, op.strides
                    )
                    continue
                root[result] = result
                first[result] = last[result] = position
                self._buffers[result] = Buffer.dense(
                    f"v{len(values)}", tile_type(result).shape, tile_type(result).element_type
                )
                values.append(result)
        return self._plan(values, first, last)

    def _plan(
        self, values: Sequence[SSAValue], first: dict[SSAValue, int], last: dict[SSAValue, int]
    ) -> dict[SSAValue, int]:
        # Strided views that a routine wants dense are packed at the end of scratch, one at a time.
        packed = max(
            (_bytes(self._buffers[v]) for op in self._ops for v in self._packed_operands(op)),
            default=0,
        )
        plan = plan_scratch([Lifetime(_bytes(self._buffers[v]), first[v], last[v]) for v in values])
        self._packing_offset = plan.size
        self.scratch_bytes = plan.size + packed * 3
        self._packing_bytes = packed
        return dict(zip(values, plan.offsets, strict=True))

    def _packed_operands(self, op: Operation) -> list[SSAValue]:
        """The operands of an op that its routine wants dense and that are not."""
        dense = (tile.StoreOp, tile.MatmulOp, tile.ReductionOp, tile.TopkOp, tile.GatherOp)
        if not isinstance(op, dense):
            return []
        return [v for v in op.operands if v in self._buffers and not self._buffers[v].is_dense]

    # ---- Ops ----

    def _emit_op(self, op: Operation) -> None:
        match op:
            case tile.LoadOp():
                self._emit_load(op)
            case tile.StoreOp():
                self._emit_store(op)
            case tile.FusedOp():
                emit_loop(
                    self._out,
                    op.ops,
                    [(op.yielded, self._buffers[op.result])],
                    self._buffers.__getitem__,
                )
            case tile.MatmulOp():
                self._emit_matmul(op)
            case tile.ReductionOp():
                self._emit_reduction(op)
            case tile.ConcatOp():
                self._emit_concat(op)
            case tile.InterleaveOp():
                self._emit_interleave(op)
            case tile.GatherOp():
                self._emit_gather(op)
            case tile.TopkOp():
                self._emit_topk(op)
            case _ if is_element_wise(op):
                result = op.results[0]
                emit_loop(
                    self._out, [op], [(result, self._buffers[result])], self._buffers.__getitem__
                )
            case _:
                raise AssertionError(f"no C++ for {op.name}")

    def _emit_load(self, op: tile.LoadOp) -> None:
        rows, cols = op.type.shape
        self._out.line(
            f"call->ops->load(&call->args[{self._arguments[op.ref]}], "
            f"{dtype_info(op.type.element_type).abi}, {op.offsets[0]}, {op.offsets[1]}, "
            f"{rows}, {cols}, {self._buffers[op.result].pointer});"
        )

    def _emit_store(self, op: tile.StoreOp) -> None:
        rows, cols = tile_type(op.value).shape
        index = self._arguments[op.ref]
        element_type = self._kernel.parameters[index].type.element_type
        self._out.line(
            f"call->ops->store(&call->args[{index}], {dtype_info(element_type).abi}, "
            f"{op.offsets[0]}, {op.offsets[1]}, {rows}, {cols}, {self._dense(op.value)});"
        )

    def _emit_matmul(self, op: tile.MatmulOp) -> None:
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

    def _matmul_operand(self, value: SSAValue, transposed: bool, slot: int) -> str:
        flag = int(transposed)
        if (box := self._streamed.get(value)) is not None:
            place = f"&call->args[{box.index}], {box.row}, {box.col}"
            return f"{{nullptr, {place}, {box.element_type}, {flag}}}"
        return f"{{{self._dense(value, slot)}, nullptr, 0, 0, PTO_F32, {flag}}}"

    def _emit_reduction(self, op: tile.ReductionOp) -> None:
        kind = "PTO_SUM" if isinstance(op, tile.RowSumOp) else "PTO_MAX"
        rows, cols = tile_type(op.source).shape
        target = self._buffers[op.result]
        self._out.line(
            f"call->ops->row_reduce({kind}, {rows}, {cols}, "
            f"{self._dense(op.source)}, {target.pointer});"
        )
        name = dtype_info(target.element_type).name
        if name in ("f16", "bf16") and kind == "PTO_SUM":
            element = f"{target.pointer}[r]"
            self._out.line(
                f"for (int64_t r = 0; r < {rows}; ++r) {element} = pto_round_{name}({element});"
            )

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

    def _emit_gather(self, op: tile.GatherOp) -> None:
        rows, cols = tile_type(op.source).shape
        arguments = (
            f"{rows}, {cols}, {op.type.cols}, "
            f"{self._dense(op.source, 0)}, {self._dense(op.indices, 1)}, "
            f"{self._buffers[op.result].pointer}"
        )
        message = f"tl.gather: an index is not in 0..{cols - 1}, the columns of the gathered tile"
        self._refuse(f"call->ops->gather({arguments}) >= 0", message)

    def _emit_topk(self, op: tile.TopkOp) -> None:
        rows, cols = tile_type(op.source).shape
        values, indices = self._buffers[op.values], self._buffers[op.indices]
        arguments = (
            f"{rows}, {cols}, {op.k}, {self._dense(op.source)}, {values.pointer}, {indices.pointer}"
        )
        self._refuse(f"call->ops->topk({arguments}) >= 0", "tl.topk: an element is NaN")

    def _refuse(self, condition: str, message: str) -> None:
        """Ends the task with an error where the condition holds."""
        with self._out.block(f"if ({condition})"):
            self._out.line(f"call->error = {quoted(message)};")
            self._out.line("return;")

    # ---- Copies ----

    def _dense(self, value: SSAValue, slot: int = 0) -> str:
        """Pointer to the elements, row after row; a strided view is packed into `slot` first."""
        buffer = self._buffers[value]
        if buffer.is_dense:
            return f"({buffer.pointer})" if buffer.offset else buffer.pointer
        kind = c_type(buffer.element_type)
        offset = self._packing_offset + slot * self._packing_bytes
        name = f"(({kind}*)(call->scratch + {offset}))"
        self._copy(buffer, Buffer.dense(name, buffer.shape, buffer.element_type))
        return name

    def _copy(self, source: Buffer, target: Buffer) -> None:
        rows, cols = source.shape
        kind = c_type(source.element_type)
        with self._out.block(f"for (int64_t r = 0; r < {rows}; ++r)"):
            self._out.line(f"const {kind}* x = {source.row('r')};")
            self._out.line(f"{kind}* __restrict y = {target.row('r')};")
            element = f"y[{target.col('c')}] = x[{source.col('c')}]"
            self._out.line(f"for (int64_t c = 0; c < {cols}; ++c) {element};")


def _bytes(buffer: Buffer) -> int:
    size = buffer.shape[0] * buffer.shape[1] * c_bytes(buffer.element_type)
    return (size + 63) // 64 * 64


def emit_kernels(out: Writer, kernels: Sequence[tile.KernelOp]) -> None:
    """Writes every kernel's function, parameters and fragments, then the table `kernels`."""
    rows: list[str] = []
    for kernel in kernels:
        emitter = KernelEmitter(out, kernel)
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
                f"{fragment.bytes}, {fragment.trips.data}}},"
            )
    out.line()
    parameters, fragments = len(kernel.parameters), len(kernel.fragments)
    return (
        f"{{{quoted(name)}, {quoted(place(kernel))}, PTO_{kernel.unit.upper()}, "
        f"{parameters}, params_{name}, {fragments}, fragments_{name}, "
        f"{scratch_bytes}, kernel_{name}}},"
    )
