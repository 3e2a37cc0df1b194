"""The examples at small sizes: they pass their own checks, and fail where numbers are wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = sorted(
    path.name for path in EXAMPLES.iterdir() if (path / f"{path.name}_example.py").exists()
)
NAMES.remove("deepseek_v3")  # which has a test of its own


def run(name: str, *words: str) -> "subprocess.CompletedProcess[str]":
    script = EXAMPLES / name / f"{name}_example.py"
    command = [sys.executable, *words, str(script), "--small"]
    return subprocess.run(command, capture_output=True, text=True, env=dict(os.environ))


@pytest.mark.parametrize("name", NAMES)
def test_an_example_passes_its_checks(name: str) -> None:
    done = run(name)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all checks passed" in done.stdout
    assert "  ok  " in done.stdout
    assert "What if" in done.stdout


def test_a_wrong_number_fails_an_example(tmp_path: Path) -> None:
    """A golden.py in front of the example's own."""
    (tmp_path / "golden.py").write_text("def matmul(a, b):\n    return 1.01 * (a @ b)\n")
    script = EXAMPLES / "matmul" / "matmul_example.py"
    start = f"import runpy, sys; sys.path.insert(0, {str(tmp_path)!r}); import golden; "
    start += (
        f"sys.argv = ['matmul', '--small']; runpy.run_path({str(script)!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", start], capture_output=True, text=True)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAIL  C, 512 x 512" in done.stdout
    assert "CHECKS FAILED" in done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_told_about(name: str) -> None:
    folder = EXAMPLES / name
    assert f"python {name}_example.py" in (folder / "README.md").read_text()
    assert f"{name}_example.py" in (folder / "Makefile").read_text()
    assert f"[{name}]({name}/)" in (EXAMPLES / "README.md").read_text()
