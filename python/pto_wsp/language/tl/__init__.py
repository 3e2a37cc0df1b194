"""What a kernel computes with: functions over tiles.

A tile has two axes, rows (R) and columns (C). A wrong shape or dtype raises TraceError with the
user's line; a wrong value, such as an index out of range, is an ExecutionError when the task runs.
"""

from __future__ import annotations

import difflib
from typing import NoReturn

from pto_wsp.language import kernel_trace as _trace
from pto_wsp.language.source import fail as _fail
from pto_wsp.language.tl.axes import (
    Ordered,
    argmax,
    colmax,
    colmean,
    colmin,
    colsum,
    cumsum,
    gather,
    rowmax,
    rowmean,
    rowmin,
    rowsum,
    sort,
    topk,
)
from pto_wsp.language.tl.composites import dequantize, layernorm, rmsnorm, softmax
from pto_wsp.language.tl.elements import (
    abs,
    add,
    cast,
    coladd,
    colmul,
    cos,
    div,
    erf,
    exp,
    gelu,
    log,
    maximum,
    minimum,
    mul,
    neg,
    pow,
    relu,
    rowadd,
    rowmul,
    rsqrt,
    sigmoid,
    silu,
    sin,
    sqrt,
    sub,
    tanh,
    where,
)
from pto_wsp.language.tl.loops import range
from pto_wsp.language.tl.memory import (
    alloc,
    constant,
    debug,
    full,
    gather_rows,
    iota,
    load,
    scatter_rows,
    store,
)
from pto_wsp.language.tl.record import names as _names
from pto_wsp.language.tl.shapes import (
    broadcast,
    concat,
    interleave,
    matmul,
    reshape,
    slice,
    slice_even,
    slice_odd,
    transpose,
)

__all__ = [
    "Ordered",
    "abs",
    "add",
    "alloc",
    "argmax",
    "broadcast",
    "cast",
    "coladd",
    "colmax",
    "colmean",
    "colmin",
    "colmul",
    "colsum",
    "concat",
    "constant",
    "cos",
    "cumsum",
    "debug",
    "dequantize",
    "div",
    "erf",
    "exp",
    "full",
    "gather",
    "gather_rows",
    "gelu",
    "interleave",
    "iota",
    "layernorm",
    "load",
    "log",
    "matmul",
    "maximum",
    "minimum",
    "mul",
    "neg",
    "pow",
    "range",
    "relu",
    "reshape",
    "rmsnorm",
    "rowadd",
    "rowmax",
    "rowmean",
    "rowmin",
    "rowmul",
    "rowsum",
    "rsqrt",
    "scatter_rows",
    "sigmoid",
    "silu",
    "sin",
    "slice",
    "slice_even",
    "slice_odd",
    "softmax",
    "sort",
    "sqrt",
    "store",
    "sub",
    "tanh",
    "topk",
    "transpose",
    "where",
]


def __getattr__(name: str) -> NoReturn:
    if name.startswith("__") or not _trace.is_tracing():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    close = difflib.get_close_matches(name, _names, 3)
    hint = f"did you mean {', '.join(f'tl.{c}' for c in close)}?" if close else ""
    _fail(f"there is no tl.{name}; {hint or 'known: ' + ', '.join(_names)}")


def __dir__() -> list[str]:
    return sorted(_names)
