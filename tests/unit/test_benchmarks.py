"""Benchmarks' own code: rows of others agree with the bare-bones simulator; fallen ratios fail."""

import dataclasses
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks" / "engine"))

import measuring
import other_rows
import ratios
import run

CYCLES = {
    "independent": (91, 133),
    "chain": (133,),
    "layered": (110, 303, 411),
    "moe": (72, 11, 95),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where programs are built, and the bare-bones simulator is."""
    if shutil.which("c++") is None:
        pytest.skip("no C++ compiler")
    path = tmp_path_factory.mktemp("others")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(other_rows, "FLAGS", ("-std=c++20", "-O0", "-pthread"))
        assert not other_rows.build(run.HERE / "limit" / "main.cpp", path / "limit", ())
        yield path


@pytest.mark.parametrize("name", other_rows.OTHERS)
def test_what_is_installed_agrees_with_the_limit(name: str, folder: Path) -> None:
    row = other_rows.prepare(name, folder)
    if isinstance(row, str):
        pytest.skip(row)
    for stream, cycles in CYCLES.items():
        row.check(stream, run.kernels_of(stream, cycles), folder / "limit")


def test_a_simulator_of_another_makespan_fails(folder: Path) -> None:
    limit = folder / "limit"
    slower = folder / "slower"
    slower.write_text(f"#!/bin/sh\nexec {limit} $1 $2 1 cube:94 $4\n")
    slower.chmod(0o755)
    row = other_rows.Row(other_rows.OTHERS["simgrid"], (str(slower),))
    with pytest.raises(SystemExit, match=r"expected a makespan of .*, found"):
        row.check("independent", ["cube:91", "vector:50"], limit)


def test_what_is_missing_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = dataclasses.replace(other_rows.OTHERS["openmp"], flags=("-lno_such_library",))
    monkeypatch.setitem(other_rows.OTHERS, "openmp", other)
    reason = other_rows.prepare("openmp", folder)
    assert isinstance(reason, str)
    assert "install a compiler with OpenMP 5.0" in reason
    assert "no_such_library" in reason


def test_a_ratio_may_fall_by_a_third_and_no_more() -> None:
    recorded = {"chain": {"exact / limit": 0.6, "traced / exact": 0.5}}
    assert ratios.fallen({"chain": {"exact / limit": 0.41, "traced / exact": 0.9}}, recorded) == []
    assert ratios.fallen({"chain": {"exact / limit": 0.39}}, recorded) == [
        "chain: exact / limit: 0.39, recorded as 0.60",
        "chain: traced / exact: recorded as 0.50, not measured",
    ]


def test_check_compares_with_the_last_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    history = tmp_path / "history.jsonl"
    for label, value in (("0.1", 0.2), ("0.2", 0.5)):
        kept = {stream: dict.fromkeys(run.RATIOS, value) for stream in run.UNITS}
        ratios.append(history, ratios.Record(label, "a machine", ratios.TASKS, kept))
    now = {stream: dict.fromkeys(run.RATIOS, 0.4) for stream in run.UNITS}
    monkeypatch.setattr(ratios, "measure", lambda ptosim, recorded: now)
    assert ratios.check(history, "ptosim") == 0
    now["moe"]["traced / exact"] = 0.3
    assert ratios.check(history, "ptosim") == 1
    error = capsys.readouterr().err
    assert error == "fallen by more than a third: moe: traced / exact: 0.30, recorded as 0.50\n"


def test_a_fallen_ratio_is_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may spoil the first rounds, of one stream."""
    rounds = dict.fromkeys(run.UNITS, 0)

    class Bench:
        def __init__(self, folder: Path, ptosim: str) -> None:
            pass

        def rounds(self, stream: str, tasks: int) -> Iterator[dict[str, run.Measured]]:
            for count in range(1, 100):
                rounds[stream] = count
                slow = stream == "chain" and count < 5
                names = [one for one, _ in run.RATIOS.values()] + [one.name for one in run.LIMITS]
                found = {name: run.Measured(1.0, 1.0, 0) for name in names}
                yield found | {"exact": run.Measured(1.0, 4.0 if slow else 2.0, 0)}

    monkeypatch.setattr(run, "Bench", Bench)
    record = {stream: {"exact / limit": 0.5} for stream in run.UNITS}
    assert ratios.measure("ptosim", record)["chain"]["exact / limit"] == 0.5
    assert rounds == dict.fromkeys(run.UNITS, ratios.ROUNDS) | {"chain": 5}


def test_the_history_shows_every_record(capsys: pytest.CaptureFixture[str]) -> None:
    records = ratios.read(ratios.HISTORY)
    assert ratios.show(ratios.HISTORY, None) == 0
    shown = capsys.readouterr().out
    for record in records:
        assert set(record.ratios) == set(run.UNITS)
        assert record.label in shown
        assert record.conditions in shown


def test_a_block_of_a_page_is_replaced(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- a -->\nold\n<!-- end -->\nbetween <!-- b -->\n<!-- end -->\n")
    measuring.write_block(page, "a", ["new", "lines"])
    expected = "before\n<!-- a -->\nnew\nlines\n<!-- end -->\nbetween <!-- b -->\n<!-- end -->\n"
    assert page.read_text() == expected
    with pytest.raises(SystemExit, match="expected <!-- c -->"):
        measuring.write_block(page, "c", [])
