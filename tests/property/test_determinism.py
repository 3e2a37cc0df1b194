"""Equal program, data and settings: equal rows and statistics, whatever the host does."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from random import Random

import numpy as np
import pytest
from listed_tasks import (
    LineWriter,
    ListedRun,
    expected_values,
    fingerprint,
    initial_values,
    listed_tasks,
    random_settings,
)

SEEDS = range(100)
PTOSIM = shutil.which(
    "ptosim", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return listed_tasks(tmp_path_factory.mktemp("programs"))


@pytest.mark.parametrize("seed", SEEDS)
def test_runs_do_not_depend_on_threads_or_on_what_ran_before(program: Path, seed: int) -> None:
    rng = Random(seed)
    settings = random_settings(rng)
    lines = LineWriter(rng, settings).write()
    run = ListedRun(program, lines, settings)
    prints: set[str] = set()
    for threads in (1, 2, 3, 8, 2):
        prints.add(fingerprint(run.execute(threads)))
        for found, expected in zip((run.a, run.b), expected_values(lines), strict=True):
            np.testing.assert_array_equal(found.values, expected)
    prints.add(fingerprint(ListedRun(program, lines, settings).execute(4)))
    # Without numbers: the orchestrator's reads answer as in the last execution.
    prints.add(fingerprint(run.program.simulate()))
    assert len(prints) == 1


@pytest.mark.parametrize("seed", range(8))
def test_python_and_ptosim_agree(program: Path, tmp_path: Path, seed: int) -> None:
    rng = Random(seed)
    settings = random_settings(rng) | {"trace": "cycles"}
    lines = LineWriter(rng, settings).write()
    result = ListedRun(program, lines, settings).execute(2)
    result.trace.save(tmp_path / "python.csv")
    a, b = initial_values()
    for name, values in (("a", a), ("b", b), ("lines", lines)):
        np.save(tmp_path / f"{name}.npy", values)
    assert PTOSIM is not None, "ptosim is not installed"
    ran = subprocess.run(
        [
            *(PTOSIM, program, "--stats", "-", "--threads", "3"),
            *(word for n in ("a", "b", "lines") for word in ("--input", f"{n}={n}.npy")),
            *(w for key, value in settings.items() for w in ("--set", f"{key}={plain(value)}")),
            *("--tasks", "cli.csv", "--edges", "cli.edges.csv", "--stalls", "cli.stalls.csv"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["makespan_cycles"] == result.stats.makespan_cycles
    for table in ("", ".edges", ".stalls"):
        rows = [(tmp_path / f"{who}{table}.csv").read_text() for who in ("python", "cli")]
        assert rows[0] == rows[1]


def plain(value: object) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def test_the_interpreters_hash_seed_reaches_nothing(tmp_path: Path) -> None:
    """Of emitted programs, settings, rows and statistics; each from an empty cache."""
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(here.parent), os.environ.get("PYTHONPATH", "")])
    found: set[str] = set()
    for seed in ("0", "1", "4294967295", "random"):
        changed = {"PYTHONHASHSEED": seed, "PTO_CACHE_DIR": str(tmp_path / seed)}
        ran = subprocess.run(
            [sys.executable, here / "print_hashes.py"],
            env=os.environ | changed | {"PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        found.add(ran.stdout)
    assert len(found) == 1
