"""`tile-check`: what a kernel does with its parameters agrees with their roles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import cast

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass

from pto_wsp.dialects.tile import (
    ForOp,
    KernelOp,
    LoadOp,
    MatmulOp,
    Parameter,
    Role,
    Shape,
    StoreOp,
    Unit,
    tile_type,
)
from pto_wsp.dialects.tile_loops import is_dynamic
from pto_wsp.transforms.diagnostics import Diagnostics


@dataclass(frozen=True)
class TileCheckPass(ModulePass):
    """Changes nothing; reports all errors of all kernels."""

    name = "tile-check"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        errors = Diagnostics()
        for kernel in op.walk():
            if isinstance(kernel, KernelOp) and kernel.cpp is None:
                _check_unit(kernel, errors)
                for argument, parameter in zip(kernel.arguments, kernel.parameters, strict=True):
                    if parameter.role is Role.OUT:
                        _check_out(kernel, argument, parameter, errors)
        errors.raise_if_any()


def _check_unit(kernel: KernelOp, errors: Diagnostics) -> None:
    if kernel.unit is not Unit.VECTOR:
        return
    for op in kernel.walk():
        if isinstance(op, MatmulOp):
            errors.error(
                op, f'@{kernel.symbol} is declared unit="vector", but a matmul needs the cube unit'
            )


def _check_out(
    kernel: KernelOp, argument: SSAValue, parameter: Parameter, errors: Diagnostics
) -> None:
    users = [use.operation for use in argument.uses]
    for op in users:
        if isinstance(op, LoadOp):
            errors.error(
                op, f"@{kernel.symbol}: {parameter.name} is Out and cannot be read; use InOut"
            )
    stores = [op for op in users if isinstance(op, StoreOp)]
    boxes = [box for op in stores for box in stored_boxes(op)]
    written = covered_elements(boxes)
    total = parameter.type.rows * parameter.type.cols
    if written < total:
        errors.error(
            kernel,
            f"@{kernel.symbol}: {parameter.name} is Out, but {written} of its {total} elements"
            " are stored; store all of it, or use InOut",
        )


def stored_boxes(op: StoreOp) -> list[tuple[Shape, Shape]]:
    """The boxes (offsets, extents) that a store surely writes; none if values choose the rows, or
    numbers of the kernel whether and where it writes."""
    if op.rows is not None or is_dynamic(op.indices) or _may_be_skipped(op):
        return []
    shape = tile_type(op.value).shape
    loops = [cast("ForOp", cast("Block", index.owner).parent_op()) for index in op.indices]
    row, col = op.offsets
    return [
        ((row.eval([], numbers), col.eval([], numbers)), shape)
        for numbers in product(*(loop.numbers or () for loop in loops))
    ]


def _may_be_skipped(op: Operation) -> bool:
    around = op.parent_op()
    while isinstance(around, ForOp):
        if around.numbers is None:
            return True
        around = around.parent_op()
    return False


def covered_elements(boxes: Sequence[tuple[Shape, Shape]]) -> int:
    """The number of elements that lie in at least one box, given as (offsets, extents)."""
    cuts = sorted({edge for (row, _), (rows, _) in boxes for edge in (row, row + rows)})
    covered = 0
    for low, high in pairwise(cuts):
        spans = sorted(
            (col, col + cols)
            for (row, col), (rows, cols) in boxes
            if row <= low and high <= row + rows
        )
        end = 0
        for begin, stop in spans:
            covered += (high - low) * max(0, stop - max(begin, end))
            end = max(end, stop)
    return covered
