"""Random kernels: what is compiled, what the IR means in NumPy, and the Python body on numbers."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tile_runs import MOST_NUMBER, Run, outputs, run_by_line

from pto_wsp import (
    DType,
    ExecutionError,
    In,
    InOut,
    Out,
    Tensor,
    Tile,
    TraceError,
    jit_kernel,
    tl,
    workload,
)

KERNELS = 200
MOST_OPS = 40
LOOPS = 0.03
"""Of the ops."""
LARGEST = 1 << 12
"""Elements of a tile, at most."""

Tiles = list[Any]
DTYPES = (
    *(DType.F32, DType.F64, DType.F16, DType.BF16),
    *(DType.I8, DType.I16, DType.I32, DType.I64, DType.U8, DType.U16, DType.U32, DType.U64),
)


def pick(rng: Random, tiles: Tiles) -> Any:
    return rng.choice(tiles[-6:])


def alike(rng: Random, tiles: Tiles, one: Any) -> Any:
    """A tile that meets `one` element by element: of its shape, a row, a column, or a number."""
    rows, cols = one.shape
    fits = [t for t in tiles if t.shape[0] in (1, rows) and t.shape[1] in (1, cols)]
    numbers = (-2, 0.5, 3) if one.dtype.is_float else (1, 3, 100)
    return rng.choice([*fits, rng.choice(numbers)])


def moved(rng: Random, one: Any) -> Any:
    rows, cols = one.shape
    return rng.choice(
        (
            lambda: tl.transpose(one),
            lambda: tl.reshape(one, (rows * cols, 1) if rng.random() < 0.5 else (1, rows * cols)),
            lambda: one[:, rng.randrange(cols) :],
            lambda: one[: rng.randint(1, rows), ::2],
            lambda: tl.concat([one, one]) if rows * cols < LARGEST else one,
            lambda: tl.interleave(one, one) if rows * cols < LARGEST else one,
            lambda: tl.sort(one, descending=rng.random() < 0.5).values,
            lambda: tl.topk(one, rng.randint(1, cols)).values,
            lambda: tl.gather(one, tl.sort(one).indices),
            lambda: tl.gather_rows(one, tl.argmax(one) * 0 + rng.randrange(rows)),
        )
    )()


def computed(rng: Random, tiles: Tiles) -> Any:
    one = pick(rng, tiles)
    other = alike(rng, tiles, one)
    functions = [*of_numbers(rng, one, other), *(of_floats(one) if one.dtype.is_float else ())]
    return rng.choice(functions)()


Functions = tuple[Callable[[], Any], ...]


def of_floats(one: Any) -> Functions:
    return (
        lambda: tl.sqrt(tl.abs(one)),
        lambda: one / (tl.abs(one) + 1.0),
        lambda: tl.cast(tl.cast(one, DType.F16), one.dtype),
        lambda: tl.cast(tl.cast(one, DType.BF16), one.dtype),
        lambda: tl.cast(tl.cast(one, DType.I16), one.dtype),
    )


def of_numbers(rng: Random, one: Any, other: Any) -> Functions:
    return (
        lambda: one + other,
        lambda: one - other,
        lambda: tl.mul(other, one),
        lambda: tl.maximum(one, other),
        lambda: tl.minimum(one, other),
        lambda: tl.where(one > other, one, other),
        lambda: tl.where(one == other, 1, one),
        lambda: abs(-one),
        lambda: tl.relu(one),
        lambda: tl.rowmax(one),
        lambda: tl.colmin(one),
        lambda: tl.cumsum(tl.minimum(one, 8), rng.randrange(2)),
        lambda: moved(rng, one),
        lambda: moved(rng, one),
    )


def repeated(rng: Random, tiles: Tiles, numbers: Sequence[Any]) -> Any:
    """A loop as long as a number of the launch says, with another one in it at times."""
    carried, seed = pick(rng, tiles), rng.random()
    end, inner_end = (rng.choice(numbers) + rng.randrange(2) for _ in range(2))
    is_nested = rng.random() < 0.3
    for k in tl.range(rng.randrange(3), end, rng.randint(1, 2)):
        # Every run gives the same ops.
        again = Random(seed)
        found = computed(again, [*tiles, carried])[:1, :1]
        carried = bounded(tl.maximum(carried, found) - k)
        if is_nested:
            for _ in tl.range(inner_end):
                carried = bounded(carried + found)
    return carried


def bounded(tile: Any) -> Any:
    """NaN has no rank, and infinities make some."""
    most, least = (1e4, -1e4) if tile.dtype.is_float else (100, 1)
    return tl.maximum(tl.minimum(tile, most), least)


def random_body(seed: int, inputs: int) -> Callable[..., Any]:
    def body(*given: Any) -> Any:
        rng, tiles = Random(seed), [tl.load(x) for x in given[:inputs]]
        for _ in range(rng.randint(1, MOST_OPS)):
            is_loop = rng.random() < LOOPS
            found = repeated(rng, tiles, given[inputs:]) if is_loop else computed(rng, tiles)
            tiles.append(bounded(found))
        return tiles[-1]

    return body


def random_run(name: str, seed: int) -> Run:
    random = np.random.default_rng(seed)
    rows, cols = int(random.choice([1, 2, 5, 16])), int(random.choice([1, 3, 8, 33]))
    shapes = [(rows, cols), (rows, 1), (1, cols)][: int(random.integers(1, 4))]
    dtype = DTYPES[seed % len(DTYPES)]
    numbers = [np.round(random.normal(size=s) * 8) for s in shapes]
    if dtype.is_float:
        inputs = tuple((n / 4).astype(dtype.numpy) for n in numbers)
    else:
        inputs = tuple(np.abs(n).astype(dtype.numpy) for n in numbers)
    body = random_body(seed, len(inputs))
    counts = tuple(map(int, random.integers(0, MOST_NUMBER, 2, endpoint=True)))
    return Run(name, body, inputs, shape_of(body, inputs, dtype, counts), dtype, counts)


def shape_of(
    body: Callable[..., Any], inputs: Any, dtype: DType, numbers: tuple[int, ...]
) -> tuple[int, int]:
    """Of what a body gives: one that stores a 1 x 1 tile tells it on the way."""
    found: list[tuple[int, int]] = []

    def first(*tiles: Any) -> Any:
        found.append(body(*tiles).shape)
        return tl.alloc((1, 1), dtype)

    run_by_line(Run("shape", first, inputs, (1, 1), dtype, numbers))
    return found[-1]


# An example is a compilation of a minute: no smaller ones are looked for where one fails.
@settings(max_examples=1, phases=[Phase.explicit, Phase.generate])
@given(st.integers(0, 2**31))
def test_random_kernels_mean_the_same_everywhere(seed: int) -> None:
    runs = [random_run(f"k{i}", seed + i) for i in range(KERNELS)]
    emitted, interpreted = outputs(runs), outputs(runs, target="reference")
    for run, compiled, meant in zip(runs, emitted, interpreted, strict=True):
        np.testing.assert_array_equal(compiled, meant, err_msg=run.name)
        np.testing.assert_array_equal(meant, run_by_line(run), err_msg=run.name)


# ---- Kernel.run ----------------------------------------------------------------------------------

F32, I32 = DType.F32, DType.I32
Row = Tile[1, 4, F32]


def test_a_body_sees_its_numbers_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[Any] = []

    @jit_kernel
    def sums(x: In[Tile[2, 4, F32]], y: Out[Tile[2, 1, F32]], rest: InOut[Row]):
        total = tl.rowsum(x)
        seen.append(total.numpy())
        print(total)
        for k in tl.range(2):
            total = total + tl.load(x, [0, k], [2, 1])
        tl.store(y, total)
        tl.store(rest, rest * 2.0)

    x, rest = np.arange(8, dtype=np.float32).reshape(2, 4), np.ones(4, np.float32)
    y, doubled = sums.run(x, rest=rest)
    np.testing.assert_array_equal(seen[0], [[6], [22]])
    assert "<tile 2x1 f32>\n[[ 6.]\n [22.]]" in capsys.readouterr().out
    np.testing.assert_array_equal(y, [[7], [31]])
    np.testing.assert_array_equal(doubled, [[2, 2, 2, 2]])
    np.testing.assert_array_equal(rest, np.ones(4)), "what is given stays as it is"
    with pytest.raises(TraceError, match="a tile has no numbers while the kernel is traced"):
        sums.op()


def test_what_run_refuses() -> None:
    @jit_kernel
    def pick(x: In[Row], i: In[Tile[1, 1, I32]], y: Out[Tile[1, 1, F32]]):
        tl.store(y, tl.gather(x, tl.load(i)))

    x = np.zeros((1, 4), np.float32)
    with pytest.raises(TraceError, match=r"pick.run takes x, i, each once"):
        pick.run(x)
    with pytest.raises(TraceError, match=r"pick.run takes x, i, each once"):
        pick.run(x, np.zeros((1, 1), np.int32), x=x)
    with pytest.raises(TraceError, match=r"parameter 'x' is .*found an array of 1x5"):
        pick.run(np.zeros((1, 5), np.float32), np.zeros((1, 1), np.int32))
    with pytest.raises(TraceError, match=r"parameter 'i' is .*found an array of float32"):
        pick.run(x, np.zeros((1, 1), np.float32))
    with pytest.raises(ExecutionError, match=r"gather: expected columns from 0 to 3, found 4"):
        pick.run(x, np.full((1, 1), 4, np.int32))


# ---- The target ----------------------------------------------------------------------------------


def test_the_reference_names_what_a_run_cannot_have() -> None:
    index = Tensor(data=np.array([[0, 7]], np.int32), name="index")
    x, y = Tensor.random((4, 4), F32, name="x"), Tensor.empty((4, 4), F32, name="y")

    @jit_kernel
    def copy(x: In[Row], y: Out[Row]):
        tl.store(y, tl.load(x))

    @workload
    def chosen():
        from pto_wsp import P

        for i in P.sel(index[0], name="i"):
            copy[i](x=x[i], y=y[i])

    program = chosen().compile(target="reference")
    program.execute()
    with pytest.raises(
        ExecutionError, match=r"task copy\[i=7\] at .*: x\[7:8, 0:4\] does not lie in the tensor"
    ):
        program.synchronize()

    @workload
    def unwritten():
        copy(x=y[0], y=y[1])

    program = unwritten().compile(target="reference")
    program.execute()
    with pytest.raises(ExecutionError, match=r"parameter 'x' reads y\[0:1, 0:4\], where no task"):
        program.synchronize()
