"""`for k in tl.range(n)`: a loop of the kernel, traced and not unrolled.

Python runs the body twice while the kernel is traced. The first run becomes the loop's body. The
variables that hold a tile before the loop and another one after the run are carried: before a run
each variable is given a tile of its own, so that aliases and swaps mean what they say. The second
run begins where the first one ended and must give the same ops. So whatever else a body changes, a
Python number or a list, is found and refused: it would not change in the loop.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any, cast

from xdsl.dialects.builtin import IndexType
from xdsl.ir import Block, Region, SSAValue

from pto_wsp.dialects import tile
from pto_wsp.language import kernel_trace as trace
from pto_wsp.language.index import Index
from pto_wsp.language.kernel_trace import KernelTrace, Value
from pto_wsp.language.source import fail
from pto_wsp.language.tl.record import recorded

_range = range
_MOST = 1 << 31


@recorded
def range(start: int | Index, stop: int | Index | None = None, step: int = 1) -> Generator[Index]:
    """The numbers of a loop that stays a loop: `for k in tl.range(n)`, or `(start, stop, step)`.

    The body is one piece of code, however many runs there are. Variables that hold a tile before
    the loop and are assigned to in it are carried from run to run; their shape and dtype stay. The
    number k stands in offsets, `tl.load(x, [0, k * 64], [128, 64])`, and beside tiles, in their
    dtype: `tl.iota(x) + k * 64 < n`. The end may be a number that launches give, a `Scalar`, or an
    expression of such: then each task has its own number of runs, none too, and a negative end is
    an ExecutionError. TraceError for other bounds that are
    no integers, a step below 1, `break`, and for a body that changes anything but tiles.
    """
    first, end = (0, start) if stop is None else (start, stop)
    for bound in (first, step, *([] if isinstance(end, Index) else [end])):
        if isinstance(bound, bool) or not isinstance(bound, int) or abs(bound) >= _MOST:
            fail(f"tl.range takes integers of less than 32 bits, found {bound!r}")
    assert isinstance(first, int)
    if step < 1:
        fail(f"tl.range: expected a step of at least 1, found {step}")
    kernel, bounds = trace.current_trace("tl.range"), _bounds(first, end, step)
    if kernel.is_eager:
        assert isinstance(bounds, _range), "in Kernel.run numbers are known"
        return (Index({}, number, name="k") for number in bounds)
    return _loop(kernel, bounds)


def _bounds(start: int, stop: int | Index, step: int) -> _range | tile.Bounds:
    known = stop.constant if isinstance(stop, Index) else stop
    if isinstance(stop, Index) and known is not None and known < min(start, 0):
        fail(f"tl.range: expected an end of at least {min(start, 0)}, found {known}")
    if known is not None:
        return _range(start, known, step)
    assert isinstance(stop, Index)
    expression, values = stop.expression()
    return tile.Bounds(start, expression, step, values)


@dataclass(frozen=True)
class _Run:
    """What one run of the body left behind."""

    loop: tile.ForOp
    """That carries all tiles, and stands nowhere."""
    carried: dict[str, SSAValue]
    """By variable, what it holds at the end where that is not what it began with."""
    others: dict[str, Any]
    """What Python numbers, texts and collections were, by variable."""


def _loop(kernel: KernelTrace, bounds: _range | tile.Bounds) -> Generator[Index]:
    frame = sys._getframe().f_back  # pyright: ignore[reportPrivateUsage]
    assert frame is not None, "a for statement asks for numbers"
    if isinstance(bounds, _range) and not bounds:
        return
    _check_bounds(kernel, bounds)
    tiles = {
        name: value
        for name, value in dict(frame.f_locals).items()
        if type(value) is Value and kernel.sees(value.ssa)
    }
    first = yield from _run(kernel, frame, bounds, tiles)
    second = yield from _run(kernel, frame, bounds, tiles)
    _compare(first, second)
    second.loop.erase(safe_erase=False)
    _set(frame, tiles | _close(first, tiles))


def _check_bounds(kernel: KernelTrace, bounds: _range | tile.Bounds) -> None:
    """TraceError for an end that no task gives."""
    if isinstance(bounds, _range):
        return
    for value in bounds.indices:
        if not kernel.is_given(value):
            fail(
                "tl.range: the end is an integer or made of the kernel's Scalar parameters; the"
                " number of a loop is neither"
            )


def _run(
    kernel: KernelTrace,
    frame: FrameType,
    bounds: _range | tile.Bounds,
    tiles: Mapping[str, Value],
) -> Generator[Index, None, _Run]:
    """Lets Python run the body once, with a tile of its own in each variable."""
    inits = [value.ssa for value in tiles.values()]
    block = Block(arg_types=[IndexType(), *(init.type for init in inits)])
    loop = tile.ForOp(bounds, inits, Region(block))
    block.args[0].name_hint = "k"
    own = {name: Value(arg) for name, arg in zip(tiles, block.args[1:], strict=True)}
    for name, value in own.items():
        value.ssa.name_hint = name
    _set(frame, own)
    with kernel.inside(block):
        try:
            yield Index({block.args[0]: 1}, name="k")
        except GeneratorExit:
            kernel.leave_loop()
            raise
        after = dict(frame.f_locals)
        carried = {name: _tile(name, after, value) for name, value in own.items()}
    changed = {name: ssa for name, ssa in carried.items() if ssa is not own[name].ssa}
    return _Run(loop, changed, {name: _seen(value) for name, value in after.items()})


def _tile(name: str, variables: Mapping[str, Any], before: Value) -> SSAValue:
    """What a variable holds that held a tile before the run."""
    held = variables.get(name)
    if not isinstance(held, Value):
        fail(f"tl.range: {name!r} is a tile before the loop, and {held!r} after a run of its body")
    if (held.shape, held.dtype) != (before.shape, before.dtype):
        found = tile.tile_type(held.ssa).short
        wanted = tile.tile_type(before.ssa).short
        fail(f"tl.range: {name!r} is {wanted} before the loop, and {found} after a run of its body")
    return held.ssa


def _seen(value: Any) -> Any:
    """What two runs are compared by: of a list what it holds, of an object nothing."""
    if isinstance(value, (bool, int, float, str, bytes, type(None))):
        return value
    if isinstance(value, (list, tuple, set, frozenset, dict)):
        held = cast("Any", value)
        items = held.items() if isinstance(value, dict) else held
        return (type(held).__name__, [_seen(item) for item in items])
    return type(value).__name__


def _compare(first: _Run, second: _Run) -> None:
    for name, seen in first.others.items():
        if seen != second.others.get(name):
            fail(
                f"tl.range: {name!r} changes from run to run, but Python runs the body only while"
                " it is traced: make it a tile, or compute it from the loop's number"
            )
    bodies = first.loop.body.block, second.loop.body.block
    same = first.carried.keys() == second.carried.keys()
    if not same or not bodies[0].is_structurally_equivalent(bodies[1]):
        fail(
            "tl.range: the body gives other ops in its second run than in its first: something"
            " besides tiles in variables changes from run to run, such as the elements of a list"
        )


def _close(run: _Run, tiles: Mapping[str, Value]) -> dict[str, Value]:
    """Makes the loop that carries what changes; what those variables hold after it."""
    block = run.loop.body.block
    kept = {
        argument: tiles[name].ssa
        for name, argument in zip(tiles, run.loop.arguments, strict=True)
        if name not in run.carried
    }
    block.add_op(tile.YieldOp(*run.carried.values()))
    for argument, init in kept.items():
        argument.replace_all_uses_with(init)
    for argument in [argument for argument in block.args if argument in kept]:
        block.erase_arg(argument)
    inits = [tiles[name].ssa for name in run.carried]
    body = run.loop.detach_region(run.loop.body)
    bounds = run.loop.bounds
    run.loop.erase()
    loop = trace.emit_op("tl.range", tile.ForOp, bounds, inits, body)
    return dict(zip(run.carried, map(Value, loop.results), strict=True))


def _set(frame: FrameType, values: Mapping[str, Value]) -> None:
    """Assigns to variables of a running function."""
    if not values:
        return
    variables = frame.f_locals
    for name, value in values.items():
        variables[name] = value
    if sys.version_info < (3, 13):
        # Before 3.13 f_locals is a copy, which debuggers write back in this way.
        ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))
