"""Procedural tensors: the elements are those of a model of the hash in NumPy."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from numpy.typing import NDArray

from pto_wsp import Dense, DType, In, Out, P, Tensor, Tile, TraceError, jit_kernel, tl, workload

FLOATS = {
    DType.F64: np.dtype(np.float64),
    DType.F32: np.dtype(np.float32),
    DType.F16: np.dtype(np.float16),
    DType.BF16: np.dtype(ml_dtypes.bfloat16),
    DType.F8E4M3: np.dtype(ml_dtypes.float8_e4m3fn),
    DType.F8E5M2: np.dtype(ml_dtypes.float8_e5m2),
}
U64 = 2**64 - 1


def splitmix64(x: int) -> int:
    x = (x + 0x9E3779B97F4A7C15) & U64
    x = ((x ^ x >> 30) * 0xBF58476D1CE4E5B9) & U64
    x = ((x ^ x >> 27) * 0x94D049BB133111EB) & U64
    return x ^ x >> 31


def key_of(seed: int, name: str) -> int:
    text = 0xCBF29CE484222325
    for byte in name.encode():
        text = ((text ^ byte) * 0x100000001B3) & U64
    return splitmix64(splitmix64(seed) ^ text)


def hash_of(key: int, index: int) -> int:
    """triple32, with a key for the 2**32 elements around."""
    mixed = splitmix64(key ^ index >> 32)
    x = (index ^ mixed) & 0xFFFFFFFF
    x = ((x ^ x >> 17) * 0xED5AD4BB) & 0xFFFFFFFF
    x = ((x ^ x >> 11) * 0xAC4C1B51) & 0xFFFFFFFF
    x ^= mixed >> 32
    x = ((x ^ x >> 15) * 0x31848BAB) & 0xFFFFFFFF
    return x ^ x >> 14


def signed(x: int, bits: int) -> int:
    return x - (x >> (bits - 1) << bits)


def elements(dtype: DType, seed: int, name: str, scale: float, indices: range) -> NDArray[Any]:
    key = key_of(seed, name)
    if dtype is DType.F64:
        lower = splitmix64(key)
        words = [signed(hash_of(key, i) << 32 | hash_of(lower, i), 64) for i in indices]
        odd = np.array([word >> 10 | 1 for word in words], np.float64)
        return odd * (float(np.float32(scale)) * 2.0**-53)
    odd = np.array([signed(hash_of(key, i), 32) >> 7 | 1 for i in indices], np.float32)
    return (odd * (np.float32(scale) * np.float32(2.0**-24))).astype(FLOATS[dtype])


@pytest.mark.parametrize("dtype", FLOATS, ids=lambda dtype: dtype.value)
def test_elements_are_those_of_the_model(dtype: DType) -> None:
    x = Tensor.random((7, 150), dtype, name="x", seed=2**63 + 5, scale=0.3)
    assert x.numpy().dtype == FLOATS[dtype]
    wanted = elements(dtype, 2**63 + 5, "x", 0.3, range(7 * 150))
    np.testing.assert_array_equal(x.numpy().ravel().view(np.uint8), wanted.view(np.uint8))
    # Where the upper half of an element's index changes.
    wide = Tensor.random((2, 2**32 - 70), dtype, name="wide", scale=2.0)
    found = wide[1, :100].numpy()
    wanted = elements(dtype, 0, "wide", 2.0, range(2**32 - 70, 2**32 + 30))
    np.testing.assert_array_equal(found.view(np.uint8), wanted.view(np.uint8))


def test_kernels_see_the_same_elements_of_64_bits() -> None:
    x = Tensor.random((12, 40, 19), DType.F64, name="x", seed=4)
    y = Tensor.empty((12, 40, 19), DType.F64, name="y")
    turned = Tensor.empty((12, 19, 40), DType.F64, name="turned")
    columns = Tensor.empty((40, 12, 5), DType.F64, name="columns")
    F64 = DType.F64

    @jit_kernel
    def copy(a: In[Tile[40, 19, F64]], b: Out[Tile[40, 19, F64]], c: Out[Tile[19, 40, F64]]):
        tl.store(b, a)
        tl.store(c, tl.transpose(a))

    @jit_kernel
    def box(a: In[Tile[12, 19, F64]], b: Out[Tile[12, 5, F64]]):
        tl.store(b, tl.load(a, [0, 7], [12, 5]) * 2.0)

    @workload
    def copies():
        for i in P(Dense[12]("i")):
            copy[i](a=x[i], b=y[i], c=turned[i])
        for j in P(Dense[40]("j")):
            box[j](a=x[:, j], b=columns[j])

    program = copies().task_graph().compile()
    program.execute()
    program.synchronize()
    values = x.numpy()
    np.testing.assert_array_equal(y.numpy(), values)
    np.testing.assert_array_equal(turned.numpy(), values.transpose(0, 2, 1))
    np.testing.assert_array_equal(columns.numpy(), values.transpose(1, 0, 2)[:, :, 7:12] * 2)


def test_elements_of_64_bits_are_uniform_and_fine() -> None:
    values = Tensor.random((1 << 16,), DType.F64, name="x", scale=3.0).numpy()
    assert np.abs(values).max() < 3
    assert abs(np.mean(values)) < 5 * 3 / np.sqrt(3 * values.size)
    assert np.unique(values).size == values.size
    # The lower bits are no function of the upper ones.
    fraction = values * 2.0**24 % 1.0
    assert abs(np.corrcoef(values, fraction)[0, 1]) < 5 / np.sqrt(values.size)
    assert abs(np.mean(fraction) - 0.5) < 5 / np.sqrt(12 * values.size)


def test_scales_that_no_f32_is() -> None:
    with pytest.raises(TraceError, match="beyond the range of f32"):
        Tensor.random((4,), DType.F64, name="x", scale=1e39)
    with pytest.raises(TraceError, match="expected a positive scale, found 1e-60"):
        Tensor.random((4,), DType.F64, name="x", scale=1e-60)
