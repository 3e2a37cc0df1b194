"""Casts between all dtypes, and what is only moved, cast and multiplied: fp8 and small integers.

The nearest number of a dtype is looked up in the list of all its numbers, so that nothing here
rounds twice.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from tile_oracle import FLOATS, INTEGERS, Array
from tile_runs import Run, outputs, run_by_line

from pto_wsp import DType, tl

FP8 = (DType.F8E4M3, DType.F8E5M2)
ALL = (*FLOATS, *FP8, *INTEGERS)
NARROW = (DType.F16, DType.BF16, *FP8)
MIDDLES = (1.0 + 2.0**-8, 1.0 + 2.0**-11, 464.0, 61440.0, 65520.0, 2.0**-10, 3 * 2.0**-26)


def given(dtype: DType) -> Array:
    """Ends of ranges, ties and their neighbours, what no float of 32 bits tells apart."""
    random = np.random.default_rng(7)
    if dtype in FP8:
        return np.arange(256, dtype=np.uint8).view(dtype.numpy)
    if dtype.is_float:
        middles = np.array([m * s for m in MIDDLES for s in (1, -1)])
        near = np.concatenate([middles, middles * (1 + 2.0**-40), middles * (1 - 2.0**-40)])
        ends = [float(np.iinfo(each.numpy).max) for each in INTEGERS]
        special = [
            0.0,
            -0.0,
            np.inf,
            -np.inf,
            np.nan,
            1e-45,
            5e-324,
            1e300,
            *ends,
            *np.negative(ends),
        ]
        spread = random.normal(size=300) * 10.0 ** random.integers(-9, 12, 300)
        with np.errstate(over="ignore"):
            return np.concatenate([near, special, spread]).astype(dtype.numpy)
    limits = np.iinfo(dtype.numpy)
    powers = [1 << bit for bit in range(64) if 1 << bit < limits.max]
    near = [p + d for p in powers for d in (-1, 0, 1)] + [p + (p >> 8) for p in powers]
    ties = [p + (p >> 8) + (p >> 40) for p in powers] + [limits.min, limits.max]
    return np.array([n for n in near + ties if n <= limits.max], dtype.numpy)


def exact(array: Array) -> Array:
    with np.errstate(invalid="ignore"):
        return array.astype(np.longdouble)


def wanted(array: Array, dtype: DType) -> Array:
    """As the documentation of `tl.cast` says it."""
    source = DType.of(array.dtype)
    assert source is not None
    if dtype in NARROW:
        return nearest(exact(array), dtype)
    with np.errstate(all="ignore"):
        if dtype.is_float or not source.is_float:
            return array.astype(dtype.numpy)
    limits = np.iinfo(dtype.numpy)
    # Python integers have no end.
    whole = [0 if np.isnan(x) else x if np.isinf(x) else int(x) for x in array.astype(np.float64)]
    return np.array([int(min(max(n, limits.min), limits.max)) for n in whole], dtype.numpy)


def nearest(values: Array, dtype: DType) -> Array:
    """Of all numbers of the dtype the nearest, of two the one whose last bit is 0."""
    bits = np.arange(1 << 8 * dtype.numpy.itemsize, dtype=f"u{dtype.numpy.itemsize}")
    every = exact(bits.view(dtype.numpy))
    table = every[np.isfinite(every) & ~np.signbit(every)]
    # The number after the largest, which stands for what is beyond.
    beyond = 2 * table[-1] - table[-2]
    table = np.append(table, beyond)
    past = np.nan if dtype is DType.F8E4M3 else np.inf
    out = np.empty(values.shape, dtype.numpy)
    for i, value in enumerate(values):
        magnitude = abs(value)
        if np.isnan(value):
            out[i] = np.nan
            continue
        right = min(int(np.searchsorted(table, magnitude)), len(table) - 1)
        left = max(right - 1, 0)
        low, high = magnitude - table[left], table[right] - magnitude
        chosen = left if low < high or (low == high and left % 2 == 0) else right
        found = np.longdouble(past) if table[chosen] == beyond else table[chosen]
        with np.errstate(over="ignore"):
            out[i] = np.copysign(found, value).astype(dtype.numpy)
    return out


def same(found: Array, expected: Array, what: str) -> None:
    nan = np.isnan(exact(expected))
    np.testing.assert_array_equal(np.isnan(exact(found)), nan, err_msg=what)
    np.testing.assert_array_equal(exact(found)[~nan], exact(expected)[~nan], err_msg=what)
    np.testing.assert_array_equal(np.signbit(found)[~nan], np.signbit(expected)[~nan], err_msg=what)


def test_every_dtype_is_cast_to_every_other_with_one_rounding() -> None:
    runs = []
    for source in ALL:
        for target in ALL:
            x = given(source)[None, :]
            name = f"{source.value}_to_{target.value}"
            runs.append(Run(name, partial(tl.cast, dtype=target), (x,), x.shape, target))
    for found in (outputs(runs), outputs(runs, "reference"), [run_by_line(run) for run in runs]):
        for run, value in zip(runs, found, strict=True):
            same(value[0], wanted(run.inputs[0][0], run.dtype), run.name)


def test_stores_round_floats_of_every_width_once() -> None:
    runs = [
        Run(f"store_{source.value}_{target.value}", lambda a: tl.load(a), (x,), x.shape, target)
        for source in FLOATS
        for target in (*FLOATS, *FP8)
        for x in [given(source)[None, :]]
    ]
    for run, value in zip(runs, outputs(runs), strict=True):
        same(value[0], wanted(run.inputs[0][0], run.dtype), run.name)


# ---- fp8 and integers of 8 bits ------------------------------------------------------------------


def factors(dtype: DType, m: int, k: int, n: int) -> tuple[Array, Array]:
    random = np.random.default_rng(k)
    if dtype.is_float:
        return tuple(random.normal(size=s).astype(dtype.numpy) for s in ((m, k), (k, n)))  # type: ignore[return-value]
    limits = np.iinfo(dtype.numpy)
    return tuple(  # type: ignore[return-value]
        random.integers(limits.min, limits.max, s, dtype.numpy, endpoint=True)
        for s in ((m, k), (k, n))
    )


SIZES = ((1, 1, 1), (3, 7, 5), (17, 130, 33), (16, 300, 64))
FLAGS = [(ta, tb) for ta in (False, True) for tb in (False, True)]


def product_and_sum(a, b, c, **flags):  # type: ignore[no-untyped-def]
    return tl.matmul(a, b, acc=c, **flags)


def test_products_of_fp8_are_f32_and_of_small_integers_i32() -> None:
    runs, products = [], []
    for dtype in (*FP8, DType.I8, DType.U8):
        for m, k, n in SIZES:
            a, b = factors(dtype, m, k, n)
            wide, kind = (np.float64, DType.F32) if dtype.is_float else (np.int64, DType.I32)
            acc = np.arange(m * n).reshape(m, n).astype(kind.numpy)
            product = a.astype(wide) @ b.astype(wide) + acc
            scale = np.abs(a.astype(wide)) @ np.abs(b.astype(wide)) + acc
            for ta, tb in FLAGS:
                body = partial(product_and_sum, transpose_a=ta, transpose_b=tb)
                stored = [np.ascontiguousarray(x.T if t else x) for x, t in ((a, ta), (b, tb))]
                name = f"{dtype.value}_{m}x{k}x{n}_{ta:d}{tb:d}"
                runs.append(Run(name, body, (*stored, acc), (m, n), kind))
                products.append((product, scale))
    for found in (outputs(runs), outputs(runs, "reference")):
        for run, value, (product, scale) in zip(runs, found, products, strict=True):
            if run.dtype is DType.I32:
                np.testing.assert_array_equal(value, product, err_msg=run.name)
            else:
                assert np.all(np.abs(value - product) <= 1e-6 * scale), run.name


def test_sums_of_products_of_integers_wrap_around() -> None:
    a = np.full((1, 3), -128, np.int8)
    acc = np.full((1, 1), 2**31 - 1, np.int32)
    run = Run(
        "wraps", lambda a, b, c: tl.matmul(a, b, acc=c), (a, a.T.copy(), acc), (1, 1), DType.I32
    )
    for found in (outputs([run]), outputs([run], "reference")):
        assert found[0] == 3 * 128 * 128 - 2**31 - 1


BLOCKS = ((128, 128), (1, 128), (8, 16), (5, 3), (16, 1))


@pytest.mark.parametrize("dtype", [DType.F8E4M3, DType.F8E5M2, DType.I8, DType.U8])
def test_a_block_of_numbers_shares_its_scale(dtype: DType) -> None:
    random = np.random.default_rng(3)
    runs, expected = [], []
    for rows, cols in ((1, 1), (17, 40), (40, 257)):
        for down, across in BLOCKS:
            x, _ = factors(dtype, rows, cols, 1)
            counts = -(-rows // down), -(-cols // across)
            scales = random.uniform(0.5, 2, counts).astype(np.float32)
            every = np.kron(scales, np.ones((down, across), np.float32))[:rows, :cols]
            body = partial(tl.dequantize, block=(down, across))
            name = f"scaled_{rows}x{cols}_{down}x{across}"
            runs.append(Run(name, body, (x, scales), (rows, cols), DType.F32))
            expected.append(x.astype(np.float32) * every)
    for found in (outputs(runs), outputs(runs, "reference")):
        for run, value, numbers in zip(runs, found, expected, strict=True):
            np.testing.assert_array_equal(value, numbers, err_msg=run.name)


def test_weights_of_deepseek_are_multiplied_block_by_block() -> None:
    """Activations have a scale per row and 128 columns, weights one per 128 x 128."""
    random = np.random.default_rng(5)
    a = random.normal(size=(16, 256)).astype(DType.F8E4M3.numpy)
    w = random.normal(size=(256, 128)).astype(DType.F8E4M3.numpy)
    of_a = random.uniform(0.5, 2, (16, 2)).astype(np.float32)
    of_w = random.uniform(0.5, 2, (2, 1)).astype(np.float32)

    def body(a, w, of_a, of_w):  # type: ignore[no-untyped-def]
        y = tl.alloc((16, 128))
        for k in tl.range(2):
            product = tl.load(a, [0, k * 128], [16, 128]) @ tl.load(w, [k * 128, 0], [128, 128])
            y = y + product * tl.load(of_a, [0, k], [16, 1]) * tl.load(of_w, [k, 0], [1, 1])
        return y

    run = Run("deepseek", body, (a, w, of_a, of_w), (16, 128), DType.F32)
    exact = sum(
        (a[:, k : k + 128].astype(np.float64) @ w[k : k + 128].astype(np.float64))
        * of_a[:, k // 128, None]
        * of_w[k // 128]
        for k in (0, 128)
    )
    for found in (outputs([run])[0], outputs([run], "reference")[0], run_by_line(run)):
        np.testing.assert_allclose(found, exact, rtol=1e-5, atol=1e-4)
