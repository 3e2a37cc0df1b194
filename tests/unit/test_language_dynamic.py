"""Numbers that only a run knows: what is traced of them, and how each mistake is told."""

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pto_wsp import (
    CSR,
    CompileError,
    Dense,
    DenseDyn,
    DType,
    ExecutionError,
    In,
    Out,
    P,
    Ragged,
    Sparse,
    Symbol,
    Tensor,
    Tile,
    TraceError,
    jit_kernel,
    sequential,
    slot,
    slot_load,
    slot_set,
    tl,
    workload,
)

F32, I32 = DType.F32, DType.I32
ITEM, HALF = Dense[4]("i"), Dense[2]("j")


@jit_kernel
def copy(x: In[Tile[1, 8, F32]], y: Out[Tile[1, 8, F32]]):
    tl.store(y, x)


@jit_kernel
def copy_numbers(x: In[Tile[1, 4, I32]], y: Out[Tile[1, 4, I32]]):
    tl.store(y, x)


def rows() -> tuple[Tensor, Tensor]:
    return Tensor.empty((4, 8), F32, name="x"), Tensor.empty((4, 8), F32, name="y")


def lengths(*values: int) -> Tensor:
    return Tensor(data=np.array(values or (1, 0, 2, 3), np.int32), name="lengths")


def line_of(mark: str) -> int:
    lines = Path(__file__).read_text().splitlines()
    found = [number for number, line in enumerate(lines, 1) if line.endswith(f"# {mark}")]
    assert len(found) == 1, f"{mark} marks {len(found)} lines"
    return found[0]


def assert_refused(body: Callable[[], Any], mark: str, *words: str) -> None:
    """Tracing `body` as a workload fails at the marked line."""

    @workload
    def refused():
        body()

    with pytest.raises(TraceError) as caught:
        refused()
    for word in (f"test_language_dynamic.py:{line_of(mark)}: ", *words):
        assert word in str(caught.value)


def text(made: Any) -> str:
    return str(made.module())


# ---- What is traced ----------------------------------------------------------------------------


def test_symbols_stand_in_indices_and_lengths() -> None:
    x, y = rows()
    n = Symbol("n", 8, most=64)

    @workload
    def w():
        for t in P(DenseDyn[(n + 15) // 16]("t"), DenseDyn[3]("u")):
            copy[t[0]](x=x[n % 4], y=y[t[1]])

    made = text(w())
    assert '%n = task.symbol "n" from 0 to 64 default 8' in made
    assert '%u = task.symbol "u" from 0 to 1099511627775 default 3' in made
    assert "task.index [(%n + 15) floordiv 16]" in made
    assert "task.view %x[%n mod 4, 0] [1, 8]" in made


def test_one_symbol_may_be_declared_twice() -> None:
    x, y = rows()

    @workload
    def w():
        for _ in P(DenseDyn[3]("n")):
            copy(x=x[0], y=y[0])
        for _ in P(DenseDyn[3]("n")):
            copy(x=x[0], y=y[0])

    assert text(w()).count("task.symbol") == 1
    assert w().task_counts({"n": 5}) == {"copy": 10}
    with pytest.raises(ExecutionError, match="no symbol 'm'; its symbols: n"):
        w().task_counts({"m": 5})
    with pytest.raises(ExecutionError, match=r"symbol 'n': expected 0\.\..*found -5"):
        w().task_counts({"n": -5})


def test_a_chain_reads_where_it_decides() -> None:
    x, y = rows()
    sizes = lengths()

    @workload
    def w():
        for i in P(ITEM):
            with P.when(i < 2):
                copy[i](x=x[i], y=y[i])
            with P.elsewhen(sizes[i] == 3):
                copy[i](x=x[i], y=y[0])
            with P.otherwise():
                copy[i](x=x[0], y=y[i])

    made = text(w())
    assert made.index("} else {") < made.index("task.read")
    assert w().task_counts() == {"copy": 4}


def test_nested_loops_of_one_axis() -> None:
    sizes = lengths(2, 0, 1, 1)
    x, y = rows()

    @workload
    def w():
        for outer in P(ITEM):
            for inner, t in P(ITEM, Ragged[ITEM, sizes]("t")):
                copy[outer, inner + 0, t](x=x[outer], y=y[inner])
            for t in P(Ragged[ITEM, sizes]("t")):
                copy[outer, t](x=x[outer], y=y[0])

    assert w().task_counts() == {"copy": 4 * 4 + 4}


def test_counts_where_they_are_known() -> None:
    x, y = rows()
    given, computed = lengths(), Tensor.empty((4,), I32, name="computed")
    csr = CSR(
        Tensor(data=np.array([0, 2, 2, 3, 4], np.int64), name="indptr"),
        Tensor(data=np.array([1, 3, 0, 2], np.int64), name="indices"),
    )

    @workload
    def known():
        for i, _ in P(ITEM, Sparse[ITEM, csr]("c")):
            copy[i](x=x[i], y=y[i])
        for i, k in P(ITEM, Ragged[ITEM, given]("k")):
            slot_set("n", slot("n") + 1)
            with P.when((k > 0) & ~(slot("n") == 3)):
                copy_numbers[i, k](x=given, y=computed)

    assert known().task_counts() == {"copy": 4, "copy_numbers": 2}

    @workload
    def unknown():
        copy_numbers(x=given, y=computed)
        for i, k in P(ITEM, Ragged[ITEM, computed]("k")):
            copy[i, k](x=x[i], y=y[i])

    with pytest.raises(ExecutionError, match=r"test_language_dynamic.py:\d+.*only a run knows"):
        unknown().task_counts()


def test_large_loops_are_counted_at_once() -> None:
    x, y = rows()
    sizes = lengths()

    @workload
    def w():
        for _, i, j, k in P(Dense[10**6]("a"), ITEM, Ragged[ITEM, sizes]("j"), Dense[10**6]("k")):
            copy[i, j, k](x=x[i], y=y[i])

    assert w().task_counts() == {"copy": 6 * 10**12}


def test_a_length_that_is_surely_negative_is_an_error() -> None:
    x, y = rows()

    @workload
    def w():
        for i in P(ITEM):
            for j in P(Ragged[i - 9]("j")):
                copy[i, j](x=x[i], y=y[i])

    with pytest.raises(CompileError, match="a loop's length is -9 up to -6: expected at least 0"):
        w().compile()


# ---- Mistakes ----------------------------------------------------------------------------------


def test_what_needs_a_value_at_once() -> None:
    n, table, sizes = Symbol("n", 8), [1, 2, 3, 4], lengths()

    def chained() -> None:
        for i in P(ITEM):
            with P.when(0 < i < 3):  # chained
                pass

    def looked_up() -> None:
        for i in P(ITEM):
            _ = table[i]  # looked up

    def ranged() -> None:
        for _ in range(n):  # ranged
            pass

    def asked() -> None:
        if sizes[0] > 3:  # asked
            pass

    assert_refused(chained, "chained", "chains such as `0 < i < 4`")
    assert_refused(looked_up, "looked up", "make the array a Tensor")
    assert_refused(ranged, "ranged", "a symbol has no value")
    assert_refused(asked, "asked", "a condition has no value")


def test_chains_that_are_none() -> None:
    x, y = rows()

    def alone() -> None:
        for _ in P(ITEM):
            with P.otherwise():  # alone
                pass

    def between() -> None:
        for i in P(ITEM):
            with P.when(i < 2):
                pass
            copy(x=x[0], y=y[0])
            with P.elsewhen(i < 3):  # between
                pass

    def twice() -> None:
        for i in P(ITEM):
            with P.when(i < 2):
                pass
            with P.otherwise(), P.when(i < 3):
                pass
            with P.otherwise():  # twice
                pass

    def inner() -> None:
        for i in P(ITEM):
            with P.when(i < 2):
                pass
        with P.otherwise():  # inner
            pass

    def known() -> None:
        with P.when(len("four") == 4):  # known
            pass

    assert_refused(alone, "alone", "P.otherwise follows")
    assert_refused(between, "between", "P.elsewhen follows directly")
    assert_refused(twice, "twice", "P.otherwise follows")
    assert_refused(inner, "inner", "P.otherwise follows")
    assert_refused(known, "known", "P.when takes a condition", "Python's `if`")


def test_jumps_out_of_a_condition() -> None:
    x, y = rows()

    def goes_on() -> None:
        for i in P(ITEM):
            with P.when(i < 2):
                copy[i](x=x[i], y=y[i])
                continue  # goes on
            copy[i](x=x[i], y=y[0])

    def returns() -> None:
        for i in P(ITEM):
            with (
                P.when(i < 2),
                P.when(i > 0),
            ):
                try:
                    copy[i](x=x[i], y=y[i])
                except ZeroDivisionError:
                    return  # returns

    def breaks() -> None:
        for i in P(ITEM):
            with P.when(i < 2):
                pass
            with P.otherwise():
                break  # breaks

    def inner() -> None:
        for i in P(ITEM):
            with P.when(i < 2):
                for k in range(4):
                    if k == 2:
                        continue
                    copy[i](x=x[i], y=y[k])
                    if k == 3:
                        break

    assert_refused(goes_on, "goes on", "`continue` inside `with P.when(..)`", "P.otherwise()")
    assert_refused(returns, "returns", "`return` inside")
    assert_refused(breaks, "breaks", "`break` inside `with P.otherwise(..)`")

    @workload
    def fine():
        inner()

    assert fine().task_counts() == {"copy": 6}


def test_loops_nested_to_any_depth() -> None:
    x, y = rows()

    def nest(depth: int) -> None:
        if depth == 0:
            copy(x=x[0], y=y[0])
            return
        for i in P.seq(Dense[1](f"a{depth}")):
            with P.when(i < 3):
                nest(depth - 1)

    @workload
    def nested(depth: int):
        nest(depth)

    made = nested(60)
    assert made.compile().simulate().stats.tasks == 1
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 100)
    try:
        with pytest.raises(CompileError, match="nested: loops and conditions are nested too deep"):
            made.compile()
    finally:
        sys.setrecursionlimit(limit)


def test_axes_that_are_none() -> None:
    sizes, x = lengths(), rows()[0]

    def no_outer() -> None:
        for _ in P(Ragged[ITEM, sizes]("k")):  # no outer
            pass

    def other_outer() -> None:
        for _ in P(Dense[4]("i"), Ragged[ITEM, sizes]("k")):  # other outer
            pass

    assert_refused(no_outer, "no outer", "axis 'k' depends on axis 'i'")
    assert_refused(other_outer, "other outer", "put the same axis into an outer loop")
    for make, words in (
        (lambda: DenseDyn[-1], "size of at least 0"),
        (lambda: DenseDyn["n"], "size of at least 0"),
        (lambda: Dense[Symbol("n", 3)], r"DenseDyn\[\.\.\]"),
        (lambda: Ragged[3], "lengths"),
        (lambda: Ragged[ITEM, x], "an integer tensor of one axis"),
        (lambda: Ragged[sizes, sizes], "takes an axis and a tensor"),
        (lambda: Sparse[ITEM, sizes], r"CSR\(indptr, indices\)"),
        (lambda: CSR(sizes, x), "indices is an integer tensor"),
        (lambda: CSR(sizes, sizes)[3], r"row 3 is not in 0\.\.2"),
    ):
        with pytest.raises(TraceError, match=words):
            make()


def test_symbols_that_are_none() -> None:
    for arguments, words in (
        ((("two words", 3), {}), "identifier"),
        ((("n", 3.5), {}), "value is an integer, found 3.5"),
        ((("n", 9), {"most": 8}), r"expected a value in 0\.\.8, found 9"),
        ((("n",), {"least": 3, "most": 2}), "least <= most"),
        ((("n",), {"most": 2**40}), "less than 2"),
    ):
        positional, named = arguments
        with pytest.raises(TraceError, match=words):
            Symbol(*positional, **named)

    with pytest.raises(TraceError, match="as large as it may get"):
        Tensor.empty((Symbol("n", 4), 8), F32, name="x")  # pyright: ignore[reportArgumentType]

    def clash() -> None:
        for _ in P(DenseDyn[3]("n"), DenseDyn[4]("n")):  # clash
            pass

    assert_refused(clash, "clash", "two symbols are named 'n'")


def test_numbers_that_are_none() -> None:
    x, _ = rows()
    sizes = lengths()

    def row() -> None:
        _ = sizes[0:2] + 1  # row

    def real() -> None:
        _ = x[0, 0] < 3  # real

    def outside() -> None:
        for i in P(ITEM):
            with P.when(i < 3):
                n = P.read(sizes[i])
            slot_set("n", n)  # outside

    def beside() -> None:
        with sequential() as step:  # beside
            with step():
                slot_load("n", sizes[0])
            slot_set("n", 3)

    def tile() -> None:
        for _ in P.tiles(8, 0):  # tile
            pass

    assert_refused(row, "row", "one element of an integer tensor", "2")
    assert_refused(real, "real", "one element of an integer tensor", "f32")
    assert_refused(outside, "outside", "uses 'lengths' outside of its loop, part or condition")
    assert_refused(beside, "beside", "every task, read and slot")
    assert_refused(tile, "tile", "a tile has a positive number of elements, found 0")
    with pytest.raises(TraceError, match="inside a @workload function only"):
        slot("n")
    with pytest.raises(TraceError, match="inside a @workload function only"):
        _ = sizes[0] + 1
