"""Mistakes in kernels: each is refused where it is made, in words that say what was expected."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pto_wsp import DType, In, InOut, Out, Tile, TraceError, jit_kernel, pto, tl

F32, I32, F8 = DType.F32, DType.I32, DType.F8E4M3

MISTAKES: dict[str, tuple[Callable[[Any, Any], Any], tuple[str, ...]]] = {
    "add": (lambda x, n: tl.add(x, n), ("tl.add", "f32", "i32")),
    "shapes": (lambda x, n: x[0:2] + x[0:3], ("do not broadcast", "2x8", "3x8")),
    "rowmul": (lambda x, n: tl.rowmul(x, x), ("tl.rowmul", "4x1", "4x8")),
    "rowadd": (lambda x, n: tl.rowadd(x, x[0:1]), ("tl.rowadd", "4x1", "1x8")),
    "colmul": (lambda x, n: tl.colmul(x, x[:, 0:1]), ("tl.colmul", "1x8", "4x1")),
    "coladd": (lambda x, n: tl.coladd(3.0, x), ("tl.coladd", "a tile", "3.0")),
    "broadcast": (lambda x, n: tl.broadcast(x, (8, 8)), ("tl.broadcast", "4x8", "8x8")),
    "broadcast_shape": (lambda x, n: tl.broadcast(x, 8), ("(rows, columns)", "8")),
    "reshape": (lambda x, n: tl.reshape(x, (5, 5)), ("32 elements", "25")),
    "full": (lambda x, n: tl.full((0, 8), 1), ("tl.full", "at least 1", "(0, 8)")),
    "full_number": (lambda x, n: tl.full((1, 8), 0.5, I32), ("tl.full", "0.5", "i32")),
    "full_text": (lambda x, n: tl.full((1, 8), "1"), ("tl.full", "a number", "'1'")),
    "alloc": (lambda x, n: tl.alloc((1, 8), "f32"), ("DType", "'f32'")),
    "rowsum": (lambda x, n: tl.rowsum(x > 0.0), ("tl.rowsum", "i1")),
    "rowmean": (lambda x, n: tl.rowmean(n), ("tl.rowmean", "floats", "i32")),
    "colmean": (lambda x, n: tl.colmean(n), ("tl.colmean", "floats", "i32")),
    "softmax": (lambda x, n: tl.softmax(n), ("tl.softmax", "floats", "i32")),
    "rmsnorm": (lambda x, n: tl.rmsnorm(x, x), ("tl.rmsnorm", "gamma of 1x8", "4x8")),
    "layernorm": (lambda x, n: tl.layernorm(x, x[0:1], n), ("beta of 1x8", "4x1")),
    "cumsum": (lambda x, n: tl.cumsum(x, 2), ("tl.cumsum", "axis", "2")),
    "argmax": (lambda x, n: tl.argmax(1.0), ("tl.argmax", "a tile", "1.0")),
    "sort": (lambda x, n: tl.sort(x > 0.0), ("tl.sort", "i1")),
    "topk": (lambda x, n: tl.topk(x, 9), ("tl.topk", "1..8", "9")),
    "topk_type": (lambda x, n: tl.topk(x, 2.0), ("tl.topk", "an integer", "2.0")),
    "gather": (lambda x, n: tl.gather(x, x), ("tl.gather", "i32", "4x8xf32")),
    "gather_rows": (lambda x, n: tl.gather_rows(x, x), ("tl.gather_rows", "i32", "4x8xf32")),
    "scatter_in": (lambda x, n: tl.scatter_rows(x, x, n), ("'x' is In", "InOut")),
    "scatter_tile": (lambda x, n: tl.scatter_rows(x + x, x, n), ("a parameter",)),
    "slice_odd": (lambda x, n: tl.slice_odd(n), ("tl.slice_odd", "4x1")),
    "slice": (lambda x, n: tl.slice(x + x, (0, 4), (4, 8)), ("tl.slice", "4x8 at [0, 4]")),
    "interleave": (lambda x, n: tl.interleave(x, n), ("4x8xf32", "4x1xi32")),
    "concat": (lambda x, n: tl.concat(x, x), ("tl.concat", "too many", "it takes parts")),
    "concat_one": (lambda x, n: tl.concat(x), ("one list", "tl.concat([a, b])")),
    "matmul": (lambda x, n: tl.matmul(x, x), ("inner extents", "4x8 times 4x8")),
    "acc": (lambda x, n: tl.matmul(x, x, acc=x, transpose_b=True), ("4x4xf32", "4x8xf32")),
    "load": (lambda x, n: tl.load(x, [0, 4], [4, 8]), ("4x8 at [0, 4]", "4x8")),
    "load_offsets": (lambda x, n: tl.load(x, [0], [4, 8]), ("two offsets", "[0]")),
    "load_tile": (lambda x, n: tl.load(x + x), ("tl.load", "a parameter")),
    "fp8": (lambda x, n: tl.exp(tl.cast(x, F8)), ("tl.exp", "f8e4m3", "cast it to f32")),
    "fp8_sum": (lambda x, n: tl.rowmean(tl.cast(x, F8)), ("tl.rowmean", "f8e4m3")),
    "fp8_number": (lambda x, n: tl.cast(x, F8) + 1.0, ("+: f8e4m3", "tl.cast")),
    "fp8_mixed": (lambda x, n: tl.cast(x, F8) + x, ("no common dtype", "f8E4M3FN", "f32")),
    "u8_number": (lambda x, n: tl.cast(n, DType.U8) + 256, ("256", "0..255", "u8")),
    "unsigned": (lambda x, n: tl.cast(n, DType.U8) - tl.cast(n, DType.I8), ("ui8", "i8")),
    "matmul_f64": (lambda x, n: tl.cast(x, DType.F64) @ x, ("one dtype", "f64 and f32")),
    "dequantize": (lambda x, n: tl.dequantize(x, x), ("f8e4m3, f8e5m2, i8, u8", "f32")),
    "scales": (lambda x, n: tl.dequantize(tl.cast(x, F8), x), ("1x1 f32", "128x128", "4x8 f32")),
    "blocks": (
        lambda x, n: tl.dequantize(tl.cast(x, F8), x, (0, 1)),
        ("(rows, columns)", "(0, 1)"),
    ),
    "where": (lambda x, n: tl.where(x, x, x), ("mask", "i1", "4x8xf32")),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_refused_at_its_line(name: str) -> None:
    body, words = MISTAKES[name]

    @jit_kernel
    def wrong(x: In[Tile[4, 8, F32]], n: In[Tile[4, 1, I32]], y: InOut[Tile[4, 8, F32]]):
        tl.store(y, body(x, n))

    with pytest.raises(TraceError) as caught:
        _ = wrong.ops
    text = str(caught.value)
    line = body.__code__.co_firstlineno
    assert f"{Path(__file__).name}:{line}: " in text
    for word in words:
        assert word in text


def test_scattered_rows_leave_others_as_they_are() -> None:
    @jit_kernel
    def out(x: In[Tile[4, 8, F32]], n: In[Tile[4, 1, I32]], y: Out[Tile[4, 8, F32]]):
        tl.scatter_rows(y, x, n)

    assert out.ops == ("load", "load", "store")


def test_composites_count_as_one_call_and_leave_primitives() -> None:
    @jit_kernel
    def k(x: In[Tile[4, 8, F32]], y: Out[Tile[4, 8, F32]]):
        pto.store(y, pto.softmax(x))

    assert pto is tl
    assert k.calls == ("softmax", "store")
    assert k.ops == ("load", "rowmax", "sub", "exp", "rowsum", "div", "store")
