"""`verify-dominance`: every value is defined before its use, in the same or an enclosing block."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.traits import IsolatedFromAbove

from pto_wsp.dialects.locations import where
from pto_wsp.transforms.diagnostics import Diagnostics


@dataclass(frozen=True)
class VerifyDominancePass(ModulePass):
    """Changes nothing; xDSL's verifier does not look at the order of definitions and uses."""

    name = "verify-dominance"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        errors = Diagnostics()
        order = {child: position for position, child in enumerate(op.walk())}
        for user in op.walk():
            for operand in user.operands:
                if (problem := _problem(operand, user, order)) is not None:
                    errors.error(user, f"{user.name}: {_name(operand)} {problem}")
        errors.raise_if_any()


def _problem(value: SSAValue, user: Operation, order: dict[Operation, int]) -> str | None:
    owner = value.owner
    block = owner if isinstance(owner, Block) else owner.parent
    at: Operation | None = user
    crossed: Operation | None = None
    while at is not None and at.parent is not block:
        at = at.parent_op()
        if at is not None and at.has_trait(IsolatedFromAbove) and at.parent is not None:
            crossed = at
    if at is None:
        return f"is used outside the region that defines it{_defined_at(value)}"
    if crossed is not None:
        return f"is defined outside {crossed.name}, which sees nothing from outside"
    if isinstance(owner, Operation) and order[at] <= order[owner]:
        return f"is used before it is defined{_defined_at(value)}"
    return None


def _defined_at(value: SSAValue) -> str:
    owner = value.owner
    op = owner if isinstance(owner, Operation) else owner.parent_op()
    place = where(op) if op is not None else ""
    return f" (at {place})" if place else ""


def _name(value: SSAValue) -> str:
    return f"%{value.name_hint}" if value.name_hint else "a value"
