"""The C++ engine. Calls that work for long release the interpreter's lock."""

from collections.abc import Sequence
from os import PathLike
from typing import Any, Literal, TypedDict

import numpy as np
from numpy.typing import NDArray
from typing_extensions import NotRequired

__version__: str

class TensorInfo(TypedDict):
    """What a task program says of a tensor."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    source: Literal["none", "memory", "random", "zipf"]
    role: Literal["constant", "input", "output", "temporary"]

class TraceHeader(TypedDict):
    program: str
    clock_hz: int
    cube_cores: int
    vector_cores: int
    kernels: list[str]
    sites: list[tuple[str, list[str]]]
    bound_by: list[str]
    edge_kinds: list[str]
    stall_causes: list[str]

class TraceColumns(TypedDict):
    """The columns of docs/trace-format.md, codes as they are in the file."""

    header: TraceHeader
    tasks: dict[str, NDArray[Any]]
    edges: dict[str, NDArray[Any]]
    stalls: dict[str, NDArray[Any]]

def cpu_level() -> str:
    """The processor's level for -march, or "" for the compiler's default."""

def fill_random(
    dtype: str, seed: int, name: str, scale: float, first: int, count: int
) -> NDArray[np.uint8]:
    """The bytes of elements `first` .. `first + count - 1` of a procedural tensor."""

def seal(object: str | PathLike[str], settings: str, out: str | PathLike[str]) -> None:
    """Makes a task program of a shared object and its settings; raises LoadError."""

def check_seal(program: str | PathLike[str]) -> None:
    """Raises LoadError unless the task program is whole and of this engine's ABI."""

def schedule_keys() -> list[str]:
    """The settings of a schedule; every other key is the machine's."""

class Machine:
    """A machine profile."""

    def __init__(self, profile: str | PathLike[str]) -> None:
        """Raises MachineError, with a line per finding."""
    def amount(self, key: str) -> int:
        """In base units; KeyError for a key that profiles do not have."""
    def set(self, key: str, value: str) -> None:
        """As a setting gives it; raises MachineError."""

class PipeUse(TypedDict):
    name: str
    cycles: int
    bytes: int

class BufferUse(TypedDict):
    name: str
    used: int
    size: int

class LoopReport(TypedDict):
    """What one more trip of a loop adds, where it is long and all others have one trip."""

    location: str
    cycles: float
    bytes: int
    moved_bytes: int
    operations: int

class KernelReport(TypedDict):
    name: str
    location: str
    unit: Literal["cube", "vector"]
    load: int
    compute: int
    store: int
    bytes: int
    read_bytes: int
    moved_bytes: int
    borrowed_vector: int
    bound_by: str
    operations: int
    roofline: int
    pipes: list[PipeUse]
    buffers: list[BufferUse]
    loops: list[LoopReport]
    """Whose length numbers decide; all of the above is without their trips."""
    given: NotRequired[str]
    """What the kernel takes in the place of all this: its `cost=`."""

Fragment = tuple[str, str, str, tuple[int, int, int], int, int, Sequence[int], int]
"""Op, pipe, dtype, extents m x k x n, bytes, trips, the loops around it, a transfer's parameter."""

def kernel_report(
    machine: Machine,
    name: str,
    location: str,
    unit: str,
    fragments: Sequence[Fragment],
    loops: Sequence[str],
) -> KernelReport:
    """Raises MachineError for a kernel that has no cost on the machine."""

class LoadedProgram:
    def __init__(self, path: str | PathLike[str]) -> None:
        """Raises LoadError for what is no whole task program."""
    @property
    def name(self) -> str: ...
    @property
    def settings(self) -> str:
        """As they were sealed in: a JSON object."""
    def check_schedule(self, profile: str | PathLike[str]) -> None:
        """Raises ScheduleError or MachineError for what no run with the sealed settings on this
        machine could honour."""
    @property
    def tensors(self) -> list[TensorInfo]: ...

class Run:
    """A run on threads of its own. Dropping it cancels it."""

    def wait(self, timeout_ms: int) -> bool:
        """True once the run is over, at the latest after the timeout."""
    def cancel(self) -> None: ...
    def result(self) -> RunResult:
        """Waits; raises what went wrong."""

class CheckedAccess(TypedDict):
    task: int
    loc: str
    text: str

class Finding(TypedDict):
    kind: str
    count: int
    earlier: CheckedAccess
    later: CheckedAccess

class CheckReport(TypedDict):
    tasks: int
    edges: int
    pairs: int
    races: list[Finding]
    partial_overlaps: list[Finding]
    needless_edges: list[Finding]
    text: str

class RunResult:
    @property
    def check(self) -> CheckReport:
        """Of a run in mode `check`."""
    @property
    def json(self) -> str:
        """Statistics as JSON."""
    @property
    def summary(self) -> str: ...

def compare(base: RunResult, runs: list[tuple[str, RunResult]]) -> str:
    """A table: the base, then each run with what it differs by."""

class Session:
    def __init__(self, program: LoadedProgram) -> None: ...
    def bind(self, tensor: str, dtype: str, array: NDArray[Any], has_values: bool) -> None:
        """Uses the array's memory, without a copy."""
    def replay(self, other: Session) -> None: ...
    def check_settings(self, settings: list[str], profile: str | PathLike[str]) -> None: ...
    def start(
        self,
        mode: Literal["execute", "simulate", "check"],
        settings: list[str],
        profile: str | PathLike[str],
        threads: int,
        trace: str | PathLike[str],
        symbols: Sequence[tuple[str, int]],
    ) -> Run:
        """`settings` are JSON objects, later ones win; raises ScheduleError, MachineError, or for
        `symbols` ExecutionError."""

def read_trace(path: str | PathLike[str]) -> TraceColumns: ...

class CriticalPath(TypedDict):
    """`observed` has the columns `begin end cause task`; a cause is 0 for "compute", else 1 plus
    the stall cause's position. `tasks` and `begin` are of the longest path, `slack` is per task."""

    observed: dict[str, NDArray[Any]]
    length: int
    tasks: NDArray[np.int64]
    begin: NDArray[np.int64]
    slack: NDArray[np.int64]
    summary: str

def critical_path(trace: str | PathLike[str]) -> CriticalPath: ...
def hbm_transfers(
    trace: str | PathLike[str], bins: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The bins' edges in cycles, and the bytes in each."""

def live_tasks(
    trace: str | PathLike[str],
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Times, values and the high-water mark."""

def ready_tasks(
    trace: str | PathLike[str],
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Times, values and the high-water mark."""

def write_critical_path_csv(trace: str | PathLike[str], out: str | PathLike[str]) -> None: ...
def write_tasks_csv(trace: str | PathLike[str], out: str | PathLike[str]) -> None: ...
def write_edges_csv(trace: str | PathLike[str], out: str | PathLike[str]) -> None: ...
def write_stalls_csv(trace: str | PathLike[str], out: str | PathLike[str]) -> None: ...
def write_perfetto(trace: str | PathLike[str], out: str | PathLike[str]) -> None: ...
