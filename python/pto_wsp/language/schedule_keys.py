"""Key functions of a schedule: Python functions of a task, traced once and run as C++."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from pto_wsp.errors import PtoError, ScheduleError
from pto_wsp.language.source import Place, definition_place, user_place

if TYPE_CHECKING:
    from xdsl.ir import Operation, SSAValue

    from pto_wsp.dialects.schedule import KeyOp
    from pto_wsp.language.workload import Workload

NUMBER_MAX = 2**60
"""Keys are computed in 64 bits."""


def refuse(message: str, place: Place | None = None) -> NoReturn:
    """Raises ScheduleError at `place`, or at the user's line."""
    raise ScheduleError(f"{place or user_place()}: {message}")


@dataclass(frozen=True)
class KeyFunction:
    """What a policy calls with each task, and how messages name it."""

    function: Callable[[Any], Any]
    what: str
    place: Place


def key_function(function: object, what: str) -> KeyFunction:
    """Raises ScheduleError unless it is a function of one argument."""
    if not callable(function):
        refuse(f"{what} takes a function such as `lambda task: task.id`, found {function!r}")
    code = getattr(function, "__code__", None)
    return KeyFunction(function, what, user_place() if code is None else definition_place(code))


# ---- What a key function sees ------------------------------------------------------------------


class KeyValue:
    """An integer, or a truth value, of a task: known when the program runs."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, trace: KeyTrace, ssa: SSAValue, largest: int, truth: bool = False) -> None:
        self.trace, self.ssa, self.largest, self.is_truth = trace, ssa, largest, truth

    def __add__(self, other: KeyValue | int) -> KeyValue:
        return self.trace.affine("+", self, other)

    def __sub__(self, other: KeyValue | int) -> KeyValue:
        return self.trace.affine("-", self, other)

    def __rsub__(self, other: int) -> KeyValue:
        return self.trace.affine("-", other, self)

    def __mul__(self, other: KeyValue | int) -> KeyValue:
        return self.trace.product(self, other)

    def __neg__(self) -> KeyValue:
        return self.trace.product(self, -1)

    __radd__ = __add__
    __rmul__ = __mul__

    def __floordiv__(self, other: int) -> KeyValue:
        return self.trace.divided(self, other, "//")

    def __mod__(self, other: int) -> KeyValue:
        return self.trace.divided(self, other, "%")

    def __eq__(self, other: object) -> KeyValue:  # type: ignore[override]
        return self.trace.compared("eq", self, other)

    def __ne__(self, other: object) -> KeyValue:  # type: ignore[override]
        return self.trace.compared("ne", self, other)

    def __lt__(self, other: object) -> KeyValue:
        return self.trace.compared("slt", self, other)

    def __le__(self, other: object) -> KeyValue:
        return self.trace.compared("sle", self, other)

    def __gt__(self, other: object) -> KeyValue:
        return self.trace.compared("sgt", self, other)

    def __ge__(self, other: object) -> KeyValue:
        return self.trace.compared("sge", self, other)

    def __and__(self, other: KeyValue) -> KeyValue:
        return self.trace.logic("&", self, other)

    def __or__(self, other: KeyValue) -> KeyValue:
        return self.trace.logic("|", self, other)

    def __invert__(self) -> KeyValue:
        return self.trace.logic("^", self, True)

    # ---- What it cannot do ----

    def __bool__(self) -> NoReturn:
        refuse(
            "a task's number is known when the program runs, so `if`, `and`, `or`, `not`, min() and"
            " max() cannot look at it: use task.where(condition, a, b), `&`, `|`, `~`"
        )

    def _no_number(self, *_: object) -> NoReturn:
        refuse("a task's number is known when the program runs: it is no Python number")

    __int__ = __index__ = __float__ = _no_number

    def _no_float(self, *_: object) -> NoReturn:
        refuse("keys are integers: use // instead of /")

    __truediv__ = __rtruediv__ = _no_float


class KernelName:
    """`task.kernel`: compared with a kernel or its name."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, trace: KeyTrace) -> None:
        self._trace = trace

    def __eq__(self, other: object) -> KeyValue:  # type: ignore[override]
        return self._trace.is_kernel(other)

    def __ne__(self, other: object) -> KeyValue:  # type: ignore[override]
        return ~self._trace.is_kernel(other)


class Task:
    """The task that a key function looks at."""

    def __init__(self, trace: KeyTrace) -> None:
        self._trace = trace

    @property
    def id(self) -> KeyValue:
        """Its number in program order, from 0."""
        return self._trace.id()

    @property
    def kernel(self) -> KernelName:
        """`task.kernel == expert`, with a kernel or its name."""
        return KernelName(self._trace)

    def get(self, axis: str, default: int = 0) -> KeyValue:
        """The value of its axis of that name; `default` where its launch has none."""
        return self._trace.axis(axis, default, everywhere=False)

    def __getitem__(self, axis: str) -> KeyValue:
        """The value of its axis of that name, which every launch must have."""
        return self._trace.axis(axis, 0, everywhere=True)

    def where(self, condition: KeyValue, a: KeyValue | int | str, b: KeyValue | int | str) -> Any:
        """`a` where the condition holds, else `b`."""
        return self._trace.where(condition, a, b)


# ---- Tracing -----------------------------------------------------------------------------------


class KeyTrace:
    """Records one key function as a `schedule.key`."""

    def __init__(self, name: str, workload: Workload, labels: Sequence[str]) -> None:
        from pto_wsp.dialects.schedule import KeyOp

        self.op: KeyOp = KeyOp(name)
        self._workload = workload
        self._labels = labels

    def finish(self, answer: object, what: str) -> int | None:
        """Yields the answer; gives it where it is a constant."""
        from pto_wsp.dialects.schedule_keys import YieldOp

        value = self._number(answer, what)
        self.op.body.block.add_op(YieldOp(value.ssa))
        return None if isinstance(answer, KeyValue) else self._constant(answer, what)

    def _value(self, op: Operation, largest: int, truth: bool = False) -> KeyValue:
        if largest > NUMBER_MAX:
            refuse(f"this number can get as large as {largest}, beyond 64 bits: take % of it first")
        self.op.body.block.add_op(op)
        return KeyValue(self, op.results[0], largest, truth)

    # ---- Of the task ----

    def id(self) -> KeyValue:
        from pto_wsp.dialects.schedule_keys import IdOp

        return self._value(IdOp(self.op.task), sum(self._workload.task_counts().values()))

    def axis(self, name: str, default: int, *, everywhere: bool) -> KeyValue:
        from pto_wsp.dialects.schedule_keys import AxisOp

        launches = self._workload.launch_axes()
        known = {axis for _, axes in launches for axis in axes}
        if name not in known:
            refuse(
                f"no launch has an axis {name!r}: there are {', '.join(sorted(known)) or 'none'}"
            )
        lacking = [kernel for kernel, axes in launches if name not in axes]
        if everywhere and lacking:
            refuse(f"a launch of {lacking[0]} has no axis {name!r}: use task.get({name!r}, 0)")
        if isinstance(default, bool) or not isinstance(default, int):  # pyright: ignore[reportUnnecessaryIsInstance]
            refuse(f"task.get: the default is an integer, found {default!r}")
        largest = max(self._workload.largest_on(name), abs(default))
        return self._value(AxisOp(self.op.task, name, default), largest)

    def is_kernel(self, kernel: object) -> KeyValue:
        from pto_wsp.dialects.schedule_keys import IsKernelOp
        from pto_wsp.language.kernel import Kernel

        name = kernel.name if isinstance(kernel, Kernel) else kernel
        known = ", ".join(self._workload.kernels)
        if not isinstance(name, str) or name not in self._workload.kernels:
            refuse(f"task.kernel: expected a kernel of the workload, {known}; found {name!r}")
        return self._value(IsKernelOp(self.op.task, name), 1, truth=True)

    # ---- Arithmetic ----

    def affine(self, sign: str, a: KeyValue | int, b: KeyValue | int) -> KeyValue:
        from xdsl.ir.affine import AffineExpr

        from pto_wsp.dialects.task import IndexOp

        left, right = self._number(a, sign), self._number(b, sign)
        second = AffineExpr.symbol(1) * (-1 if sign == "-" else 1)
        op = IndexOp(AffineExpr.symbol(0) + second, [left.ssa, right.ssa])
        return self._value(op, left.largest + right.largest)

    def product(self, a: KeyValue | int, b: KeyValue | int) -> KeyValue:
        from xdsl.dialects.arith import MuliOp

        left, right = self._number(a, "*"), self._number(b, "*")
        return self._value(MuliOp(left.ssa, right.ssa), left.largest * right.largest)

    def divided(self, a: KeyValue, divisor: object, sign: str) -> KeyValue:
        from xdsl.ir.affine import AffineExpr

        from pto_wsp.dialects.task import IndexOp

        if isinstance(divisor, bool) or not isinstance(divisor, int) or divisor < 1:
            refuse(f"expected a positive integer behind {sign}, found {_shown(divisor)}")
        symbol = AffineExpr.symbol(0)
        expr = symbol // divisor if sign == "//" else symbol % divisor
        dividend = self._number(a, sign)
        largest = dividend.largest if sign == "//" else min(divisor, dividend.largest)
        return self._value(IndexOp(expr, [dividend.ssa]), max(largest, divisor))

    def compared(self, predicate: str, a: KeyValue, b: object) -> KeyValue:
        from xdsl.dialects.arith import CmpiOp

        left, right = self._number(a, "a comparison"), self._number(b, "a comparison")
        return self._value(CmpiOp(left.ssa, right.ssa, predicate), 1, truth=True)

    def logic(self, sign: str, a: KeyValue, b: KeyValue | bool) -> KeyValue:
        from xdsl.dialects.arith import AndIOp, OrIOp, XOrIOp

        op = {"&": AndIOp, "|": OrIOp, "^": XOrIOp}[sign]
        return self._value(op(self._truth(a, sign).ssa, self._truth(b, sign).ssa), 1, truth=True)

    def where(self, condition: object, a: object, b: object) -> KeyValue:
        from xdsl.dialects.arith import SelectOp

        truth = self._truth(condition, "task.where")
        left, right = self._number(a, "task.where"), self._number(b, "task.where")
        op = SelectOp(truth.ssa, left.ssa, right.ssa)
        return self._value(op, max(left.largest, right.largest))

    # ---- Operands ----

    def _truth(self, value: object, what: str) -> KeyValue:
        from xdsl.dialects.arith import ConstantOp
        from xdsl.dialects.builtin import i1

        if isinstance(value, bool):
            return self._value(ConstantOp.from_int_and_width(int(value), i1), 1, truth=True)
        if isinstance(value, KeyValue) and value.is_truth:
            return value
        refuse(f"{what}: expected a comparison such as task.id < 8, found {_shown(value)}")

    def _number(self, value: object, what: str) -> KeyValue:
        from xdsl.dialects.arith import ConstantOp
        from xdsl.dialects.builtin import IndexType, IntegerAttr

        if isinstance(value, KeyValue):
            if value.trace is not self:
                refuse(f"{what}: a number of another key function cannot be used here")
            return self.where(value, 1, 0) if value.is_truth else value
        number = self._constant(value, what)
        return self._value(ConstantOp(IntegerAttr(number, IndexType())), abs(number))

    def _constant(self, value: object, what: str) -> int:
        if isinstance(value, str) and self._labels:
            if value not in self._labels:
                refuse(f"{what}: expected one of {', '.join(self._labels)}, found {value!r}")
            return self._labels.index(value)
        if not isinstance(value, int):
            refuse(f"{what}: expected an integer, found {_shown(value)}")
        return int(value)


def _shown(value: object) -> str:
    if isinstance(value, KeyValue):
        return "a number of the task"
    if isinstance(value, Task):
        return "the task itself"
    return f"{type(value).__name__} {value!r}"


def trace_key(
    name: str,
    key: KeyFunction,
    workload: Workload,
    *,
    labels: Iterable[str] = (),
    limits: tuple[int, int | None] | None = None,
) -> KeyOp:
    """The function as IR. A string that it gives is a position among `labels`; a constant that it
    gives must be at least limits[0], and at most limits[1].

    Raises ScheduleError at the function's line.
    """
    trace = KeyTrace(name, workload, tuple(labels))
    try:
        answer = key.function(Task(trace))
    except PtoError:
        raise
    except Exception as error:
        refuse(f"{key.what}: its key function raised {type(error).__name__}: {error}", key.place)
    try:
        constant = trace.finish(answer, f"{key.what}: its key function's answer")
    except ScheduleError as error:
        message = str(error).split(": ", 1)[1]
        raise ScheduleError(f"{key.place}: {message}") from None
    if constant is not None and limits is not None:
        _check_constant(constant, key, *limits)
    return trace.op


def _check_constant(constant: int, key: KeyFunction, low: int, high: int | None) -> None:
    if constant < low or (high is not None and constant > high):
        expected = f"at least {low}" if high is None else f"{low} to {high}"
        refuse(f"{key.what}: its key function gives {constant}, expected {expected}", key.place)


def place_key(name: str, grid: Sequence[int]) -> KeyOp:
    """A task's position in a grid (spatial_map)."""
    from pto_wsp.dialects.schedule import KeyOp
    from pto_wsp.dialects.schedule_keys import PlaceOp, YieldOp

    op = KeyOp(name)
    place = PlaceOp(op.task, grid)
    op.body.block.add_ops([place, YieldOp(place.result)])
    return op
