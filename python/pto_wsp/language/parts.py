"""Parts of a workload: `sequential` orders them, `combine` groups them."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import overload

from xdsl.ir import Block, Region

from pto_wsp.dialects import task
from pto_wsp.language.source import fail, user_place
from pto_wsp.language.workload import Body, Workload
from pto_wsp.language.workload_trace import STRUCTURE, WorkloadTrace, current_trace


class Parts:
    """The parts of a `sequential`: `with step(): ..` is one."""

    def __init__(self, trace: WorkloadTrace) -> None:
        self._trace = trace
        self.regions: list[Region] = []

    @contextmanager
    def __call__(self) -> Generator[None]:
        region = Region(Block())
        self.regions.append(region)
        with self._trace.inside(region.block):
            yield


@overload
def combine() -> AbstractContextManager[None]: ...
@overload
def combine(first: Workload, /, *more: Workload) -> Workload: ...
def combine(*workloads: Workload) -> AbstractContextManager[None] | Workload:
    """Groups what it holds and orders nothing.

    `with combine():` inside a workload, or `combine(first, second)`: one workload of several.
    """
    if not workloads:
        return _combined()

    def body() -> None:
        with _combined():
            for part in workloads:
                part.body()

    return _composed("combine", workloads, body)


@contextmanager
def _combined() -> Generator[None]:
    trace = current_trace("combine()")
    op = task.CombineOp()
    trace.insert(op)
    with trace.inside(op.body.block):
        yield


@overload
def sequential() -> AbstractContextManager[Parts]: ...
@overload
def sequential(first: Workload, /, *more: Workload) -> Workload: ...
def sequential(*workloads: Workload) -> AbstractContextManager[Parts] | Workload:
    """Parts of which each waits for the one before it.

    `with sequential() as step:` and in it `with step():` per part, or `sequential(first, second)`:
    one workload of several.
    """
    if not workloads:
        return _sequential()

    def body() -> None:
        with _sequential() as step:
            for part in workloads:
                with step():
                    part.body()

    return _composed("sequential", workloads, body)


@contextmanager
def _sequential() -> Generator[Parts]:
    trace = current_trace("sequential()")
    place = user_place()
    # What stands beside the parts has no place in the order.
    beside = Block()
    parts = Parts(trace)
    with trace.inside(beside):
        yield parts
    if not parts.regions:
        fail("a sequential has at least one part: `with step(): ..`", place)
    for op in tuple(beside.ops):
        if isinstance(op, (*STRUCTURE, task.ReadOp, task.SlotLoadOp, task.SlotStoreOp)):
            fail(
                "inside `with sequential() as step:` every task, read and slot stands in a"
                " `with step():`",
                place,
            )
        op.detach()  # index arithmetic
        trace.insert(op, place)
    trace.insert(task.SequentialOp(parts.regions), place)


def _composed(name: str, workloads: Sequence[Workload], body: Body) -> Workload:
    for part in workloads:
        if not isinstance(part, Workload):  # pyright: ignore[reportUnnecessaryIsInstance]
            fail(f"{name}(..) takes workloads, found {part!r}")
    return Workload("_then_".join(part.name for part in workloads), user_place(), body)
