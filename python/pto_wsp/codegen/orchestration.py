"""The orchestrator's function: one C++ loop for each of the workload, one call for each task."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from xdsl.dialects import arith
from xdsl.dialects.builtin import IntegerAttr
from xdsl.ir import Block, Operation, SSAValue
from xdsl.ir.affine import AffineExpr

from pto_wsp.codegen.index_text import index_text
from pto_wsp.codegen.refusals import Refusal, emit_refusal, origin
from pto_wsp.codegen.writer import Writer, place, quoted
from pto_wsp.dialects import task, tile
from pto_wsp.dialects.indices import NUMBER_MAX
from pto_wsp.dialects.task import tensor_type
from pto_wsp.dialects.task_channels import channel_of, process_of
from pto_wsp.dialects.task_numbers import Predicate
from pto_wsp.transforms.analysis.tensor_uses import tensor_of


@dataclass(frozen=True)
class _Box:
    """A view, composed down to its tensor: C++ expressions for the offsets."""

    tensor: int
    offsets: tuple[str, ...]
    extents: tuple[int | str, ...]

    @property
    def text(self) -> str:
        offsets, extents = ", ".join(self.offsets), ", ".join(map(str, self.extents))
        return f"{{{self.tensor}, {len(self.extents)}, {{{offsets}}}, {{{extents}}}}}"

    def part(self, axis: int, offset: str, extent: str) -> _Box:
        """The elements offset .. offset + extent - 1 along an axis."""
        offsets, extents = list(self.offsets), list(self.extents)
        offsets[axis], extents[axis] = _sum(offsets[axis], offset), extent
        return replace(self, offsets=tuple(offsets), extents=tuple(extents))


def emit_run(
    out: Writer,
    workload: task.WorkloadOp,
    kernels: Sequence[tile.KernelOp],
    launches: Sequence[task.LaunchOp],
) -> None:
    """Writes `run`, the function that makes the tasks of a workload."""
    _RunEmitter(out, workload, kernels, launches).emit()


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
        self._open: list[tuple[str, str]] = []
        self._stop = "return 0;"
        """What leaves the function that is being written."""
        self._channels: dict[task.ChannelOp, int] = {}

    def emit(self) -> None:
        for number, tensor in enumerate(self._workload.tensors):
            shape = tensor.type.shape
            self._boxes[tensor.result] = _Box(number, ("0",) * len(shape), shape)
        for number, symbol in enumerate(self._workload.symbols):
            # Used where it stands; the name is only for reading.
            self._names[symbol.result] = f"host->symbols[{number}]"
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
            case task.TensorOp() | task.SymbolOp():
                pass
            case task.ViewOp():
                self._boxes[op.result] = self._compose(op)
            case task.ParallelOp():
                self._emit_loop(op)
            case task.SeqOp():
                self._emit_seq(op)
            case task.SequentialOp():
                self._emit_sequential(op)
            case task.CombineOp():
                self._emit_block(op.body.block)
            case task.CondOp():
                self._emit_cond(op)
            case task.SelectOp():
                self._emit_select(op)
            case task.LaunchOp():
                self._emit_launch(op)
            case task.PipelineOp():
                self._emit_pipeline(op)
            case task.SendOp():
                self._emit_send(op)
            case task.ConsumeOp():
                self._emit_consume(op)
            case _:
                self._emit_number(op)

    def _emit_number(self, op: Operation) -> None:
        match op:
            case task.IndexOp():
                self._declare(op.result, self._expression(op.expr, op.indices), "i")
            case task.CompareOp():
                left, right = (self._expression(side, op.indices) for side in op.sides)
                text = f"{left} {_COMPARISONS[op.predicate]} {right}"
                self._declare(op.result, text, "p")
            case task.ReadOp():
                self._emit_read(op)
            case task.SlotOp():
                self._out.line(f"int64_t {self._name(op.result, 'slot')} = 0;")
            case task.SlotLoadOp():
                self._declare(op.result, self._names[op.slot], "i")
            case task.SlotStoreOp():
                self._emit_slot_store(op)
            case arith.ConstantOp():
                assert isinstance(op.value, IntegerAttr)
                # xDSL's true is -1.
                self._declare(op.result, str(abs(op.value.value.data)), "p")
            case arith.AndIOp() | arith.OrIOp() | arith.XOrIOp():
                sign = _LOGIC[op.name]
                self._declare(op.result, f"{self._names[op.lhs]} {sign} {self._names[op.rhs]}", "p")
            case _:
                raise AssertionError(f"no C++ for {op.name}")

    def _declare(self, value: SSAValue, text: str, default: str) -> None:
        self._out.line(f"const int64_t {self._name(value, default)} = {text};")

    # ---- Structure ----

    def _emit_loop(self, op: task.LoopOp, ahead: str = "") -> None:
        lengths = [self._length(extent) for extent in op.extents]
        if op.checked is not None:
            self._check_lengths(op)
        heads: list[str] = []
        for value, length in zip(op.induction_values, lengths, strict=True):
            name = self._name(value, "i")
            heads.append(f"for (int64_t {name} = 0; {name} < {length}; ++{name})")
        *outer, inner = heads
        with self._iterations(op):
            for head in outer:
                self._out.line(head)
            with self._out.block(inner), self._axes(op.induction_values):
                if ahead:
                    self._out.line(ahead)
                self._begin_iteration(op)
                self._emit_block(op.body.block)

    @contextmanager
    def _iterations(self, op: Operation) -> Generator[None]:
        """Around a loop: the host knows the iterations of those in which a process sends."""
        if _sends(op):
            self._out.line(self._call("loop_begin"))
        yield
        if _sends(op):
            self._out.line(self._call("loop_end"))

    def _begin_iteration(self, op: Operation) -> None:
        if _sends(op):
            self._out.line(self._call("iteration"))

    def _length(self, extent: int | SSAValue) -> str:
        return str(extent) if isinstance(extent, int) else self._names[extent]

    def _check_lengths(self, op: task.LoopOp) -> None:
        for value, extent in zip(op.induction_values, op.extents, strict=True):
            if isinstance(extent, SSAValue):
                name = value.name_hint or "a loop"
                what = f"the length of axis '{name}'{origin(extent)}"
                self._refuse(f"{self._names[extent]} < 0", op, what, "at least 0", extent)

    @contextmanager
    def _axes(self, values: Sequence[SSAValue]) -> Generator[None]:
        """Names the loop variables in what is refused inside."""
        self._open += [(value.name_hint or "index", self._names[value]) for value in values]
        yield
        del self._open[len(self._open) - len(values) :]

    def _refuse(
        self, condition: str, op: Operation, what: str, expected: str, found: SSAValue | str
    ) -> None:
        number = found if isinstance(found, str) else self._names[found]
        refusal = Refusal(place(op), what, expected, number, tuple(self._open))
        emit_refusal(self._out, condition, refusal, self._stop)

    def _emit_seq(self, op: task.SeqOp) -> None:
        self._out.line(self._call("scope_begin"))
        self._emit_loop(op, ahead=self._call("part"))
        self._out.line(self._call("scope_end"))

    def _emit_sequential(self, op: task.SequentialOp) -> None:
        self._out.line(self._call("scope_begin"))
        for part in op.parts:
            self._out.line(self._call("part"))
            with self._out.block(""):
                self._emit_block(part.block)
        self._out.line(self._call("scope_end"))

    def _emit_cond(self, op: task.CondOp) -> None:
        with self._out.block(f"if ({self._names[op.condition]})"):
            self._emit_block(op.then.block)
        if op.otherwise.block.ops:
            with self._out.block("else"):
                self._emit_block(op.otherwise.block)

    def _emit_select(self, op: task.SelectOp) -> None:
        element, position = self._name(op.element, "e"), self._name(op.position, "k")
        box, length = self._boxes[op.row], str(op.length)
        with self._out.block(""):
            if op.bounds:
                low, high = (self._names[bound] for bound in op.bounds)
                if op.checked is not None:
                    self._check_bounds(op, low, high)
                self._out.line(f"const int64_t length = {high} - {low};")
                length = "length"
                box = box.part(op.axis, low, length)
            self._out.line(f"const pto_region row = {box.text};")
            self._out.line(f"pto_numbers chosen({length});")
            what = f"memory for the numbers of selection '{op.element.name_hint}'"
            self._refuse("!chosen.data", op, what, "room for them", length)
            self._out.line(self._read_call(op, "row", "chosen.data"))
            with (
                self._iterations(op),
                self._out.block(
                    f"for (int64_t {position} = 0; {position} < {length}; ++{position})"
                ),
                self._axes([op.element, op.position]),
            ):
                self._begin_iteration(op)
                self._out.line(f"const int64_t {element} = chosen.data[{position}];")
                self._emit_block(op.body.block)

    def _check_bounds(self, op: task.SelectOp, low: str, high: str) -> None:
        name = f"of selection '{op.element.name_hint or 'a row'}'"
        first, last = (origin(bound) for bound in op.bounds)
        self._refuse(f"{low} < 0", op, f"the begin {name}{first}", "at least 0", low)
        self._refuse(f"{high} < {low}", op, f"the end {name}{last}", "at least its begin", high)
        most = f"at most {op.length}, the elements of tensor '{tensor_of(op.row).tensor_name}'"
        self._refuse(f"{high} > {op.length}", op, f"the end {name}{last}", most, high)

    def _read_call(self, op: Operation, region: str, values: str) -> str:
        where = quoted(place(op))
        return f"if (!host->read(host->self, {where}, &{region}, {values})) {self._stop}"

    def _emit_read(self, op: task.ReadOp) -> None:
        name = self._name(op.result, "n")
        self._out.line(f"int64_t {name};")
        with self._out.block(""):
            self._out.line(f"const pto_region element = {self._boxes[op.source].text};")
            self._out.line(self._read_call(op, "element", f"&{name}"))

    def _emit_slot_store(self, op: task.SlotStoreOp) -> None:
        value, slot = self._names[op.value], op.slot.owner
        assert isinstance(slot, task.SlotOp)
        if op.checked is not None:
            condition = f"{value} < -{NUMBER_MAX} || {value} > {NUMBER_MAX}"
            what = f"the number for slot '{slot.slot_name}'"
            self._refuse(condition, op, what, "less than 2^40", op.value)
        self._out.line(f"{self._names[op.slot]} = {value};")

    # ---- Tasks ----

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
        numbers = ", ".join(self._names[number] for number in op.numbers)
        task_id = "id"
        if op.handle is not None:
            task_id = self._name(op.handle, "task")
            self._out.line(f"int64_t {task_id};")
        with self._out.block(""):
            self._out.line(f"const int64_t axes[] = {{{axes or '0'}}};")
            with self._out.block("const pto_region operands[] =", "};"):
                for value in values:
                    self._out.line(f"{self._boxes[value].text},")
            if numbers:
                self._out.line(f"const int64_t numbers[] = {{{numbers}}};")
            if after:
                self._out.line(f"const int64_t after[] = {{{after}}};")
            order = f"{len(op.after)}, {'after' if after else 'nullptr'}"
            self._out.line(
                f"const pto_task task = {{{number}, {self._sites[op]}, axes, operands, "
                f"{order}, nullptr, {'numbers' if numbers else 'nullptr'}}};"
            )
            declared = "" if op.handle is not None else "const int64_t "
            self._out.line(f"{declared}{task_id} = host->submit(host->self, &task);")
            self._out.line(f"if ({task_id} < 0) {self._stop}")

    # ---- Pipelines ----

    def _emit_pipeline(self, op: task.PipelineOp) -> None:
        channels = {channel: number for number, channel in enumerate(op.channels)}
        self._channels |= channels
        with self._out.block(""):
            with self._out.block("static const pto_channel channels[] =", "};"):
                for channel in channels:
                    texts = f"{quoted(channel.channel_name)}, {quoted(place(channel))}"
                    self._out.line(f"{{{texts}, {channel.depth}, {channel.width}}},")
            for inner in op.body.block.ops:
                if isinstance(inner, task.ProcessOp):
                    self._emit_process(inner, op.processes.index(inner))
                elif not isinstance(inner, task.ChannelOp):
                    self._out.locate(inner)
                    self._emit_op(inner)
            copies = [
                (number, replica)
                for number, process in enumerate(op.processes)
                for replica in range(process.replicas)
            ]
            frames = ", ".join(f"process_{number}({replica})" for number, replica in copies)
            self._out.line(f"const pto_frame frames[] = {{{frames}}};")
            with self._out.block("const pto_process processes[] =", "};"):
                for at, (number, replica) in enumerate(copies):
                    self._out.line(f"{self._process(op.processes[number], number, replica, at)},")
            sizes = f"{len(channels)}, channels, {len(copies)}, processes"
            self._out.line(f"const pto_pipeline pipeline = {{{quoted(place(op))}, {sizes}}};")
            self._out.line(f"if (!host->pipeline(host->self, &pipeline)) {self._stop}")

    def _process(self, op: task.ProcessOp, number: int, replica: int, frame: int) -> str:
        name = op.process_name if op.replicas == 1 else f"{op.process_name}[{replica}]"
        counts = f"{len(op.sends)}, {len(op.receives)}"
        ports = f"sends_{number}, receives_{number}"
        resumed = f"frames[{frame}].address(), pto_frame::resume"
        return f"{{{quoted(name)}, {quoted(place(op))}, {counts}, {ports}, {resumed}}}"

    def _emit_process(self, op: task.ProcessOp, number: int) -> None:
        for name, ports in (("sends", op.sends), ("receives", op.receives)):
            numbers = ", ".join(str(self._channels[channel]) for channel in ports) or "0"
            self._out.line(f"static const uint32_t {name}_{number}[] = {{{numbers}}};")
        self._out.locate(op)
        replica = f"[[maybe_unused]] int64_t {self._name(op.replica, 'replica')}"
        self._stop = "co_return;"
        with self._out.block(f"const auto process_{number} = [&]({replica}) -> pto_frame", "};"):
            self._emit_block(op.body.block)
            # A process without a channel call is one, too.
            self._out.line("co_return;")
        self._stop = "return 0;"

    def _emit_call(
        self, name: str, kind: str, channel: SSAValue, values: str, op: Operation
    ) -> None:
        number = self._channels[channel_of(channel)]
        fields = f"{kind}, 0, {number}, {values}, {quoted(place(op))}"
        self._out.line(f"pto_channel_call {name} = {{{fields}}};")
        self._out.line(f"co_await pto_pause{{&{name}}};")

    def _emit_send(self, op: task.SendOp) -> None:
        with self._out.block(""):
            values = ", ".join(self._names[value] for value in op.values)
            self._out.line(f"int64_t token[] = {{{values or '0'}}};")
            self._emit_call("send", "PTO_SEND", op.channel, "token", op)

    def _emit_consume(self, op: task.ConsumeOp) -> None:
        for value in op.values:
            self._name(value, "token")
        self._out.line(self._call("loop_begin"))
        with self._out.block("for (;;)"), self._axes(op.values):
            self._out.line(f"int64_t token[{max(1, len(op.values))}];")
            self._emit_call("receive", "PTO_RECEIVE", op.channel, "token", op)
            self._out.line("if (!receive.received) break;")
            self._out.line(self._call("iteration"))
            for number, value in enumerate(op.values):
                self._out.line(f"const int64_t {self._names[value]} = token[{number}];")
            self._emit_block(op.body.block)
            self._emit_call("done", "PTO_DONE", op.channel, "nullptr", op)
        self._out.line(self._call("loop_end"))

    def _call(self, service: str) -> str:
        return f"if (!host->{service}(host->self)) {self._stop}"

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


_COMPARISONS = {
    Predicate.EQ: "==",
    Predicate.NE: "!=",
    Predicate.LT: "<",
    Predicate.LE: "<=",
    Predicate.GT: ">",
    Predicate.GE: ">=",
}
_LOGIC = {"arith.andi": "&", "arith.ori": "|", "arith.xori": "^"}


def _sum(a: str, b: str) -> str:
    if a == "0":
        return b
    return a if b == "0" else f"{a} + {b}"


def _sends(op: Operation) -> bool:
    """Whether it is a loop of a process, with sends in it."""
    return process_of(op) is not None and any(isinstance(o, task.SendOp) for o in op.walk())
