"""C++ that ends a run where a number is wrong, and names the number's place, loops and tensor."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.ir import Operation, SSAValue

from pto_wsp.codegen.writer import Writer, quoted
from pto_wsp.dialects import task
from pto_wsp.transforms.analysis.tensor_uses import tensor_of


@dataclass(frozen=True)
class Refusal:
    """What a message says; see pto_refusal in pto/abi.h."""

    place: str
    what: str
    expected: str
    found: str
    """The C++ of the number."""
    axes: tuple[tuple[str, str], ...]
    """Names and C++ of the loop variables around it."""


def emit_refusal(out: Writer, condition: str, refusal: Refusal, stop: str) -> None:
    """Ends the run where the C++ condition holds; `stop` leaves the function."""
    names = ", ".join(quoted(name) for name, _ in refusal.axes) or "nullptr"
    values = ", ".join(value for _, value in refusal.axes) or "0"
    texts = ", ".join(map(quoted, (refusal.place, refusal.what, refusal.expected)))
    with out.block(f"if ({condition})"):
        out.line(f"static const char* const axes[] = {{{names}}};")
        out.line(f"const int64_t values[] = {{{values}}};")
        numbers = f"{refusal.found}, {len(refusal.axes)}, axes, values"
        out.line(f"const pto_refusal refusal = {{{texts}, {numbers}}};")
        out.line("host->refuse(host->self, &refusal);")
        out.line(stop)


def origin(value: SSAValue) -> str:
    """`, from tensor 'lens'` or `, from symbol 'n'`: where a number comes from; "" for loops'."""
    owner = value.owner
    match owner:
        case task.ReadOp():
            return f", from tensor '{tensor_of(owner.source).tensor_name}'"
        case task.SymbolOp():
            return f", from symbol '{owner.symbol_name}'"
        case task.SlotLoadOp():
            slot = owner.slot.owner
            assert isinstance(slot, task.SlotOp)
            return f", from slot '{slot.slot_name}'"
        case Operation():
            found = list(dict.fromkeys(map(origin, owner.operands)))
            return "".join(text for text in found if text)
        case _:
            parent = owner.parent_op()
            if isinstance(parent, task.SelectOp) and value is parent.element:
                return f", from tensor '{tensor_of(parent.row).tensor_name}'"
            return ""
