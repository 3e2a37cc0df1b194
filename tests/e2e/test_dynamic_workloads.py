"""Loops whose lengths only a run knows: what runs make of them, and how each mistake is told."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pto_wsp import (
    CSR,
    Dense,
    DenseDyn,
    DType,
    ExecutionError,
    In,
    InOut,
    Out,
    P,
    Program,
    Ragged,
    Sparse,
    Symbol,
    Tensor,
    Tile,
    Zipf,
    jit_kernel,
    slot,
    slot_load,
    slot_set,
    tl,
    workload,
)
from pto_wsp.codegen import build, emit_units
from pto_wsp.dialects import make_context
from pto_wsp.transforms.pipeline import run_pipeline

F32, I32 = DType.F32, DType.I32
BATCH = Dense[3]("b")
SIZE = Symbol("size", 4, most=8)


@jit_kernel
def count(y: InOut[Tile[1, 1, F32]]):
    tl.store(y, y + 1.0)


@jit_kernel
def copy_row(x: In[Tile[1, 4, I32]], y: Out[Tile[1, 4, I32]]):
    tl.store(y, x)


class Case:
    """One program with every form, and the arrays that it runs with."""

    def __init__(self) -> None:
        self.lengths = np.array([2, 0, 3, 1], np.int32)
        self.indptr = np.array([0, 2, 2, 4], np.int32)
        self.indices = np.array([1, 3, 0, 2], np.int32)
        self.y = Tensor(data=np.zeros((4, 8), np.float32), name="y")
        self.program = self._workload().compile(threads=1)

    def _workload(self) -> Any:
        given, y = Tensor(data=self.lengths, name="given"), self.y
        lengths = Tensor.empty((4,), I32, name="lengths")
        indptr = Tensor(data=self.indptr, name="indptr")
        csr = CSR(indptr, Tensor(data=self.indices, name="indices"))
        limit = Symbol("limit", 100)

        @workload
        def forms():
            copy_row(x=given, y=lengths)
            for i in P(DenseDyn[SIZE]("i")):
                count[i](y=y[0, i])
            for b, t in P(BATCH, Ragged[BATCH, lengths]("t")):
                count[b, t](y=y[1, b])
            for b, c in P(BATCH, Sparse[BATCH, csr]("c")):
                count[b, c](y=y[2, c])
            for b in P(BATCH):
                slot_set("sum", slot("sum") + lengths[b])
                with P.when(slot("sum") > limit):
                    count[b](y=y[3, lengths[b]])
            slot_load("large", given[3])
            for _ in P(BATCH):
                slot_set("large", slot("large") * 1024)

        return forms()

    def run(self, **symbols: int) -> Program:
        self.y.numpy()[:] = 0
        self.program.execute(symbols=symbols)
        self.program.synchronize()
        return self.program


@pytest.fixture
def case() -> Case:
    return Case()


def failure(action: Callable[[], Any]) -> str:
    with pytest.raises(ExecutionError) as caught:
        action()
    return str(caught.value)


def line_of(text: str) -> int:
    lines = Path(__file__).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_a_symbol_changes_what_is_run_and_simulated(case: Case) -> None:
    program = case.run()
    assert case.y[0].numpy().tolist() == [1, 1, 1, 1, 0, 0, 0, 0]
    tasks = program.stats.tasks
    assert program.simulate(window=4).stats.tasks == tasks
    case.run(size=0)
    assert case.y[0].numpy().tolist() == [0] * 8
    assert program.simulate().stats.tasks == tasks - 4, "the last execution's symbols"
    assert program.check().tasks == tasks - 4


def test_symbols_of_every_kind_of_run() -> None:
    y = Tensor(data=np.zeros((4, 8), np.float32), name="y")

    @workload
    def sized():
        for i, j in P(DenseDyn[2]("i"), DenseDyn[SIZE]("j")):
            count[i, j](y=y[i, j])

    made = sized()
    assert made.task_counts() == {"count": 8}
    assert made.task_counts({"i": 4, "size": 3}) == {"count": 12}
    program = made.compile()
    assert program.simulate(symbols={"size": 8}, window=4).stats.tasks == 16
    assert program.simulate().stats.tasks == 8
    assert program.check(symbols={"i": 1}).tasks == 4
    assert program.what_if({"window": 4}, symbols={"size": 5}).base.tasks == 10
    text = failure(lambda: program.simulate(symbols={"i": 5}))
    assert "count: parameter 'y' [4:5, 0:1] leaves tensor 'y' of shape [4, 8]" in text


def test_rows_of_any_length(case: Case) -> None:
    case.run()
    assert case.y[1].numpy().tolist() == [2, 0, 3, 0, 0, 0, 0, 0]
    assert case.y[2].numpy().tolist() == [1, 1, 1, 1, 0, 0, 0, 0]
    case.lengths[:3], case.indptr[:] = 0, 0
    case.run(size=0)
    assert not case.y.numpy().any()
    assert case.program.stats.tasks == 1


def test_conditions_on_slots_and_symbols(case: Case) -> None:
    case.run(limit=1)
    assert case.y[3].numpy().tolist() == [1, 0, 1, 1, 0, 0, 0, 0], "sums are 2, 2 and 5"
    case.run(limit=2)
    assert case.y[3].numpy().tolist() == [0, 0, 0, 1, 0, 0, 0, 0]


def test_what_tasks_write_is_waited_for(case: Case) -> None:
    stats = case.run().stats
    assert stats.reads == 3 + 3, "three lengths of rows, three for the slot, none under P.when"
    assert case.run(limit=4).stats.reads == 7
    assert stats.stalls["readback"] > 0


def test_wrong_symbols(case: Case) -> None:
    program = case.program
    assert "no symbol 'n'; its symbols are: size, limit" in failure(
        lambda: program.simulate(symbols={"n": 1})
    )
    text = failure(lambda: program.simulate(symbols={"size": 9}))
    assert f"test_dynamic_workloads.py:{line_of('SIZE = ')}: symbol 'size'" in text
    assert "expected a number in 0 .. 8, found 9" in text
    for wrong in ({"size": 1.5}, {"size": True}, {3: 1}, {"size": 2**63}, [1]):
        assert "symbols: expected" in failure(lambda wrong=wrong: program.simulate(symbols=wrong))
    program.execute(symbols={"size": -1})
    assert "found -1" in failure(program.synchronize)


def test_a_symbol_without_a_value() -> None:
    n, y = Symbol("n", most=8), Tensor(data=np.zeros((4, 8), np.float32), name="y")

    @workload
    def unknown():
        for i in P(DenseDyn[n]("i")):
            count[i](y=y[0, i])

    made = unknown()
    assert "only a run knows" in failure(made.task_counts)
    assert made.task_counts({"n": 5}) == {"count": 5}
    program = made.compile()
    assert "symbol 'n' has no value: give it a number in 0 .. 8" in failure(program.simulate)
    assert program.simulate(symbols={"n": 5}).stats.tasks == 5


def test_a_negative_length(case: Case) -> None:
    case.lengths[1] = -3
    text = failure(case.run)
    assert f"test_dynamic_workloads.py:{line_of('for b, t in P(')}: " in text
    assert "the length of axis 't', from tensor 'lengths'" in text
    assert "expected at least 0, found -3; at b = 1" in text


@pytest.mark.parametrize(
    ("indptr", "words"),
    [
        ([-1, 2, 2, 4], ("the begin of selection 'c', from tensor 'indptr'", "found -1", "b = 0")),
        ([0, 2, 1, 4], ("the end of selection 'c'", "at least its begin, found 1", "b = 1")),
        ([0, 2, 2, 5], ("at most 4, the elements of tensor 'indices'", "found 5", "b = 2")),
    ],
)
def test_wrong_bounds_of_a_row(case: Case, indptr: list[int], words: tuple[str, ...]) -> None:
    case.indptr[:] = indptr
    text = failure(case.run)
    for word in (f"test_dynamic_workloads.py:{line_of('for b, c in P(')}", *words):
        assert word in text


def test_a_column_out_of_range(case: Case) -> None:
    case.indices[1] = 8
    text = failure(case.run)
    assert "task count[b=0, c=8] at" in text
    assert f"test_dynamic_workloads.py:{line_of('count[b, c]')}: parameter 'y'" in text
    assert "leaves tensor 'y'" in text
    assert "index 8 of axis 1, which has extent 8" in text


def test_a_slot_that_grows_too_large(case: Case) -> None:
    case.lengths[3] = 2**11
    text = failure(case.run)
    assert "the number for slot 'large': expected less than 2^40" in text
    assert f"found {2**41}; at b = 2" in text


def test_other_symbols_do_not_replay(case: Case) -> None:
    text = failure(lambda: case.run(size=1).simulate(symbols={"size": 2}))
    assert "the workload reads tensor 'lengths', which has no values" in text
    assert "it was executed with others" in text


def test_ptosim_takes_symbols(case: Case, tmp_path: Path) -> None:
    module = case.program.module()
    run_pipeline(module, make_context())
    program = build(emit_units(module), {})
    for name in ("lengths", "indptr", "indices"):
        np.save(tmp_path / f"{name}.npy", getattr(case, name))
    np.save(tmp_path / "y.npy", case.y.numpy())
    command = [str(shutil.which("ptosim")), str(program), "--output", "y=out.npy"]
    for name in ("given=lengths", "indptr=indptr", "indices=indices", "y=y"):
        command += ["--input", f"{name}.npy"]

    def ptosim(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
        )

    ran = ptosim("--symbol", "size=6", "--symbol", "limit=1")
    assert ran.returncode == 0, ran.stderr
    assert np.load(tmp_path / "out.npy")[0].tolist() == [1] * 6 + [0] * 2
    assert "found 9" in ptosim("--symbol", "size=9").stderr
    assert ptosim("--symbol", "size=9").returncode == 1
    for wrong in ("size", "=3", "size=", "size=x"):
        refused = ptosim("--symbol", wrong)
        assert refused.returncode == 2
        assert f"expected NAME=VALUE with an integer, found '{wrong}'" in refused.stderr


@pytest.mark.parametrize("dtype", [DType.U8, DType.I16, DType.U32, DType.U64])
def test_routing_is_the_same_in_every_dtype_that_holds_it(dtype: DType) -> None:
    """Values up to 249 fit in a u8, which an i8 of as many bytes has not."""

    @jit_kernel
    def mark(x: In[Tile[1, 8, DType.F32]], y: Out[Tile[1, 8, DType.F32]]):
        tl.store(y, tl.load(x))

    def marked(kind: DType) -> Any:
        x = Tensor(data=np.ones((1, 8), np.float32), name="x")
        y = Tensor(data=np.zeros((250, 8), np.float32), name="y")
        routing = Tensor.empty((3, 8), kind, name="routing", routing=Zipf(0.8, values=250))

        @workload
        def chosen():
            for t in P(Dense[3]("token")):
                for e in P.sel(routing[t], name="expert"):
                    mark[t, e](x=x, y=y[e])

        program = chosen().task_graph().compile()
        program.execute()
        program.synchronize()
        return y.numpy()[:, 0].nonzero()[0].tolist()

    found = marked(dtype)
    assert found == marked(DType.I32)
    assert max(found) > 127
