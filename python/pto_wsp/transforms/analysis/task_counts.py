"""How many tasks a workload makes, from its loops and what they depend on; nothing runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import prod

from xdsl.dialects import arith
from xdsl.dialects.builtin import IntegerAttr
from xdsl.ir import Block, Operation, SSAValue
from xdsl.ir.affine import AffineExpr

from pto_wsp.dialects.locations import where
from pto_wsp.dialects.task import (
    ChannelOp,
    CompareOp,
    CondOp,
    ConsumeOp,
    IndexOp,
    LaunchOp,
    LoopOp,
    PipelineOp,
    ProcessOp,
    ReadOp,
    SelectOp,
    SendOp,
    SlotLoadOp,
    SlotStoreOp,
    SymbolOp,
    ViewOp,
    WorkloadOp,
    tensor_type,
)
from pto_wsp.dialects.task_channels import channel_of
from pto_wsp.errors import ExecutionError
from pto_wsp.transforms.analysis.tensor_uses import tensor_of

Element = Callable[[str, tuple[int, ...]], "int | None"]
"""The element of a tensor at a place; None where only a run knows it."""


@dataclass(frozen=True)
class TaskCounts:
    """Numbers of tasks."""

    per_kernel: dict[str, int]
    """By kernel, in order of first launch."""

    @property
    def total(self) -> int:
        return sum(self.per_kernel.values())


def _no_element(name: str, place: tuple[int, ...]) -> None:
    return None


def task_counts(
    workload: WorkloadOp,
    symbols: Mapping[str, int] | None = None,
    element: Element = _no_element,
) -> TaskCounts:
    """The tasks of a workload whose symbols have these values, by default their defaults.

    A loop costs time only where something inside depends on its index. Raises ExecutionError where
    the number depends on what only a run knows, or where a run would end with one.
    """
    slots_decide = any(isinstance(value.owner, SlotLoadOp) for value in _deciding_values(workload))
    counter = _Counter(symbols or {}, element, slots_decide)
    for launch in workload.walk():
        if isinstance(launch, LaunchOp):
            counter.counts.setdefault(launch.kernel, 0)
    counter.count(workload.body.block, 1)
    return TaskCounts(counter.counts)


class _Counter:
    """Runs what decides which tasks exist; a number that is not known is None."""

    def __init__(self, symbols: Mapping[str, int], element: Element, slots_decide: bool) -> None:
        self.counts: dict[str, int] = {}
        self._symbols = symbols
        self._element = element
        self._slots_decide = slots_decide
        self._numbers: dict[SSAValue, int | None] = {}
        self._tokens: dict[ChannelOp, int] = {}
        self._slots: dict[SSAValue, int | None] = {}
        self._deciding: dict[Operation, set[SSAValue]] = {}

    def count(self, block: Block, trips: int) -> None:
        for op in block.ops:
            match op:
                case LaunchOp():
                    self.counts[op.kernel] += trips
                case LoopOp():
                    self._loop(op, trips)
                case SelectOp():
                    self._select(op, trips)
                case CondOp():
                    holds = self._known(op, op.condition, "a condition")
                    self.count((op.then if holds else op.otherwise).block, trips)
                case PipelineOp():
                    self._pipeline(op, trips)
                case SendOp():
                    self._tokens[channel_of(op.channel)] += trips
                case ConsumeOp():
                    self._consume(op)
                case SlotStoreOp():
                    self._slots[op.slot] = self._numbers[op.value]
                case _ if op.regions:
                    for region in op.regions:
                        self.count(region.block, trips)
                case _:
                    self._evaluate(op)

    # ---- Loops ----

    def _loop(self, op: LoopOp, trips: int) -> None:
        extents = [
            extent if isinstance(extent, int) else self._known(op, extent, "a loop's length")
            for extent in op.extents
        ]
        if min(extents) < 0:
            raise ExecutionError(f"{_at(op)}a loop's length is {min(extents)}: expected at least 0")
        if 0 in extents:
            return
        deciding = self._decide(op)
        values = op.induction_values
        walked = [value in deciding for value in values]
        # What the other axes count is the same for all their values.
        inner = trips * prod(n for n, walk in zip(extents, walked, strict=True) if not walk)
        ranges = (range(n if walk else 1) for n, walk in zip(extents, walked, strict=True))
        for place in product(*ranges):
            for value, index, walk in zip(values, place, walked, strict=True):
                self._numbers[value] = index if walk else None
            self.count(op.body.block, inner)

    def _pipeline(self, op: PipelineOp, trips: int) -> None:
        """Senders stand above receivers, whose bodies run once per token."""
        self._tokens.update(dict.fromkeys(op.channels, 0))
        for inner in op.body.block.ops:
            if isinstance(inner, ProcessOp):
                self._process(inner, trips)
            else:
                self._evaluate(inner)

    def _process(self, op: ProcessOp, trips: int) -> None:
        walks = op.replica in self._decide(op)
        for replica in range(op.replicas if walks else 1):
            self._numbers[op.replica] = replica if walks else None
            if walks and op.receives and op.replicas > 1:
                raise ExecutionError(
                    f"{_at(op)}the number of tasks depends on which replica receives a token,"
                    " which only a run knows"
                )
            self.count(op.body.block, trips if walks else trips * op.replicas)

    def _consume(self, op: ConsumeOp) -> None:
        for value in op.values:
            self._numbers[value] = None
        tokens = self._tokens[channel_of(op.channel)]
        if tokens:
            self.count(op.body.block, tokens)

    def _select(self, op: SelectOp, trips: int) -> None:
        low, high = 0, op.length
        if op.bounds:
            low, high = (self._known(op, bound, "a selection's bound") for bound in op.bounds)
        if high < low:
            raise ExecutionError(f"{_at(op)}a selection runs from {low} to {high}")
        deciding = self._decide(op)
        walks = op.element in deciding or op.position in deciding
        for position in range(high - low if walks else min(high - low, 1)):
            self._numbers[op.position] = position if walks else None
            self._numbers[op.element] = self._selected(op, low + position) if walks else None
            self.count(op.body.block, trips if walks else trips * (high - low))

    def _selected(self, op: SelectOp, position: int) -> int | None:
        place = [0] * tensor_type(op.row).rank
        place[op.axis] = position
        return self._read(op.row, place)

    def _decide(self, op: LoopOp | SelectOp | ProcessOp) -> set[SSAValue]:
        """The values that decide which tasks the op's body makes; its own indices among them where
        their order matters."""
        if op not in self._deciding:
            values = set(_deciding_values(op))
            stores = any(isinstance(inner, SlotStoreOp) for inner in op.walk())
            if stores and self._slots_decide:
                values |= set(op.body.block.args)
            self._deciding[op] = values
        return self._deciding[op]

    # ---- Numbers ----

    def _known(self, op: Operation, value: SSAValue, what: str) -> int:
        number = self._numbers[value]
        if number is None:
            raise ExecutionError(
                f"{_at(op)}the number of tasks depends on {what} that only a run knows: it comes"
                " from a symbol without a value, or from a tensor that the program computes"
            )
        return number

    def _evaluate(self, op: Operation) -> None:
        match op:
            case SymbolOp():
                self._numbers[op.result] = self._symbols.get(op.symbol_name, op.default)
            case IndexOp():
                self._numbers[op.result] = self._expression(op.expr, op.indices)
            case CompareOp():
                left, right = (self._expression(side, op.indices) for side in op.sides)
                if left is None or right is None:
                    self._numbers[op.result] = None
                else:
                    self._numbers[op.result] = int(op.predicate.holds(left, right))
            case SlotLoadOp():
                self._numbers[op.result] = self._slots.get(op.slot, 0)
            case ReadOp():
                self._numbers[op.result] = self._read(op.source)
            case arith.ConstantOp():
                assert isinstance(op.value, IntegerAttr)
                # xDSL's true is -1.
                self._numbers[op.result] = abs(op.value.value.data)
            case arith.AndIOp() | arith.OrIOp() | arith.XOrIOp():
                left, right = self._numbers[op.lhs], self._numbers[op.rhs]
                self._numbers[op.result] = _logic(op, left, right)
            case _:
                pass

    def _expression(self, expr: AffineExpr, operands: tuple[SSAValue, ...]) -> int | None:
        numbers = [self._numbers[operand] for operand in operands]
        known = [number for number in numbers if number is not None]
        return expr.eval([], known) if len(known) == len(numbers) else None

    def _place(self, view: SSAValue) -> list[int] | None:
        """The offsets of a view in its tensor."""
        owner = view.owner
        if not isinstance(owner, ViewOp):
            return [0] * len(tensor_of(view).type.shape)
        outer = self._place(owner.source)
        offsets = [self._expression(offset, owner.indices) for offset in owner.offsets]
        if outer is None or any(offset is None for offset in offsets):
            return None
        return [a + b for a, b in zip(outer, offsets, strict=True) if b is not None]

    def _read(self, view: SSAValue, place: list[int] | None = None) -> int | None:
        corner = self._place(view)
        if corner is None:
            return None
        at = corner if place is None else [a + b for a, b in zip(corner, place, strict=True)]
        return self._element(tensor_of(view).tensor_name, tuple(at))


def _logic(
    op: arith.AndIOp | arith.OrIOp | arith.XOrIOp, a: int | None, b: int | None
) -> int | None:
    if isinstance(op, arith.AndIOp) and 0 in (a, b):
        return 0
    if isinstance(op, arith.OrIOp) and 1 in (a, b):
        return 1
    if a is None or b is None:
        return None
    match op:
        case arith.AndIOp():
            return a & b
        case arith.OrIOp():
            return a | b
        case _:
            return a ^ b


def _at(op: Operation) -> str:
    place = where(op)
    return f"{place}: " if place else ""


# ---- What decides ------------------------------------------------------------------------------


def _controls(op: Operation) -> Iterator[SSAValue]:
    """The values that a loop, selection or condition inside the op asks."""
    for inner in op.walk():
        if inner is op:
            continue
        match inner:
            case LoopOp():
                yield from inner.sizes
            case SelectOp():
                yield from inner.bounds
            case CondOp():
                yield inner.condition
            case _:
                pass


def _deciding_values(op: Operation) -> Iterator[SSAValue]:
    """The controls inside the op, and all values that these are made of."""
    seen: set[SSAValue] = set()
    pending = list(_controls(op))
    while pending:
        value = pending.pop()
        if value in seen:
            continue
        seen.add(value)
        yield value
        owner = value.owner
        if isinstance(owner, Operation):
            pending.extend(owner.operands)
        elif isinstance(parent := owner.parent_op(), SelectOp) and value is parent.element:
            pending.extend(parent.operands)
