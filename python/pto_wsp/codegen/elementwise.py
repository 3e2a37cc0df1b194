"""Element-wise tile ops as C++: one loop nest for a chain of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from xdsl.ir import Attribute, Operation, SSAValue

from pto_wsp.codegen.index_text import index_text
from pto_wsp.codegen.values import Buffer, c_number, c_type, rounded
from pto_wsp.codegen.writer import Writer
from pto_wsp.dialects import tile
from pto_wsp.dialects.dtypes import dtype_info, is_float
from pto_wsp.dialects.tile import Predicate, tile_type

_UNARY: dict[type[Operation], str] = {
    tile.NegOp: "-{0}",
    tile.ExpOp: "pto_exp({0})",
    tile.SqrtOp: "__builtin_sqrtf({0})",
    tile.RsqrtOp: "pto_rsqrt({0})",
    tile.SigmoidOp: "pto_sigmoid({0})",
    tile.LogOp: "pto_log({0})",
    tile.TanhOp: "pto_tanh({0})",
    tile.SinOp: "pto_sin({0})",
    tile.CosOp: "pto_cos({0})",
    tile.ErfOp: "pto_erf({0})",
    tile.AbsOp: "__builtin_fabsf({0})",
    tile.ReluOp: "pto_maximum({0}, 0.0f)",
}
_BINARY: dict[type[Operation], str] = {
    tile.AddOp: "{0} + {1}",
    tile.SubOp: "{0} - {1}",
    tile.MulOp: "{0} * {1}",
    tile.DivOp: "{0} / {1}",
    tile.MaximumOp: "pto_maximum({0}, {1})",
    tile.MinimumOp: "pto_minimum({0}, {1})",
    tile.PowOp: "pto_pow({0}, {1})",
}
_DOUBLE: dict[type[Operation], str] = {
    tile.SqrtOp: "__builtin_sqrt({0})",
    tile.AbsOp: "__builtin_fabs({0})",
    tile.ReluOp: "pto_maximum({0}, 0.0)",
}
"""Where f64 is written in another way than the floats that are held as float."""
_INTEGER: dict[type[Operation], str] = {
    tile.AbsOp: "{0} < 0 ? -{0} : {0}",
    tile.ReluOp: "{0} > 0 ? {0} : 0",
    tile.MaximumOp: "{0} > {1} ? {0} : {1}",
    tile.MinimumOp: "{0} < {1} ? {0} : {1}",
}
"""Where integers are written in another way than floats."""
_UNSIGNED: dict[type[Operation], str] = {tile.AbsOp: "{0}", tile.ReluOp: "{0}"}
_COMPARISON: dict[Predicate, str] = {
    Predicate.EQ: "==",
    Predicate.NE: "!=",
    Predicate.LT: "<",
    Predicate.LE: "<=",
    Predicate.GT: ">",
    Predicate.GE: ">=",
}


def is_element_wise(op: Operation) -> bool:
    """True for the ops that `emit_loop` can write."""
    others = (
        tile.ConstantOp,
        tile.IotaOp,
        tile.NumberOp,
        tile.CompareOp,
        tile.SelectOp,
        tile.CastOp,
        tile.BroadcastOp,
    )
    return type(op) in _UNARY or type(op) in _BINARY or isinstance(op, others)


def emit_loop(
    out: Writer,
    ops: Sequence[Operation],
    results: Sequence[tuple[SSAValue, Buffer]],
    buffer_of: Callable[[SSAValue], Buffer],
    numbers: Mapping[SSAValue, str],
) -> None:
    """Writes one loop nest over rows and columns that computes `ops` and stores `results`.

    `buffer_of` tells where a value lies that is computed outside, `numbers` has the C++ names of
    the numbers of loops around it. The nest has the shape of the
    results; what has a single column is computed once per row.
    """
    rows = max(buffer.shape[0] for _, buffer in results)
    cols = max(buffer.shape[1] for _, buffer in results)
    _LoopNest(out, ops, results, buffer_of, numbers).emit(rows, cols)


class _LoopNest:
    def __init__(
        self,
        out: Writer,
        ops: Sequence[Operation],
        results: Sequence[tuple[SSAValue, Buffer]],
        buffer_of: Callable[[SSAValue], Buffer],
        numbers: Mapping[SSAValue, str],
    ) -> None:
        self._out = out
        self._ops = ops
        self._results = results
        self._buffer_of = buffer_of
        self._numbers = numbers
        self._names: dict[SSAValue, str] = {}
        self._inside = {result for op in ops for result in op.results}

    def emit(self, rows: int, cols: int) -> None:
        with self._out.block(f"for (int64_t r = 0; r < {rows}; ++r)"):
            self._bind_inputs()
            self._compute(per_row=True)
            self._store(per_row=True)
            if cols > 1:
                with self._out.block(f"for (int64_t c = 0; c < {cols}; ++c)"):
                    self._compute(per_row=False)
                    self._store(per_row=False)

    def _bind_inputs(self) -> None:
        outside = [v for op in self._ops for v in op.operands if v not in self._inside]
        inputs = dict.fromkeys(v for v in outside if v not in self._numbers)
        for number, value in enumerate(inputs):
            buffer = self._buffer_of(value)
            kind, name = c_type(buffer.element_type), f"x{number}"
            if _per_row(value):
                self._out.line(f"const {kind} {name} = ({buffer.row('r')})[0];")
                self._names[value] = name
            else:
                self._out.line(f"const {kind}* {name} = {buffer.row('r')};")
                self._names[value] = f"{name}[{buffer.col('c')}]"
        for number, (value, buffer) in enumerate(self._results):
            if not _per_row(value):
                kind = c_type(buffer.element_type)
                self._out.line(f"{kind}* __restrict y{number} = {buffer.row('r')};")

    def _compute(self, *, per_row: bool) -> None:
        for op in self._ops:
            result = op.results[0]
            if _per_row(result) != per_row:
                continue
            if isinstance(op, tile.ConstantOp):
                self._names[result] = c_number(op.number, op.type.element_type)
                continue
            name = f"t{len(self._names)}"
            self._out.line(
                f"const {c_type(tile_type(result).element_type)} {name} = {self._expression(op)};"
            )
            self._names[result] = name

    def _store(self, *, per_row: bool) -> None:
        for number, (value, buffer) in enumerate(self._results):
            if _per_row(value) != per_row:
                continue
            target = f"({buffer.row('r')})[0]" if per_row else f"y{number}[{buffer.col('c')}]"
            self._out.line(f"{target} = {self._names[value]};")

    def _expression(self, op: Operation) -> str:
        operands = [self._names[v] for v in op.operands if v in self._names]
        element_type = tile_type(op.results[0]).element_type
        match op:
            case tile.IotaOp():
                counter = "r" if op.axis.data == 0 else "c"
                # What has one column is computed outside the column loop: its column is 0.
                return (
                    "0"
                    if op.axis.data == 1 and op.type.cols == 1
                    else f"({c_type(element_type)}){counter}"
                )
            case tile.NumberOp():
                index = index_text(op.index, [self._numbers[index] for index in op.indices])
                return f"({c_type(element_type)}){index}"
            case tile.CompareOp():
                return f"{operands[0]} {_COMPARISON[op.predicate.data]} {operands[1]}"
            case tile.SelectOp():
                return f"{operands[0]} ? {operands[1]} : {operands[2]}"
            case tile.CastOp():
                return _cast(operands[0], op)
            case tile.BroadcastOp():
                return operands[0]
            case _:
                pattern = _patterns(element_type)[type(op)]
                return rounded(pattern.format(*operands), element_type)


def _patterns(element_type: Attribute) -> dict[type[Operation], str]:
    """How ops on a dtype are written."""
    info = dtype_info(element_type)
    if info.kind == "float":
        return _UNARY | _BINARY | (_DOUBLE if info.name == "f64" else {})
    return _UNARY | _BINARY | _INTEGER | (_UNSIGNED if info.name[0] == "u" else {})


def _per_row(value: SSAValue) -> bool:
    return tile_type(value).cols == 1


def _cast(operand: str, op: tile.CastOp) -> str:
    source, target = tile_type(op.source).element_type, op.type.element_type
    if dtype_info(target).kind == "bool":
        return f"{operand} != 0"
    if is_float(target):
        return _cast_to_float(operand, source, target)
    if is_float(source):
        return f"pto_to<{c_type(target)}>({operand})"
    return f"({c_type(target)}){operand}"


def _cast_to_float(operand: str, source: Attribute, target: Attribute) -> str:
    """Rounded once: what a float cannot hold goes to a narrower dtype without meeting it."""
    if (kind := c_type(target)) == c_type(source):
        return rounded(operand, target)
    wide = dtype_info(source).bytes > 2 and dtype_info(target).bytes < 4
    return rounded(f"pto_odd_float({operand})" if wide else f"({kind}){operand}", target)
