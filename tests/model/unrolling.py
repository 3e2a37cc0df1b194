"""The order in which the processes of a pipeline take turns (rule 16), by counts of tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .graph import RefusedError

Line = tuple[Any, ...]


def unrolled(program: Sequence[Line]) -> list[Line]:
    """The program with every pipeline as one sequence of lines.

    ("processes", depths, receivers per channel, processes) and ("endprocesses",) around it;
    ("process", p) where another one goes on; ("send", channel, token) and so on.
    Raises RefusedError for a deadlock.
    """
    lines: list[Line] = []
    for line in program:
        if line[0] == "pipeline":
            lines += _Unrolling(line[1], line[2]).lines()
        else:
            lines.append(line)
    return lines


def is_call(line: Line) -> bool:
    return line[0] in ("send", "receive", "done")


class _Unrolling:
    def __init__(self, depths: Sequence[int], processes: Sequence[Sequence[Line]]) -> None:
        self._depths, self._processes = depths, processes
        self._next = [0] * len(processes)
        self._sent = [0] * len(depths)
        self._taken: list[set[int]] = [set() for _ in depths]
        self._receivers = [
            [p for p, lines in enumerate(processes) if ("receive", channel) in lines]
            for channel in range(len(depths))
        ]

    def lines(self) -> Iterator[Line]:
        yield (
            *("processes", self._depths),
            *([len(found) for found in self._receivers], len(self._processes)),
        )
        running = -1
        while able := [p for p in range(len(self._processes)) if self._can_go_on(p)]:
            if able[-1] != running:
                running = able[-1]
                yield "process", running
            yield from self._go_on(running)
        if any(self._line(p) is not None for p in range(len(self._processes))):
            raise RefusedError("deadlock")
        yield ("endprocesses",)

    def _line(self, process: int) -> Line | None:
        lines = self._processes[process]
        return lines[self._next[process]] if self._next[process] < len(lines) else None

    def _can_go_on(self, process: int) -> bool:
        match self._line(process):
            case None:
                return False
            case ("send", channel):
                return self._can_send(channel)
            case ("receive", channel):
                return self._token_for(process, channel) < self._sent[channel]
            case _:
                return True

    def _can_send(self, channel: int) -> bool:
        depth, token = self._depths[channel], self._sent[channel]
        if depth > 0:
            return token < depth or token - depth in self._taken[channel]
        receivers = self._receivers[channel]
        receiver = receivers[token % len(receivers)]
        is_there = self._line(receiver) == ("receive", channel)
        return is_there and self._token_for(receiver, channel) == token

    def _token_for(self, process: int, channel: int) -> int:
        receivers = self._receivers[channel]
        token = receivers.index(process)
        while token in self._taken[channel]:
            token += len(receivers)
        return token

    def _go_on(self, process: int) -> Iterator[Line]:
        """Through the call that it stands at, or else up to the next one."""
        while (line := self._line(process)) is not None:
            yield self._numbered(process, line)
            self._next[process] += 1
            following = self._line(process)
            if is_call(line) or (following is not None and is_call(following)):
                return

    def _numbered(self, process: int, line: Line) -> Line:
        match line:
            case ("send", channel):
                self._sent[channel] += 1
                return "send", channel, self._sent[channel] - 1
            case ("receive", channel):
                token = self._token_for(process, channel)
                self._taken[channel].add(token)
                return "receive", channel, token
            case ("done", channel):
                receivers = self._receivers[channel]
                return "done", channel, self._token_for(process, channel) - len(receivers)
            case _:
                return line
