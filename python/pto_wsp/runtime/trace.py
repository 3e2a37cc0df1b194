"""A run's rows as NumPy arrays."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pto_wsp import _core
from pto_wsp.errors import PtoError

Array = NDArray[Any]


class Table(Mapping[str, Array]):
    """Named columns of one length. A column is made when it is first asked for."""

    def __init__(self, columns: Mapping[str, Callable[[], Array]], length: int) -> None:
        self._columns = columns
        self._made: dict[str, Array] = {}
        self._length = length

    @property
    def rows(self) -> int:
        """How many rows each column has."""
        return self._length

    def __getitem__(self, name: str) -> Array:
        if name not in self._made:
            self._made[name] = self._columns[name]()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __repr__(self) -> str:
        return f"Table({self._length} rows: {', '.join(self._columns)})"


class Trace:
    """One row per task, edge and stall of a run."""

    def __init__(self, path: str | PathLike[str], *, temporary: bool = False) -> None:
        """Reads the file when rows are first asked for; a temporary one goes with this object."""
        self._path = Path(path)
        if temporary:
            weakref.finalize(self, Path.unlink, self._path, missing_ok=True)

    @property
    def path(self) -> Path:
        """The file of rows (docs/trace-format.md), complete once the run is."""
        return self._path

    @cached_property
    def _data(self) -> _core.TraceColumns:
        return _core.read_trace(self._path)

    @cached_property
    def tasks(self) -> Table:
        """`task kernel unit core scheduler pool stream submit ready dispatch start end retire
        bound_by loc axes`, in order of task ids. `axes` is a matrix, a row for each task: a value
        for each axis of its launch, then -1; `axis_names` tells what they are."""
        header, columns = self._data["header"], self._data["tasks"]
        site = columns["site"]
        codes = {"kernel": header["kernels"], "unit": ["cube", "vector"]}
        codes["bound_by"] = header["bound_by"]
        made = _columns(columns, codes, skip=("site", "axis_count", "axes"))
        made["loc"] = lambda: _named(site, [loc for loc, _ in header["sites"]])
        made["axes"] = lambda: _padded(columns["axes"], columns["axis_count"])
        return Table(made, len(site))

    @cached_property
    def edges(self) -> Table:
        """`src dst kind`, in order of the later task; joins have negative ids."""
        columns = self._data["edges"]
        made = _columns(columns, {"kind": self._data["header"]["edge_kinds"]})
        return Table(made, len(columns["src"]))

    @cached_property
    def stalls(self) -> Table:
        """`core begin end cause task`, in order of time on each core."""
        columns = self._data["stalls"]
        made = _columns(columns, {"cause": self._data["header"]["stall_causes"]})
        return Table(made, len(columns["core"]))

    @property
    def clock_hz(self) -> int:
        """Cycles per second."""
        return self._data["header"]["clock_hz"]

    def axis_names(self, task: int) -> list[str]:
        """The names of a task's axes."""
        return self._data["header"]["sites"][int(self._data["tasks"]["site"][task])][1]

    def axes(self, task: int) -> dict[str, int]:
        """A task's axis values by name."""
        names = self.axis_names(task)
        return dict(zip(names, map(int, self.tasks["axes"][task]), strict=False))

    def save(self, path: str | PathLike[str]) -> None:
        """Writes `.pftrace` for ui.perfetto.dev, or `.csv`: the tasks there, edges and stalls
        beside it as `NAME.edges.csv` and `NAME.stalls.csv`."""
        out = Path(path)
        if out.suffix == ".pftrace":
            _core.write_perfetto(self._path, out)
        elif out.suffix == ".csv":
            _core.write_tasks_csv(self._path, out)
            _core.write_edges_csv(self._path, out.with_suffix(".edges.csv"))
            _core.write_stalls_csv(self._path, out.with_suffix(".stalls.csv"))
        else:
            raise PtoError(f"{out}: expected a name that ends in .pftrace or .csv")


def _columns(
    columns: Mapping[str, Array], codes: Mapping[str, Sequence[str]], skip: Sequence[str] = ()
) -> dict[str, Callable[[], Array]]:
    def maker(name: str) -> Callable[[], Array]:
        if name in codes:
            return lambda: _named(columns[name], codes[name])
        return lambda: columns[name]

    return {name: maker(name) for name in columns if name not in skip}


def _named(codes: Array, names: Sequence[str]) -> Array:
    return np.asarray(names, dtype=np.str_)[codes]


def _padded(flat: Array, counts: Array) -> Array:
    width = int(counts.max(initial=0))
    table = np.full((len(counts), width), -1, dtype=np.int64)
    table[np.arange(width) < counts[:, None]] = flat
    return table
