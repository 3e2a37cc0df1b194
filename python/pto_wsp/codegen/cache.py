"""Files of the program cache: whole, or as good as absent."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from pto_wsp import _core
from pto_wsp.errors import LoadError


def cache_dir() -> Path:
    """$PTO_CACHE_DIR, else `pto_wsp` in the user's cache folder."""
    if chosen := os.environ.get("PTO_CACHE_DIR"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pto_wsp"


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
