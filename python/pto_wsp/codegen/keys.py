"""`schedule.key` to C++: a plan's functions of a task, in a translation unit of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from xdsl.dialects import arith
from xdsl.dialects.builtin import IntegerAttr, i1
from xdsl.ir import Operation, SSAValue

from pto_wsp.codegen.index_text import index_text
from pto_wsp.codegen.writer import Writer, place, quoted
from pto_wsp.dialects import task, tile
from pto_wsp.dialects.schedule_keys import AxisOp, IdOp, IsKernelOp, KeyOp, PlaceOp, YieldOp

DECLARATION = """\
extern "C" const uint32_t pto_key_count;
extern "C" const pto_key* const pto_keys;
"""
"""What the program's unit sees of the keys' unit."""


def emit_keys(
    out: Writer,
    keys: Sequence[KeyOp],
    launches: Sequence[task.LaunchOp],
    kernels: Sequence[tile.KernelOp],
) -> None:
    """Writes a function per key, and the table that the program's entry refers to."""
    out.line(DECLARATION)
    emitter = _KeyEmitter(out, launches, [kernel.symbol for kernel in kernels])
    for key in keys:
        emitter.emit(key)
    if keys:
        with out.block("static const pto_key keys[] =", "};"):
            for key in keys:
                out.line(f"{{{quoted(key.symbol)}, {quoted(place(key))}, {_function_name(key)}}},")
    out.line(f'extern "C" const uint32_t pto_key_count = {len(keys)};')
    out.line(f'extern "C" const pto_key* const pto_keys = {"keys" if keys else "nullptr"};')


def _function_name(key: KeyOp) -> str:
    return f"key_{key.symbol}"


class _KeyEmitter:
    def __init__(
        self, out: Writer, launches: Sequence[task.LaunchOp], kernels: Sequence[str]
    ) -> None:
        self._out = out
        self._launches = launches
        self._kernels = kernels
        self._tables: dict[str, str] = {}
        self._names: dict[SSAValue, str] = {}

    def emit(self, key: KeyOp) -> None:
        for op in key.body.block.ops:
            if isinstance(op, AxisOp) and op.axis not in self._tables:
                self._emit_table(op.axis)
        self._out.locate(key)
        with self._out.block(
            f"static int64_t {_function_name(key)}([[maybe_unused]] int64_t id, "
            "[[maybe_unused]] const pto_task* task)"
        ):
            for op in key.body.block.ops:
                if isinstance(op, YieldOp):
                    self._out.line(f"return {self._names[op.value]};")
                    break
                name = self._names[op.results[0]] = f"v{len(self._names)}"
                self._out.line(f"const int64_t {name} = {self._text(op)};")
        self._out.line()

    def _emit_table(self, axis: str) -> None:
        """Where the axis stands among those of each launch; -1: it has none of that name."""
        table = self._tables[axis] = f"axis_{len(self._tables)}"
        positions = (
            str(list(launch.axes).index(axis) if axis in launch.axes else -1)
            for launch in self._launches
        )
        self._out.line(f"// {axis}")
        self._out.line(f"static const int {table}[] = {{{', '.join(positions)}}};")

    def _text(self, op: Operation) -> str:
        names = [self._names.get(operand, "") for operand in op.operands]
        match op:
            case AxisOp():
                at = f"{self._tables[op.axis]}[task->site]"
                return f"{at} < 0 ? {op.default} : task->axes[{at}]"
            case IdOp():
                return "id"
            case IsKernelOp():
                if op.kernel not in self._kernels:  # nothing launches it
                    return "0"
                return f"task->kernel == {self._kernels.index(op.kernel)}"
            case PlaceOp():
                return self._place(op)
            case task.IndexOp():
                return index_text(op.expr, names)
            case arith.ConstantOp():
                number = cast(IntegerAttr, op.value).value.data
                # xDSL's true is -1.
                return str(abs(number) if op.result.type == i1 else number)
            case arith.CmpiOp():
                return f"{names[0]} {_COMPARISONS[op.predicate.value.data]} {names[1]}"
            case arith.SelectOp():
                return f"{names[0]} ? {names[1]} : {names[2]}"
            case _:
                return _ARITHMETIC[op.name].format(*names)

    def _place(self, op: PlaceOp) -> str:
        self._out.line("int64_t at = 0;")
        for axis, extent in enumerate(op.grid):
            counts = ", ".join(str(len(launch.axes)) for launch in self._launches)
            with self._out.block(""):
                self._out.line(f"static const int counts[] = {{{counts}}};")
                value = f"{axis} < counts[task->site] ? task->axes[{axis}] : 0"
                self._out.line(f"at = at * {extent} + pto_mod({value}, {extent});")
        return "at"


_COMPARISONS = {0: "==", 1: "!=", 2: "<", 3: "<=", 4: ">", 5: ">="}
"""By the number of arith.cmpi's predicate: eq ne slt sle sgt sge."""
_ARITHMETIC = {
    "arith.addi": "{0} + {1}",
    "arith.subi": "{0} - {1}",
    "arith.muli": "{0} * {1}",
    "arith.minsi": "{0} < {1} ? {0} : {1}",
    "arith.maxsi": "{0} < {1} ? {1} : {0}",
    "arith.andi": "{0} & {1}",
    "arith.ori": "{0} | {1}",
    "arith.xori": "{0} ^ {1}",
}
