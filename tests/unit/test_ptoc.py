"""`ptoc` from outside: what it reads, what it writes, how it fails."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pto_wsp.tools.expected import mismatches
from pto_wsp.tools.inputs import split_text
from pto_wsp.tools.ptoc import main

COPY = """\
tile.kernel @copy (%x: in 4x8xf32, %y: out 4x8xf32) {
  %a = tile.load %x : 4x8xf32
  tile.store %a, %y
}
task.workload @w {
  %x = task.tensor "x" from random<seed = 1, scale = 1.0> : 2x4x8xf32
  %y = task.tensor "y" : 2x4x8xf32
  task.parallel (%i) in (2) {
    %p = task.view %x[%i, 0, 0] [1, 4, 8]
    %q = task.view %y[%i, 0, 0] [1, 4, 8]
    task.launch @copy [i = %i] ins(%p) outs(%q)
  }
}
schedule.plan @p for @w { schedule.dispatch policy(work_steal) }
"""
WRONG = COPY.replace("tile.store %a, %y", "")
USER = '''\
"""A file whose objects have the one method that ptoc asks for."""
from pto_wsp.dialects import make_context
from pto_wsp.dialects.text import parse_module
from pto_wsp import workload


class Work:
    def __init__(self, name):
        self.name = name

    def module(self):
        text = f"schedule.plan @{self.name} for @w {{}} task.workload @w {{}}"
        return parse_module(make_context(), text, "text")


'''


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    file = tmp_path / "copy.mlir"
    file.write_text(COPY)
    return file


def user_file(folder: Path, text: str) -> str:
    file = folder / "user_code.py"
    file.write_text(USER + text)
    return str(file)


# ---- What it writes ----------------------------------------------------------------------------


def test_default_is_the_final_ir(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(copy)]) == 0
    out = capsys.readouterr().out
    assert "unit(vector)" in out
    assert "fragments [" in out
    assert "window(8192, tasks, stall)" in out


def test_compile_is_the_default_subcommand(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(copy)])
    plain = capsys.readouterr().out
    assert main(["compile", str(copy)]) == 0
    assert capsys.readouterr().out == plain


def test_a_pipeline_stops_at_any_stage(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(copy), "-p", "tile-check,tile-infer-unit"]) == 0
    out = capsys.readouterr().out
    assert "unit(vector)" in out
    assert "fragments" not in out


@pytest.mark.parametrize("dialect", ["tile", "task", "schedule"])
def test_one_dialect(copy: Path, capsys: pytest.CaptureFixture[str], dialect: str) -> None:
    assert main([str(copy), f"--emit={dialect}"]) == 0
    out = capsys.readouterr().out
    found = [name for name in ("tile.kernel", "task.workload", "schedule.plan") if name in out]
    assert [name.partition(".")[0] for name in found] == [dialect]


def test_output_file(copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.mlir"
    assert main([str(copy), "-o", str(out)]) == 0
    assert capsys.readouterr().out == ""
    assert out.read_text().startswith("builtin.module {")


def test_the_final_ir_compiles_again_to_itself(
    copy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    main([str(copy)])
    once = capsys.readouterr().out
    monkeypatch.setattr(sys, "stdin", io.StringIO(once))
    assert main(["-"]) == 0
    assert capsys.readouterr().out == once


def test_locations_in_both_syntaxes(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for flags in ([], ["--print-op-generic"]):
        assert main([str(copy), "--print-debuginfo", *flags]) == 0
        assert f'loc("{copy}":11:5)' in capsys.readouterr().out


# ---- Looking inside ----------------------------------------------------------------------------


def test_dumps_are_numbered(copy: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "dump"
    assert main([str(copy), "-p", "cse,tile-infer-unit", f"--dump-dir={folder}"]) == 0
    assert sorted(os.listdir(folder)) == ["00-input.mlir", "01-cse.mlir", "02-tile-infer-unit.mlir"]
    assert "unit(" not in (folder / "01-cse.mlir").read_text()
    assert "unit(vector)" in (folder / "02-tile-infer-unit.mlir").read_text()


def test_ir_around_passes(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def shown(*flags: str) -> list[str]:
        assert main([*flags, str(copy), "-p", "cse,tile-infer-unit"]) == 0
        lines = capsys.readouterr().err.splitlines()
        return [line[22:-9] for line in lines if line.startswith("// -----// IR Dump ")]

    assert shown("--print-ir-after-all") == shown("--print-ir-after") != []
    assert len(shown("--print-ir-after-all")) == 2
    assert len(shown("--print-ir-before", "--print-ir-after=cse")) == 3
    assert shown("--print-ir-before=cse") != shown("--print-ir-after=cse")


def test_timing_names_every_pass(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(copy), "-p", "cse", "--timing"]) == 0
    names = [line.split()[-1] for line in capsys.readouterr().err.splitlines()]
    assert names == ["read", "cse", "mlir", "total"]


def test_list_passes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list-passes"]) == 0
    rows = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert rows[0][0] == "verify-dominance"
    assert all(len(row) == 2 for row in rows)


# ---- Python files ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("program = Work('p')\nother = Work('q')\n", ""),
        ("def program():\n    return Work('p')\nother = Work('q')\n", ""),
        ("only = Work('p')\nalias = only\n", ""),
        ("@workload\ndef beside(): pass\nonly = Work('p')\n", ""),
        ("first = Work('q')\nsecond = Work('p')\n", ":second"),
    ],
)
def test_which_object_is_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, name: str
) -> None:
    assert main([user_file(tmp_path, text) + name, "-p", ""]) == 0
    assert "schedule.plan @p for @w" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("x = 1\n", "", "there is no workload"),
        ("a = Work('a')\nb = Work('b')\n", "", "several workloads (a, b): name one as"),
        ("@workload\ndef needs(x): pass\n", "", "there is no workload"),
        ("@workload\ndef a(): pass\n@workload\ndef b(): pass\n", "", "several workloads (a, b)"),
        ("x = 1\n", ":y", "the file defines no y"),
        ("program = 1\n", "", "program is no workload: it gives a int"),
        ("def program():\n    return 1 / 0\n", "", ": error: ZeroDivisionError: division by zero"),
        ("program = (\n", "", ":16:11: error: '(' was never closed"),
        ("raise SystemExit(3)\n", "", "the file ended Python (3)"),
    ],
)
def test_python_files_that_give_no_workload(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, name: str, message: str
) -> None:
    assert main([user_file(tmp_path, text) + name]) == 1
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1


# ---- Failures ----------------------------------------------------------------------------------


def test_diagnostics_have_file_line_and_column(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "wrong.mlir"
    file.write_text(WRONG)
    assert main([str(file)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"{file}:1:1: error: @copy: y is Out, but 0 of its 32 elements")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("task.launch @k ins(%x)", "<stdin>:1:20: error: %x is not defined above"),
        ("what.is @this", "<stdin>:1:9: error: Operation what.is is not registered"),
        ('task.tensor "no end', "<stdin>:1:13: error: the string does not end"),
        ('"schedule.batch_deps"() <{batch = #schedule.batch<0>}> : () -> ()', "at least 1, got 0"),
        ("task.combine {" * 3000, "<stdin>: error: regions are nested too deeply"),
    ],
)
def test_text_that_is_no_ir(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    message: str,
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    assert main(["-"]) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--emit=x"],
        ["--emit=so"],
        ["--print-ir-after=nothing"],
        ["--print-ir-before=nothing"],
        ["--no-such-flag"],
        ["-o", "/nowhere/out.mlir"],
        ["--dump-dir=/dev/null/x"],
    ],
)
def test_usage_errors(copy: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert main([str(copy), *arguments]) == 2
    assert "ptoc: error: " in capsys.readouterr().err


@pytest.mark.parametrize("name", ["missing.mlir", "missing.py", "missing.py:work"])
def test_missing_files_are_usage_errors(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name]) == 2
    assert "missing" in capsys.readouterr().err


@pytest.mark.parametrize("pipeline", ["nothing", "cse,nothing", "cse{x=1}", "}"])
def test_pipelines_that_do_not_exist(
    copy: Path, capsys: pytest.CaptureFixture[str], pipeline: str
) -> None:
    assert main([str(copy), "-p", pipeline]) == 1
    assert "error: " in capsys.readouterr().err


def test_cpp_needs_the_passes_that_it_reads(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(copy), "-p", "cse", "--emit=cpp"]) == 1
    assert "before tile-infer-unit has run" in capsys.readouterr().err


def test_internal_errors(
    copy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr("pto_wsp.transforms.tile_place.space_of", fail)
    assert main([str(copy)]) == 70
    err = capsys.readouterr().err
    assert "ValueError: a bug" in err
    assert "internal error" in err


# ---- Tests of the IR ---------------------------------------------------------------------------


def test_expected_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "wrong.mlir"
    for comment, status in [
        ("// expected-error @below {{0 of its 32 elements}}\n", 0),
        ("// expected-error @below {{another text}}\n", 1),
        ("// expected-error {{0 of its 32 elements}}\n", 1),
        ("", 1),
    ]:
        file.write_text(comment + WRONG)
        assert main([str(file), "--verify-diagnostics"]) == status
    assert "expected error on line 2 did not come: another text" in capsys.readouterr().err


def test_an_expectation_counts_once() -> None:
    source = "x # expected-error {{bad}}\n"
    assert mismatches(source, ["f.py:1:1: error: bad"]) == []
    assert mismatches(source, ["f.py:1:1: error: bad"] * 2) == ["unexpected: f.py:1:1: error: bad"]
    assert mismatches("// expected-error @unknown {{bad}}", ["error: bad"]) == []


def test_parts_keep_their_lines() -> None:
    assert split_text("a\n// -----\nb\nc\n// -----\nd") == ["a", "\n\nb\nc", "\n\n\n\n\nd"]


def test_parts_are_compiled_one_by_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "parts.mlir"
    file.write_text(f"{COPY}// -----\n{WRONG}")
    assert main([str(file), "--split-input-file"]) == 1
    assert f"{file}:16:1: error:" in capsys.readouterr().err
    file.write_text(f"{COPY}// -----\n{COPY}")
    assert main([str(file), "--split-input-file"]) == 0
    assert capsys.readouterr().out.count("builtin.module") == 2


# ---- Start -------------------------------------------------------------------------------------


def test_version_needs_no_compiler(tmp_path: Path) -> None:
    probe = (
        "import sys; from pto_wsp.tools.ptoc import main; status = main(['--version']);"
        " assert not [m for m in sys.modules if m.startswith(('xdsl', 'numpy'))]; sys.exit(status)"
    )
    result = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("ptoc")
