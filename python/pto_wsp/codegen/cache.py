"""The program cache: a folder of whole files, of bounded size."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import NamedTuple

from pto_wsp import _core
from pto_wsp.errors import CompileError, LoadError

DEFAULT_LIMIT = 1 << 30
"""Bytes that the cache may hold where $PTO_CACHE_SIZE says nothing."""

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def cache_dir() -> Path:
    """$PTO_CACHE_DIR, else `pto_wsp` in the user's cache folder."""
    if chosen := os.environ.get("PTO_CACHE_DIR"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pto_wsp"


def cache_limit() -> int:
    """Bytes, from $PTO_CACHE_SIZE; raises CompileError for what is no size."""
    given = os.environ.get("PTO_CACHE_SIZE")
    if not given:
        return DEFAULT_LIMIT
    size = re.fullmatch(r"(\d{1,15})([KMG]?)", given)
    if size is None:
        raise CompileError(
            f"PTO_CACHE_SIZE: expected bytes, or a size such as 500M or 2G, found {given!r}"
        )
    return int(size[1]) * _UNITS[size[2]]


class Entry(NamedTuple):
    """A file of the cache: an object `.o`, or a task program `.so`."""

    path: Path
    bytes: int
    used: int
    """When it was used last, in nanoseconds."""


@dataclass(frozen=True)
class Cache:
    """Files that are named after all that they depend on."""

    folder: Path

    def entries(self) -> list[Entry]:
        """Least recently used first."""
        found: list[Entry] = []
        for path in self.folder.glob("*.*o"):
            with contextlib.suppress(FileNotFoundError):  # another process has removed it
                stat = path.stat()
                found.append(Entry(path, stat.st_size, stat.st_atime_ns))
        return sorted(found, key=lambda entry: (entry.used, entry.path))

    def trim(self, limit: int) -> None:
        """Removes what has not been used for longest until the rest takes `limit` bytes at most."""
        entries = self.entries()
        excess = sum(entry.bytes for entry in entries) - limit
        for entry in entries[:-1]:  # what was made last is about to be used
            if excess <= 0:
                return
            entry.path.unlink(missing_ok=True)
            excess -= entry.bytes

    def clear(self) -> list[Entry]:
        """Removes all files; those that were there."""
        entries = self.entries()
        for entry in entries:
            entry.path.unlink(missing_ok=True)
        return entries


def note_use(path: Path) -> None:
    """The cache's order of use stands in its files' times of access."""
    with contextlib.suppress(OSError):  # somebody else's cache may be read-only
        os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))


def is_sealed(program: Path) -> bool:
    """Is there a task program, and is it whole?"""
    if not program.is_file():
        return False
    try:
        _core.check_seal(program)
    except LoadError:
        return False
    return True


@dataclass(frozen=True)
class CheckedFile:
    """A file that ends with the SHA-256 of what stands before."""

    path: Path

    def read(self) -> bytes | None:
        """The contents; None where the file is absent or damaged."""
        try:
            stored = self.path.read_bytes()
        except FileNotFoundError:
            return None
        contents, digest = stored[:-32], stored[-32:]
        return contents if hashlib.sha256(contents).digest() == digest else None

    def write(self, contents: bytes) -> None:
        with NamedTemporaryFile(dir=self.path.parent, delete=False) as scratch:
            scratch.write(contents + hashlib.sha256(contents).digest())
        os.replace(scratch.name, self.path)
