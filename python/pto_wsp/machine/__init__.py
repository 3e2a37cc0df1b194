"""Machine profiles: JSON data with units and sources, read by the engine and from Python alike."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from pto_wsp import _core
from pto_wsp.errors import MachineError


class Machine:
    """A profile, given by name or as a file; raises MachineError where it is not whole."""

    def __init__(self, machine: str | PathLike[str] = "ascend_a3") -> None:
        self.path = profile_path(machine)
        self._profile = _core.Machine(self.path)

    @property
    def name(self) -> str:
        return self.path.stem

    def amount(self, key: str) -> int:
        """A value in its base unit: Hz, ps, bytes, bytes per second, cycles, or a plain number.

        Keys are dotted, as in settings: `amount("memory.hbm")`. Raises KeyError for any other."""
        return self._profile.amount(key)


def profile_path(machine: str | PathLike[str]) -> Path:
    """The file of a machine profile, given by name or as a file; raises MachineError."""
    if not isinstance(machine, (str, PathLike)):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise MachineError(f"expected a machine profile's name or file, found {machine!r}")
    folder = Path(__file__).parent
    named = folder / f"{machine}.json"
    if isinstance(machine, str) and named.is_file():
        return named
    if Path(machine).is_file():
        return Path(machine)
    known = ", ".join(sorted(path.stem for path in folder.glob("*.json")))
    raise MachineError(f"no machine profile {str(machine)!r}: expected a file or one of: {known}")
