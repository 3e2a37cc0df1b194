"""Tensors, workloads and their loops: what is traced, and how each mistake is told."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pto_wsp import (
    Dense,
    DType,
    In,
    Out,
    P,
    Tensor,
    Tile,
    TraceError,
    Zipf,
    combine,
    jit_kernel,
    sequential,
    tl,
    workload,
)

F16, F32, I32 = DType.F16, DType.F32, DType.I32
ITEM, HALF = Dense[4]("i"), Dense[2]("j")


@jit_kernel
def copy(x: In[Tile[1, 8, F32]], y: Out[Tile[1, 8, F32]]):
    tl.store(y, x)


def tensors() -> tuple[Tensor, Tensor]:
    return Tensor.empty((4, 8), F32, name="x"), Tensor.empty((4, 8), F32, name="y")


def line_of(mark: str) -> int:
    lines = Path(__file__).read_text().splitlines()
    found = [number for number, line in enumerate(lines, 1) if line.endswith(f"# {mark}")]
    assert len(found) == 1, f"{mark} marks {len(found)} lines"
    return found[0]


def assert_refused(make: Any, mark: str, *words: str) -> None:
    with pytest.raises(TraceError) as caught:
        make()
    text = str(caught.value)
    assert f"test_language_workloads.py:{line_of(mark)}: " in text
    for word in words:
        assert word in text


def text(made: Any) -> str:
    return str(made.module())


# ---- Workloads ---------------------------------------------------------------------------------


def test_loops_stay_loops_whatever_their_size() -> None:
    def lines(size: int) -> int:
        x = Tensor.empty((size, 8), F32, name="x")

        @workload
        def w():
            for i in P(Dense[size]("i")):
                copy[i](x=x[i], y=x[i])

        made = w()
        assert made.task_counts() == {"copy": size}
        return len(text(made).splitlines())

    assert lines(10) == lines(1_000_000)


def test_kind_is_the_root_or_combine() -> None:
    x, y = tensors()

    @workload
    def one():
        for i in P(ITEM):
            copy[i](x=x[i], y=y[i])

    @workload
    def two():
        for i in P(ITEM):
            copy[i](x=x[i], y=y[i])
        for i in P.seq(ITEM):
            copy[i](x=y[i], y=x[i])

    assert one().kind == "parallel"
    assert two().kind == "combine"
    assert two().task_counts() == {"copy": 8}


def test_index_arithmetic_reaches_the_ir() -> None:
    x = Tensor.empty((32, 8), F32, name="x")

    @workload
    def w():
        for i, j in P(ITEM, HALF):
            copy[i, j](x=x[i * 8 + 2 * j - 0], y=x[i * 8 + j // 2 + j % 2])

    made = text(w())
    assert "task.view %x[%i * 8 + %j * 2, 0] [1, 8]" in made
    assert "floordiv 2" in made
    assert "mod 2" in made


def test_selection_counts_its_row_and_bounds_its_routing() -> None:
    chosen = Tensor.empty((4, 2), I32, name="chosen", routing=Zipf(0.8, seed=1))
    table, y = Tensor.empty((16, 8), F32, name="table"), Tensor.empty((4, 2, 8), F32, name="y")

    @workload
    def w():
        for i in P(ITEM):
            for e in P.sel(chosen[i], name="row"):
                copy[i, e](x=table[e], y=y[i, e.position])

    made = w()
    assert made.task_counts() == {"copy": 8}
    assert "values = 16" in text(made)
    assert "[i = %i, row = %row]" in text(made)


def test_parts_of_a_sequential() -> None:
    x, y = tensors()

    @workload
    def w():
        with sequential() as step:
            with step():
                for i in P(ITEM):
                    copy[i](x=x[i], y=y[i])
            with step():
                copy(x=y[0], y=x[0])

    made = text(w())
    assert made.count("then {") == 1
    assert w().kind == "sequential"


def test_workloads_compose() -> None:
    x, y = tensors()

    @workload
    def forth():
        for i in P(ITEM):
            copy[i](x=x[i], y=y[i])

    @workload
    def back():
        for i in P(ITEM):
            copy[i](x=y[i], y=x[i])

    assert sequential(forth(), back()).task_counts() == {"copy": 8}
    assert combine(forth(), back()).kind == "combine"


def test_the_same_source_gives_the_same_text() -> None:
    def make() -> str:
        x, y = tensors()

        @workload
        def w():
            for i in P(ITEM):
                copy[i](x=x[i], y=y[i])

        return text(w())

    assert make() == make()


# ---- Mistakes in workloads ---------------------------------------------------------------------


def test_a_region_of_another_shape() -> None:
    def make() -> None:
        x, y = tensors()

        @workload
        def w():
            for i in P(ITEM):
                copy[i](x=x[i, 0:4], y=y[i])  # shape

        w()

    assert_refused(make, "shape", "'x'", "1x8", "1x4")


def test_a_tensor_of_another_dtype() -> None:
    def make() -> None:
        x, y = Tensor.empty((4, 8), F16, name="x"), Tensor.empty((4, 8), F32, name="y")

        @workload
        def w():
            for i in P(ITEM):
                copy[i](x=x[i], y=y[i])  # dtype

        w()

    assert_refused(make, "dtype", "'x'", "f32", "f16")


def test_an_index_outside_of_the_tensor() -> None:
    def make() -> None:
        x, y = tensors()

        @workload
        def w():
            copy(x=x[4], y=y[0])  # outside

        w()

    assert_refused(make, "outside", "index 4", "-4..3")


def test_parameters_that_are_missing_or_unknown() -> None:
    def make() -> None:
        x, _ = tensors()

        @workload
        def w():
            copy(x=x[0], z=x[1])  # names

        w()

    assert_refused(make, "names", "missing y", "unknown z")


def test_two_kernels_of_one_name() -> None:
    def other() -> Any:
        @jit_kernel
        def copy(x: In[Tile[1, 8, F32]], y: Out[Tile[1, 8, F32]]):
            tl.store(y, x + 1.0)

        return copy

    def make() -> None:
        x, y = tensors()
        second = other()

        @workload
        def w():
            copy(x=x[0], y=y[0])
            second(x=x[1], y=y[1])  # kernels

        w()

    assert_refused(make, "kernels", "two kernels are named 'copy'")


def test_two_tensors_of_one_name() -> None:
    def make() -> None:
        x, y = tensors()[0], Tensor.empty((4, 8), F32, name="x")

        @workload
        def w():
            copy(x=x[0], y=y[0])  # tensors

        w()

    assert_refused(make, "tensors", "two tensors are named 'x'")


def test_a_loop_variable_outside_of_its_loop() -> None:
    def make() -> None:
        x, y = tensors()

        @workload
        def w():
            for i in P(ITEM):
                copy[i](x=x[i], y=y[i])
            copy(x=x[i], y=y[0])  # scope

        w()

    assert_refused(make, "scope", "'i'", "outside of its loop")


def test_a_loop_that_is_left_early() -> None:
    x, y = tensors()

    @workload
    def w():
        for i in P(ITEM):
            copy[i](x=x[i], y=y[i])
            break

    with pytest.raises(TraceError, match="break"):
        w()


def test_if_and_comparison_on_a_loop_variable() -> None:
    def truth() -> None:
        @workload
        def w():
            for i in P(ITEM):
                if i:  # truth
                    pass

        w()

    def compare() -> None:
        @workload
        def w():
            for i in P(ITEM):
                assert i == 3  # compare

        w()

    assert_refused(truth, "truth", "has no value while the workload is traced")
    assert_refused(compare, "compare", "P.when(..)")


def test_empty_axes_and_bad_axes() -> None:
    with pytest.raises(TraceError, match="at least one value"):
        _ = Dense[0]
    with pytest.raises(TraceError, match="integer size"):
        _ = Dense["8"]  # type: ignore[type-arg]
    with pytest.raises(TraceError, match="identifier"):
        Dense[8]("two words")


def test_a_product_of_loop_variables_is_no_index() -> None:
    def make() -> None:
        x, _ = tensors()

        @workload
        def w():
            for i, j in P(ITEM, HALF):
                _ = x[i * j]  # product

        w()

    assert_refused(make, "product", "product of two loop variables")


def test_a_slice_of_varying_length() -> None:
    def make() -> None:
        x, _ = tensors()

        @workload
        def w():
            for i in P(ITEM):
                _ = x[0:i]  # varying

        w()

    assert_refused(make, "varying", "length must be a constant")


def test_launches_and_loops_outside_of_a_workload() -> None:
    x, y = tensors()
    with pytest.raises(TraceError, match="inside a @workload function only"):
        copy(x=x[0], y=y[0])
    with pytest.raises(TraceError, match="inside a @workload function only"):
        next(iter(P(ITEM)))


# ---- Tensors -----------------------------------------------------------------------------------


def test_data_is_used_as_it_is() -> None:
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    tensor = Tensor(data=array, name="a")
    array[1, 2] = -1
    assert tensor[1, 2].numpy() == -1
    assert tensor[:, 1:3].numpy().shape == (3, 2)
    assert tensor[-1].numpy().tolist() == [8, 9, 10, 11]


def test_procedural_values_do_not_depend_on_how_they_are_sliced() -> None:
    tensor = Tensor.random((3, 5, 7), F16, name="r", seed=3, scale=0.5)
    whole = tensor.numpy()
    assert whole.dtype == np.float16
    assert np.abs(whole).max() < 0.5
    assert np.array_equal(tensor[1].numpy(), whole[1])
    assert np.array_equal(tensor[1:3, 2:4, 3:5].numpy(), whole[1:3, 2:4, 3:5])
    assert np.array_equal(tensor[2, 4, 6].numpy(), whole[2, 4, 6])
    other = Tensor.random((3, 5, 7), F16, name="s", seed=3, scale=0.5)
    assert not np.array_equal(other.numpy(), whole)


def test_tensors_that_are_none() -> None:
    with pytest.raises(TraceError, match="extents of at least 1"):
        Tensor.empty((4, 0), F32, name="x")
    with pytest.raises(TraceError, match="1 to 6 axes"):
        Tensor.empty((1,) * 7, F32, name="x")
    with pytest.raises(TraceError, match="non-empty string"):
        Tensor.empty((4,), F32, name="")
    with pytest.raises(TraceError, match="expected one of the dtypes"):
        Tensor(data=np.zeros(3, np.complex64), name="x")
    with pytest.raises(TraceError, match="random elements are floats"):
        Tensor.random((4,), I32, name="x")
    with pytest.raises(TraceError, match="routing gives integers"):
        Tensor.empty((4, 2), F32, name="x", routing=Zipf(0.8))
    with pytest.raises(TraceError, match="exponent"):
        Zipf(-1.0)
