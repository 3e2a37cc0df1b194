"""The symbols of a module, in one pass over it: xDSL's own look-up scans the module every time."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp

from pto_wsp.dialects.schedule import PlanOp
from pto_wsp.dialects.task import WorkloadOp
from pto_wsp.dialects.tile import KernelOp

Definition = KernelOp | WorkloadOp | PlanOp


@dataclass(frozen=True)
class Symbols:
    """What a module declares, by name."""

    kernels: dict[str, KernelOp]
    workloads: dict[str, WorkloadOp]
    plans: dict[str, PlanOp]
    clashes: tuple[tuple[Definition, Definition], ...]
    """An op and the earlier one that has the same name."""


def symbols(module: ModuleOp) -> Symbols:
    """All kernels, workloads and plans of a module."""
    found = Symbols({}, {}, {}, ())
    first: dict[str, Definition] = {}
    clashes: list[tuple[Definition, Definition]] = []
    for op in module.body.block.ops:
        match op:
            case KernelOp():
                found.kernels.setdefault(op.symbol, op)
            case WorkloadOp():
                found.workloads.setdefault(op.symbol, op)
            case PlanOp():
                found.plans.setdefault(op.symbol, op)
            case _:
                continue
        if (earlier := first.setdefault(op.symbol, op)) is not op:
            clashes.append((op, earlier))
    return Symbols(found.kernels, found.workloads, found.plans, tuple(clashes))
