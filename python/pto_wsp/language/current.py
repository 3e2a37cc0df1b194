"""The workload that is being traced, for what writes to it without knowing how it is traced."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from xdsl.ir import SSAValue

from pto_wsp.language.source import fail


class Recorder(Protocol):
    """What numbers and kernels need of a workload's trace."""

    def symbol(self, declared: Any) -> SSAValue:
        """The value of a number that every run gives."""
        ...

    def read(self, view: Any, what: str) -> Any:
        """An element of an integer tensor as an index."""
        ...

    def launch(
        self,
        kernel: Any,
        axes: Sequence[Any],
        views: Mapping[str, Any],
        numbers: Mapping[str, Any],
        after: Sequence[Any],
    ) -> Any:
        """Adds a task; gives its handle."""
        ...


_current: ContextVar[Recorder | None] = ContextVar("workload_trace", default=None)


@contextmanager
def recording(recorder: Recorder) -> Generator[None]:
    """Makes `recorder` the workload in progress."""
    token = _current.set(recorder)
    try:
        yield
    finally:
        _current.reset(token)


def is_recording() -> bool:
    return _current.get() is not None


def recorder(what: str) -> Any:
    """The workload in progress; TraceError outside of one."""
    found = _current.get()
    if found is None:
        fail(f"{what} works inside a @workload function only")
    return found
