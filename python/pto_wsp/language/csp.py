"""Processes and channels: the stages of a pipeline, which overlap in time."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, overload

from pto_wsp.dialects import task
from pto_wsp.language.current import is_recording
from pto_wsp.language.index import Index, as_index
from pto_wsp.language.source import Place, check_name, fail, user_place
from pto_wsp.language.workload_trace import STRUCTURE, WorkloadTrace, current_trace


class Channel:
    """`Channel("full", depth=2)`: a way for tokens from one process to another.

    A token is a few numbers, of which a body makes its views. `depth` tokens wait at most: a
    process whose token has no place waits with what follows the send. With depth 0, a rendezvous,
    it waits until the receiver is there.
    """

    def __init__(self, name: str, depth: int = 1) -> None:
        check_name("a channel", name)
        if isinstance(depth, bool) or not isinstance(depth, int) or depth < 0:  # pyright: ignore[reportUnnecessaryIsInstance]
            fail(f"channel {name!r}: a depth is an integer of at least 0, found {depth!r}")
        self.name, self.depth = name, depth
        self.place = user_place()

    def __repr__(self) -> str:
        return f"channel {self.name!r} (made at {self.place})"


class Event(Channel):
    """`Event("ready")`: a channel for signals, which carry no numbers.

    A process that `.produces(ready)` records it; one that `.consumes(ready)` does what depends on
    it in the body of synchronize. A signal waits for its receiver, so that nobody waits to record
    the first one.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name, depth=1)

    def __repr__(self) -> str:
        return f"event {self.name!r} (made at {self.place})"

    def record(self) -> None:
        """The signal: there once the tasks above it, in the loops around, are finished."""
        send(self)

    @overload
    def synchronize(self) -> AbstractContextManager[Any]: ...
    @overload
    def synchronize(self, body: Callable[[], None]) -> None: ...
    def synchronize(
        self, body: Callable[[], None] | None = None
    ) -> AbstractContextManager[Any] | None:
        """`with ready.synchronize():` what begins when the event is recorded; once per record."""
        return consume(self) if body is None else consume(self, body)

    def query(self) -> bool:
        """Whether a process above records the event, so that it may be synchronized with here.

        An answer of the program's text: if it were one of time, values would depend on time.
        """
        pipe = current_trace("query(..)").pipe
        return pipe is not None and self in pipe.channels


Body = Callable[[], None] | Callable[[Index], None]


@dataclass(frozen=True)
class Process:
    """A process with its body; `connect(..)` makes several a pipeline."""

    name: str
    place: Place
    sends: tuple[Channel, ...]
    receives: tuple[Channel, ...]
    replicas: int
    run: Body


@dataclass(frozen=True)
class ProcessBuilder:
    """What `process(..)` says so far; `.body(..)` ends it."""

    name: str
    place: Place
    sends: tuple[Channel, ...] = ()
    receives: tuple[Channel, ...] = ()
    replicas: int = 1

    def produces(self, *channels: Channel) -> ProcessBuilder:
        """The channels that the body sends to."""
        self._check(channels)
        return ProcessBuilder(
            self.name, self.place, (*self.sends, *channels), self.receives, self.replicas
        )

    def consumes(self, *channels: Channel) -> ProcessBuilder:
        """The channels that the body consumes."""
        self._check(channels)
        return ProcessBuilder(
            self.name, self.place, self.sends, (*self.receives, *channels), self.replicas
        )

    def replicate(self, count: int) -> ProcessBuilder:
        """So many copies of the process: the r-th of n receives tokens r, r + n, .. of a channel.

        A process works on one token at a time, its replicas on one each. A body with a parameter
        gets the replica's number, which a process without channels to consume needs to divide the
        work: each replica runs the whole body.
        """
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:  # pyright: ignore[reportUnnecessaryIsInstance]
            fail(f"process {self.name!r}: replicate(..) takes a number from 1 on, found {count!r}")
        return ProcessBuilder(self.name, self.place, self.sends, self.receives, count)

    def body(self, run: Body) -> Process:
        """What the process does. Inside `with P.pipe():` this adds it to the pipeline.

        As a decorator: `@process("load").produces(full).body`.
        """
        if not callable(run):  # pyright: ignore[reportUnnecessaryComparison]
            fail(f"process {self.name!r}: a body is a function, found {run!r}")
        made = Process(self.name, self.place, self.sends, self.receives, self.replicas, run)
        if is_recording() and (pipe := current_trace("process(..)").pipe) is not None:
            pipe.add(made)
        return made

    def _check(self, channels: Sequence[Channel]) -> None:
        for channel in channels:
            if not isinstance(channel, Channel):  # pyright: ignore[reportUnnecessaryIsInstance]
                fail(f"process {self.name!r}: expected channels, found {channel!r}")


def process(name: str) -> ProcessBuilder:
    """`process("load").produces(full).body(load)`: a part of a pipeline.

    `load` is a function of the workload's kind: its loops launch tasks, and `send` to the channels
    that it produces; `consume` runs a body per token of a channel that it consumes.
    """
    check_name("a process", name)
    return ProcessBuilder(name, user_place())


def connect(*processes: Process) -> None:
    """Makes the processes a pipeline, in the order in which tokens go through them."""
    with pipe():
        current = current_trace("connect(..)").pipe
        assert current is not None
        for part in processes:
            if not isinstance(part, Process):  # pyright: ignore[reportUnnecessaryIsInstance]
                fail(f"connect(..) takes processes, found {part!r}: end each with .body(..)")
            current.add(part)


@dataclass
class Pipe:
    """A pipeline while it is traced."""

    trace: WorkloadTrace
    op: task.PipelineOp
    channels: dict[Channel, task.ChannelOp] = field(default_factory=dict[Channel, task.ChannelOp])
    processes: list[Process] = field(default_factory=list[Process])
    current: Process | None = None
    used: set[Channel] = field(default_factory=set[Channel])
    """Sent to or consumed by the current process."""
    names: dict[Channel, list[str]] = field(default_factory=dict[Channel, list[str]])
    """Of the numbers of a token: the axes that the first send has."""

    def add(self, part: Process) -> None:
        if self.current is not None:
            fail(f"process {part.name!r} is inside of process {self.current.name!r}")
        if any(part.name == known.name for known in self.processes):
            fail(f"two processes of a pipeline are named {part.name!r}")
        self._check_ends(part)
        op = task.ProcessOp(part.name, part.replicas)
        op.replica.name_hint = "replica"
        self.trace.insert(op, part.place)
        self.current, self.used = part, set()
        with self.trace.inside(op.body.block):
            _run(part, Index({op.replica: 1}, name="replica"))
        for channel in (*part.sends, *part.receives):
            if channel not in self.used:
                does = "sends to" if channel in part.sends else "consumes"
                fail(f"process {part.name!r} never {does} {channel}", part.place)
        self.current = None
        self.processes.append(part)

    def _check_ends(self, part: Process) -> None:
        """One process at each end of a channel, the sending one first."""
        for known in self.processes:
            for channel in part.sends:
                if channel in known.sends:
                    fail(f"{channel}: process {known.name!r} sends already, {part.name!r} too")
            for channel in part.receives:
                if channel in known.receives:
                    fail(
                        f"{channel}: process {known.name!r} consumes already, {part.name!r} too:"
                        " .replicate(n) makes several of one process"
                    )
        senders = {channel for known in self.processes for channel in known.sends}
        for channel in part.receives:
            if channel not in senders:
                fail(
                    f"process {part.name!r} consumes {channel}, to which no process above sends:"
                    " declare processes in the order in which tokens go through them"
                )

    def sent(self, channel: Channel, numbers: int) -> task.ChannelOp:
        """The channel's op, which its first send declares."""
        known = self.channels.get(channel)
        if known is None:
            known = self._declare(channel, numbers)
        elif numbers != known.width:
            fail(f"{channel}: its tokens have {known.width} numbers, this one has {numbers}")
        self.used.add(channel)
        return known

    def _declare(self, channel: Channel, width: int) -> task.ChannelOp:
        for other in self.channels:
            if other.name == channel.name:
                fail(f"{channel}: another one of the pipeline has the same name, {other}")
        op = task.ChannelOp(channel.name, channel.depth, width)
        block = self.op.body.block
        declared = [*self.channels.values()]
        if declared:
            block.insert_op_after(op, declared[-1])
        elif block.first_op is not None:
            block.insert_op_before(op, block.first_op)
        else:
            block.add_op(op)
        self.trace.locate(op, channel.place)
        self.channels[channel] = op
        return op

    def finish(self, place: Place) -> None:
        if not self.processes:
            fail("a pipeline has processes: process(..).body(..) inside of P.pipe()", place)
        received = {channel for part in self.processes for channel in part.receives}
        for channel in self.channels:
            if channel not in received:
                fail(f"{channel} has no receiver: a process that .consumes(..) it", place)
        for op in self.op.body.block.ops:
            if isinstance(op, STRUCTURE):
                fail("inside of P.pipe() every task is in the body of a process", place)


def _run(part: Process, replica: Index) -> None:
    run: Callable[..., object] = part.run
    arguments = (replica,) if inspect.signature(run).parameters else ()
    if run(*arguments) is not None:
        fail(f"the body of process {part.name!r} returns a value: it only makes tasks", part.place)


@contextmanager
def pipe() -> Generator[None]:
    """`with P.pipe():` the processes whose bodies are given inside are a pipeline."""
    trace = current_trace("P.pipe()")
    if trace.pipe is not None:
        fail("a pipeline is inside of no other one")
    place = user_place()
    op = task.PipelineOp()
    trace.insert(op, place)
    trace.pipe = Pipe(trace, op)
    with trace.inside(op.body.block):
        yield
    trace.pipe.finish(place)
    trace.pipe = None


def _port(channel: Channel, does: str, how: str) -> Pipe:
    pipe = current_trace(does).pipe
    if not isinstance(channel, Channel):  # pyright: ignore[reportUnnecessaryIsInstance]
        fail(f"{does} takes a channel, found {channel!r}")
    if pipe is None or pipe.current is None:
        fail(f"{does} belongs in the body of a process: process(..).{how}(..).body(..)")
    ports = pipe.current.sends if how == "produces" else pipe.current.receives
    if channel not in ports:
        fail(f"process {pipe.current.name!r} does not declare .{how}({channel.name}), {channel}")
    return pipe


def send(channel: Channel, *numbers: Index | int) -> None:
    """Sends a token of these numbers, once the tasks above it in the loops around are finished.

    What follows waits until there is a place for the token.
    """
    pipe = _port(channel, "send(..)", "produces")
    op = pipe.sent(channel, len(numbers))
    what = f"a token of channel {channel.name!r}"
    indices = [as_index(number) for number in numbers]
    pipe.names.setdefault(channel, [index.name for index in indices])
    values = [pipe.trace.value_of(index, what) for index in indices]
    pipe.trace.insert(task.SendOp(op.result, values))


@overload
def consume(channel: Channel) -> AbstractContextManager[Any]: ...
@overload
def consume(channel: Channel, body: Callable[..., None]) -> None: ...
def consume(
    channel: Channel, body: Callable[..., None] | None = None
) -> AbstractContextManager[Any] | None:
    """A body for one token after the other, until the sender has ended.

    `consume(full, store)` calls `store` with a token's numbers; `with consume(full) as i:` gives
    the number, or a tuple where there are several. A body begins when its token is there and the
    body before it is finished.
    """
    if body is None:
        return _consumed(channel)
    with _consumed(channel) as numbers:
        if body(*(numbers if isinstance(numbers, tuple) else (numbers,))) is not None:
            fail(f"the body for {channel} returns a value: it only makes tasks")
    return None


@contextmanager
def _consumed(channel: Channel) -> Generator[Any]:
    pipe = _port(channel, "consume(..)", "consumes")
    if channel in pipe.used:
        fail(f"{channel} is consumed twice: one consume(..) takes all of its tokens")
    process_op = pipe.op.processes[-1]
    if pipe.trace.block is not process_op.body.block:
        fail(f"{channel} is consumed in a loop or a condition: one consume(..) takes all tokens")
    pipe.used.add(channel)
    op = task.ConsumeOp(pipe.channels[channel].result)
    sent = pipe.names[channel]
    numbers: list[Index] = []
    for place, (value, axis) in enumerate(zip(op.values, sent, strict=True)):
        value.name_hint = axis or (f"{channel.name}{place}" if len(sent) > 1 else channel.name)
        numbers.append(Index({value: 1}, name=value.name_hint))
    pipe.trace.insert(op)
    with pipe.trace.inside(op.body.block):
        yield numbers[0] if len(numbers) == 1 else tuple(numbers)
