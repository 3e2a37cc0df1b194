"""The compiler and the cache of compiled programs: found, used, mended, and refused in words."""

import os
from pathlib import Path

import numpy as np
import pytest

from pto_wsp import (
    CompileError,
    Dense,
    DType,
    In,
    Out,
    P,
    Tensor,
    Tile,
    jit_kernel,
    tl,
    workload,
)
from pto_wsp.codegen.build import build
from pto_wsp.codegen.cache import Cache
from pto_wsp.language.workload import Workload
from pto_wsp.tools.ptoc import main as ptoc

Row = Tile[1, 16, DType.F32]
Rows = Dense[4]("rows")


def doubling() -> tuple[Workload, Tensor]:
    x = Tensor.random((4, 16), DType.F32, name="x")
    y = Tensor.empty((4, 16), DType.F32, name="y")

    @jit_kernel
    def double(x: In[Row], y: Out[Row]):
        tl.store(y, tl.load(x) * 2)

    @workload
    def work():
        for row in P(Rows):
            double[row](x=x[row], y=y[row])

    return work(), y


def run(work: Workload, y: Tensor) -> bytes:
    program = work.compile()
    program.execute()
    program.synchronize()
    return np.ascontiguousarray(y.numpy()).tobytes()


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("PTO_CACHE_DIR", str(folder))
    return folder


def stamps(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_the_second_compilation_comes_from_the_cache(cache: Path) -> None:
    work, y = doubling()
    values = run(work, y)
    files = stamps(cache)
    assert run(work, y) == values
    assert stamps(cache) == files


def test_half_a_file_in_the_cache_is_made_anew(cache: Path) -> None:
    work, y = doubling()
    values = run(work, y)
    files = sorted(cache.iterdir())
    for share in (0.0, 0.5, 0.99):
        for path in files:
            # A new file: the old one may still be mapped by this process.
            damaged = path.read_bytes()[: int(share * path.stat().st_size)]
            path.unlink()
            path.write_bytes(damaged)
        assert run(work, y) == values
    assert sorted(cache.iterdir()) == files


def test_an_object_of_the_cache_with_a_foreign_byte_is_made_anew(cache: Path) -> None:
    work, y = doubling()
    values = run(work, y)
    for program in cache.glob("*.so"):
        program.unlink()
    for path in cache.iterdir():
        contents = bytearray(path.read_bytes())
        contents[len(contents) // 2] ^= 0xFF
        path.write_bytes(contents)
    assert run(work, y) == values


@pytest.mark.parametrize("folder", ["/dev/null", "/proc/nowhere"])
def test_a_cache_that_cannot_be_written(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTO_CACHE_DIR", folder)
    with pytest.raises(CompileError, match=rf"{folder}.*PTO_CACHE_DIR"):
        doubling()[0].compile()


def test_a_missing_compiler(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.delenv("PTO_CXX", raising=False)
    monkeypatch.setenv("PATH", str(cache))
    with pytest.raises(CompileError, match=r"PTO_CXX.*install g\+\+"):
        doubling()[0].compile()


@pytest.mark.parametrize("command", ["", '"', "no-such-compiler", "false", 3])
def test_a_compiler_that_is_none(command: object, cache: Path) -> None:
    with pytest.raises(CompileError, match="PTO_CXX"):
        doubling()[0].compile(compiler=command)  # type: ignore[arg-type]


def test_a_compiler_that_writes_nothing(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.setenv("PTO_CXX", "true")
    with pytest.raises(CompileError, match=r"`true` compiled nothing.*PTO_CXX"):
        doubling()[0].compile()
    assert not list(cache.iterdir())


def test_a_compiler_that_fails_is_quoted(tmp_path: Path, cache: Path) -> None:
    script = tmp_path / "cxx"
    script.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo fake && exit 0\necho "bad luck" >&2\nexit 1\n'
    )
    script.chmod(0o755)
    with pytest.raises(CompileError, match="bad luck"):
        doubling()[0].compile(compiler=str(script))


def test_the_cache_folder_is_the_users_without_a_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PTO_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    doubling()[0].compile()
    assert os.listdir(tmp_path / "pto_wsp")


# ---- Its size ------------------------------------------------------------------------------------


def build_two(cache: Path) -> list[Path]:
    """Two programs of one object each, oldest first."""
    source = 'extern "C" int answer() { return %d; }'
    return [build([source % number], {}, cache=cache) for number in (1, 2)]


def test_what_was_not_used_for_longest_goes_first(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = build_two(cache)
    files = {entry.path for entry in Cache(cache).entries()}
    assert len(files) == 4
    build_two(cache)[0]
    build(['extern "C" int answer() { return 1; }'], {}, cache=cache)
    entries = Cache(cache).entries()
    assert [entry.path for entry in entries][-2:] == [second, first], "in order of use"
    Cache(cache).trim(sum(entry.bytes for entry in entries) - 1)
    assert files - {entry.path for entry in Cache(cache).entries()} == {entries[0].path}
    # A new program makes room for itself, and stays however large it is.
    monkeypatch.setenv("PTO_CACHE_SIZE", "1K")
    third = build(['extern "C" int answer() { return 3; }'], {}, cache=cache)
    assert [entry.path for entry in Cache(cache).entries()] == [third]


@pytest.mark.parametrize("size", ["much", "-1", "1.5G", "2 G"])
def test_a_wrong_size(size: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTO_CACHE_SIZE", size)
    with pytest.raises(CompileError, match=r"PTO_CACHE_SIZE: expected bytes, or a size such as"):
        build_two(cache)


def test_ptoc_cache(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ptoc(["cache"]) == 0
    assert f"folder    {cache}\nprograms  0, 0 bytes" in capsys.readouterr().out
    programs = build_two(cache)
    size = sum(program.stat().st_size for program in programs)
    assert ptoc(["cache", "--stats"]) == 0
    assert f"programs  2, {size} bytes\nobjects   2, " in capsys.readouterr().out
    assert ptoc(["cache", "--clear"]) == 0
    assert "removed 4 files, " in capsys.readouterr().out
    assert list(cache.iterdir()) == []
    assert ptoc(["cache", "--clear", "--stats"]) == 2
