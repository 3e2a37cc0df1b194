"""What `pto_wsp` raises: one hierarchy under `PtoError`."""

from __future__ import annotations


class PtoError(Exception):
    """The base of all errors of this package."""


class CompileError(PtoError):
    """A program that cannot be compiled: a line per finding, each with the user's file and line."""


class TraceError(CompileError):
    """User code that cannot be traced: a wrong shape or dtype, an index out of range, control flow
    over a symbolic value. Raised where it happens, with the user's line."""


class MachineError(PtoError):
    """A machine profile that is missing a field, has a wrong type or an impossible value."""


class ScheduleError(PtoError):
    """A setting that does not exist, has a wrong value, or that machine or program cannot keep."""


class LoadError(PtoError):
    """A file that cannot be loaded: damaged, of another ABI, or no task program or trace at all."""


class ExecutionError(PtoError):
    """What goes wrong while a program runs: no values, an index out of range, a cancelled run."""
