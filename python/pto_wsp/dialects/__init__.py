"""The three dialects of the IR: `tile` (kernels), `task` (workloads), `schedule` (plans).

Importing this package imports none of them; `make_context` and the submodules do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xdsl.context import Context


def make_context() -> Context:
    """A context that knows `builtin`, `arith` (in key functions) and the three dialects."""
    from xdsl.context import Context
    from xdsl.dialects.arith import Arith
    from xdsl.dialects.builtin import Builtin

    from pto_wsp.dialects.schedule import Schedule
    from pto_wsp.dialects.task import Task
    from pto_wsp.dialects.tile import Tile

    context = Context()
    for dialect in (Builtin, Arith, Tile, Task, Schedule):
        context.load_dialect(dialect)
    return context
