"""ptosim as a user meets it: programs written by hand, run from the command line."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from task_programs import task_program

PTOSIM = shutil.which(
    "ptosim", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ptosim")
    np.save(path / "x.npy", np.arange(32, dtype=np.float32).reshape(4, 8))
    np.save(path / "chosen.npy", np.array([2, 0], dtype=np.int32))
    return path


@pytest.fixture(scope="module")
def chain(folder: Path) -> Path:
    """z[p] = 2 (x[chosen[p]] + 1)"""
    return task_program("chain", folder / "cache", {"window": 16})


def ptosim(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    assert PTOSIM is not None, "ptosim is not installed"
    command = [PTOSIM, *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


INPUTS = ("--input", "x=x.npy", "--input", "chosen=chosen.npy")


def test_numbers_and_statistics(folder: Path, chain: Path) -> None:
    ran = ptosim(folder, chain, *INPUTS, "--output", "z=z.npy", "--stats", "-", "--threads", 2)
    assert ran.returncode == 0, ran.stderr
    x = np.load(folder / "x.npy")
    np.testing.assert_array_equal(np.load(folder / "z.npy"), 2 * (x[[2, 0]] + 1))
    stats = json.loads(ran.stdout)
    assert stats["tasks"] == 6
    assert stats["reads"] == 0, "what no task writes costs no readback"
    assert stats["makespan_cycles"] > 0
    for pool in stats["pools"]:
        idle = sum(pool["stalls"].values())
        assert pool["busy"] + idle == pool["cores"] * stats["makespan_cycles"]


def test_summary_is_for_people(folder: Path, chain: Path) -> None:
    ran = ptosim(folder, chain, *INPUTS)
    assert ran.returncode == 0, ran.stderr
    assert "makespan" in ran.stdout
    assert "% busy" in ran.stdout


def test_rows_as_csv_and_perfetto(folder: Path, chain: Path) -> None:
    ran = ptosim(
        *(folder, chain, "--timing-only", "--input", "chosen=chosen.npy", "--tasks", "tasks.csv"),
        *("--edges", "edges.csv", "--stalls", "stalls.csv", "--trace", "run.pftrace"),
        *("--stats", "stats.json"),
    )
    assert ran.returncode == 0, ran.stderr
    tasks = list(csv.DictReader((folder / "tasks.csv").read_text().splitlines()))
    assert [row["kernel"] for row in tasks] == ["add_one"] * 4 + ["twice"] * 2
    assert [row["axes"] for row in tasks[3:5]] == ["row=3", "pick=0"]
    assert tasks[4]["loc"] == "chain.py:33"
    edges = {
        tuple(row.values())
        for row in csv.DictReader((folder / "edges.csv").read_text().splitlines())
    }
    assert edges == {("2", "4", "raw"), ("0", "5", "raw")}
    stats = json.loads((folder / "stats.json").read_text())
    assert stats["makespan_cycles"] == max(int(row["end"]) for row in tasks)
    assert (folder / "run.pftrace").stat().st_size > 0
    assert (folder / "stalls.csv").read_text().startswith("core,begin,end,cause,task\n")


def test_same_cycles_with_and_without_numbers_and_for_any_thread_count(
    folder: Path, chain: Path
) -> None:
    rows: set[bytes] = set()
    for mode in (["--threads", 1], ["--threads", 3], ["--timing-only"]):
        ran = ptosim(folder, chain, *INPUTS, *mode, "--tasks", "t.csv")
        assert ran.returncode == 0, ran.stderr
        rows.add((folder / "t.csv").read_bytes())
    assert len(rows) == 1


def test_settings_change_the_run(folder: Path, chain: Path) -> None:
    def makespan(*arguments: object) -> int:
        ran = ptosim(folder, chain, *INPUTS, "--timing-only", "--stats", "-", *arguments)
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)["makespan_cycles"]

    assert makespan("--window", 1) > makespan()
    assert makespan("--set", "window=1") == makespan("--window", 1)
    assert makespan("--set", "cores.vector=1") > makespan()


def test_what_if_compares_each_setting_and_all_together(folder: Path, chain: Path) -> None:
    changes = ("--what-if", "window=1", "--what-if", "cores.vector=1")
    outputs: list[str] = []
    for mode in (["--timing-only"], ["--threads", 2]):
        ran = ptosim(folder, chain, *INPUTS, *mode, *changes)
        assert ran.returncode == 0, ran.stderr
        outputs.append(ran.stdout)
    assert outputs[0] == outputs[1]
    lines = outputs[0].splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("setting"))
    table = [line.split() for line in lines[start + 1 :]]
    assert [row[0] for row in table] == ["base", "window=1", "cores.vector=1", "all"]
    alone = ptosim(folder, chain, *INPUTS, "--timing-only", "--window", 1, "--stats", "-")
    assert int(table[1][1]) == json.loads(alone.stdout)["makespan_cycles"]


def test_the_critical_path_adds_up_to_the_makespan(folder: Path, chain: Path) -> None:
    ran = ptosim(folder, chain, *INPUTS, "--timing-only", "--critical-path", "path.csv")
    assert ran.returncode == 0, ran.stderr
    assert "longest path" in ran.stdout
    rows = list(csv.DictReader((folder / "path.csv").read_text().splitlines()))
    observed = [row for row in rows if row["path"] == "observed"]
    cycles = sum(int(row["end"]) - int(row["begin"]) for row in observed)
    assert f"{cycles} cycles" in ran.stdout.splitlines()[1]


def test_check_names_races(folder: Path, chain: Path) -> None:
    proven = ptosim(folder, chain, *INPUTS, "--check")
    assert proven.returncode == 0, proven.stderr
    assert "2 conflicting pairs, 0 of them not ordered" in proven.stdout
    racing = ptosim(folder, chain, *INPUTS, "--timing-only", "--check", "--set", "deps=explicit")
    assert racing.returncode == 1
    assert "chain.py:33: task 4, twice(pick=0) reads y[2:3, 0:8]" in racing.stdout


@pytest.mark.parametrize("option", ["--tasks", "--edges", "--stalls", "--trace", "--critical-path"])
def test_a_minus_is_stdout(folder: Path, chain: Path, option: str) -> None:
    to_file = ptosim(folder, chain, *INPUTS, "--timing-only", option, "rows")
    assert "makespan" in to_file.stdout
    assert PTOSIM is not None
    command = [PTOSIM, str(chain), "--input", "chosen=chosen.npy", "--timing-only", option, "-"]
    printed = subprocess.run(command, cwd=folder, capture_output=True, check=True)
    assert printed.stdout == (folder / "rows").read_bytes()
    assert not (folder / "-").exists()


def test_routing_is_drawn_where_it_is_declared(folder: Path) -> None:
    program = task_program("chain", folder / "cache", chosen="ZIPF")
    ran = ptosim(folder, program, "--timing-only", "--stats", "-")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["tasks"] == 6


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 1, "chain.py:20: tensor 'x' has no values"),
        (["--timing-only"], 1, "chain.py:32: the workload reads tensor 'chosen'"),
        (["--input", "y2=x.npy"], 1, "no tensor 'y2'; its tensors are: x, y, z, chosen"),
        (["--input", "x=chosen.npy"], 1, "chosen.npy: expected elements of f32"),
        (["--input", "x=absent.npy"], 1, "absent.npy: cannot be read"),
        (["--set", "window=none"], 1, "setting `window`: expected an integer"),
        (["--set", "dispatch=random"], 1, "expected shared, work_steal, round_robin(N)"),
        (["--set", "costs.dispatsh=1"], 1, "costs.dispatch"),
        (["--machine", "abacus"], 1, "no machine profile 'abacus'"),
        (["--threads", "0"], 2, "--threads: expected a number"),
        (["--input", "x"], 2, "--input: expected NAME=FILE.npy"),
        (["--timing-only", "--output", "z=z.npy"], 2, "computes no values"),
        (["--fast"], 2, "--help"),
        (["--timing-only", "--check"], 1, "chain.py:32: the workload reads tensor 'chosen'"),
        (["--what-if", "windo=4"], 1, "unknown setting `windo`; did you mean `window`?"),
        (["--what-if", "cores.vector=0"], 1, "cores.vector"),
        (["--what-if", "window"], 1, "expected KEY=VALUE, found `window`"),
        (["--tasks", "-", "--stats", "-"], 2, "expected one file to go to stdout"),
        (["--stats", "-", "--what-if", "window=4"], 2, "--what-if and --check print to stdout"),
    ],
)
def test_what_is_wrong_is_said(
    folder: Path, chain: Path, arguments: list[str], code: int, message: str
) -> None:
    ran = ptosim(folder, chain, *arguments)
    assert ran.returncode == code
    assert message in ran.stderr
    assert ran.stdout == ""


def test_an_index_outside_its_tensor(folder: Path, chain: Path) -> None:
    np.save(folder / "wild.npy", np.array([4, 0], dtype=np.int32))
    for mode in ([], ["--timing-only"]):
        ran = ptosim(folder, chain, "--input", "x=x.npy", "--input", "chosen=wild.npy", *mode)
        assert ran.returncode == 1
        assert "chain.py:33" in ran.stderr


def test_a_damaged_program_is_refused(folder: Path, chain: Path) -> None:
    damaged = folder / "damaged.so"
    content = bytearray(chain.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    ran = ptosim(folder, damaged)
    assert ran.returncode == 1
    assert "damaged" in ran.stderr


def test_help_and_version(folder: Path) -> None:
    assert "--timing-only" in ptosim(folder, "--help").stdout
    assert ptosim(folder, "--version").stdout.startswith("ptosim ")
    assert ptosim(folder).returncode == 2


def test_an_interrupt_ends_an_endless_program(folder: Path) -> None:
    program = task_program("endless", folder / "cache")
    assert PTOSIM is not None
    trace = folder / "endless.pftrace"
    command = [PTOSIM, str(program), "--trace", str(trace)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=folder) as process:
        process.send_signal(signal.SIGINT)
        _, messages = process.communicate()
    # Before the run begins, the signal has its default effect.
    assert process.returncode in (130, -signal.SIGINT)
    assert messages in ("ptosim: interrupted\n", "")
