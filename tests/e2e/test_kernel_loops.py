"""`for k in tl.range(n)`: what loops compute and cost, and what they refuse."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pto_wsp import (
    DType,
    In,
    Out,
    Program,
    Scalar,
    Tensor,
    Tile,
    TraceError,
    jit_kernel,
    tl,
    workload,
)

F32, I32 = DType.F32, DType.I32
Row, Square, Rows, One = Tile[1, 8, F32], Tile[16, 16, F32], Tile[10, 8, F32], Tile[1, 1, F32]


@jit_kernel
def product(a: In[Tile[32, 96, F32]], b: In[Tile[96, 16, F32]], y: Out[Tile[32, 16, F32]]):
    total = tl.alloc((32, 16))
    for k in tl.range(6):
        left, right = tl.load(a, [0, k * 16], [32, 16]), tl.load(b, [k * 16, 0], [16, 16])
        total = tl.matmul(left, right, acc=total)
    tl.store(y, total)


@jit_kernel
def fibonacci(x: In[Row], last: Out[Row], each: Out[Rows]):
    now = tl.load(x)
    next, first = now * 1.0, now
    for k in tl.range(10):
        tl.store(each, now, [k, 0])
        now, next = next, now + next
    tl.store(last, now + first)


@jit_kernel
def rotated(x: In[Row], y: Out[Row]):
    a, b, c = tl.load(x), x + 1.0, x + 2.0
    for _ in tl.range(5):
        a, b, c = c, a, b
    tl.store(y, a * 100.0 + b * 10.0 + c)


@jit_kernel
def nested(x: In[Square], y: Out[One]):
    total = tl.alloc((1, 1))
    for i in tl.range(0, 16, 4):
        row = tl.alloc((1, 1))
        for j in tl.range(4):
            row = row + tl.colsum(tl.rowsum(tl.load(x, [i, j * 4], [4, 4])))
        total = total * 0.5 + row
    tl.store(y, total)


@jit_kernel
def softmax_in_pieces(x: In[Tile[4, 64, F32]], y: Out[Tile[4, 1, F32]]):
    """The largest element of a row, and the sum of exponentials below it, in one pass."""
    largest, total = tl.full((4, 1), -1e30), tl.alloc((4, 1))
    for k in tl.range(4):
        piece = tl.load(x, [0, k * 16], [4, 16])
        before = largest
        largest = tl.maximum(largest, tl.rowmax(piece))
        total = total * tl.exp(before - largest) + tl.rowsum(tl.exp(piece - largest))
    tl.store(y, largest + tl.log(total))


@jit_kernel
def numbered(x: In[Tile[4, 64, F32]], y: Out[Tile[4, 64, F32]], n: Out[Tile[4, 16, I32]]):
    """What lies beyond column 40 is 0, and every element of n is counted in its runs."""
    seen = tl.alloc((4, 16), I32)
    for k in tl.range(4):
        piece = tl.load(x, [0, k * 16], [4, 16])
        inside = tl.iota(piece) + k * 16 < 40
        seen = seen + (3 * k + 1) * tl.cast(tl.iota(piece, 0), I32) - k // 2
        tl.store(y, tl.where(inside, piece * k, 0.0), [0, k * 16])
    tl.store(n, seen)


@jit_kernel
def chosen(x: In[Tile[4, 64, F32]], y: Out[Tile[4, 64, F32]], n: Scalar):
    """Conditions on the numbers of two loops and of a task, alone and joined."""
    for k in tl.range(4):
        piece = tl.load(x, [0, k * 16], [4, 16])
        for j in tl.range(6):
            piece = tl.where(k < n, piece + 1.0, piece)
            piece = tl.where((j >= k) & ~(j == 4), piece * 2.0, piece)
            piece = tl.where((k * 2 - j > 1) | (k == 0), tl.rowmax(piece), piece - 0.5)
        tl.store(y, tl.where(k % 2 == 1, piece, 7.0), [0, k * 16])


def given(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(len(shape)).standard_normal(shape).astype(np.float32)


A, B, X, M, S = given(32, 96), given(96, 16), given(1, 8), given(16, 16), given(4, 64)


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    shapes = {
        "product": (32, 16),
        "last": (1, 8),
        "each": (10, 8),
        "rotated": (1, 8),
        "nested": (1, 1),
        "softmax": (4, 1),
        "masked": (4, 64),
        "chosen": (4, 64),
    }
    seen = Tensor.empty((4, 16), I32, name="seen")
    y = {name: Tensor.empty(shape, F32, name=name) for name, shape in shapes.items()}
    a, b, x, m, s = (
        Tensor(data=data, name=name) for name, data in zip("abxms", (A, B, X, M, S), strict=True)
    )

    @workload
    def all_of_them():
        product(a=a, b=b, y=y["product"])
        fibonacci(x=x, last=y["last"], each=y["each"])
        rotated(x=x, y=y["rotated"])
        nested(x=m, y=y["nested"])
        softmax_in_pieces(x=s, y=y["softmax"])
        numbered(x=s, y=y["masked"], n=seen)
        chosen(x=s, y=y["chosen"], n=3)

    program = all_of_them().task_graph().compile()
    program.execute()
    program.synchronize()
    y["seen"] = seen
    return {"program": program} | {name: tensor.numpy() for name, tensor in y.items()}


def test_a_matmul_in_steps(found: dict[str, Any]) -> None:
    np.testing.assert_allclose(found["product"], A @ B, rtol=1e-5, atol=1e-5)


def test_the_number_of_a_run_is_a_tile(found: dict[str, Any]) -> None:
    columns = np.arange(64)
    expected = np.where(columns < 40, S * (columns // 16).astype(np.float32), np.float32(0))
    rows = np.arange(4)[:, None] + np.zeros((1, 16), int)
    counted = sum((3 * k + 1) * rows - k // 2 for k in range(4))
    for y, n in ((found["masked"], found["seen"]), numbered.run(S)):
        np.testing.assert_array_equal(y, expected)
        np.testing.assert_array_equal(n, counted)


def test_conditions_on_the_numbers_of_runs_choose(found: dict[str, Any]) -> None:
    expected = np.empty_like(S)
    for k in range(4):
        piece = S[:, k * 16 : k * 16 + 16]
        for j in range(6):
            piece = piece + np.float32(1) if k < 3 else piece
            piece = piece * np.float32(2) if j >= k and j != 4 else piece
            largest = np.max(piece, axis=1, keepdims=True) + np.zeros_like(piece)
            piece = largest if k * 2 - j > 1 or k == 0 else piece - np.float32(0.5)
        expected[:, k * 16 : k * 16 + 16] = piece if k % 2 == 1 else 7
    np.testing.assert_array_equal(found["chosen"], expected)
    np.testing.assert_array_equal(chosen.run(S, n=3), expected)


def test_a_number_has_to_lie_in_the_dtype_of_the_tile() -> None:
    @jit_kernel
    def small(x: In[Tile[1, 8, DType.U8]], y: Out[Tile[1, 8, DType.U8]]):
        for k in tl.range(3):
            tl.store(y, tl.load(x) + k * 128)

    with pytest.raises(
        TraceError, match=r"\+: the number gets to 256, which is not in 0..255 of u8"
    ):
        small.op()


def test_carried_tiles_change_places(found: dict[str, Any]) -> None:
    now, next, each = X, X, []
    for _ in range(10):
        each.append(now)
        now, next = next, now + next
    np.testing.assert_array_equal(found["each"], np.concatenate(each))
    np.testing.assert_array_equal(found["last"], now + X)
    a, b, c = X, X + np.float32(1), X + np.float32(2)
    for _ in range(5):
        a, b, c = c, a, b
    np.testing.assert_array_equal(found["rotated"], a * np.float32(100) + b * np.float32(10) + c)


def test_loops_in_loops(found: dict[str, Any]) -> None:
    total = np.float32(0)
    for i in range(4):
        total = total * np.float32(0.5) + M[4 * i : 4 * i + 4].sum()
    np.testing.assert_allclose(found["nested"], [[total]], rtol=1e-5)


def test_a_row_in_pieces(found: dict[str, Any]) -> None:
    wide = S.astype(np.float64)
    expected = np.log(np.exp(wide).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(found["softmax"], expected, rtol=1e-5)


def test_a_loop_is_one_piece_of_code(found: dict[str, Any]) -> None:
    program: Program = found["program"]
    assert program.ir("tile").count("tile.for") == 9
    assert program.ir("tile").count("tile.matmul") == 1
    assert product.ops.count("matmul") == 1


def test_the_cost_grows_with_the_runs() -> None:
    def cycles(runs: int) -> int:
        @jit_kernel
        def chain(x: In[Row], y: Out[Row]):
            value = tl.load(x)
            for _ in tl.range(runs):
                value = tl.exp(value)
            tl.store(y, value)

        x, y = Tensor.empty((1, 8), F32, name="x"), Tensor.empty((1, 8), F32, name="y")

        @workload
        def once():
            chain(x=x, y=y)

        report = once().task_graph().compile().costs()[0]
        return report["compute"]

    one, two, thousand = cycles(1), cycles(2), cycles(1000)
    # `vector.exp` on one repeat: 13 + 2 + 18 cycles, and 16 as it is not a whole one.
    assert two - one == 49
    assert thousand - one == 999 * 49


# ---- Mistakes ------------------------------------------------------------------------------------


def traced(body: Callable[..., None]) -> None:
    jit_kernel(body).op()


def test_no_run_is_no_loop() -> None:
    @jit_kernel
    def nothing(x: In[Row], y: Out[Row]):
        value = tl.load(x)
        for k in tl.range(3, 3):
            value = value + tl.load(x, [0, k], [1, 8])
        tl.store(y, value)

    assert nothing.ops == ("load", "store")


def test_what_a_loop_refuses() -> None:
    def number(x: In[Row], y: Out[Rows]):
        offset = 0
        for _ in tl.range(4):
            tl.store(y, x, [0, 0])
            offset += 8

    def numbers(x: In[Row], y: Out[Rows]):
        offsets: list[int] = []
        for _ in tl.range(4):
            offsets.append(len(offsets))
            tl.store(y, x, [0, 0])

    def element(x: In[Row], y: Out[Row]):
        state = [tl.load(x)]
        for _ in tl.range(4):
            state[0] = state[0] * 2.0
            tl.store(y, state[0])

    def temporary(x: In[Row], y: Out[Row]):
        for _ in tl.range(4):
            twice = x * 2.0
        tl.store(y, twice)

    def shape(x: In[Row], y: Out[Row]):
        value = tl.load(x)
        for _ in tl.range(4):
            value = tl.concat([value, value])
        tl.store(y, value[:, :8])

    def dtype(x: In[Row], y: Out[Row]):
        value = tl.load(x)
        for _ in tl.range(4):
            value = tl.cast(value, I32)
        tl.store(y, x)

    def early(x: In[Row], y: Out[Row]):
        tl.store(y, x)
        for _ in tl.range(4):
            break

    def nowhere(x: In[Row], y: Out[Row]):
        for k in tl.range(4):
            tl.store(y, tl.load(x, [0, k * 8], [1, 8]))

    def step(x: In[Row], y: Out[Row]):
        for _ in tl.range(4, 0, -1):
            tl.store(y, x)

    def tile(x: In[Row], y: Out[Row]):
        for _ in tl.range(x):  # pyright: ignore[reportArgumentType]
            tl.store(y, x)

    wrong: dict[Callable[..., None], str] = {
        number: "'offset' changes from run to run",
        numbers: "'offsets' changes from run to run",
        element: "cannot be used outside of it",
        temporary: r"a tile of one run of a tl.range loop \(made at .*\) cannot be used outside",
        shape: "'value' is 1x8xf32 before the loop, and 1x16xf32 after a run",
        dtype: "'value' is 1x8xf32 before the loop, and 1x8xi32 after a run",
        early: "a tl.range loop has no `break`",
        nowhere: r"tl.load: a box of 1x8 at \[0, 24\] does not lie in 1x8",
        step: "expected a step of at least 1, found -1",
        tile: "tl.range takes integers",
    }
    for body, message in wrong.items():
        with pytest.raises(TraceError, match=message) as caught:
            traced(body)
        assert "test_kernel_loops.py:" in str(caught.value)
