"""What kernels cost: given by the user, measured, or found by the model, and its reports."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pto_wsp import Dense, DType, In, Out, P, Program, Tensor, Tile, jit_kernel, tl, workload
from pto_wsp.errors import MachineError, ScheduleError, TraceError
from pto_wsp.tools.ptoc import main as ptoc

FREE = {
    f"costs.{name}": 0
    for name in ("submit", "submit_operand", "dispatch", "dispatch_latency", "completion_latency")
} | {f"costs.{name}": 0 for name in ("complete", "resolve", "pickup", "readback", "steal")}
"""Virtual time is what the cores need."""

SOURCE = """
from pto_wsp import Dense, DType, In, Out, P, Tensor, Tile, jit_kernel, tl, workload

Block = Tile[64, 512, DType.F32]

@jit_kernel(cost=1000)
def first(x: In[Block], y: Out[Block]):
    tl.store(y, tl.exp(x))

@jit_kernel(cost="2us")
def second(x: In[Block], y: Out[Block]):
    tl.store(y, tl.exp(x))

@jit_kernel
def third(x: In[Block], y: Out[Block]):
    tl.store(y, tl.exp(x))

@workload
def row():
    tensors = [Tensor.empty((64, 512), DType.F32, name=name) for name in "abcd"]
    first(x=tensors[0], y=tensors[1])
    second(x=tensors[1], y=tensors[2])
    third(x=tensors[2], y=tensors[3])
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("costs") / "row.py"
    path.write_text(SOURCE)
    return path


@pytest.fixture(scope="module")
def row(file: Path) -> Program:
    names: dict[str, Any] = {}
    exec(compile(file.read_text(), str(file), "exec"), names)
    return names["row"]().task_graph().compile()


def durations(program: Program, **settings: Any) -> list[int]:
    """Of the tasks, in cycles, on a machine that does nothing but compute."""
    tasks = program.simulate(**(FREE | settings)).trace.tasks
    return [int(cycles) for cycles in tasks["end"] - tasks["start"]]


def test_given_costs_take_the_model_s_place(row: Program) -> None:
    # 2 us at 1.8 GHz.
    assert durations(row) == [1000, 3600, third(row)]


def third(row: Program) -> int:
    report = row.costs()[2]
    return report["load"] + report["compute"] + report["store"]


def test_a_given_cost_moves_nothing(row: Program) -> None:
    block = 64 * 512 * 4
    stats = row.simulate(memory="flat", **FREE).stats
    assert stats.memory_bytes == 2 * block
    stats = row.simulate(memory="flat", **FREE, **{"kernels.third": 1}).stats
    assert stats.memory_bytes == 0


def test_a_run_s_setting_wins(row: Program) -> None:
    assert durations(row, **{"kernels.second": 7, "kernels.third": "1.5us"}) == [1000, 7, 2700]
    compared = row.what_if({"kernels.third": 1})
    assert compared.variants[0].stats.makespan_cycles < compared.base.makespan_cycles


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("kernel,us\nthird,3\n", [1000, 3600, 5400]),
        ("when,kernel,cycles\nmonday,first,5\n\ntuesday,second, 6\n", [5, 6, None]),
        ('"kernel","ns"\r\n"second",10\r\n', [1000, 18, None]),
    ],
)
def test_measured_times(
    row: Program, tmp_path: Path, text: str, expected: list[int | None]
) -> None:
    file = tmp_path / "times.csv"
    file.write_text(text)
    wanted = [third(row) if cycles is None else cycles for cycles in expected]
    assert durations(row, kernel_times=str(file)) == wanted


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "times.csv: expected a CSV file with a header"),
        ("kernel,days\nfirst,1\n", "times.csv:1: expected a header with the column kernel and one"),
        ("kernel,us,ns\nfirst,1,1\n", "times.csv:1: expected a header"),
        ("kernel,us\nfirst,soon\n", "times.csv:2: expected a kernel and its time in us, found"),
        ("kernel,us\nfirst\n", "times.csv:2: expected a kernel and its time in us"),
        ("kernel,cycles\nfirst,0\n", "times.csv:2: expected a kernel and its time in cycles"),
        ("kernel,us\nfirst,1\nfirst,2\n", "times.csv:3: kernel first comes twice"),
        ("kernel,us\nfourth,1\n", "kernel `fourth`; the program has first, second, third"),
    ],
)
def test_wrong_measured_times(row: Program, tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "times.csv"
    file.write_text(text)
    with pytest.raises(ScheduleError, match=message):
        row.simulate(kernel_times=str(file))


@pytest.mark.parametrize("value", ["0", "-1", "2 weeks", "us", "1e99ms", "nan us", "0us"])
def test_a_wrong_time(row: Program, value: str) -> None:
    with pytest.raises(ScheduleError, match=r"kernels\.first.*expected cycles, a whole number"):
        row.simulate(**{"kernels.first": value})


@pytest.mark.parametrize("cost", [0, -5, 2.5, True, "soon", "0us"])
def test_a_wrong_cost_is_refused_where_the_kernel_stands(cost: Any) -> None:
    def copy(x: In[Tile[1, 8, DType.F32]], y: Out[Tile[1, 8, DType.F32]]) -> None:
        tl.store(y, tl.load(x))

    with pytest.raises(TraceError, match=r"test_kernel_costs.py:\d+.*cost of copy: expected"):
        jit_kernel(cost=cost)(copy)


def test_many_small_tasks_wait_for_schedulers_few_large_ones_for_cores() -> None:
    Row = Tile[1, 8, DType.F32]
    y = Tensor.empty((4096, 8), DType.F32, name="y")

    @jit_kernel
    def fill(y: Out[Row]):
        tl.store(y, 1)

    @workload
    def rows():
        for row in P(Dense[4096]("row")):
            fill[row](y=y[row])

    program = rows().task_graph().compile()

    def shares(**settings: Any) -> tuple[float, float]:
        """Of the time: how busy the schedulers are that the run has, and the vector cores."""
        stats = program.simulate(**settings).stats
        busy = [scheduler.busy for scheduler in stats.schedulers]
        return max(busy) / stats.makespan_cycles, stats.utilisation["vector"]

    free = {"costs.submit": 0, "costs.submit_operand": 0}
    small = shares(**free, **{"kernels.fill": "100ns"})
    large = shares(**free, **{"kernels.fill": "1ms"})
    assert small[0] > 0.95 > 0.2 > small[1]
    assert large[1] > 0.95 > 0.2 > large[0]


# ---- Reports ------------------------------------------------------------------------------------


def test_the_report_says_where_the_cycles_come_from(row: Program) -> None:
    report = row.costs()[2]
    assert report["name"] == "third"
    assert report["location"].endswith("row.py:14")
    assert report["unit"] == "vector"
    assert report["bytes"] == report["moved_bytes"] == 2 * 64 * 512 * 4
    assert [pipe["name"] for pipe in report["pipes"]] == ["gm -> ub", "vector", "ub -> gm"]
    busiest = max(report["pipes"], key=lambda pipe: pipe["cycles"])
    assert busiest["name"] == "gm -> ub"
    assert report["bound_by"] == "load"
    assert report["roofline"] <= third(row)
    assert all(0 < buffer["used"] <= buffer["size"] for buffer in report["buffers"])
    assert "given" not in report
    assert row.costs()[0].get("given") == "1000"


def test_another_machine_needs_no_compilation(row: Program) -> None:
    assert row.costs("ascend_a5")[2] != row.costs()[2]
    with pytest.raises(MachineError, match="no machine profile 'moon'"):
        row.costs("moon")


def test_ptoc_prints_costs(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ptoc([str(file), "--emit=cost"]) == 0
    printed = capsys.readouterr().out
    assert "third (row.py:14), vector:" in printed
    assert "takes 2us instead, as its cost is given" in printed
    assert "roofline of the core:" in printed
    assert ptoc([str(file), "--emit=cost", "--machine=moon"]) == 1
    assert "no machine profile 'moon'" in capsys.readouterr().err


# ---- Profiles -----------------------------------------------------------------------------------


def test_ptoc_machine(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert ptoc(["machine", "list"]) == 0
    listed = capsys.readouterr().out
    assert [line.split()[0] for line in listed.splitlines()] == [
        "ascend_a3",
        "ascend_a5",
        "generic",
    ]
    assert ptoc(["machine", "show", "ascend_a3", "cores"]) == 0
    shown = capsys.readouterr().out
    assert "cores.cube" in shown
    assert "24 cores" in shown
    assert "[simpler docs: AIC per die]" in shown
    assert ptoc(["machine", "show", "ascend_a3", "wings"]) == 1
    assert "no key or group wings" in capsys.readouterr().err
    assert ptoc(["machine", "check", "ascend_a3", "ascend_a5", "generic"]) == 0
    broken = tmp_path / "mine.json"
    broken.write_text('{"description": "mine", "clock": {"value": 0, "unit": "GHz", "source": ""}}')
    capsys.readouterr()
    assert ptoc(["machine", "check", str(broken)]) == 1
    errors = capsys.readouterr().err
    assert "mine.json" in errors
    assert "clock" in errors
    assert "cores.cube" in errors


@pytest.mark.parametrize(
    ("dtype", "steps"),
    [
        (DType.F32, 2 * 64 // 8),
        (DType.F16, 64 // 16),
        (DType.I8, 64 // 32),
        (DType.F8E4M3, 64 // 32),
    ],
)
def test_the_cube_takes_32_bytes_of_k_in_a_step(dtype: DType, steps: int) -> None:
    result = DType.F32 if dtype.is_float else DType.I32

    @jit_kernel
    def product(
        a: In[Tile[16, 64, dtype]], b: In[Tile[64, 16, dtype]], y: Out[Tile[16, 16, result]]
    ):
        tl.store(y, a @ b)

    @workload
    def one():
        product(
            a=Tensor.empty((16, 64), dtype, name="a"),
            b=Tensor.empty((64, 16), dtype, name="b"),
            y=Tensor.empty((16, 16), result, name="y"),
        )

    pipes = one().task_graph().compile(machine="ascend_a3").costs()[0]["pipes"]
    # The published model: 6 + c * ceil(M / 16) * ceil(K / (32 / bytes)) * ceil(N / 16).
    assert next(pipe["cycles"] for pipe in pipes if pipe["name"] == "cube") == 6 + steps


def test_rows_that_are_gathered_come_from_the_table_alone() -> None:
    @jit_kernel
    def pick(
        table: In[Tile[1024, 64, DType.F32]],
        rows: In[Tile[8, 1, DType.I32]],
        x: In[Tile[512, 64, DType.F32]],
        y: Out[Tile[8, 64, DType.F32]],
    ):
        tl.store(y, tl.gather_rows(table, tl.load(rows)) + tl.colsum(tl.load(x)))

    rows = Tensor(data=np.arange(8, dtype=np.int32).reshape(8, 1), name="rows")
    table, x = (Tensor.random((n, 64), DType.F32, name=f"x{n}") for n in (1024, 512))
    y = Tensor.empty((8, 64), DType.F32, name="y")

    @workload
    def twice():
        for i in P(Dense[2]("i")):
            pick[i](table=table, rows=rows, x=x, y=y)

    # From HBM: 8 rows for each task, which may be others; x and the numbers of the rows once.
    assert twice().compile().simulate().stats.memory_bytes == 2 * 8 * 256 + 512 * 256 + 8 * 4
