"""Machine profiles: JSON data with units and sources, read by the engine and from Python alike."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from pto_wsp import _core
from pto_wsp.errors import MachineError

_FOLDER = Path(__file__).parent


class Entry(NamedTuple):
    """A value as the profile's file has it."""

    key: str
    value: float | list[int]
    unit: str
    source: str
    what: str
    """What the key means."""


class Machine:
    """A profile, given by name or as a file; raises MachineError where it is not whole."""

    def __init__(self, machine: str | PathLike[str] = "ascend_a3") -> None:
        self.path = profile_path(machine)
        self._profile = _core.Machine(self.path)

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def description(self) -> str:
        return _read(self.path)["description"]

    def amount(self, key: str) -> int:
        """A value in its base unit: Hz, ps, bytes, bytes per second, cycles, or a plain number.

        Keys are dotted, as in settings: `amount("memory.hbm")`. Raises KeyError for any other."""
        return self._profile.amount(key)

    def set(self, key: str, value: str | float) -> None:
        """Changes a value, in the unit that the file has it in; raises MachineError."""
        self._profile.set(key, str(value))

    def entries(self) -> Iterator[Entry]:
        """What the file says, with units and sources, in the order of the schema."""
        profile = _read(self.path)
        for key, meaning in _read(_FOLDER / "schema" / "keys.json")["keys"].items():
            entry: Any = profile
            for part in key.split("."):
                entry = entry[part]
            yield Entry(key, entry["value"], entry["unit"], entry["source"], meaning["what"])

    def kernel_report(
        self,
        name: str,
        location: str,
        unit: str,
        fragments: Sequence[_core.Fragment],
        loops: Sequence[str] = (),
    ) -> _core.KernelReport:
        """What a kernel of these fragments costs, and why; `loops` are the places of its dynamic
        ones."""
        return _core.kernel_report(self._profile, name, location, unit, fragments, loops)


def profile_names() -> list[str]:
    """The profiles that come with the package."""
    return sorted(path.stem for path in _FOLDER.glob("*.json"))


def profile_path(machine: str | PathLike[str]) -> Path:
    """The file of a machine profile, given by name or as a file; raises MachineError."""
    if not isinstance(machine, (str, PathLike)):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise MachineError(f"expected a machine profile's name or file, found {machine!r}")
    named = _FOLDER / f"{machine}.json"
    if isinstance(machine, str) and named.is_file():
        return named
    if Path(machine).is_file():
        return Path(machine)
    known = ", ".join(profile_names())
    raise MachineError(f"no machine profile {str(machine)!r}: expected a file or one of: {known}")


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
