"""What a schedule's settings can be."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal, TypeVar

from pto_wsp.language.schedule_keys import KeyFunction, key_function, refuse

WindowUnit = Literal["tasks", "bytes", "entries"]


def checked_count(what: str, number: object, least: int = 1) -> int:
    if isinstance(number, bool) or not isinstance(number, int):
        refuse(f"{what}: expected an integer, found {number!r}")
    if number < least:
        refuse(f"{what}: expected at least {least}, found {number}")
    return number


_Class = TypeVar("_Class", bound=type)


def complete_calls(cls: _Class) -> _Class:
    """Calls of the class's public functions without an argument that they need, or with one that
    they do not have, are a ScheduleError at the user's line."""
    for name, member in list(vars(cls).items()):
        function: object = getattr(member, "__func__", member)
        if inspect.isfunction(function) and (name == "__init__" or not name.startswith("_")):
            checked = _checked(function, f"{cls.__name__}.{name}".removesuffix(".__init__"))
            setattr(cls, name, classmethod(checked) if function is not member else checked)
    return cls


def _checked(function: Callable[..., Any], what: str) -> Callable[..., Any]:
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        try:
            signature.bind(*arguments, **options)
        except TypeError as error:
            refuse(f"{what}: {error}")
        return function(*arguments, **options)

    return call


# ---- Policies ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Policy:
    """A word with its arguments, as it stands in the IR and in settings."""

    word: str
    arguments: tuple[int | str, ...] = ()
    key: KeyFunction | None = None

    def __str__(self) -> str:
        return self.word


@complete_calls
class Deps(Policy):
    """Where dependencies come from."""

    @classmethod
    def infer_bytes_overlap(cls) -> Deps:
        """Inferred: regions that share an element. Sound."""
        return cls("infer_bytes_overlap")

    @classmethod
    def infer_tensor_map_exact(cls) -> Deps:
        """Inferred: regions that are equal. Faster; it misses those that overlap partly, which
        program.check() tells."""
        return cls("infer_tensor_map_exact")

    @classmethod
    def explicit(cls) -> Deps:
        """`after=` of launches, and the order within a stream, alone."""
        return cls("explicit")

    @classmethod
    def hybrid(cls, infer: Deps | None = None) -> Deps:
        """Inferred dependencies (by default from overlap) beside the explicit ones."""
        if infer is not None and (
            not isinstance(infer, Deps)  # pyright: ignore[reportUnnecessaryIsInstance]
            or not infer.word.startswith("infer_")
        ):
            refuse(f"Deps.hybrid: infer takes Deps.infer_..(), found {infer!s}")
        return cls("hybrid", () if infer is None else (infer.word,))


@complete_calls
class Pools(Policy):
    """The ready queues of a scheduler."""

    @classmethod
    def single(cls) -> Pools:
        """One for all tasks."""
        return cls("single")

    @classmethod
    def by_exec_unit(cls) -> Pools:
        """One for cube tasks, one for vector tasks."""
        return cls("by_exec_unit")

    @classmethod
    def custom(
        cls, function: Callable[[Any], Any], pools: Mapping[str, tuple[int, int]]
    ) -> CustomPools:
        """Pools with cores of their own: `function` gives a task's pool, by name or position.

        `pools`: name -> (cube cores, vector cores), taken from the machine's in this order.
        """
        if not isinstance(pools, Mapping) or not pools:  # pyright: ignore[reportUnnecessaryIsInstance]
            refuse(f"Pools.custom: expected pools={{name: (cube, vector)}}, found {pools!r}")
        for name, cores in pools.items():
            if not isinstance(name, str) or not (name.isascii() and name.isidentifier()):  # pyright: ignore[reportUnnecessaryIsInstance]
                refuse(f"a pool is named by an identifier of ASCII letters, found {name!r}")
            if name == "unused":
                refuse("a pool cannot be named `unused`: statistics call the other cores that")
            if not isinstance(cores, tuple) or len(cores) != 2:  # pyright: ignore[reportUnnecessaryIsInstance]
                refuse(f"pool {name!r}: expected (cube cores, vector cores), found {cores!r}")
            if sum(checked_count(f"pool {name!r}", number, 0) for number in cores) == 0:
                refuse(f"pool {name!r}: expected at least 1 core, found none")
        key = key_function(function, "Pools.custom")
        return CustomPools("custom", key=key, shares=tuple(pools.items()))


@dataclass(frozen=True)
class CustomPools(Pools):
    """Pools.custom(..)"""

    shares: tuple[tuple[str, tuple[int, int]], ...] = ()


@complete_calls
class ReadyPolicy(Policy):
    """The order of a queue."""

    @classmethod
    def fifo(cls) -> ReadyPolicy:
        """Ready first, then lower id."""
        return cls("fifo")

    @classmethod
    def work_steal(cls) -> ReadyPolicy:
        """fifo; an idle scheduler takes the youngest task of the longest queue."""
        return cls("work_steal")

    @classmethod
    def priority(cls, function: Callable[[Any], Any]) -> ReadyPolicy:
        """The task whose number is lowest first, then lower id."""
        return cls("priority", key=key_function(function, "ReadyPolicy.priority"))


@complete_calls
class StartPolicy(Policy):
    """When dispatch opens."""

    @classmethod
    def threshold(cls, tasks: int) -> StartPolicy:
        """Once `tasks` tasks have become ready, or the orchestrator waits or has ended."""
        return cls("threshold", (checked_count("StartPolicy.threshold", tasks),))

    @classmethod
    def after_orchestration(cls) -> StartPolicy:
        """Once all tasks have been submitted; the window must hold them all."""
        return cls("after_orchestration")


@complete_calls
class TimingPolicy(Policy):
    """When ready tasks may be dispatched."""

    @classmethod
    def immediate(cls) -> TimingPolicy:
        """At once."""
        return cls("immediate")

    @classmethod
    def batched(cls, tasks: int) -> TimingPolicy:
        """Once `tasks` tasks are ready, or nothing else goes on."""
        return cls("batched", (checked_count("TimingPolicy.batched", tasks),))

    @classmethod
    def interleaved(cls, lanes: int) -> TimingPolicy:
        """In turn from `lanes` lanes of a queue; a task's lane is its stream, else its id, modulo
        their number."""
        return cls("interleaved", (checked_count("TimingPolicy.interleaved", lanes),))

    @classmethod
    def rate_limit(cls, dispatches: int) -> TimingPolicy:
        """At most `dispatches` per millisecond."""
        return cls("rate_limit", (checked_count("TimingPolicy.rate_limit", dispatches),))


@complete_calls
class TracePolicy(Policy):
    """What a run records."""

    @classmethod
    def none(cls) -> TracePolicy:
        """Statistics alone."""
        return cls("none")

    @classmethod
    def cycles(cls, function: Callable[[Any], Any] | None = None) -> TracePolicy:
        """Tasks, edges and stalls, in cycles of the machine's cost model.

        `function` gives a task's duration in cycles, at least 1, instead: all of it compute.
        """
        if function is None:
            return cls("cycles")
        return cls("cycles", key=key_function(function, "TracePolicy.cycles"))


@complete_calls
class DispatchPolicy(Policy):
    """Which scheduler a task belongs to."""

    @classmethod
    def round_robin(cls, schedulers: int | None = None) -> DispatchPolicy:
        """In turn among the first `schedulers` schedulers; by default the profile's number."""
        if schedulers is None:
            return cls("round_robin")
        return cls("round_robin", (checked_count("DispatchPolicy.round_robin", schedulers),))

    @classmethod
    def affinity(cls, function: Callable[[Any], Any]) -> DispatchPolicy:
        """The task's number modulo that of the schedulers that own a core of its pool and unit."""
        return cls("affinity", key=key_function(function, "DispatchPolicy.affinity"))

    @classmethod
    def hash(cls, function: Callable[[Any], Any]) -> DispatchPolicy:
        """The same with a hash (splitmix64) of the number."""
        return cls("hash", key=key_function(function, "DispatchPolicy.hash"))

    @classmethod
    def dispatch_by(cls, function: Callable[[Any], Any]) -> DispatchPolicy:
        """The scheduler of that index, which must own a core of the task's pool and unit."""
        return cls("dispatch_by", key=key_function(function, "DispatchPolicy.dispatch_by"))

    @classmethod
    def work_steal(cls) -> DispatchPolicy:
        """In turn among all schedulers; idle ones steal."""
        return cls("work_steal")


class WindowMode(Enum):
    """What happens where a task does not fit into the window."""

    STALL = "stall"
    """The orchestrator waits."""
    ABORT = "abort"
    """The run ends with an error."""
    BENCHMARK = "benchmark"
    """The task is submitted all the same, and counted in stats.window_overruns."""


@complete_calls
@dataclass(frozen=True)
class TaskWindow:
    """What the live tasks, those between the oldest unretired one and the newest, may hold.

    `unit`: "tasks"; "bytes" of their out and inout regions; "entries", one per operand.
    """

    size: int
    unit: WindowUnit = "tasks"
    mode: WindowMode = WindowMode.STALL

    def __post_init__(self) -> None:
        checked_count("TaskWindow", self.size)
        if self.unit not in ("tasks", "bytes", "entries"):
            refuse(f"TaskWindow: expected unit tasks, bytes or entries, found {self.unit!r}")
        if not isinstance(self.mode, WindowMode):  # pyright: ignore[reportUnnecessaryIsInstance]
            refuse(f"TaskWindow: expected a WindowMode, found {self.mode!r}")


@dataclass(frozen=True)
class Batch:
    """Tasks are published, and reports served, `threshold` at a time."""

    threshold: int
    range_compression: bool = False
    """A run of consecutive ids among a report's successors costs one `resolve`."""
