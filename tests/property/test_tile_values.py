"""Every function of `tl` on every dtype, on odd shapes and special values, against NumPy.

Exact functions agree in every bit, sign of zero included; others within the
ulps that they promise. All kernels of an example are one program: one compilation serves them all.
"""

from __future__ import annotations

from collections.abc import Iterator

import ml_dtypes
import numpy as np
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tile_oracle import FUNCTIONS, Array, Function, Shape, input_shapes
from tile_runs import Run, outputs, run_by_line

from pto_wsp import DType

SHAPES = st.tuples(
    st.sampled_from((1, 2, 3, 8, 9, 17)), st.sampled_from((1, 2, 7, 15, 16, 63, 64, 65, 130, 1001))
)
SPECIAL = np.array(
    [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-42, -6e-8, 3e38, -65504.0, 0.5, 2.0, -2.0]
)


def floats(random: np.random.Generator, shape: Shape, dtype: DType, data: str) -> Array:
    values = random.normal(scale=3.0, size=shape)
    if data == "plain":
        values = np.round(values * 8) / 8  # ties
    chosen = random.random(shape) < (0.0 if data == "plain" else 0.3)
    special = SPECIAL if data == "special" else SPECIAL[[0, 1, 2, 7, 8]]
    if data == "sums" and random.random() < 0.2:
        special = SPECIAL[[0, 4, 5, 6]]
        chosen &= random.random(shape) < 0.05
    values[chosen] = random.choice(special, size=shape)[chosen]
    with np.errstate(over="ignore", invalid="ignore"):
        return values.astype(dtype.numpy)


def integers(random: np.random.Generator, shape: Shape, dtype: DType) -> Array:
    limits = np.iinfo(dtype.numpy)
    values = random.integers(limits.min, limits.max, shape, dtype=dtype.numpy, endpoint=True)
    small = random.integers(0, 9, shape).astype(dtype.numpy)
    ends = random.choice(np.array([limits.min, limits.max], dtype.numpy), shape)
    kind = random.integers(0, 3, shape)
    return np.choose(kind, [values, small, ends])


def inputs(
    random: np.random.Generator, function: Function, dtype: DType, shapes: tuple[Shape, ...]
) -> tuple[Array, ...]:
    found = [
        floats(random, shape, dtype, function.data)
        if dtype.is_float
        else integers(random, shape, dtype)
        for shape in shapes
    ]
    if function.shapes == "columns":
        found[1] = random.integers(0, shapes[0][1], shapes[1]).astype(np.int32)
    if function.shapes == "row_numbers":
        found[1] = random.integers(0, shapes[0][0], shapes[1]).astype(np.int32)
    return tuple(found)


def as_computed(array: Array, function: Function) -> Array:
    """f16 and bf16 are computed in f32; what is no exact function is looked up in a wider type."""
    kind = DType.of(array.dtype)
    if kind is None or not kind.is_float:
        return array
    exact = function.ulps == 0 and function.data != "sums"
    if kind is DType.F64:
        return array if exact else array.astype(np.longdouble)
    return array.astype(np.float32 if exact else np.float64)


def check(function: Function, dtype: DType, given: tuple[Array, ...], found: Array) -> None:
    exact = function.exact(*(as_computed(array, function) for array in given))
    wanted = exact.astype(found.dtype)
    if not dtype.is_float or function.result is not None:
        np.testing.assert_array_equal(found, wanted)
        return
    f, w = found.astype(np.float64), wanted.astype(np.float64)
    np.testing.assert_array_equal(np.isnan(f), np.isnan(w))
    if function.ulps == 0 and function.data != "sums":
        np.testing.assert_array_equal(f, w)
        defined = ~np.isnan(f)
        if function.name not in (
            "maximum",
            "minimum",
            "relu",
            "rowmax",
            "rowmin",
            "colmax",
            "colmin",
        ):
            np.testing.assert_array_equal(np.signbit(f[defined]), np.signbit(w[defined]))
        return
    finite = np.isfinite(w) & np.isfinite(f)
    np.testing.assert_array_equal(f[~finite & ~np.isnan(w)], w[~finite & ~np.isnan(w)])
    info = ml_dtypes.finfo(found.dtype)
    unit = np.maximum(
        np.exp2(np.floor(np.log2(np.maximum(np.abs(w), 1e-300)))), float(info.smallest_normal)
    ) * float(info.eps)
    if function.data == "sums":
        single = np.finfo(np.float64 if dtype is DType.F64 else np.float32).eps
        scale = max(1.0, float(np.nanmax(np.abs(w), initial=0.0, where=np.isfinite(w))))
        slack = 0.51 * unit + 64 * single * (scale + summed(given[0], found.shape))
    else:
        slack = ulps_of(function, dtype) * unit
    assert np.all(np.abs(f - exact)[finite] <= np.broadcast_to(slack, f.shape)[finite])


def ulps_of(function: Function, dtype: DType) -> float:
    """What is promised: of f32 itself; narrower floats are rounded once more."""
    if dtype is DType.F64:
        return 4.0 if function.name == "sigmoid" else 2.0
    return function.ulps if dtype is DType.F32 else 0.51 + function.ulps * 2.0**-8


def dtypes_of(function: Function, turn: int) -> list[DType]:
    """Every float, and two of the integers: an example is a compilation of all kernels."""
    floats = [dtype for dtype in function.dtypes if dtype.is_float]
    integers = [dtype for dtype in function.dtypes if not dtype.is_float]
    return floats + [integers[(turn + step) % len(integers)] for step in (0, 3) if integers]


def summed(given: Array, shape: Shape) -> Array:
    """What a sum of floats may lose is a part of the sum of the absolute values."""
    x = np.abs(given.astype(np.float64))
    x[~np.isfinite(x)] = 0
    shrunk = tuple(axis for axis in (0, 1) if shape[axis] != x.shape[axis])
    return x.sum(shrunk or 1, keepdims=True)


def runs(seed: int, drawn: list[Shape]) -> Iterator[tuple[Function, DType, Run]]:
    random = np.random.default_rng(seed)
    for number, function in enumerate(FUNCTIONS):
        for place, dtype in enumerate(dtypes_of(function, seed + number)):
            shape = drawn[(number + place) % len(drawn)]
            shapes = input_shapes(function.shapes, shape, (number + place + seed) % 8)
            given = inputs(random, function, dtype, shapes)
            with np.errstate(all="ignore"):
                result = function.exact(*(as_computed(array, function) for array in given))
            name = f"{function.name}_{dtype.value}"
            yield (
                function,
                dtype,
                Run(name, function.body, given, result.shape, function.result or dtype),
            )


# An example is a compilation of seconds: no smaller ones are looked for where one fails.
@settings(max_examples=2, phases=[Phase.explicit, Phase.generate])
@given(seed=st.integers(0, 2**31), shapes=st.lists(SHAPES, min_size=8, max_size=8))
def test_every_function_gives_the_numbers_of_numpy(seed: int, shapes: list[Shape]) -> None:
    planned = list(runs(seed, shapes))
    given = [run for _, _, run in planned]
    check_all(planned, outputs(given))
    check_all(planned, outputs(given, target="reference"))
    check_all(planned, [run_by_line(run) for run in given])


def check_all(planned: list[tuple[Function, DType, Run]], found: list[Array]) -> None:
    for (function, dtype, run), value in zip(planned, found, strict=True):
        try:
            with np.errstate(all="ignore"):
                check(function, dtype, run.inputs, value)
        except AssertionError as error:
            shown = " and ".join("x".join(map(str, array.shape)) for array in run.inputs)
            raise AssertionError(
                f"tl.{function.name} on {dtype.value} of {shown}: {error}"
            ) from None
