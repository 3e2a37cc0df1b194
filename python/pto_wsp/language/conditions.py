"""Conditions of a workload: `P.when`, and the chain that may follow it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from xdsl.ir import Block, Operation

from pto_wsp.dialects import task
from pto_wsp.language.index import Condition
from pto_wsp.language.jumps import check_jumps
from pto_wsp.language.source import fail, user_frame, user_place
from pto_wsp.language.workload_trace import STRUCTURE, WorkloadTrace, current_trace


@contextmanager
def branch(what: str, condition: Condition | None, *, follows: bool) -> Generator[None]:
    """A branch of a chain; `otherwise` has no condition. TraceError where none may stand."""
    trace = current_trace(what)
    if what != "P.otherwise" and not isinstance(condition, Condition):
        hint = f"{condition!r}: what is known while tracing is for Python's `if`"
        fail(f"{what} takes a condition such as `i < n`, found {hint}")
    check_jumps(what, user_frame())
    place = user_place()
    with trace.inside(_rest(trace, what)) if follows else _nowhere():
        if condition is None:
            yield
            trace.chain = None
            return
        op = task.CondOp(trace.condition(condition, what))
        trace.insert(op, place)
        trace.chain = op
        with trace.inside(op.then.block):
            yield
        trace.chain = op


@contextmanager
def _nowhere() -> Generator[None]:
    yield


def _rest(trace: WorkloadTrace, what: str) -> Block:
    """Where the chain before goes on: the last `else`, with what has been computed since."""
    chain = trace.chain
    block = trace.block
    begin = None if chain is None else _ancestor_in(chain, block)
    if chain is None or begin is None:
        fail(f"{what} follows a P.when or P.elsewhen of the same loop")
    since: list[Operation] = []
    op = begin.next_op
    while op is not None:
        if isinstance(op, (*STRUCTURE, task.SlotStoreOp)):
            fail(f"{what} follows directly behind the P.when or P.elsewhen before it")
        since.append(op)
        op = op.next_op
    rest = chain.otherwise.block
    for op in since:
        op.detach()
        rest.add_op(op)
    trace.chain = None
    return rest


def _ancestor_in(op: Operation, block: Block) -> Operation | None:
    """The op of a block that holds `op` or is it, through `else` branches of conditions only."""
    while op.parent_block() is not block:
        parent = op.parent_op()
        if not isinstance(parent, task.CondOp) or op.parent_block() is not parent.otherwise.block:
            return None
        op = parent
    return op
