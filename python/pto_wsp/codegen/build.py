"""Emitted C++ to a sealed task program: the system compiler behind a content-addressed cache."""

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pto_wsp import _core
from pto_wsp.errors import CompileError

FLAGS = (
    "-std=c++20",
    "-O3",
    "-fPIC",
    "-shared",
    "-fno-math-errno",
    "-fno-trapping-math",
    # Integers wrap around, as they do in NumPy.
    "-fwrapv",
    # Contraction would make values depend on the machine; kernels ask for fma where they want it.
    "-ffp-contract=off",
)


@dataclass(frozen=True)
class Compiler:
    command: tuple[str, ...]
    identity: str
    """What `--version` prints: part of the cache key."""

    @property
    def flags(self) -> tuple[str, ...]:
        level = _core.cpu_level()
        if "clang version" in self.identity and "zig" in " ".join(self.command):
            level = level.replace("-", "_")
            return (*FLAGS, "-nostdlib++", f"-march={level}") if level else (*FLAGS, "-nostdlib++")
        return (*FLAGS, f"-march={level}") if level else FLAGS


def find_compiler(requested: str | None = None) -> Compiler:
    """The C++ compiler: `requested`, else $PTO_CXX, else the first of c++, g++ and clang++.

    Raises CompileError where there is none or where it does not run.
    """
    named = requested or os.environ.get("PTO_CXX")
    if named:
        return _identify(tuple(shlex.split(named)))
    for candidate in ("c++", "g++", "clang++"):
        if shutil.which(candidate):
            return _identify((candidate,))
    raise CompileError(
        "no C++ compiler was found: looked for $PTO_CXX, c++, g++ and clang++; install g++, or run "
        "`pip install ziglang` and set PTO_CXX='python -m ziglang c++'"
    )


@lru_cache
def _identify(command: tuple[str, ...]) -> Compiler:
    try:
        answer = subprocess.run(
            [*command, "--version"],
            capture_output=True,
            text=True,
            check=True,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise CompileError(
            f"the C++ compiler `{shlex.join(command)}` does not run ({error}): "
            "name another one with compiler=, --compiler or PTO_CXX"
        ) from error
    return Compiler(command, answer.stdout)


def include_dir() -> Path:
    """The folder of the headers that emitted programs compile against."""
    beside = Path(_core.__file__).parent / "include"
    # In an editable install the headers stay in the source tree.
    return beside if beside.is_dir() else Path(__file__).parents[3] / "cpp" / "include"


def cache_dir() -> Path:
    """$PTO_CACHE_DIR, else `pto_wsp` in the user's cache folder."""
    if chosen := os.environ.get("PTO_CACHE_DIR"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pto_wsp"


def build(
    source: str,
    settings: Mapping[str, object],
    *,
    compiler: str | None = None,
    cache: Path | None = None,
) -> Path:
    """The sealed task program of `source` with `settings`, compiled unless the cache has it.

    Raises CompileError with the compiler's own words where it refuses the source.
    """
    chosen = find_compiler(compiler)
    folder = cache or cache_dir()
    text = json.dumps(settings, sort_keys=True)
    object_key = _digest(
        source, chosen.identity, shlex.join((*chosen.command, *chosen.flags)), _headers()
    )
    program = folder / f"{_digest(object_key, text)}.so"
    if program.exists():
        return program
    folder.mkdir(parents=True, exist_ok=True)
    compiled = folder / f"{object_key}.o.so"
    if not compiled.exists():
        _compile(chosen, source, compiled)
    _core.seal(str(compiled), text, str(program))
    return program


def _compile(compiler: Compiler, source: str, target: Path) -> None:
    # A folder of its own, then one rename: concurrent builds never see half a file.
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        cpp, out = Path(scratch, "program.cpp"), Path(scratch, "program.so")
        cpp.write_text(source)
        command = [
            *compiler.command,
            *compiler.flags,
            f"-I{include_dir()}",
            str(cpp),
            "-o",
            str(out),
        ]
        run = subprocess.run(
            command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
        )
        if run.returncode != 0:
            raise CompileError(
                f"`{shlex.join(compiler.command)}` refused the emitted program:\n{run.stderr}"
            )
        os.replace(out, target)


@lru_cache
def _headers() -> str:
    folder = include_dir() / "pto"
    return _digest(*((folder / name).read_text() for name in ("abi.h", "functions.h", "kernel.h")))


def _digest(*parts: str | Sequence[str]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        encoded = str(part).encode()
        digest.update(len(encoded).to_bytes(8, "little") + encoded)
    return digest.hexdigest()[:32]
