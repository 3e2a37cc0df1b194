"""Emitted kernels beside NumPy on the same tiles: the best of `--repeat`, both in turns.

    python benchmarks/kernels/run.py
    python benchmarks/kernels/run.py --threads 2 --only matmul

Each task of a program computes one tile; NumPy computes the same tiles on as many threads, with its
library at one thread each. Only the ratios mean anything on another machine.
"""

import argparse
import os

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from pto_wsp import Dense, DType, In, Out, P, Program, Tensor, Tile, jit_kernel, tl, workload

NARROW = {
    "f32": np.float32,
    "f16": np.float16,
    "bf16": ml_dtypes.bfloat16,
    "f8e4m3": ml_dtypes.float8_e4m3fn,
}
Array = NDArray[Any]


@dataclass(frozen=True)
class Case:
    name: str
    program: Program
    out: Tensor
    tiles: int
    work: float
    """Of a tile, in `unit`."""
    unit: str
    compute: Callable[[int], object]
    """NumPy's way to compute tile i."""
    expected: Array
    tolerance: float
    """Of the largest difference, over the largest value."""
    target: float
    """The ratio to NumPy's speed that is wanted, or the rate (`target_is_rate`)."""
    target_is_rate: bool = False


def matmul(m: int, k: int, n: int, dtype: str, target: float) -> Case:
    """Each task has its own rows of x; all share the weights."""
    tiles = max(8, round(1.5e9 / (m * k * n)))
    rng = np.random.default_rng(1)
    x = rng.normal(size=(tiles * m, k)).astype(NARROW[dtype])
    w = rng.normal(size=(k, n)).astype(NARROW[dtype])
    left, right = Tensor(data=x, name="x"), Tensor(data=w, name="w")
    # NumPy has no product of narrow floats: it gets what it is fast with.
    x, w = x.astype(np.float32), w.astype(np.float32)
    found = np.empty((tiles * m, n), np.float32)
    out = Tensor.empty((tiles * m, n), DType.F32, name="y")

    @jit_kernel
    def product(
        a: In[Tile[m, k, left.dtype]], b: In[Tile[k, n, right.dtype]], y: Out[Tile[m, n, DType.F32]]
    ):
        tl.store(y, tl.matmul(a, b))

    @workload
    def products():
        for i in P(Dense[tiles]("tile")):
            rows = slice(i * m, i * m + m)
            product[i](a=left[rows, :], b=right[:, :], y=out[rows, :])

    def compute(i: int) -> None:
        rows = slice(i * m, i * m + m)
        np.matmul(x[rows], w, out=found[rows])

    return Case(
        f"matmul {m}x{k}x{n} {dtype}",
        products().task_graph().compile(),
        out,
        tiles,
        2e-9 * m * k * n,
        "GFLOP/s",
        compute,
        x @ w,
        1e-5,
        target,
    )


def rows(name: str, cols: int, rate: float, body: Any, reference: Callable[[Array], Array]) -> Case:
    """A kernel over rows, on 16 tiles that stay in the cache."""
    high, tiles = max(1, 16384 // cols), 2048
    x = np.random.default_rng(1).normal(size=(16 * high, cols)).astype(np.float32)
    source = Tensor(data=x, name="x")
    out = Tensor.empty((16 * high, cols), DType.F32, name="y")
    found = np.empty_like(x)

    @jit_kernel
    def compute_rows(a: In[Tile[high, cols, DType.F32]], y: Out[Tile[high, cols, DType.F32]]):
        tl.store(y, body(a))

    @workload
    def all_rows():
        for i, j in P(Dense[tiles // 16]("again"), Dense[16]("tile")):
            part = slice(j * high, j * high + high)
            compute_rows[i, j](a=source[part, :], y=out[part, :])

    def compute(i: int) -> None:
        part = slice(i % 16 * high, (i % 16 + 1) * high)
        found[part] = reference(x[part])

    return Case(
        f"{name}, {cols} a row",
        all_rows().task_graph().compile(),
        out,
        tiles,
        1e-9 * high * cols,
        "Gelem/s",
        compute,
        reference(x),
        1e-5,
        rate / 3,
        target_is_rate=True,
    )


def _silu(x: Array) -> Array:
    return x / (1 + np.exp(-x))


def _rmsnorm(x: Array) -> Array:
    return x / np.sqrt(np.mean(x * x, axis=1, keepdims=True) + np.float32(1e-6))


def _softmax(x: Array) -> Array:
    e = np.exp(x - np.max(x, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


def cases(only: str) -> Iterator[Case]:
    """The rates are those of hand-written loops on one core of a recent server processor."""
    for shape in ((16, 4096, 1536), (32, 512, 128), (128, 128, 128), (512, 512, 512)):
        for dtype, target in (("f32", 1.0), ("f16", 0.8), ("bf16", 0.8), ("f8e4m3", 0.8)):
            if only in "matmul":
                yield matmul(*shape, dtype, target)
    for name, cols, rate, body, reference in (
        ("exp", 1024, 3.4, tl.exp, np.exp),
        ("log", 1024, 5.0, lambda x: tl.log(tl.abs(x)), lambda x: np.log(np.abs(x))),
        ("silu", 1024, 2.8, tl.silu, _silu),
        ("rmsnorm", 4096, 8.2, lambda x: tl.rmsnorm(x, eps=1e-6), _rmsnorm),
        ("softmax", 1024, 2.4, tl.softmax, _softmax),
    ):
        if only in name:
            yield rows(name, cols, rate, body, reference)


def measure(case: Case, threads: int, repeat: int) -> tuple[float, float]:
    """The best rates of the emitted kernel and of NumPy."""
    ours, theirs = float("inf"), float("inf")
    with ThreadPoolExecutor(threads) as team:
        for _ in range(repeat):
            case.program.execute(threads=threads)
            case.program.synchronize()
            ours = min(ours, case.program.stats.host.run_seconds)
            begin = perf_counter()
            shares = [range(first, case.tiles, threads) for first in range(threads)]
            list(team.map(lambda share: [case.compute(i) for i in share], shares))
            theirs = min(theirs, perf_counter() - begin)
    difference = np.max(np.abs(case.out.numpy() - case.expected)) / np.max(np.abs(case.expected))
    assert difference <= case.tolerance, f"{case.name}: differs by {difference}"
    return case.tiles * case.work / ours, case.tiles * case.work / theirs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--only", default="", help="cases whose name has this in it")
    args = parser.parse_args()
    print(f"{'':28} {'emitted':>10} {'NumPy':>10}         {'ratio':>6}  wanted")
    for case in cases(args.only):
        ours, theirs = measure(case, args.threads, args.repeat)
        wanted = case.target * (args.threads if case.target_is_rate else 1)
        reached = ours if case.target_is_rate else ours / theirs
        text = f"{wanted:.2f} {case.unit}" if case.target_is_rate else f"{wanted:.2f} of NumPy"
        mark = "" if reached >= wanted else "  (missed)"
        print(
            f"{case.name:28} {ours:10.2f} {theirs:10.2f} {case.unit:7} {ours / theirs:6.2f}  "
            f"{text}{mark}"
        )


if __name__ == "__main__":
    main()
