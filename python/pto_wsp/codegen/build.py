"""Emitted C++ to a sealed task program: the system compiler behind a content-addressed cache."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from pto_wsp import _core
from pto_wsp.codegen.cache import Cache, CheckedFile, cache_dir, cache_limit, is_sealed, note_use
from pto_wsp.errors import CompileError

FLAGS = (
    "-std=c++20",
    "-O3",
    "-fPIC",
    "-fno-math-errno",
    "-fno-trapping-math",
    # Integers wrap around, as they do in NumPy.
    "-fwrapv",
    # Contraction would make values depend on the machine; kernels ask for fma where they want it.
    "-ffp-contract=off",
)


_NAME_ANOTHER = "name another one with compiler=, --compiler or PTO_CXX"


@dataclass(frozen=True)
class Compiler:
    command: tuple[str, ...]
    identity: str
    """What `--version` prints: part of the cache key."""

    @property
    def flags(self) -> tuple[str, ...]:
        """Of a translation unit."""
        level = _core.cpu_level()
        if not level:
            return FLAGS
        return (*FLAGS, f"-march={level.replace('-', '_') if self._is_zig else level}")

    @property
    def link_flags(self) -> tuple[str, ...]:
        # The engine's process brings the C++ library.
        return ("-shared", "-nostdlib++") if self._is_zig else ("-shared",)

    @property
    def _is_zig(self) -> bool:
        return "clang version" in self.identity and "zig" in " ".join(self.command)


def find_compiler(requested: str | None = None) -> Compiler:
    """The C++ compiler: `requested`, else $PTO_CXX, else the first of c++, g++ and clang++.

    Raises CompileError where there is none or where it does not run.
    """
    named = os.environ.get("PTO_CXX") or None if requested is None else requested
    if named is not None:
        return _identify(_command(named))
    for candidate in ("c++", "g++", "clang++"):
        if shutil.which(candidate):
            return _identify((candidate,))
    raise CompileError(
        "no C++ compiler was found: looked for $PTO_CXX, c++, g++ and clang++; install g++, or run "
        "`pip install ziglang` and set PTO_CXX='python -m ziglang c++'"
    )


def _command(named: object) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(named)) if isinstance(named, str) else ()
    except ValueError:  # a quote that is not closed
        words = ()
    if not words:
        raise CompileError(f"expected a C++ compiler's command, found {named!r}: {_NAME_ANOTHER}")
    return words


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
            f"the C++ compiler `{shlex.join(command)}` does not run ({error}): {_NAME_ANOTHER}"
        ) from error
    return Compiler(command, answer.stdout)


def include_dir() -> Path:
    """The folder of the headers that emitted programs compile against."""
    beside = Path(_core.__file__).parent / "include"
    # In an editable install the headers stay in the source tree.
    return beside if beside.is_dir() else Path(__file__).parents[3] / "cpp" / "include"


def build(
    units: Sequence[str],
    settings: Mapping[str, object],
    *,
    compiler: str | None = None,
    cache: Path | None = None,
) -> Path:
    """The sealed task program of the translation `units` with `settings`.

    A unit is compiled unless the cache has its object, a program is linked unless the cache has it.
    A cache that has become larger than its limit loses what was not used for longest.
    Raises CompileError with the compiler's own words where it refuses a unit, and where the cache
    cannot be written.
    """
    chosen = find_compiler(compiler)
    folder = cache or cache_dir()
    text = json.dumps(settings, sort_keys=True)
    names = [_digest(unit, *_circumstances(chosen)) for unit in units]
    program = folder / f"{_digest(*names, text)}.so"
    limit = cache_limit()
    if is_sealed(program):
        note_use(program)
        return program
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # A folder of its own, then one rename: concurrent builds never see half a file.
        with TemporaryDirectory(dir=folder) as scratch:
            objects = [
                _object(chosen, unit, CheckedFile(folder / f"{name}.o"), Path(scratch, f"{name}.o"))
                for name, unit in zip(names, units, strict=True)
            ]
            linked = Path(scratch, "program.so")
            _run(chosen, [*chosen.link_flags, *map(str, objects)], linked)
            _core.seal(str(linked), text, str(program))
        note_use(program)
        Cache(folder).trim(limit)
    except OSError as error:
        raise CompileError(
            f"the program cache {folder} cannot be used ({error}): set PTO_CACHE_DIR to a folder "
            "that can be written"
        ) from error
    return program


def _object(compiler: Compiler, unit: str, cached: CheckedFile, target: Path) -> Path:
    """Puts the object of a translation unit into `target`: the cached one if there is one."""
    if (known := cached.read()) is not None:
        note_use(cached.path)
        target.write_bytes(known)
        return target
    source = target.with_suffix(".cpp")
    source.write_text(unit)
    _run(compiler, [*compiler.flags, "-c", f"-I{include_dir()}", str(source)], target)
    cached.write(target.read_bytes())
    return target


def _run(compiler: Compiler, arguments: Sequence[str], target: Path) -> None:
    command = [*compiler.command, *arguments, "-o", str(target)]
    run = subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    name = shlex.join(compiler.command)
    if run.returncode != 0:
        raise CompileError(f"`{name}` refused the emitted program:\n{run.stderr}")
    if not target.exists():
        raise CompileError(f"`{name}` compiled nothing, it is no C++ compiler: {_NAME_ANOTHER}")


def _circumstances(compiler: Compiler) -> tuple[str, ...]:
    """All that an object depends on besides its source."""
    arguments = (*compiler.command, *compiler.flags, *compiler.link_flags)
    return (compiler.identity, shlex.join(arguments), _headers())


_HEADERS = ("abi.h", "functions.h", "kernel.h", "process.h", "tiles.h")


@lru_cache
def _headers() -> str:
    folder = include_dir() / "pto"
    return _digest(*((folder / name).read_text() for name in _HEADERS))


def _digest(*parts: str | Sequence[str]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        encoded = str(part).encode()
        digest.update(len(encoded).to_bytes(8, "little") + encoded)
    return digest.hexdigest()[:32]
