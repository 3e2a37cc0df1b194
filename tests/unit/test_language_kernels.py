"""Kernels as users write them: what is traced, and how each mistake is told."""

from pathlib import Path
from typing import Any

import pytest

from pto_wsp import DType, In, InOut, Out, Tile, TraceError, jit_kernel, kernel, tl

F16, F32, I32 = DType.F16, DType.F32, DType.I32


def line_of(mark: str) -> int:
    """The line of this file that ends in the comment `# <mark>`."""
    lines = Path(__file__).read_text().splitlines()
    found = [number for number, line in enumerate(lines, 1) if line.endswith(f"# {mark}")]
    assert len(found) == 1, f"{mark} marks {len(found)} lines"
    return found[0]


def assert_refused(traced: Any, mark: str, *words: str) -> None:
    """The kernel is refused at the marked line, with a message that holds all the words."""
    with pytest.raises(TraceError) as caught:
        _ = traced.ops
    text = str(caught.value)
    assert f"test_language_kernels.py:{line_of(mark)}: " in text
    for word in words:
        assert word in text


# ---- What is traced ----------------------------------------------------------------------------


def test_calls_are_the_names_called_and_ops_are_all_ops() -> None:
    @jit_kernel
    def silu(x: In[Tile[4, 8, F32]], y: Out[Tile[4, 8, F32]]):
        tl.store(y, tl.div(x, tl.exp(tl.neg(x)) + 1.0))

    assert silu.calls == ("neg", "exp", "div", "store")
    assert silu.ops == ("load", "neg", "exp", "constant", "add", "div", "store")


def test_an_in_parameter_is_loaded_once_and_an_inout_again_after_a_store() -> None:
    @jit_kernel
    def once(x: In[Tile[4, 8, F32]], y: InOut[Tile[4, 8, F32]]):
        tl.store(y, x + x + y)
        tl.store(y, x * y)

    assert once.ops == ("load", "add", "load", "add", "store", "load", "mul", "store")


def test_helpers_compose_and_python_loops_unroll() -> None:
    def twice(v: Any) -> Any:
        return v + v

    @jit_kernel
    def eight_times(x: In[Tile[1, 4, F32]], y: Out[Tile[1, 4, F32]]):
        v = x
        for _ in range(3):
            v = twice(v)
        tl.store(y, v)

    assert eight_times.ops == ("load", "add", "add", "add", "store")


def test_an_operation_is_located_at_the_innermost_user_line() -> None:
    def helper(v: Any) -> Any:
        return tl.exp(v)  # helper line

    @jit_kernel
    def located(x: In[Tile[1, 4, F32]], y: Out[Tile[1, 4, F32]]):
        tl.store(y, helper(x))

    exp = next(op for op in located.op().body.block.ops if op.name == "tile.exp")
    assert f":{line_of('helper line')}:" in str(exp.location)
    assert "/" not in str(exp.location), "the same name in any clone of the source"


def test_a_number_takes_the_dtype_of_the_tile_beside_it() -> None:
    @jit_kernel
    def halves(x: In[Tile[1, 4, F16]], y: Out[Tile[1, 4, F16]]):
        v = 1.0 - x
        assert v.dtype is F16
        assert (v + tl.cast(x, F32)).dtype is F32
        tl.store(y, v)

    assert halves.ops[-1] == "store"


def test_kernel_is_another_name_and_units_are_declared() -> None:
    @kernel(unit="cube")
    def declared(x: In[Tile[1, 4, F32]], y: Out[Tile[1, 4, F32]]):
        tl.store(y, x)

    assert declared.unit == "cube"
    assert "unit(cube)" in str(declared.op())


def test_slices_keep_two_axes() -> None:
    @jit_kernel
    def parts(x: In[Tile[8, 16, F32]], y: Out[Tile[8, 16, F32]]):
        v = x + 0.0
        assert v[:, 3:7].shape == (8, 4)
        assert v[-1].shape == (1, 16)
        assert v[:, -1:].shape == (8, 1)
        assert tl.slice_odd(v).shape == (8, 8)
        tl.store(y, v)

    assert parts.ops.count("slice") == 4


# ---- Mistakes ----------------------------------------------------------------------------------


def test_shapes_that_do_not_broadcast() -> None:
    @jit_kernel
    def k(x: In[Tile[4, 8, F32]], z: In[Tile[4, 7, F32]], y: Out[Tile[4, 8, F32]]):
        tl.store(y, tl.add(x, z))  # broadcast

    assert_refused(k, "broadcast", "tl.add", "4x8", "4x7")


def test_inner_extents_of_a_matmul() -> None:
    @jit_kernel
    def k(x: In[Tile[4, 8, F16]], w: In[Tile[9, 8, F16]], y: Out[Tile[4, 8, F32]]):
        tl.store(y, x @ w)  # inner

    assert_refused(k, "inner", "4x8", "9x8")


def test_dtypes_of_a_matmul() -> None:
    @jit_kernel
    def k(x: In[Tile[4, 8, F16]], w: In[Tile[8, 8, F32]], y: Out[Tile[4, 8, F32]]):
        tl.store(y, tl.matmul(x, w))  # dtypes

    assert_refused(k, "dtypes", "tl.matmul", "f16", "f32")


def test_an_unknown_name_gets_a_suggestion() -> None:
    @jit_kernel
    def k(x: In[Tile[4, 8, F32]], y: Out[Tile[4, 8, F32]]):
        tl.store(y, tl.rowsums(x))  # unknown

    assert_refused(k, "unknown", "there is no tl.rowsums", "tl.rowsum")


def test_if_on_a_symbolic_value() -> None:
    @jit_kernel
    def k(x: In[Tile[4, 8, F32]], y: Out[Tile[4, 8, F32]]):
        if x > 0.0:  # if
            tl.store(y, x)

    assert_refused(k, "if", "tl.where")


def test_int_len_and_iteration_on_a_symbolic_value() -> None:
    @jit_kernel
    def to_int(x: In[Tile[4, 8, F32]], y: Out[Tile[4, 8, F32]]):
        tl.store(y, int(x))  # int

    @jit_kernel
    def length(x: In[Tile[4, 8, F32]], y: Out[Tile[4, 8, F32]]):
        tl.store(y, len(x))  # len

    @jit_kernel
    def iterate(x: In[Tile[4, 8, F32]], y: Out[Tile[4, 8, F32]]):
        for row in x:  # iterate
            tl.store(y, row)

    assert_refused(to_int, "int", "int()")
    assert_refused(length, "len", ".shape")
    assert_refused(iterate, "iterate", "slice")


def test_reading_out_and_writing_in() -> None:
    @jit_kernel
    def reads(y: Out[Tile[4, 8, F32]]):
        tl.store(y, y + 1.0)  # reads

    @jit_kernel
    def writes(x: In[Tile[4, 8, F32]], y: Out[Tile[4, 8, F32]]):
        tl.store(x, 1.0)  # writes

    assert_refused(reads, "reads", "'y' is Out")
    assert_refused(writes, "writes", "'x' is In")


def test_an_out_parameter_that_is_never_stored_to() -> None:
    @jit_kernel  # never
    def k(x: In[Tile[4, 8, F32]], y: Out[Tile[4, 8, F32]]):
        tl.exp(x)

    assert_refused(k, "never", "'k'", "'y'")


def test_a_store_of_the_wrong_shape() -> None:
    @jit_kernel
    def k(x: In[Tile[4, 8, F32]], y: Out[Tile[4, 4, F32]]):
        tl.store(y, x)  # store

    assert_refused(k, "store", "4x8", "4x4")


def test_a_slice_beyond_the_tile() -> None:
    @jit_kernel
    def k(x: In[Tile[4, 8, F32]], y: Out[Tile[4, 4, F32]]):
        tl.store(y, x[:, 6:10])  # beyond

    assert_refused(k, "beyond", "10", "8")


def test_annotations_as_text_are_explained() -> None:
    source = (
        "from __future__ import annotations\n"
        "from pto_wsp import DType, In, Out, Tile, jit_kernel, tl\n"
        "@jit_kernel\n"
        "def k(x: In[Tile[4, 8, DType.F32]], y: Out[Tile[4, 8, DType.F32]]):\n"
        "    tl.store(y, x)\n"
    )
    with pytest.raises(TraceError, match=r"text\.py:3: .*from __future__ import annotations"):
        exec(compile(source, "text.py", "exec"), {"__name__": "text"})


def test_signatures_that_are_none() -> None:
    with pytest.raises(TraceError, match="needs an annotation"):

        @jit_kernel
        def bare(x, y: Out[Tile[1, 1, F32]]):  # type: ignore[no-untyped-def]
            tl.store(y, x)

    with pytest.raises(TraceError, match="writes nothing"):

        @jit_kernel
        def reader(x: In[Tile[1, 1, F32]]):
            tl.exp(x)

    with pytest.raises(TraceError, match="Tile\\[rows, columns, dtype\\]"):
        _ = Tile[4, 8]
    with pytest.raises(TraceError, match="at least 1"):
        _ = Tile[0, 8, F32]


def test_tl_outside_of_a_kernel() -> None:
    with pytest.raises(TraceError, match="inside a @jit_kernel function only"):
        tl.constant(1.0)


def test_a_tile_of_another_kernel() -> None:
    kept: list[Any] = []

    @jit_kernel
    def keeps(x: In[Tile[1, 16, F32]], y: Out[Tile[1, 16, F32]]):
        kept.append(x * 2)  # made here
        tl.store(y, x)

    @jit_kernel
    def uses(x: In[Tile[1, 16, F32]], y: Out[Tile[1, 16, F32]]):
        tl.store(y, kept[0] + x)  # used here

    _ = keeps.ops
    made = f"(made at test_language_kernels.py:{line_of('made here')}:"
    assert_refused(uses, "used here", "a tile of another kernel", made)
