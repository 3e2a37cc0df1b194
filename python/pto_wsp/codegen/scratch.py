"""Where a kernel's values lie in scratch: an analysis on intervals, without IR."""

from collections.abc import Sequence
from dataclasses import dataclass

ALIGNMENT = 64


@dataclass(frozen=True)
class Lifetime:
    size: int
    """Bytes."""
    first: int
    """Position of the op that writes the value."""
    last: int
    """Position of the last op that reads it."""


@dataclass(frozen=True)
class ScratchPlan:
    offsets: tuple[int, ...]
    """Bytes from the start of scratch, one per lifetime."""
    size: int


def plan_scratch(lifetimes: Sequence[Lifetime]) -> ScratchPlan:
    """Gives every value, largest first, the lowest aligned offset that is free while it lives."""
    offsets = [0] * len(lifetimes)
    placed: list[int] = []
    for index in sorted(range(len(lifetimes)), key=lambda i: (-lifetimes[i].size, i)):
        taken = sorted(
            (offsets[other], offsets[other] + lifetimes[other].size)
            for other in placed
            if _overlap(lifetimes[other], lifetimes[index])
        )
        offset = 0
        for begin, end in taken:
            if offset + lifetimes[index].size <= begin:
                break
            offset = max(offset, aligned(end))
        offsets[index] = offset
        placed.append(index)
    size = max((o + t.size for o, t in zip(offsets, lifetimes, strict=True)), default=0)
    return ScratchPlan(tuple(offsets), aligned(size))


def _overlap(a: Lifetime, b: Lifetime) -> bool:
    # An op reads its operands while it writes its result: touching lifetimes do not share.
    return a.first <= b.last and b.first <= a.last


def aligned(size: int) -> int:
    return (size + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT
