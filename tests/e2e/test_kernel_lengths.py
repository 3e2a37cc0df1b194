"""Loops of kernels whose length every task has of its own: values, costs and mistakes."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pto_wsp import (
    Dense,
    DType,
    ExecutionError,
    In,
    InOut,
    Out,
    P,
    Program,
    Scalar,
    Symbol,
    Tensor,
    Tile,
    jit_kernel,
    kernel,
    tl,
    workload,
)
from pto_wsp.errors import CompileError, MachineError, TraceError
from pto_wsp.tools.ptoc import main as ptoc

F16, F32, I32 = DType.F16, DType.F32, DType.I32
MOST = 12
"""Pieces of 16 columns, at most."""
WIDE = 16 * MOST
TASKS = 24
LENGTHS = np.array([0, 1, MOST, *np.random.default_rng(1).integers(0, MOST + 1, TASKS - 3)], "i4")
TOKENS = np.random.default_rng(2).integers(0, WIDE + 1, TASKS).astype("i4")
Row, Part = Tile[1, WIDE, F32], Tile[1, 16, F32]


@jit_kernel
def total(x: In[Row], y: Out[Part], n: Scalar[0, MOST]):
    """The sum of the first n pieces."""
    s = tl.alloc((1, 16))
    for k in tl.range(n):
        s = s + tl.load(x, [0, k * 16], [1, 16])
    tl.store(y, s)


@jit_kernel
def product(
    a: In[Tile[16, WIDE, F16]], b: In[Tile[WIDE, 32, F16]], y: Out[Tile[16, 32, F32]], n: Scalar
):
    """A matmul along the first n pieces."""
    acc = tl.alloc((16, 32))
    for k in tl.range(n):
        acc = tl.matmul(
            tl.load(a, [0, k * 16], [16, 16]), tl.load(b, [k * 16, 0], [16, 32]), acc=acc
        )
    tl.store(y, acc)


@jit_kernel
def attend(
    q: In[Tile[1, 32, F32]],
    keys: In[Tile[WIDE, 32, F32]],
    y: Out[Tile[1, 32, F32]],
    tokens: Scalar[0, WIDE],
):
    """Attention over the first keys: whole pieces of 16, the last one masked."""
    most, norm, o = tl.full((1, 1), -1e30), tl.alloc((1, 1)), tl.alloc((1, 32))
    for k in tl.range((tokens + 15) // 16):
        part = tl.load(keys, [k * 16, 0], [16, 32])
        score = tl.matmul(q, part, transpose_b=True)
        score = tl.where(tl.iota(score) + k * 16 < tokens, score, -1e30)
        peak = tl.maximum(most, tl.rowmax(score))
        weights, keep = tl.exp(score - peak), tl.exp(most - peak)
        norm = norm * keep + tl.rowsum(weights)
        o = o * keep + weights @ part
        most = peak
    tl.store(y, o / (norm + 1e-30))


@jit_kernel
def nested(x: In[Row], y: Out[Part], n: Scalar[0, MOST], m: Scalar[-3, MOST]):
    """n times: m + 3 times the piece at n - 1, of which every second one doubles what there is."""
    a, b = tl.alloc((1, 16)), tl.full((1, 16), 1.0)
    for i in tl.range(n):
        for _ in tl.range(-3, m):
            a, b = b, a + tl.load(x, [0, i * 16], [1, 16])
        for _ in tl.range(0, 3, 2):
            a = a * 0.5
    tl.store(y, tl.where((n > 4) & (m < 2), -a, a) + b * 0.25 + m)


@jit_kernel
def moved(x: In[Row], y: InOut[Row], at: Scalar, n: Scalar[0, WIDE]):
    """A piece from a place of the task's own to another; and the first n elements are negated."""
    tl.store(y, tl.load(x, [0, at], [1, 16]), [0, WIDE - 16 - at])
    seen = tl.load(y)
    tl.store(y, tl.where(tl.iota(seen) < n, -seen, seen))


def given(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(len(shape)).standard_normal(shape).astype(np.float32)


X, A, B, Q, KEYS = (
    given(TASKS, WIDE),
    given(TASKS, 16, WIDE).astype(np.float16),
    given(WIDE, 32).astype(np.float16),
    given(TASKS, 1, 32),
    given(WIDE, 32),
)
OUT = {
    "total": (1, 16),
    "product": (16, 32),
    "attend": (1, 32),
    "nested": (1, 16),
    "moved": (1, WIDE),
}


def everything(target: str) -> dict[str, Any]:
    lengths, tokens = Tensor(data=LENGTHS, name="lengths"), Tensor(data=TOKENS, name="tokens")
    x, a, b = Tensor(data=X, name="x"), Tensor(data=A, name="a"), Tensor(data=B, name="b")
    q, keys = Tensor(data=Q, name="q"), Tensor(data=KEYS, name="keys")
    y = {name: Tensor.empty((TASKS, *shape), F32, name=name) for name, shape in OUT.items()}
    y["moved"] = Tensor(data=np.ones((TASKS, 1, WIDE), np.float32), name="moved")
    bias = Symbol("bias", 2, least=0, most=4)

    @workload
    def all_of_them():
        for t in P(Dense[TASKS]("t")):
            n = P.read(lengths[t])
            total[t](x=x[t], y=y["total"][t], n=n)
            product[t](a=a[t], b=b, y=y["product"][t], n=n)
            attend[t](q=q[t], keys=keys, y=y["attend"][t], tokens=tokens[t])
            nested[t](x=x[t], y=y["nested"][t], n=n, m=t % 7 - bias - 1)
            moved[t](x=x[t], y=y["moved"][t], at=n * 8, n=tokens[t])

    program: Any = all_of_them().task_graph().compile(target=target)
    program.execute()
    program.synchronize()
    return {"program": program} | {name: tensor.numpy().copy() for name, tensor in y.items()}


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return everything("cpu_sim")


def exact() -> dict[str, NDArray[Any]]:
    """What each task gives, by NumPy in f64."""
    expected = {name: np.zeros((TASKS, *shape)) for name, shape in OUT.items()}
    for t in range(TASKS):
        n, tokens, m = int(LENGTHS[t]), int(TOKENS[t]), t % 7 - 3
        pieces = X[t].reshape(1, MOST, 16).astype(np.float64)
        expected["total"][t] = pieces[:, :n].sum(axis=1)
        expected["product"][t] = A[t, :, : 16 * n].astype("f8") @ B[: 16 * n].astype("f8")
        if tokens:
            weights = np.exp(Q[t].astype("f8") @ KEYS[:tokens].astype("f8").T)
            expected["attend"][t] = weights / weights.sum() @ KEYS[:tokens].astype("f8")
        a, b = np.zeros((1, 16)), np.ones((1, 16))
        for i in range(n):
            for _ in range(m + 3):
                a, b = b, a + pieces[:, i]
            a = a * 0.25
        expected["nested"][t] = (-a if n > 4 and m < 2 else a) + b * 0.25 + m
        y = np.ones((1, WIDE))
        y[0, WIDE - 16 - 8 * n : WIDE - 8 * n] = X[t, 8 * n : 8 * n + 16]
        expected["moved"][t] = np.where(np.arange(WIDE) < tokens, -y, y)
    return expected


def test_every_task_has_its_own_length(found: dict[str, Any]) -> None:
    for name, expected in exact().items():
        np.testing.assert_allclose(found[name], expected, rtol=2e-5, atol=2e-5, err_msg=name)


def test_the_reference_and_the_python_body_agree(found: dict[str, Any]) -> None:
    reference = everything("reference")
    for name in OUT:
        tolerance = 1e-5 if name in ("product", "attend") else 0
        np.testing.assert_allclose(found[name], reference[name], rtol=tolerance, atol=tolerance)
    for t in (0, 1, 2, 7):
        n = int(LENGTHS[t])
        np.testing.assert_array_equal(total.run(X[t], n), found["total"][t])
        np.testing.assert_array_equal(nested.run(X[t], n=n, m=t % 7 - 3), found["nested"][t])


def test_there_is_one_loop_whatever_the_lengths(found: dict[str, Any]) -> None:
    program: Program = found["program"]
    assert program.ir("tile").count("tile.for") == 6
    assert "tile.for %k in 0 to [(%tokens + 15) floordiv 16] step 1" in program.ir("tile")
    assert "numbers(%lengths" in program.ir("task")


# ---- Time ----------------------------------------------------------------------------------------

Body = Callable[..., None]


def copies(body: Body, lengths: Sequence[int], constant: bool) -> Program:
    """A task of a kernel per length, which it is given or has."""
    shape = (16, 64 * MOST)
    x, w = Tensor.empty(shape, F16, name="x"), Tensor.empty((64 * MOST, 64), F16, name="w")
    y = Tensor.empty((16 * len(lengths), 64), F32, name="y")
    table = Tensor(data=np.array(lengths, "i4"), name="table")
    Left, Right, Result = Tile[16, 64 * MOST, F16], Tile[64 * MOST, 64, F16], Tile[16, 64, F32]

    def fixed(number: int) -> Any:
        def function(x: In[Left], w: In[Right], y: Out[Result]):
            body(x, w, y, number)

        function.__name__ = f"of_{number}"
        return jit_kernel(unit=unit)(function)

    unit = "vector" if body is sums else "cube"

    @jit_kernel(unit=unit)
    def varied(x: In[Left], w: In[Right], y: Out[Result], n: Scalar[0, 2 * MOST]):
        body(x, w, y, n)

    kernels = {n: fixed(n) for n in set(lengths)}

    @workload
    def work():
        if constant:
            for t, n in enumerate(lengths):
                kernels[n](x=x, w=w, y=y[16 * t : 16 * t + 16])
        else:
            for t in P(Dense[len(lengths)]("t")):
                varied[t](x=x, w=w, y=y[16 * t : 16 * t + 16], n=table[t])

    return work().task_graph().compile()


def sums(x: Any, w: Any, y: Any, n: Any) -> None:
    """Vector work behind what is loaded and before what is stored whatever the length."""
    s = tl.load(x, [0, 0], [16, 64])
    for k in tl.range(n):
        s = tl.exp(s) + tl.load(x, [0, (k % MOST) * 64], [16, 64])
    tl.store(y, s)


def products(x: Any, w: Any, y: Any, n: Any) -> None:
    acc = tl.alloc((16, 64))
    for k in tl.range(n):
        acc = tl.matmul(
            tl.load(x, [0, (k % MOST) * 64], [16, 64]),
            tl.load(w, [(k % MOST) * 64, 0], [64, 64]),
            acc=acc,
        )
    tl.store(y, acc)


def mixed(x: Any, w: Any, y: Any, n: Any) -> None:
    """Cube and vector work in loops in loops, with loads for one or the other."""
    s = tl.alloc((16, 64))
    for i in tl.range(0, n, 3):
        part = tl.load(w, [(i // 2) * 64, 0], [64, 64])
        for _ in tl.range(n):
            s = tl.maximum(tl.cast(s, F16) @ part, 0.0)
        for _ in tl.range(2):
            s = s + tl.exp(tl.cast(tl.load(x, [0, 0], [16, 64]), F32))
    tl.store(y, s)


TIMED = (0, 1, 2, 3, 5, 12, 13, 24, 7, 2, 0)
COLUMNS = ("submit", "ready", "dispatch", "start", "end", "retire", "core", "bound_by", "unit")


@pytest.mark.parametrize("body", [sums, products, mixed])
def test_a_length_costs_what_the_constant_does(body: Body) -> None:
    varied, fixed = (copies(body, TIMED, constant) for constant in (False, True))
    machines: list[dict[str, Any]] = [
        {},
        {"memory": "flat", "memory.hbm": 0.01},
        {"memory.hbm": 0.02, "memory.l2": 0.05, "memory.l2_size": 1},
    ]
    for settings in machines:
        found, expected = (program.simulate(**settings) for program in (varied, fixed))
        for column in COLUMNS:
            assert list(found.trace.tasks[column]) == list(expected.trace.tasks[column]), column
        for name in ("memory_bytes", "l2_bytes", "memory_busy", "borrowed_vector"):
            assert getattr(found.stats, name) == getattr(expected.stats, name), name
    assert len({int(c) for c in found.trace.tasks["end"] - found.trace.tasks["start"]}) > 5


def sum_of(report: Any) -> int:
    return report["load"] + report["compute"] + report["store"]


def test_reports_show_the_fixed_part_and_that_of_a_trip() -> None:
    for body in (sums, products):
        [report] = copies(body, [1], constant=False).costs()
        [none, some, more] = (
            copies(body, [n], constant=True).costs()[0] for n in (0, 4 * MOST, 24 * MOST)
        )
        [loop] = report["loops"]
        assert re.fullmatch(r"test_kernel_lengths.py:\d+", loop["location"])
        assert (sum_of(report), report["bytes"]) == (sum_of(none), none["bytes"])
        trips = 20 * MOST
        assert abs(sum_of(more) - sum_of(some) - trips * loop["cycles"]) <= 2
        for key in ("bytes", "operations"):
            assert more[key] - some[key] == trips * loop[key], key
        # What is stored once is shared by the trips of the matmul, rounded up.
        moved = more["moved_bytes"] - some["moved_bytes"]
        assert moved == pytest.approx(trips * loop["moved_bytes"], rel=1e-3)
        assert not some["loops"]


def test_the_report_of_a_kernel_with_several_loops() -> None:
    [report] = copies(mixed, [1], constant=False).costs()
    outer, inner = report["loops"]
    assert outer["operations"] > inner["operations"] > 2 * 16 * 64 * 64
    assert (inner["bytes"], outer["bytes"] > 0) == (0, True)


SOURCE = """
from pto_wsp import Dense, DType, In, Out, P, Scalar, Symbol, Tensor, Tile, jit_kernel, tl, workload

@jit_kernel
def chain(x: In[Tile[1, 8, DType.F32]], y: Out[Tile[1, 8, DType.F32]], n: Scalar[0, 100]):
    value = tl.load(x)
    for _ in tl.range(n):
        value = tl.exp(value)
    tl.store(y, value)

@workload
def work():
    x, y = (Tensor.empty((4, 8), DType.F32, name=name) for name in "xy")
    for i in P(Dense[4]("i")):
        chain[i](x=x[i], y=y[i], n=Symbol("n", 10) + i)
"""


def test_ptoc_prints_both_parts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "chain.py"
    file.write_text(SOURCE)
    assert ptoc([str(file), "--emit=cost"]) == 0
    text = capsys.readouterr().out
    # `vector.exp` on one repeat: 13 + 2 + 18 cycles, and 16 as it is not a whole one.
    assert "and per trip of the loop at chain.py:7: 49.0 cycles, 0 bytes" in text


def test_a_symbol_may_decide() -> None:
    names: dict[str, Any] = {}
    exec(SOURCE, names)
    program = names["work"]().task_graph().compile()
    first, later = (program.simulate(symbols={"n": n}).trace.tasks for n in (1, 61))
    spent = [list(tasks["end"] - tasks["start"]) for tasks in (first, later)]
    assert [b - a for a, b in zip(*spent, strict=True)] == [60 * 49] * 4
    assert [b - a for a, b in zip(spent[0], spent[0][1:], strict=False)] == [49] * 3
    given = program.simulate(symbols={"n": 1}, **{"kernels.chain": 77}).trace.tasks
    assert list(given["end"] - given["start"]) == [77] * 4


def ptosim(*arguments: object) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = [shutil.which("ptosim", path=path) or "ptosim", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_ptosim_gives_every_task_its_length(tmp_path: Path) -> None:
    file = tmp_path / "chain.py"
    file.write_text(SOURCE)
    program = tmp_path / "chain.so"
    assert ptoc([str(file), "--emit=so", "-o", str(program)]) == 0
    cycles: list[int] = []
    for n in (0, 3, 97):
        ran = ptosim(program, "--symbol", f"n={n}", "--timing-only", "--stats", "-")
        assert ran.returncode == 0, ran.stderr
        cycles.append(json.loads(ran.stdout)["kernels"][0]["busy"])
    assert [each - cycles[0] for each in cycles] == [0, 3 * 4 * 49, 97 * 4 * 49]
    ran = ptosim(program, "--symbol", "n=98", "--timing-only")
    assert ran.returncode == 1
    assert "task chain[i=3] at chain.py:15: number 'n': expected 0 to 100, found 101" in ran.stderr


def test_a_length_beyond_the_model_names_the_task() -> None:
    @jit_kernel
    def endless(y: Out[Tile[64, 1024, F32]], n: Scalar[0, 2**40 - 1]):
        value = tl.alloc((64, 1024))
        for _ in tl.range(n):
            value = tl.exp(value)
        tl.store(y, value)

    y = Tensor.empty((128, 1024), F32, name="y")

    @workload
    def two():
        for i in P(Dense[2]("i")):
            endless[i](y=y[64 * i : 64 * i + 64], n=i * 2**36 + 1)

    program = two().task_graph().compile()
    with pytest.raises(MachineError, match=r"task endless\[i=1\] at .*no cost.*`exp` is too large"):
        program.simulate()
    program.simulate(**{"kernels.endless": 7})


# ---- Mistakes ------------------------------------------------------------------------------------


def run(made: Any, simulate: bool = False, target: str = "cpu_sim", **numbers: Any) -> None:
    """One task of a kernel with x: 1 x WIDE and y, and the numbers out of a tensor."""
    shape = (1, 16) if made is not moved else (1, WIDE)
    x, y = Tensor(data=X[0], name="x"), Tensor(data=np.zeros(shape, "f4"), name="y")
    table = Tensor(data=np.array([[*numbers.values()]], "i8"), name="table")

    @workload
    def once():
        for i in P(Dense[1]("i")):
            made[i](x=x, y=y, **{name: table[i, at] for at, name in enumerate(numbers)})

    program: Any = once().task_graph().compile(target=target)
    if simulate:
        program.simulate()
        return
    program.execute()
    program.synchronize()


@jit_kernel
def ends(x: In[Row], y: InOut[Part], n: Scalar):
    value = tl.load(x, [0, 0], [1, 16])
    for _ in tl.range(-2, n - 4):
        value = tl.exp(value)
    tl.store(y, value)


NEGATIVE = r"the end of the tl.range loop at .*.py:\d+(:\d+)?: expected at least -2, found -3"
LEFT = "tl.load: the first column of a box: expected 0 to 176, of 192 columns of 'x', found 177"


@pytest.mark.parametrize(
    ("made", "numbers", "message", "simulated"),
    [
        (total, {"n": -1}, "number 'n': expected 0 to 12, found -1", True),
        (total, {"n": 13}, "number 'n': expected 0 to 12, found 13", True),
        (moved, {"at": 2**31, "n": 0}, "number 'at': expected -2147483648 to 2147483647", True),
        (ends, {"n": 1}, NEGATIVE, True),
        (moved, {"at": 177, "n": 0}, LEFT, False),
        (moved, {"at": -17, "n": 0}, "the first column of a box: .* found -17", False),
    ],
)
def test_what_only_a_run_knows(
    made: Any, numbers: dict[str, int], message: str, simulated: bool
) -> None:
    for target in ("cpu_sim", "reference"):
        with pytest.raises(ExecutionError, match=rf"task {made.name}\[i=0\] at .*{message}"):
            run(made, target=target, **numbers)
    if simulated:
        with pytest.raises(ExecutionError, match=rf"task {made.name}\[i=0\] at .*{message}"):
            run(made, simulate=True, **numbers)
    shape = (1, 16) if made is ends else (1, WIDE)
    given = {} if made is total else {"y": np.zeros(shape, np.float32)}
    with pytest.raises(TraceError, match=r"test_kernel_lengths.py:\d+: .*(found|does not lie)"):
        made.run(x=X[0], **given, **numbers)


def test_zero_and_the_least_end_are_no_mistake() -> None:
    run(ends, n=2)
    run(ends, n=2, target="reference")


def refused(body: Callable[..., Any], message: str) -> None:
    with pytest.raises(TraceError, match=message) as error:
        jit_kernel(body).op()
    assert re.search(r"test_kernel_lengths.py:\d+: ", str(error.value))


def test_ends_are_numbers_of_launches() -> None:
    def of_another_loop(y: Out[Part], n: Scalar):
        for i in tl.range(n):
            for _ in tl.range(i):
                pass

    def tile(y: Out[Part], n: Scalar):
        for _ in tl.range(tl.alloc((1, 1))):  # pyright: ignore[reportArgumentType]
            pass

    def start(y: Out[Part], n: Scalar):
        for _ in tl.range(n, 5):
            pass

    def wide(y: Out[Part], n: Scalar):
        tl.store(y, tl.where(tl.iota(tl.alloc((1, 16))) < n * 16, 1.0, 0.0))

    def outside(x: In[Row], y: Out[Part], n: Scalar[177, 200]):
        tl.store(y, tl.load(x, [0, n], [1, 16]))

    def asked(y: Out[Part], n: Scalar):
        if n > 3:  # pyright: ignore[reportOperatorIssue]
            tl.store(y, 0.0)

    def empty(y: Out[Part], n: Scalar):
        tl.store(y, 1.0 if n else 0.0)

    def unrolled(y: Out[Part], n: Scalar):
        for _ in range(n):  # pyright: ignore[reportArgumentType]
            tl.store(y, 1.0)

    refused(unrolled, r"a Scalar has no value while the kernel is traced.*as it is tl.range\(")
    refused(empty, r"a Scalar has no value while the kernel is traced")
    refused(asked, r"a condition has no value while the kernel is traced.*use tl.where\(")
    refused(of_another_loop, r"tl.range: the end is an integer or made of the kernel's Scalar")
    refused(tile, "tl.range takes integers of less than 32 bits")
    refused(start, "tl.range takes integers of less than 32 bits")
    refused(
        wide, r"not in -2147483648..2147483647 of i32; declare its range: Scalar\[least, most\]"
    )
    refused(outside, r"a box of 1x16 at \[0, 177\] does not lie in 1x192")


def test_annotations_say_a_range() -> None:
    for wrong in ((3,), (3, 2), (0, 1.5), (0, 2**40), (True, 2)):
        with pytest.raises(TraceError, match=r"expected Scalar\[least, most\]"):
            Scalar[wrong]
    with pytest.raises(TraceError, match=r"or Scalar"):

        @jit_kernel
        def plain(y: Out[Part], n: int):  # pyright: ignore[reportUnusedFunction]
            pass


def launched(**operands: Any) -> None:
    x, y = Tensor(data=X, name="x"), Tensor.empty((1, 16), F32, name="y")

    @workload
    def once():
        total(**{"x": x[0], "y": y} | operands)

    once().task_graph().compile()


def test_launches_give_numbers() -> None:
    with pytest.raises(TraceError, match=r"total takes x, y, n; missing n"):
        launched()
    with pytest.raises(TraceError, match=r"total: n takes an integer, a loop variable.*found 1.5"):
        launched(n=1.5)
    with pytest.raises(
        TraceError, match=r"number 'n' \(declared at .*\): expected 0 to 12, found 13"
    ):
        launched(n=13)
    with pytest.raises(CompileError, match=r"@total: number n is 13 up to 20, expected 0 to 12"):
        launched(n=Symbol("n", 13, least=13, most=20))
    launched(n=12)


def test_an_out_parameter_is_stored_whatever_the_length() -> None:
    @jit_kernel
    def sometimes(y: Out[Part], n: Scalar):
        for _ in tl.range(n):
            tl.store(y, 1.0)

    y = Tensor.empty((1, 16), F32, name="y")

    @workload
    def once():
        sometimes(y=y, n=1)

    with pytest.raises(CompileError, match="y is Out, but 0 of its 16 elements are stored"):
        once().task_graph().compile()


def test_a_body_of_cpp_has_the_numbers() -> None:
    @kernel(cpp_src="for (int64_t i = 0; i < 16; ++i) y[i] = i < n ? x[i] : m;", cost="1us")
    def first(x: In[Row], y: Out[Part], n: Scalar, m: Scalar): ...

    x, y = Tensor(data=X, name="x"), Tensor.empty((4, 16), F32, name="y")

    @workload
    def each():
        for i in P(Dense[4]("i")):
            first[i](x=x[i], y=y[i], n=i * 5, m=-i)

    program = each().task_graph().compile()
    program.execute()
    program.synchronize()
    expected = [[X[i, c] if c < 5 * i else -i for c in range(16)] for i in range(4)]
    np.testing.assert_array_equal(y.numpy(), np.array(expected, "f4"))
