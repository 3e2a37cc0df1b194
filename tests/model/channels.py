"""Checks what rule 16 asks of the tasks of processes, from their rows alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]


class Turns:
    """Keeps what is open in each process while another one goes on."""

    def __init__(self) -> None:
        self._around = 0
        self._current = -1
        self._kept: dict[int, tuple[list[int], list[int]]] = {}

    def take(
        self, line: Sequence[Any], after: list[int], until: list[int]
    ) -> tuple[list[int], list[int]]:
        """Of the open scopes: what may begin when, and what is over when."""
        if line[0] == "processes":
            self._around, self._current, self._kept = len(after), -1, {}
            return after, until
        if self._current >= 0:
            self._kept[self._current] = after[self._around :], until[self._around :]
        around = after[: self._around], until[: self._around]
        if line[0] == "endprocesses":
            return around
        self._current = line[1]
        inner = self._kept.get(self._current, ([], []))
        return around[0] + inner[0], around[1] + inner[1]


class _Process:
    def __init__(self) -> None:
        self.gate = 0
        """What follows is ready then at the earliest."""
        self.loops = [0]
        """When what there was in this iteration, of each loop around, is over."""
        self.ended = [0]
        """The same of the iterations before it."""

    def iteration(self) -> None:
        self.ended[-1] = max(self.ended[-1], self.loops[-1])
        self.loops[-1] = 0

    @property
    def so_far(self) -> int:
        return max(self.gate, *self.loops)


def check_channels(
    program: Sequence[Sequence[Any]], rows: Sequence[Row], reported: Callable[[Row], int]
) -> None:
    """Tokens are there before their bodies, places before what follows the sends."""
    ids = iter(rows)
    depths: Sequence[int] = ()
    receivers: Sequence[int] = ()
    sent: dict[tuple[int, int], int] = {}
    done: dict[tuple[int, int], int] = {}
    processes: defaultdict[int, _Process] = defaultdict(_Process)
    now: _Process | None = None
    for kind, *numbers in program:
        if kind == "processes":
            depths, receivers, _ = numbers
            sent, done, processes = {}, {}, defaultdict(_Process)
        elif kind == "endprocesses":
            now = None
        elif kind == "process":
            now = processes[numbers[0]]
        elif kind == "task":
            row = next(ids)
            if now is not None:
                assert row["ready"] >= now.gate, row
                now.loops[-1] = max(now.loops[-1], reported(row))
        elif now is not None:
            match kind:
                case "loop":
                    now.loops.append(0)
                    now.ended.append(0)
                case "iteration":
                    now.iteration()
                case "endloop":
                    now.iteration()
                    now.loops.pop()
                    now.loops[-1] = max(now.loops[-1], now.ended.pop())
                case "send":
                    channel, token = numbers
                    sent[channel, token] = now.so_far
                    place = done.get((channel, token - depths[channel] - receivers[channel]), 0)
                    now.gate = max(now.gate, place)
                case "receive":
                    now.gate = max(now.gate, sent[numbers[0], numbers[1]])
                case "done":
                    now.gate = done[numbers[0], numbers[1]] = now.so_far
                case _:
                    pass
