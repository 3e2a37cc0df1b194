"""The processes of a pipeline, which take turns at their sends and receives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pto_wsp.dialects import task
from pto_wsp.dialects.locations import where
from pto_wsp.errors import ExecutionError


@dataclass
class Send:
    op: task.SendOp
    channel: task.ChannelOp
    numbers: list[int]


@dataclass
class Receive:
    op: task.ConsumeOp
    channel: task.ChannelOp
    numbers: list[int] | None = None
    """Of the token; None: the channel has ended."""


Steps = Iterator[Send | Receive]


@dataclass
class _Process:
    op: task.ProcessOp
    steps: Steps
    call: Send | Receive | None = None
    """That it stands at; None: it can go on."""
    has_ended: bool = False


@dataclass
class _Channel:
    receivers: list[_Process]
    """With n of them, the r-th one takes tokens r, r + n, .."""
    tokens: list[list[int]] = field(default_factory=list[list[int]])
    taken: set[int] = field(default_factory=set[int])

    def next_of(self, process: _Process) -> int:
        place = next(i for i, receiver in enumerate(self.receivers) if receiver is process)
        while place in self.taken:
            place += len(self.receivers)
        return place


def run_processes(
    pipeline: task.PipelineOp, copies: Sequence[tuple[task.ProcessOp, Steps]]
) -> None:
    """Always the last declared process that can go on, until all have ended.

    Raises ExecutionError for a deadlock.
    """
    processes = [_Process(op, steps) for op, steps in copies]
    channels = {
        channel: _Channel([p for p in processes if channel in p.op.receives])
        for channel in pipeline.channels
    }
    while able := [process for process in processes if _can_go_on(process, channels, processes)]:
        _go_on(able[-1], channels)
    waiting = [process for process in processes if not process.has_ended]
    if waiting:
        places = "; ".join(
            f"process {process.op.process_name!r} waits at {where(process.call.op)}"
            for process in waiting
            if process.call is not None
        )
        raise ExecutionError(f"{where(pipeline)}: deadlock: {places}")


def _can_go_on(
    process: _Process, channels: dict[task.ChannelOp, _Channel], processes: Sequence[_Process]
) -> bool:
    if process.has_ended or process.call is None:
        return not process.has_ended
    channel, depth = channels[process.call.channel], process.call.channel.depth
    if isinstance(process.call, Receive):
        senders = [p for p in processes if process.call.channel in p.op.sends]
        ended = all(sender.has_ended for sender in senders)
        return ended or channel.next_of(process) < len(channel.tokens)
    token = len(channel.tokens)
    if depth:
        return token < depth or token - depth in channel.taken
    receiver = channel.receivers[token % len(channel.receivers)]
    stands_there = isinstance(receiver.call, Receive) and channels[receiver.call.channel] is channel
    return stands_there and channel.next_of(receiver) == token


def _go_on(process: _Process, channels: dict[task.ChannelOp, _Channel]) -> None:
    """Through the call that it stands at, or else to its next one."""
    call, process.call = process.call, None
    match call:
        case Send():
            channels[call.channel].tokens.append(call.numbers)
        case Receive():
            channel = channels[call.channel]
            token = channel.next_of(process)
            if token < len(channel.tokens):
                call.numbers = channel.tokens[token]
                channel.taken.add(token)
        case None:
            process.call = next(process.steps, None)
            process.has_ended = process.call is None
