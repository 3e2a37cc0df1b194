"""`task.workload` to C++: tensors, launch sites, and one C++ loop for each of the workload."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.ir import Block, Operation, SSAValue
from xdsl.ir.affine import AffineExpr

from pto_wsp.codegen.index_text import index_text
from pto_wsp.codegen.keys import DECLARATION
from pto_wsp.codegen.writer import Writer, place, quoted
from pto_wsp.dialects import task, tile
from pto_wsp.dialects.dtypes import dtype_info
from pto_wsp.dialects.task import tensor_type


@dataclass(frozen=True)
class _Box:
    """A view, composed down to its tensor: C++ expressions for the offsets."""

    tensor: int
    offsets: tuple[str, ...]
    extents: tuple[int, ...]

    @property
    def text(self) -> str:
        offsets, extents = ", ".join(self.offsets), ", ".join(map(str, self.extents))
        return f"{{{self.tensor}, {len(self.extents)}, {{{offsets}}}, {{{extents}}}}}"


def emit_program(
    out: Writer,
    workload: task.WorkloadOp,
    launches: Sequence[task.LaunchOp],
    kernels: Sequence[tile.KernelOp],
) -> None:
    """Writes the tensor and site tables, `run`, and the program's entry."""
    _emit_tensors(out, workload.tensors)
    _emit_sites(out, launches, [kernel.symbol for kernel in kernels])
    _RunEmitter(out, workload, kernels, launches).emit()
    out.line(DECLARATION)
    with out.block("static const pto_program program =", "};"):
        out.line(f"PTO_ABI_VERSION, {quoted(workload.symbol)},")
        out.line(f"{len(kernels)}, kernels, {len(workload.tensors)}, tensors,")
        out.line(f"{len(launches)}, sites, pto_key_count, pto_keys, run,")
    out.line('extern "C" __attribute__((visibility("default")))')
    out.line("const pto_program* pto_program_entry(void) {")
    out.line("  return &program;")
    out.line("}")


# ---- Tables ------------------------------------------------------------------------------------


def _emit_tensors(out: Writer, tensors: Sequence[task.TensorOp]) -> None:
    with out.block("static const pto_tensor tensors[] =", "};"):
        for tensor in tensors:
            never_read = int(not _is_read_by_workload(tensor.result))
            assert tensor.role is not None, "task-classify-tensors has run"
            shape = tensor.type.shape
            fields = (
                quoted(tensor.tensor_name),
                quoted(place(tensor)),
                dtype_info(tensor.type.element_type).abi,
                *_source(tensor.source, f"PTO_{tensor.role.upper()}", shape),
                str(never_read),
            )
            out.line(f"{{{', '.join(fields)}}},")
    out.line()


def _is_read_by_workload(value: SSAValue) -> bool:
    """Does anything but tasks use the tensor or view?"""
    users = [use.operation for use in value.uses]
    views = [user.result for user in users if isinstance(user, task.ViewOp)]
    return not all(isinstance(user, task.ViewOp | task.LaunchOp) for user in users) or any(
        _is_read_by_workload(view) for view in views
    )


def _source(source: task.Source | None, role: str, shape: Sequence[int]) -> tuple[str, ...]:
    """The fields of pto_tensor from `source` on."""
    kind, seed, parameter, values, groups, kept = "PTO_SOURCE_NONE", 0, 0.0, 0, 1, 1
    match source:
        case task.MemoryAttr():
            kind = "PTO_SOURCE_MEMORY"
        case task.RandomAttr():
            kind, seed, parameter = "PTO_SOURCE_RANDOM", source.seed, source.scale
        case task.ZipfAttr():
            kind, seed, parameter = "PTO_SOURCE_ZIPF", source.seed, source.exponent
            values, groups, kept = source.values, source.groups, source.kept_groups
        case None:
            pass
    extents = ", ".join(map(str, shape))
    numbers = (values, groups, kept)
    return (
        kind,
        role,
        str(len(shape)),
        f"{{{extents}}}",
        f"{seed}u",
        repr(parameter),
        *map(str, numbers),
    )


def _emit_sites(out: Writer, launches: Sequence[task.LaunchOp], kernels: Sequence[str]) -> None:
    for number, launch in enumerate(launches):
        names = ", ".join(quoted(name) for name in launch.axes) or "nullptr"
        out.line(f"static const char* const axes_{number}[] = {{{names}}};")
    with out.block("static const pto_site sites[] =", "};"):
        for number, launch in enumerate(launches):
            kernel, checked = kernels.index(launch.kernel), int(launch.checked is not None)
            out.line(
                f"{{{kernel}, {quoted(place(launch))}, {len(launch.axes)}, "
                f"axes_{number}, {checked}}},"
            )
    out.line()


# ---- The orchestrator's loops ------------------------------------------------------------------


class _RunEmitter:
    def __init__(
        self,
        out: Writer,
        workload: task.WorkloadOp,
        kernels: Sequence[tile.KernelOp],
        launches: Sequence[task.LaunchOp],
    ) -> None:
        self._out = out
        self._workload = workload
        self._kernels = {kernel.symbol: (number, kernel) for number, kernel in enumerate(kernels)}
        self._sites = {launch: number for number, launch in enumerate(launches)}
        self._names: dict[SSAValue, str] = {}
        self._used: set[str] = set()
        self._boxes: dict[SSAValue, _Box] = {}

    def emit(self) -> None:
        for number, tensor in enumerate(self._workload.tensors):
            shape = tensor.type.shape
            self._boxes[tensor.result] = _Box(number, ("0",) * len(shape), shape)
        with self._out.block("static int run(const pto_host* host)"):
            self._emit_block(self._workload.body.block)
            self._out.line("return 1;")
        self._out.line()

    def _emit_block(self, block: Block) -> None:
        for op in block.ops:
            self._out.locate(op)
            self._emit_op(op)

    def _emit_op(self, op: Operation) -> None:
        match op:
            case task.TensorOp():
                pass
            case task.ViewOp():
                self._boxes[op.result] = self._compose(op)
            case task.IndexOp():
                name = self._name(op.result, "i")
                self._out.line(f"const int64_t {name} = {self._expression(op.expr, op.indices)};")
            case task.ParallelOp():
                self._emit_loop(op)
            case task.SeqOp():
                self._emit_seq(op)
            case task.SequentialOp():
                self._emit_sequential(op)
            case task.CombineOp():
                self._emit_block(op.body.block)
            case task.SelectOp():
                self._emit_select(op)
            case task.LaunchOp():
                self._emit_launch(op)
            case _:
                raise AssertionError(f"no C++ for {op.name}")

    # ---- Structure ----

    def _emit_loop(self, op: task.LoopOp, ahead: str = "") -> None:
        heads: list[str] = []
        for value, extent in zip(op.induction_values, op.extents, strict=True):
            name = self._name(value, "i")
            heads.append(f"for (int64_t {name} = 0; {name} < {extent}; ++{name})")
        *outer, inner = heads
        for head in outer:
            self._out.line(head)
        with self._out.block(inner):
            if ahead:
                self._out.line(ahead)
            self._emit_block(op.body.block)

    def _emit_seq(self, op: task.SeqOp) -> None:
        self._out.line(_call("scope_begin"))
        self._emit_loop(op, ahead=_call("part"))
        self._out.line(_call("scope_end"))

    def _emit_sequential(self, op: task.SequentialOp) -> None:
        self._out.line(_call("scope_begin"))
        for part in op.parts:
            self._out.line(_call("part"))
            with self._out.block(""):
                self._emit_block(part.block)
        self._out.line(_call("scope_end"))

    def _emit_select(self, op: task.SelectOp) -> None:
        element, position = self._name(op.element, "e"), self._name(op.position, "k")
        with self._out.block(""):
            self._out.line(f"const pto_region row = {self._boxes[op.row].text};")
            self._out.line(f"int64_t chosen[{op.length}];")
            self._out.line("if (!host->read(host->self, &row, chosen)) return 0;")
            with self._out.block(
                f"for (int64_t {position} = 0; {position} < {op.length}; ++{position})"
            ):
                self._out.line(f"const int64_t {element} = chosen[{position}];")
                self._emit_block(op.body.block)

    def _emit_launch(self, op: task.LaunchOp) -> None:
        number, kernel = self._kernels[op.kernel]
        operands = {
            tile.Role.IN: iter(op.ins),
            tile.Role.OUT: iter(op.outs),
            tile.Role.INOUT: iter(op.inouts),
        }
        values = [next(operands[parameter.role]) for parameter in kernel.parameters]
        axes = ", ".join(self._names[value] for value in op.axes.values())
        after = ", ".join(self._names[handle] for handle in op.after)
        task_id = "id"
        if op.handle is not None:
            task_id = self._name(op.handle, "task")
            self._out.line(f"int64_t {task_id};")
        with self._out.block(""):
            self._out.line(f"const int64_t axes[] = {{{axes or '0'}}};")
            with self._out.block("const pto_region operands[] =", "};"):
                for value in values:
                    self._out.line(f"{self._boxes[value].text},")
            if after:
                self._out.line(f"const int64_t after[] = {{{after}}};")
            order = f"{len(op.after)}, {'after' if after else 'nullptr'}"
            self._out.line(
                f"const pto_task task = {{{number}, {self._sites[op]}, axes, operands, "
                f"{order}, nullptr}};"
            )
            declared = "" if op.handle is not None else "const int64_t "
            self._out.line(f"{declared}{task_id} = host->submit(host->self, &task);")
            self._out.line(f"if ({task_id} < 0) return 0;")

    # ---- Indices ----

    def _compose(self, op: task.ViewOp) -> _Box:
        source = self._boxes[op.source]
        offsets = (self._expression(offset, op.indices) for offset in op.offsets)
        composed = tuple(_sum(a, b) for a, b in zip(source.offsets, offsets, strict=True))
        return _Box(source.tensor, composed, tensor_type(op.result).shape)

    def _name(self, value: SSAValue, default: str) -> str:
        # The underscore keeps a user's name apart from C++ keywords and from the names used here.
        name = hint = f"{value.name_hint or default}_"
        number = 1
        while name in self._used:
            name = f"{hint}{number}"
            number += 1
        self._used.add(name)
        self._names[value] = name
        return name

    def _expression(self, expr: AffineExpr, operands: Sequence[SSAValue]) -> str:
        return index_text(expr, [self._names[operand] for operand in operands])


def _sum(a: str, b: str) -> str:
    if a == "0":
        return b
    return a if b == "0" else f"{a} + {b}"


def _call(service: str) -> str:
    return f"if (!host->{service}(host->self)) return 0;"
