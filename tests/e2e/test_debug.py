"""`tl.debug`: what is printed, by whom, and when."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pto_wsp import Dense, DType, In, Out, P, Tensor, Tile, TraceError, jit_kernel, tl, workload

F32 = DType.F32


@jit_kernel
def doubled(x: In[Tile[2, 12, F32]], y: Out[Tile[2, 12, F32]]):
    total = tl.rowsum(x)
    tl.debug(x, "x")
    for k in tl.range(2):
        total = total + k
        tl.debug(total, "total")
    tl.debug(tl.cast(x[:, ::2], DType.I8), "odd ones")
    tl.debug(x[:1, 1:4] > 2.5, "mask")
    tl.debug(tl.cast(x[:1, :2], DType.F64) / 3.0, "thirds")
    tl.store(y, x * 2.0)


X = np.arange(48, dtype=np.float32).reshape(2, 2, 12)
X[0, 0, 0], X[0, 0, 1] = np.nan, -np.inf


def texts(base: int, run: str, x: Any) -> str:
    """What a run of the kernel prints; `base` is the line of its first statement."""
    numbers = [[f"{number:g}" for number in row] for row in x]
    sums = [row.sum(dtype=np.float32) for row in x]
    thirds = [f"{float(number) / 3:.17g}" for number in x[0, :2]]
    whole = [
        [0 if np.isnan(n) else max(int(n), -128) if np.isfinite(n) else -128 for n in row[::2]]
        for row in x
    ]
    rows = [f"test_debug.py:{base + 1}: x = 2x12 f32, {run}"]
    rows += [f"  [{' '.join([*row[:4], '..', *row[-4:]])}]" for row in numbers]
    for more in (0, 1):
        rows += [f"test_debug.py:{base + 4}: total = 2x1 f32, {run}"]
        rows += [f"  [{total + more:g}]" for total in sums]
    rows += [f"test_debug.py:{base + 5}: odd ones = 2x6 i8, {run}"]
    rows += [f"  [{' '.join(map(str, row))}]" for row in whole]
    rows += [f"test_debug.py:{base + 6}: mask = 1x3 i1, {run}"]
    rows += [f"  [{' '.join(str(int(n > 2.5)) for n in x[0, 1:4])}]"]
    rows += [f"test_debug.py:{base + 7}: thirds = 1x2 f64, {run}", f"  [{' '.join(thirds)}]"]
    return "\n".join(rows) + "\n"


LINES = Path(__file__).read_text().splitlines()
FIRST = LINES.index('    tl.debug(x, "x")')


def program(target: str, threads: int | None = None) -> Any:
    y = Tensor.empty((2, 2, 12), F32, name="y")

    @workload
    def both():
        for b in P(Dense[2]("batch")):
            doubled[b](x=Tensor(data=X, name="x")[b], y=y[b])

    return both().task_graph().compile(target=target, threads=threads)  # type: ignore[call-overload]


@pytest.mark.parametrize("target", ["cpu_sim", "reference"])
def test_a_task_prints_in_the_order_of_its_body(
    target: str, capfd: pytest.CaptureFixture[str]
) -> None:
    found = program(target, threads=1 if target == "cpu_sim" else None)
    found.execute()
    found.synchronize()
    expected = [texts(FIRST, f"task {b} doubled[batch={b}]", X[b]) for b in range(2)]
    assert capfd.readouterr().err == "".join(expected)


def test_texts_of_several_threads_are_whole(capfd: pytest.CaptureFixture[str]) -> None:
    found = program("cpu_sim", threads=2)
    found.execute()
    found.synchronize()
    lines = capfd.readouterr().err.splitlines()
    expected = [texts(FIRST, f"task {b} doubled[batch={b}]", X[b]).splitlines() for b in range(2)]
    assert sorted(lines) == sorted([*expected[0], *expected[1]])


def test_a_run_by_line_prints_too(capfd: pytest.CaptureFixture[str]) -> None:
    doubled.run(X[1])
    assert capfd.readouterr().err == texts(FIRST, "doubled.run", X[1])


def test_nothing_is_printed_where_there_are_no_numbers(capfd: pytest.CaptureFixture[str]) -> None:
    found = program("cpu_sim")
    cycles = found.simulate().stats.makespan_cycles
    assert cycles > 0
    assert capfd.readouterr().err == ""


def test_what_prints_costs_nothing() -> None:
    def body(x: In[Tile[8, 64, F32]], y: Out[Tile[8, 64, F32]]) -> None:
        tl.store(y, tl.exp(x) + 1.0)

    def shown(x: In[Tile[8, 64, F32]], y: Out[Tile[8, 64, F32]]) -> None:
        powers = tl.exp(x)
        tl.debug(powers, "powers")
        tl.store(y, powers + 1.0)

    shown.__name__ = body.__name__

    def report(function: Any) -> Any:
        kernel = jit_kernel(function)

        @workload
        def one():
            kernel(x=Tensor.empty((8, 64), F32, name="x"), y=Tensor.empty((8, 64), F32, name="y"))

        (found,) = one().task_graph().compile().costs()
        return {key: found[key] for key in ("load", "compute", "store")}

    assert report(shown) == report(body)


@pytest.mark.parametrize("name", ["", "two\nlines", 3])
def test_a_name_is_one_line(name: Any) -> None:
    @jit_kernel
    def wrong(x: In[Tile[1, 8, F32]], y: Out[Tile[1, 8, F32]]):
        tl.debug(x, name)
        tl.store(y, tl.load(x))

    with pytest.raises(
        TraceError, match=r"test_debug.py:\d+: tl.debug: expected a name in one line"
    ):
        wrong.op()
