"""Write LLM layers as tile kernels, workloads and schedules; get values, cycles and traces.

Importing the package imports nothing else; each name is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from importlib.metadata import version as _version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pto_wsp.errors import (
        CompileError,
        ExecutionError,
        LoadError,
        MachineError,
        PtoError,
        ScheduleError,
        TraceError,
    )
    from pto_wsp.language import tl
    from pto_wsp.language import tl as pto
    from pto_wsp.language.axes import Dense, DenseDyn, Ragged, Sparse
    from pto_wsp.language.csp import Channel, Event, connect, consume, process, send
    from pto_wsp.language.csr import CSR
    from pto_wsp.language.dtypes import DType
    from pto_wsp.language.index import Symbol
    from pto_wsp.language.kernel import jit_kernel, kernel
    from pto_wsp.language.loops import P, slot, slot_load, slot_set
    from pto_wsp.language.parameters import In, InOut, Out, Scalar, Tile
    from pto_wsp.language.parts import combine, sequential
    from pto_wsp.language.policies import (
        Deps,
        DispatchPolicy,
        Pools,
        ReadyPolicy,
        StartPolicy,
        TaskWindow,
        TimingPolicy,
        TracePolicy,
        WindowMode,
    )
    from pto_wsp.language.tensor import Tensor, Zipf
    from pto_wsp.language.workload import workload
    from pto_wsp.runtime.program import Program

_HOMES = {
    "errors": (
        "CompileError",
        "ExecutionError",
        "LoadError",
        "MachineError",
        "PtoError",
        "ScheduleError",
        "TraceError",
    ),
    "language.axes": ("Dense", "DenseDyn", "Ragged", "Sparse"),
    "language.csp": ("Channel", "Event", "connect", "consume", "process", "send"),
    "language.csr": ("CSR",),
    "language.dtypes": ("DType",),
    "language.index": ("Symbol",),
    "language.kernel": ("jit_kernel", "kernel"),
    "language.loops": ("P", "slot", "slot_load", "slot_set"),
    "language.parameters": ("In", "InOut", "Out", "Scalar", "Tile"),
    "language.parts": ("combine", "sequential"),
    "language.policies": (
        "Deps",
        "DispatchPolicy",
        "Pools",
        "ReadyPolicy",
        "StartPolicy",
        "TaskWindow",
        "TimingPolicy",
        "TracePolicy",
        "WindowMode",
    ),
    "language.tensor": ("Tensor", "Zipf"),
    "language.workload": ("workload",),
    "runtime.program": ("Program",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "CSR",
    "Channel",
    "CompileError",
    "DType",
    "Dense",
    "DenseDyn",
    "Deps",
    "DispatchPolicy",
    "Event",
    "ExecutionError",
    "In",
    "InOut",
    "LoadError",
    "MachineError",
    "Out",
    "P",
    "Pools",
    "Program",
    "PtoError",
    "Ragged",
    "ReadyPolicy",
    "Scalar",
    "ScheduleError",
    "Sparse",
    "StartPolicy",
    "Symbol",
    "TaskWindow",
    "Tensor",
    "Tile",
    "TimingPolicy",
    "TraceError",
    "TracePolicy",
    "WindowMode",
    "Zipf",
    "combine",
    "connect",
    "consume",
    "jit_kernel",
    "kernel",
    "process",
    "pto",
    "send",
    "sequential",
    "slot",
    "slot_load",
    "slot_set",
    "tl",
    "workload",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return _version("pto-wsp")
    if name in ("tl", "pto"):  # two names of one module
        return importlib.import_module("pto_wsp.language.tl")
    if (home := _HOME_OF.get(name)) is None:
        raise AttributeError(f"module 'pto_wsp' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"pto_wsp.{home}"), name)
    globals()[name] = value
    return value
