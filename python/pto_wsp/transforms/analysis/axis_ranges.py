"""The values that an index can take: an interval per index expression."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Block, SSAValue
from xdsl.ir.affine import AffineExpr, AffineSymExpr

from pto_wsp.dialects.dtypes import dtype_info
from pto_wsp.dialects.indices import NUMBER_MAX, Interval, interval_of
from pto_wsp.dialects.task import (
    ConsumeOp,
    IndexOp,
    LoopOp,
    ProcessOp,
    ReadOp,
    SelectOp,
    SymbolOp,
    tensor_type,
)
from pto_wsp.dialects.task_channels import channel_of

_ANY = Interval(-NUMBER_MAX, NUMBER_MAX, False)
"""What tensors and slots hold; a run refuses any other number."""


def value_range(value: SSAValue) -> Interval:
    """The values of an index: of a loop's axis, a symbol, an element, a slot or arithmetic.

    Empty (high < low) for the index of a loop that surely runs zero times.
    """
    owner = value.owner
    if isinstance(owner, Block):
        return _argument_range(owner, value)
    match owner:
        case IndexOp():
            return expr_range(owner.expr, owner.indices)
        case SymbolOp():
            return Interval(owner.least, owner.most, owner.least == owner.most)
        case ReadOp():
            return _element_range(owner.source)
        case _:
            return _ANY


def _argument_range(block: Block, value: SSAValue) -> Interval:
    parent = block.parent_op()
    if isinstance(parent, LoopOp):
        extent = parent.extents[parent.induction_values.index(value)]
        if isinstance(extent, int):
            return Interval(0, extent - 1, True)
        # The loop may be shorter than its extent can get.
        return Interval(0, value_range(extent).high - 1, False)
    if isinstance(parent, SelectOp):
        if value is parent.position:
            return Interval(0, parent.length - 1, not parent.bounds)
        return _element_range(parent.row)
    if isinstance(parent, ProcessOp):
        return Interval(0, parent.replicas - 1, True)
    if isinstance(parent, ConsumeOp):
        return _token_range(parent, parent.values.index(value))
    return _ANY


def _token_range(op: ConsumeOp, position: int) -> Interval:
    """What the channel's sends give; their processes stand above."""
    sends = channel_of(op.channel).sends
    ranges = [value_range(send.values[position]) for send in sends]
    low, high = min(found.low for found in ranges), max(found.high for found in ranges)
    return Interval(low, high, all(found.exact for found in ranges))


def _element_range(source: SSAValue) -> Interval:
    """The numbers that elements of an integer tensor's dtype can be."""
    dtype = dtype_info(tensor_type(source).element_type)
    bits, signed = 8 * dtype.bytes, not dtype.name.startswith("u")
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return Interval(max(low, _ANY.low), min(high, _ANY.high), False)


def expr_range(expr: AffineExpr, operands: Sequence[SSAValue]) -> Interval:
    """The values of an expression whose symbol i stands for operand i."""
    ranges = [value_range(operand) for operand in operands]
    found = interval_of(expr, ranges)
    # A value that occurs twice may cancel, so the ends need not be reached.
    symbols = [part.position for part in expr.dfs() if isinstance(part, AffineSymExpr)]
    values = [operands[position] for position in symbols]
    derived = any(isinstance(value.owner, IndexOp) for value in values) and len(values) > 1
    alone = len(set(values)) == len(values) and not derived
    return Interval(found.low, found.high, found.exact and alone)


def largest_number(expr: AffineExpr, operands: Sequence[SSAValue]) -> int:
    """The largest absolute value that an expression or a part of it can have."""
    ranges = [value_range(operand) for operand in operands]
    parts = [interval_of(part, ranges) for part in expr.dfs()]
    return max(max(abs(part.low), abs(part.high)) for part in parts)
