"""What `tl.debug` prints: the same text as an emitted program's (`cpp/src/exec/debug.cpp`)."""

from __future__ import annotations

import math
import sys
from typing import Any

from numpy.typing import NDArray

from pto_wsp.dialects import tile
from pto_wsp.dialects.dtypes import dtype_info
from pto_wsp.dialects.locations import where

EDGE = 4
"""Rows and columns that are shown at either end of what is longer than both ends."""


def show(op: tile.DebugOp, array: NDArray[Any], run: str) -> None:
    """Prints a tile to stderr; `run` says what computes it, a task or `kernel.run`."""
    kind = tile.tile_type(op.source)
    dtype = dtype_info(kind.element_type)
    digits = {"f64": 17}.get(dtype.name, 9) if dtype.kind == "float" else 0
    line, _, _ = where(op).rpartition(":")
    lines = [f"{line}: {op.title.data} = {kind.rows}x{kind.cols} {dtype.name}, {run}"]
    for row in _shown(kind.rows):
        if row is None:
            lines.append("  ..")
            continue
        numbers = (array[row, col] if col is not None else None for col in _shown(kind.cols))
        texts = (".." if n is None else _text(n, digits) for n in numbers)
        lines.append(f"  [{' '.join(texts)}]")
    print("\n".join(lines), file=sys.stderr, flush=True)


def _shown(count: int) -> list[int | None]:
    """The places of what is shown; None stands for those between."""
    if count <= 2 * EDGE:
        return list(range(count))
    return [*range(EDGE), None, *range(count - EDGE, count)]


def _text(number: Any, digits: int) -> str:
    if not digits:
        return str(int(number))
    return "nan" if math.isnan(number) else f"{float(number):.{digits}g}"
