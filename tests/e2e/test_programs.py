"""Programs from Python to numbers, cycles and errors."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from pto_wsp import (
    CompileError,
    Dense,
    DispatchPolicy,
    DType,
    ExecutionError,
    In,
    InOut,
    LoadError,
    MachineError,
    Out,
    P,
    Program,
    PtoError,
    ReadyPolicy,
    StartPolicy,
    TaskWindow,
    Tensor,
    Tile,
    Zipf,
    jit_kernel,
    sequential,
    tl,
    workload,
)
from pto_wsp.tools.ptoc import main

F16, BF16, F32, I32 = DType.F16, DType.BF16, DType.F32, DType.I32
R, C = 6, 40


def run(program: Program, **options: Any) -> Program:
    program.execute(**options)
    program.synchronize()
    return program


# ---- Numbers -----------------------------------------------------------------------------------


@jit_kernel
def element_wise(
    x: In[Tile[R, C, F32]],
    row: In[Tile[1, C, F32]],
    col: In[Tile[R, 1, F32]],
    y: Out[Tile[R, C, F32]],
    h: Out[Tile[R, C, F16]],
    b: Out[Tile[R, C, BF16]],
):
    v = (tl.exp(-x) + 2.0) * row / (col * col + 1.0) - tl.sigmoid(x)
    tl.store(y, tl.where(x >= 0.0, v, tl.rsqrt(x * x + 0.5) + tl.sqrt(3.0 - x)))
    tl.store(h, v)
    tl.store(b, v)


@jit_kernel
def products(
    a: In[Tile[R, C, F16]],
    w: In[Tile[C, 24, F16]],
    t: In[Tile[24, C, F16]],
    y: Out[Tile[R, 24, F32]],
    z: Out[Tile[R, 24, F32]],
):
    p = tl.matmul(a, w)
    tl.store(y, tl.matmul(a, t, transpose_b=True, acc=p))
    tl.store(z, tl.matmul(tl.cast(p[:, 8:16], F16), w[8:16, :]))


@jit_kernel
def rows(
    x: In[Tile[R, C, F32]],
    sums: Out[Tile[R, 3, F32]],
    top: Out[Tile[R, 5, F32]],
    index: Out[Tile[R, 5, I32]],
    picked: Out[Tile[R, 5, F32]],
    turned: Out[Tile[R, C, F32]],
    counted: Out[Tile[R, C, I32]],
):
    best = tl.topk(x, 5)
    tl.store(sums, tl.concat([tl.rowsum(x), tl.rowmax(x), tl.rowmean(x)]))
    tl.store(top, best.values)
    tl.store(index, best.indices)
    tl.store(picked, tl.gather(x, best.indices))
    tl.store(turned, tl.interleave(tl.slice_odd(x), tl.slice_even(x)))
    tl.store(counted, tl.iota(x, axis=0) * 100 + tl.iota(x, axis=1))


@jit_kernel
def accumulate(x: In[Tile[R, C, F32]], y: InOut[Tile[R, C, F32]]):
    tl.store(y, y + x)


@pytest.fixture(scope="module")
def numbers() -> SimpleNamespace:
    """One program with all kernels of this part, run once."""
    random = np.random.default_rng(5)

    def data(name: str, dtype: Any, *shape: int) -> Tensor:
        return Tensor(data=random.normal(size=shape).astype(dtype), name=name)

    def empty(name: str, dtype: DType, *shape: int) -> Tensor:
        return Tensor.empty(shape, dtype, name=name)

    t = SimpleNamespace(
        x=data("x", np.float32, R, C),
        row=data("row", np.float32, C),
        col=data("col", np.float32, R, 1),
        a=data("a", np.float16, R, C),
        w=data("w", np.float16, C, 24),
        t=data("t", np.float16, 24, C),
        y=empty("y", F32, R, C),
        h=empty("h", F16, R, C),
        b=empty("b", BF16, R, C),
        p=empty("p", F32, R, 24),
        z=empty("z", F32, R, 24),
        sums=empty("sums", F32, R, 3),
        top=empty("top", F32, R, 5),
        index=empty("index", I32, R, 5),
        picked=empty("picked", F32, R, 5),
        turned=empty("turned", F32, R, C),
        counted=empty("counted", I32, R, C),
        total=Tensor(data=np.zeros((R, C), np.float32), name="total"),
    )

    @workload
    def all_kernels():
        element_wise(x=t.x, row=t.row, col=t.col, y=t.y, h=t.h, b=t.b)
        products(a=t.a, w=t.w, t=t.t, y=t.p, z=t.z)
        rows(
            x=t.x,
            sums=t.sums,
            top=t.top,
            index=t.index,
            picked=t.picked,
            turned=t.turned,
            counted=t.counted,
        )
        for i in P.seq(Dense[3]("i")):
            accumulate[i](x=t.x, y=t.total)

    t.program = run(all_kernels().compile())
    return t


def assert_close(found: Tensor, expected: np.ndarray, tolerance: float) -> None:
    error = np.abs(found.numpy().astype(np.float64) - expected).max() / np.abs(expected).max()
    assert error <= tolerance


def test_element_wise_against_numpy(numbers: SimpleNamespace) -> None:
    x, row, col = (getattr(numbers, n).numpy().astype(np.float64) for n in ("x", "row", "col"))
    v = (np.exp(-x) + 2) * row / (col * col + 1) - 1 / (1 + np.exp(-x))
    other = 1 / np.sqrt(x * x + 0.5) + np.sqrt(3 - x)
    assert_close(numbers.y, np.where(x >= 0, v, other), 1e-6)
    assert_close(numbers.h, v, 1e-3)
    assert_close(numbers.b, v, 8e-3)
    assert numbers.b.numpy().dtype == ml_dtypes.bfloat16


def test_matmul_is_one_chain_of_multiply_adds_in_f32(numbers: SimpleNamespace) -> None:
    a, w, t = (getattr(numbers, n).numpy().astype(np.float64) for n in ("a", "w", "t"))
    # Products of f16 are exact in f64, so rounding each sum to f32 is the fused multiply-add.
    chain = np.zeros((R, 24), np.float32)
    for k in range(C):
        chain = (chain + a[:, k : k + 1] * w[k : k + 1]).astype(np.float32)
    p = chain.copy()
    for k in range(C):
        chain = (chain + a[:, k : k + 1] * t.T[k : k + 1]).astype(np.float32)
    assert_close(numbers.p, chain, 1e-6)
    z = p[:, 8:16].astype(np.float16).astype(np.float64) @ w[8:16]
    assert_close(numbers.z, z, 1e-5)


def test_row_operations_against_numpy(numbers: SimpleNamespace) -> None:
    x = numbers.x.numpy()
    assert_close(numbers.sums, np.stack([x.sum(1), x.max(1), x.mean(1)], 1), 1e-5)
    order = np.argsort(-x, axis=1, kind="stable")[:, :5]
    assert np.array_equal(numbers.index.numpy(), order)
    assert np.array_equal(numbers.top.numpy(), np.take_along_axis(x, order, 1))
    assert np.array_equal(numbers.picked.numpy(), numbers.top.numpy())
    assert np.array_equal(numbers.turned.numpy()[:, 0::2], x[:, 1::2])
    assert np.array_equal(numbers.turned.numpy()[:, 1::2], x[:, 0::2])
    count = np.arange(R)[:, None] * 100 + np.arange(C)
    assert np.array_equal(numbers.counted.numpy(), count)


def test_an_inout_accumulates_in_program_order(numbers: SimpleNamespace) -> None:
    x = numbers.x.numpy()
    assert np.array_equal(numbers.total.numpy(), (x + x) + x)


def test_executing_again_starts_from_the_tensors_as_they_are(numbers: SimpleNamespace) -> None:
    before = numbers.total.numpy().copy()
    run(numbers.program)
    x = numbers.x.numpy()
    assert np.array_equal(numbers.total.numpy(), ((before + x) + x) + x)


def test_ir_and_cpp_can_be_read(numbers: SimpleNamespace) -> None:
    assert "tile.kernel @rows" in numbers.program.ir("tile")
    assert "task.seq" in numbers.program.ir("task")
    whole = numbers.program.ir()
    assert "tile.kernel @rows" in whole
    assert "task.seq" in whole
    with pytest.raises(PtoError, match="module, tile, task, schedule, found 'llvm'"):
        numbers.program.ir("llvm")
    assert "static void kernel_rows(pto_call* call)" in numbers.program.cpp
    assert "#line" in numbers.program.cpp
    assert str(Path(__file__).parent) not in numbers.program.cpp


# ---- Routing by data ---------------------------------------------------------------------------


@jit_kernel
def choose(scores: In[Tile[4, 8, F32]], chosen: Out[Tile[4, 2, I32]]):
    tl.store(chosen, tl.topk(scores, 2).indices)


@jit_kernel
def take(row: In[Tile[1, 16, F32]], y: Out[Tile[1, 16, F32]]):
    tl.store(y, row * 2.0)


def routed(scores: np.ndarray | None) -> SimpleNamespace:
    given = (
        Tensor.empty((4, 8), F32, name="scores")
        if scores is None
        else Tensor(data=scores, name="scores")
    )
    t = SimpleNamespace(
        scores=given,
        chosen=Tensor.empty((4, 2), I32, name="chosen", routing=Zipf(1.0, seed=3)),
        table=Tensor.random((8, 16), F32, name="table", seed=1),
        y=Tensor.empty((4, 2, 16), F32, name="y"),
    )

    @workload
    def route():
        choose(scores=t.scores, chosen=t.chosen)
        for i in P(Dense[4]("i")):
            for e in P.sel(t.chosen[i], name="row"):
                take[i, e](row=t.table[e], y=t.y[i, e.position])

    t.work = route()
    return t


@pytest.fixture(scope="module")
def routing() -> SimpleNamespace:
    scores = np.random.default_rng(1).normal(size=(4, 8)).astype(np.float32)
    t = routed(scores)
    t.program = run(t.work.compile())
    return t


def test_tasks_follow_the_numbers(routing: SimpleNamespace) -> None:
    order = np.argsort(-routing.scores.numpy(), axis=1, kind="stable")[:, :2]
    assert np.array_equal(routing.chosen.numpy(), order)
    assert np.array_equal(routing.y.numpy(), routing.table.numpy()[order] * 2)
    tasks = routing.program.trace.tasks
    rows = tasks["axes"][tasks["kernel"] == "take"][:, 1]
    assert np.array_equal(rows, order.reshape(-1))


def test_simulate_replays_the_routing_and_settings_change_time(routing: SimpleNamespace) -> None:
    basic = routing.program.stats.makespan_cycles
    again = routing.program.simulate()
    assert again.stats.makespan_cycles == basic
    free = routing.program.simulate(**{"costs.dispatch": 0, "costs.complete": 0})
    assert free.stats.makespan_cycles < basic
    assert routing.program.stats.makespan_cycles == basic


def test_every_schedule_computes_the_same(routing: SimpleNamespace) -> None:
    before = routing.y.numpy().copy()
    schedule = routing.work.dispatch(DispatchPolicy.round_robin(2)).task_graph(
        window=TaskWindow(2),
        ready=ReadyPolicy.work_steal(),
        start=StartPolicy.threshold(3),
        batch=4,
        depth=2,
    )
    routing.y.array()[:] = 0
    program = run(schedule.compile(), threads=3)
    assert np.array_equal(routing.y.numpy(), before)
    assert program.stats.window_high_water <= 2
    assert program.stats.makespan_cycles != routing.program.stats.makespan_cycles


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
def test_values_and_trace_do_not_depend_on_threads(routing: SimpleNamespace, threads: int) -> None:
    values, tasks = routing.y.numpy().copy(), routing.program.trace.tasks
    program = run(routing.work.compile(), threads=threads)
    assert np.array_equal(routing.y.numpy(), values)
    found = program.trace.tasks
    for column in tasks:
        assert np.array_equal(found[column], tasks[column]), column


def test_timing_only_draws_the_declared_routing() -> None:
    t = routed(None)
    result = t.work.compile().simulate()
    assert result.stats.tasks == 9
    tasks = result.trace.tasks
    rows = tasks["axes"][tasks["kernel"] == "take"][:, 1].reshape(4, 2)
    assert ((rows >= 0) & (rows < 8)).all()
    assert (rows[:, 0] != rows[:, 1]).all()


def test_structure_orders_time() -> None:
    x = Tensor.random((4, 16), F32, name="x", seed=1)
    y = Tensor.empty((4, 16), F32, name="y")

    @workload
    def two_steps():
        with sequential() as step:
            with step():
                for i in P(Dense[2]("i")):
                    take[i](row=x[i], y=y[i])
            with step():
                for i in P(Dense[2]("i")):
                    take[i](row=x[i + 2], y=y[i + 2])

    tasks = two_steps().compile().simulate().trace.tasks
    assert tasks["end"][:2].max() <= tasks["start"][2:].min()


# ---- What goes wrong ---------------------------------------------------------------------------


def test_values_are_missing() -> None:
    t = routed(None)
    program = t.work.compile()
    program.execute()
    with pytest.raises(ExecutionError, match="scores"):
        program.synchronize()


def selection(indices: np.ndarray) -> Program:
    chosen = Tensor(data=indices, name="chosen")
    table, y = (Tensor.random((8, 16), F32, name="table"), Tensor.empty((2, 16), F32, name="y"))

    @workload
    def pick():
        for e in P.sel(chosen, name="row"):
            take[e](row=table[e], y=y[e.position])

    return pick().compile()


@pytest.mark.parametrize("bad", [8, -1])
def test_a_chosen_index_outside_of_the_tensor(bad: int) -> None:
    program = selection(np.array([3, bad], np.int32))
    program.execute()
    with pytest.raises(ExecutionError) as caught:
        program.synchronize()
    for word in ("take", "table", str(bad), "test_programs.py"):
        assert word in str(caught.value)
    with pytest.raises(ExecutionError, match="table"):
        program.simulate()


@pytest.mark.parametrize("bad", [2**40, -(2**63)])
def test_a_chosen_index_beyond_all_tensors(bad: int) -> None:
    program = selection(np.array([3, bad], np.int64))
    program.execute()
    with pytest.raises(ExecutionError, match=f"test_programs.*reads {bad} from 'chosen'"):
        program.synchronize()


def test_nan_in_routing_scores_is_an_error() -> None:
    scores = np.zeros((4, 8), np.float32)
    scores[1, 5] = np.nan
    program = routed(scores).work.compile()
    program.execute()
    with pytest.raises(ExecutionError, match=r"test_programs\.py:\d+.*tl\.topk: an element is NaN"):
        program.synchronize()


def test_a_damaged_program(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.so"
    damaged.write_bytes(b"\x7fELF" + os.urandom(400))
    with pytest.raises(LoadError, match=r"damaged\.so"):
        Program(damaged, {})


def test_targets_and_machines_that_do_not_exist() -> None:
    work = routed(None).work
    with pytest.raises(CompileError, match="cpu_sim"):
        work.compile(target="npu")
    with pytest.raises(MachineError, match="ascend_a3"):
        work.compile(machine="abacus")


def test_errors_of_passes_name_the_users_line() -> None:
    x = Tensor.random((4, 16), F32, name="x")
    y = Tensor.empty((4, 16), F32, name="y")

    @workload
    def beyond():
        for i in P(Dense[4]("i")):
            take[i](row=x[i + 1], y=y[i])

    with pytest.raises(CompileError, match=r"test_programs\.py:\d+"):
        beyond().compile()


def test_the_first_program_of_the_readme_runs_and_compiles(tmp_path: Path) -> None:
    readme = Path(__file__).parents[2] / "README.md"
    first = readme.read_text().split("```python\n", 1)[1].split("```", 1)[0]
    file = tmp_path / "first.py"
    file.write_text(first)
    ran = subprocess.run(
        [sys.executable, str(file)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "makespan" in ran.stdout
    assert (tmp_path / "softmax.pftrace").stat().st_size > 0
    assert main([str(file), "--emit=so", "-o", str(tmp_path / "prog.so")]) == 0
    again = Program(tmp_path / "prog.so", {})
    with pytest.raises(LoadError, match="holds no IR"):
        again.module()


def test_a_kernel_is_no_workload(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    readme = Path(__file__).parents[2] / "README.md"
    file = tmp_path / "first.py"
    file.write_text(readme.read_text().split("```python\n", 1)[1].split("program =", 1)[0])
    assert main([f"{file}:softmax"]) == 1
    assert "softmax is a kernel" in capsys.readouterr().err
