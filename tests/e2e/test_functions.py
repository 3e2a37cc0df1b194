"""Element-wise functions of kernels against NumPy, on ordinary and on special numbers."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pto_wsp import Dense, DType, In, Out, P, Tensor, Tile, jit_kernel, tl, workload

ROWS, COLS = 8, 61
SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-42, 3e38, -3e38, 0.5, 2.0])


def numbers(seed: int) -> np.ndarray:
    values = np.random.default_rng(seed).normal(scale=3.0, size=(ROWS, COLS))
    values.flat[:: ROWS * COLS // len(SPECIAL)] = np.resize(
        np.roll(SPECIAL, seed), values.flat[:: ROWS * COLS // len(SPECIAL)].shape
    )
    return values.astype(np.float32)


def run(body: Callable[[Any, Any], Any], dtype: DType, *inputs: np.ndarray) -> np.ndarray:
    a = Tensor(data=inputs[0], name="a")
    b = Tensor(data=inputs[-1], name="b")
    y = Tensor.empty((ROWS, COLS), dtype, name="y")
    once = Dense[1]("once")

    @jit_kernel
    def compute(
        a: In[Tile[ROWS, COLS, dtype]],
        b: In[Tile[ROWS, COLS, dtype]],
        y: Out[Tile[ROWS, COLS, dtype]],
    ):
        tl.store(y, body(a, b))

    @workload
    def one():
        for i in P(once):
            compute[i](a=a[:], b=b[:], y=y[:])

    program = one().task_graph().compile()
    program.execute()
    program.synchronize()
    return y.numpy()


ERF = np.vectorize(math.erf, otypes=[np.float64])

FUNCTIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any], int]] = {
    "log": (lambda a, b: tl.log(a), lambda a, b: np.log(a), 1),
    "tanh": (lambda a, b: tl.tanh(a), lambda a, b: np.tanh(a), 1),
    "sin": (lambda a, b: tl.sin(a), lambda a, b: np.sin(a), 1),
    "cos": (lambda a, b: tl.cos(a), lambda a, b: np.cos(a), 1),
    "erf": (lambda a, b: tl.erf(a), lambda a, b: ERF(a), 1),
    "pow": (lambda a, b: tl.pow(a, b), lambda a, b: np.power(a, b), 1),
    "abs": (lambda a, b: tl.abs(a), lambda a, b: np.abs(a), 0),
    "relu": (lambda a, b: tl.relu(a), lambda a, b: np.maximum(a, 0), 0),
    "maximum": (lambda a, b: tl.maximum(a, b), lambda a, b: np.maximum(a, b), 0),
    "minimum": (lambda a, b: tl.minimum(a, b), lambda a, b: np.minimum(a, b), 0),
}


def ulps(found: np.ndarray, exact: np.ndarray) -> float:
    """The largest distance in units of the last place of f32; NaN and infinities must agree."""
    with np.errstate(over="ignore"):
        nearest = exact.astype(np.float32)
    assert np.array_equal(np.isnan(found), np.isnan(nearest))
    assert np.array_equal(np.isinf(found), np.isinf(nearest))
    finite = np.isfinite(nearest)
    unit = np.spacing(np.abs(nearest[finite])).astype(np.float64)
    difference = np.abs(found[finite].astype(np.float64) - exact[finite])
    return float(np.max(difference / unit, initial=0.0))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_those_of_numpy(name: str) -> None:
    body, reference, most = FUNCTIONS[name]
    a, b = numbers(1), numbers(2)
    with np.errstate(all="ignore"):
        exact = reference(a.astype(np.float64), b.astype(np.float64))
    assert ulps(run(body, DType.F32, a, b), exact) <= most


@pytest.mark.parametrize("name", ["abs", "relu", "maximum", "minimum"])
@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_functions_that_integers_have(name: str, dtype: Any) -> None:
    limits = np.iinfo(dtype)
    a = np.random.default_rng(1).integers(limits.min, limits.max, (ROWS, COLS), dtype=dtype)
    b = np.random.default_rng(2).integers(-9, 9, (ROWS, COLS), dtype=dtype)
    a[0, :3] = limits.min, limits.max, 0
    body, reference, _ = FUNCTIONS[name]
    kind = {np.int32: DType.I32, np.int64: DType.I64}[dtype]
    assert np.array_equal(run(body, kind, a, b), reference(a, b))


def test_integers_wrap_around() -> None:
    a = np.full((ROWS, COLS), np.iinfo(np.int32).max, np.int32)
    with np.errstate(over="ignore"):
        assert np.array_equal(run(lambda a, b: a * b + a, DType.I32, a, a), a * a + a)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_composites_are_their_formulas(dtype: Any) -> None:
    a, b = (np.clip(numbers(seed), -30, 30).astype(dtype) for seed in (1, 2))
    kind = {np.float16: DType.F16, np.float32: DType.F32}[dtype]
    x = a.astype(np.float64)
    with np.errstate(all="ignore"):
        silu, gelu = x / (1 + np.exp(-x)), x * (1 + ERF(x / np.sqrt(2))) / 2
    tolerance = {np.float16: 4e-3, np.float32: 1e-6}[dtype]
    for body, exact in ((lambda a, b: tl.silu(a), silu), (lambda a, b: tl.gelu(a), gelu)):
        found = run(body, kind, a, b).astype(np.float64)
        np.testing.assert_allclose(found, exact, rtol=tolerance, atol=tolerance)
