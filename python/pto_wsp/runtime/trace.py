"""A run's rows as NumPy arrays."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pto_wsp import _core
from pto_wsp.errors import PtoError

Array = NDArray[Any]

_NOT_SHOWN = (
    *("site", "axis_count", "axes"),
    *("published", "duration", "waited_for", "before_submit"),
)


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
        made = _columns(columns, codes, skip=_NOT_SHOWN)
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

    def critical_path(self) -> CriticalPath:
        """Why the run took as long as it did (docs/analysis.md)."""
        found = _core.critical_path(self._path)
        names = ["compute", *self._data["header"]["stall_causes"]]
        columns = found["observed"]
        made = _columns(columns, {"cause": names})
        return CriticalPath(
            observed=Table(made, len(columns["begin"])),
            length=found["length"],
            longest=found["tasks"],
            slack=found["slack"],
            text=found["summary"].rstrip(),
        )

    def save_critical_path(self, path: str | PathLike[str]) -> None:
        """Writes both paths as CSV: `path begin end cause task kernel loc axes`."""
        _core.write_critical_path_csv(self._path, Path(path))

    def window_occupancy(self) -> StepSeries:
        """How many tasks are live, from `submit` to `retire`."""
        return StepSeries(*_core.live_tasks(self._path))

    def ready_depth(self) -> StepSeries:
        """How many tasks are ready and not dispatched."""
        return StepSeries(*_core.ready_tasks(self._path))

    def hbm_bandwidth(self, bins: int = 100) -> Bandwidth:
        """What HBM moved over time, in parts of the run of equal length."""
        if bins < 1:
            raise PtoError(f"expected 1 bin or more, found {bins}")
        edges, moved = _core.hbm_transfers(self._path, bins)
        return Bandwidth(edges, moved, moved * self.clock_hz / np.diff(edges))

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


@dataclass(frozen=True)
class CriticalPath:
    """Two answers to "why so long". `str()` gives the shares in a few lines."""

    observed: Table
    """`begin end cause task`: back from the task that ends last, what each begin waited for, in
    order of time. The pieces tile [0, makespan). The cause is `compute` where the task runs, else
    a stall cause."""
    length: int
    """Cycles of the longest path through the edges, each task taking its own duration."""
    longest: NDArray[np.int64]
    """The tasks of one longest path, in order."""
    slack: NDArray[np.int64]
    """Of each task of the run, in cycles: how much longer it could take without making the longest
    path longer. 0 exactly on the tasks of the longest paths."""
    text: str

    def totals(self) -> dict[str, int]:
        """Cycles of the observed path per cause, the largest first."""
        cycles = self.observed["end"] - self.observed["begin"]
        causes = self.observed["cause"]
        sums = {str(cause): int(cycles[causes == cause].sum()) for cause in np.unique(causes)}
        return dict(sorted(sums.items(), key=lambda item: -item[1]))

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Bandwidth:
    """What a memory moved in each bin, from `edges[i]` to `edges[i + 1]`."""

    edges: NDArray[np.int64]
    """Cycles, from 0 to the makespan."""
    bytes: NDArray[np.int64]
    """They add up to all that was moved."""
    rate: NDArray[np.float64]
    """Bytes per second."""


@dataclass(frozen=True)
class StepSeries:
    """A number over time: `value[i]` holds from cycle `time[i]` to `time[i + 1]`, 0 holds before
    `time[0]`. Both are int64, of one length."""

    time: NDArray[np.int64]
    value: NDArray[np.int64]
    high_water: int
    """The largest number, also within a cycle."""


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
