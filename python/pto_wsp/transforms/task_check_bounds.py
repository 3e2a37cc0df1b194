"""`task-check-bounds`: every view lies in its tensor, as far as that is known before the run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, UnitAttr
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from pto_wsp.dialects.indices import NUMBER_MAX, Interval
from pto_wsp.dialects.task import (
    CompareOp,
    CondOp,
    IndexOp,
    LaunchOp,
    LoopOp,
    SelectOp,
    SlotStoreOp,
    ViewOp,
    tensor_type,
)
from pto_wsp.dialects.tile import KernelOp
from pto_wsp.transforms.analysis.axis_ranges import expr_range, largest_number, value_range
from pto_wsp.transforms.analysis.symbols import symbols
from pto_wsp.transforms.analysis.tensor_uses import tensor_of
from pto_wsp.transforms.diagnostics import Diagnostics

INDEX_MAX = 2**60
"""Offsets of views of views are added up: far enough from 64 bits for that."""


@dataclass(frozen=True)
class TaskCheckBoundsPass(ModulePass):
    """A sure miss is an error; what only a run knows becomes `checked`: launches whose regions,
    loops whose extents, selections whose bounds and slots whose numbers it must test."""

    name = "task-check-bounds"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        errors = Diagnostics()
        unsure: set[SSAValue] = set()
        table = symbols(op)
        for child in op.walk():
            if isinstance(child, (IndexOp, ViewOp, CompareOp)):
                _check_arithmetic(child, errors)
            elif isinstance(child, (LoopOp, SelectOp, SlotStoreOp)) and _may_fail(child, errors):
                child.checked = UnitAttr()
            if isinstance(child, ViewOp) and not _never_runs(child):
                if not _is_inside(child, errors) or child.source in unsure:
                    unsure.add(child.result)
            elif isinstance(child, LaunchOp):
                _check_numbers(child, table.kernels.get(child.kernel), errors)
                operands = (*child.ins, *child.outs, *child.inouts)
                if any(operand in unsure for operand in operands):
                    child.checked = UnitAttr()
        errors.raise_if_any()


def _check_arithmetic(op: IndexOp | ViewOp | CompareOp, errors: Diagnostics) -> None:
    match op:
        case IndexOp():
            expressions = (op.expr,)
        case ViewOp():
            expressions = op.offsets
        case CompareOp():
            expressions = op.sides
    largest = max(largest_number(expr, op.indices) for expr in expressions)
    if largest > INDEX_MAX:
        errors.error(
            op,
            f"an index can get as large as {largest}: expected at most 2**60; use smaller factors",
        )


def _may_fail(op: LoopOp | SelectOp | SlotStoreOp, errors: Diagnostics) -> bool:
    """True if a run must test the op's numbers; reports a loop that surely cannot run."""
    match op:
        case LoopOp():
            ranges = [value_range(extent) for extent in op.sizes]
            for found in ranges:
                if found.high < 0 and not _never_runs(op):
                    errors.error(op, f"a loop's length is {_text(found)}: expected at least 0")
            return any(found.low < 0 for found in ranges)
        case SelectOp():
            return bool(op.bounds)
        case SlotStoreOp():
            found = value_range(op.value)
            return max(-found.low, found.high) > NUMBER_MAX


def _check_numbers(launch: LaunchOp, kernel: KernelOp | None, errors: Diagnostics) -> None:
    """Reports a number that surely is outside of its range; a run tests all."""
    if kernel is None or len(kernel.numbers) != len(launch.numbers) or _never_runs(launch):
        return
    for given, value in zip(kernel.numbers, launch.numbers, strict=True):
        found = value_range(value)
        if found.low > given.most or found.high < given.least:
            errors.error(
                launch,
                f"@{kernel.symbol}: number {given.title.data} is {_text(found)}, expected"
                f" {given.least} to {given.most}",
            )


def _parents(op: Operation) -> Iterator[Operation]:
    parent = op.parent_op()
    while parent is not None:
        yield parent
        parent = parent.parent_op()


def _never_runs(op: Operation) -> bool:
    return any(isinstance(parent, LoopOp) and 0 in parent.extents for parent in _parents(op))


def _always_runs(view: ViewOp) -> bool:
    """For all values of the loops around it; where they cannot be empty, nothing is skipped."""
    for parent in _parents(view):
        if isinstance(parent, CondOp) or (isinstance(parent, SelectOp) and parent.bounds):
            return False
        if isinstance(parent, LoopOp) and not parent.is_static:
            return False
    return True


def _is_inside(view: ViewOp, errors: Diagnostics) -> bool:
    """True if the view surely lies in its source; reports it if it surely does not."""
    sure = True
    source = tensor_type(view.source)
    for axis, (offset, extent, bound) in enumerate(
        zip(view.offsets, view.extents, source.shape, strict=True)
    ):
        found = expr_range(offset, view.indices)
        last = bound - extent
        if 0 <= found.low <= found.high <= last:
            continue
        sure = False
        if _surely_misses(found, last, _always_runs(view)):
            name = tensor_of(view.source).tensor_name
            errors.error(
                view,
                f'"{name}": axis {axis} has {bound} elements, and a region of {extent}'
                f" begins at {_text(found)}",
            )
    return sure


def _surely_misses(found: Interval, last: int, always_runs: bool) -> bool:
    if found.exact and always_runs:
        return found.low < 0 or found.high > last
    return found.high < 0 or found.low > last


def _text(found: Interval) -> str:
    return str(found.low) if found.low == found.high else f"{found.low} up to {found.high}"
