"""Tile ops that are one call of a routine of `pto/tiles.h` on dense tiles."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.ir import Operation

from pto_wsp.codegen.values import c_type
from pto_wsp.dialects import tile
from pto_wsp.dialects.tile import tile_type


@dataclass(frozen=True)
class Routine:
    """A call: the C++ function, its leading arguments, then pointers to operands and results."""

    function: str
    numbers: tuple[int, ...]
    refusal: str = ""
    """Where the function answers a position, it refuses the value there: why. Else empty."""
    rounds: bool = False
    """The results are not yet rounded to their dtype."""


_REDUCTIONS: dict[type[Operation], tuple[str, str]] = {
    tile.RowSumOp: ("rows", "pto_sum"),
    tile.RowMaxOp: ("rows", "pto_max"),
    tile.RowMinOp: ("rows", "pto_min"),
    tile.ColSumOp: ("cols", "pto_sum"),
    tile.ColMaxOp: ("cols", "pto_max"),
    tile.ColMinOp: ("cols", "pto_min"),
}
_VECTOR_REDUCTIONS: dict[type[Operation], str] = {
    tile.RowSumOp: "PTO_SUM",
    tile.RowMaxOp: "PTO_MAX",
    tile.RowMinOp: "PTO_MIN",
}
"""Those of the engine's own table, in vector code for floats."""


def routine(op: Operation) -> Routine | None:
    """The call that computes an op, or None for an op that is not computed by one."""
    if not op.operands or not isinstance(op.operands[0].type, tile.TileType):
        return None
    rows, cols = tile_type(op.operands[0]).shape
    kind = c_type(tile_type(op.operands[0]).element_type)
    match op:
        case tile.ReductionOp():
            sums = isinstance(op, (tile.RowSumOp, tile.ColSumOp))
            if kind == "float" and (name := _VECTOR_REDUCTIONS.get(type(op))):
                return Routine(f"call->ops->row_reduce({name}, ", (rows, cols), rounds=sums)
            axis, combine = _REDUCTIONS[type(op)]
            return Routine(f"pto_reduce_{axis}<{combine}>(", (rows, cols), rounds=sums)
        case tile.ArgmaxOp():
            return Routine("pto_argmax(", (rows, cols))
        case tile.CumsumOp():
            axis = "rows" if op.axis.data == 1 else "cols"
            return Routine(f"pto_cumsum_{axis}(", (rows, cols), rounds=True)
        case tile.TransposeOp():
            return Routine("pto_transpose(", (rows, cols))
        case tile.OrderOp():
            descending = isinstance(op, tile.TopkOp) or op.properties.get("descending") is not None
            order = "pto_descending" if descending else "pto_ascending"
            name = op.name.removeprefix("tile.")
            refusal = f"tl.{name}: an element is NaN"
            return Routine(f"pto_topk<{order}>(", (rows, cols, op.count), refusal)
        case tile.GatherOp():
            refusal = f"tl.gather: an index is not in 0..{cols - 1}, the columns of the tile"
            return Routine("pto_gather(", (rows, cols, op.type.cols), refusal)
        case tile.GatherRowsOp():
            refusal = f"tl.gather_rows: an index is not in 0..{rows - 1}, the rows of the tile"
            return Routine("pto_gather_rows(", (rows, cols, op.type.rows), refusal)
        case _:
            return None
