"""`task-check-bounds`: every view lies in its tensor, as far as that is known before the run."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, UnitAttr
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass

from pto_wsp.dialects.indices import Interval
from pto_wsp.dialects.task import IndexOp, LaunchOp, LoopOp, ViewOp, tensor_type
from pto_wsp.transforms.analysis.axis_ranges import expr_range, largest_number
from pto_wsp.transforms.analysis.tensor_uses import tensor_of
from pto_wsp.transforms.diagnostics import Diagnostics

INDEX_MAX = 2**60
"""Offsets of views of views are added up: far enough from 64 bits for that."""


@dataclass(frozen=True)
class TaskCheckBoundsPass(ModulePass):
    """A sure miss is an error; a launch whose regions depend on data becomes `checked`."""

    name = "task-check-bounds"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        errors = Diagnostics()
        unsure: set[SSAValue] = set()
        for child in op.walk():
            if isinstance(child, (IndexOp, ViewOp)):
                _check_arithmetic(child, errors)
            if isinstance(child, ViewOp) and not _never_runs(child):
                if not _is_inside(child, errors) or child.source in unsure:
                    unsure.add(child.result)
            elif isinstance(child, LaunchOp):
                operands = (*child.ins, *child.outs, *child.inouts)
                if any(operand in unsure for operand in operands):
                    child.checked = UnitAttr()
        errors.raise_if_any()


def _check_arithmetic(op: IndexOp | ViewOp, errors: Diagnostics) -> None:
    expressions = op.offsets if isinstance(op, ViewOp) else (op.expr,)
    largest = max(largest_number(expr, op.indices) for expr in expressions)
    if largest > INDEX_MAX:
        errors.error(
            op,
            f"an index can get as large as {largest}: expected at most 2**60; use smaller factors",
        )


def _never_runs(view: ViewOp) -> bool:
    parent = view.parent_op()
    while parent is not None:
        if isinstance(parent, LoopOp) and 0 in parent.extents:
            return True
        parent = parent.parent_op()
    return False


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
        if _surely_misses(found, last):
            name = tensor_of(view.source).tensor_name
            errors.error(
                view,
                f'"{name}": axis {axis} has {bound} elements, and a region of {extent}'
                f" begins at {_text(found)}",
            )
    return sure


def _surely_misses(found: Interval, last: int) -> bool:
    if found.exact:
        return found.low < 0 or found.high > last
    return found.high < 0 or found.low > last


def _text(found: Interval) -> str:
    return str(found.low) if found.low == found.high else f"{found.low} up to {found.high}"
