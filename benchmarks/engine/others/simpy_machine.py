"""The same machine in SimPy: a process per task, one that submits, a resource per kind of core.

python simpy_machine.py STREAM TASKS KERNEL.. prints one line of JSON; a KERNEL is cube:CYCLES or
vector:CYCLES, as for the bare-bones simulator, whose streams these are.
"""

import json
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import simpy

WINDOW = 16384
CORES = {"cube": 24, "vector": 48}

Tile = tuple[str, int]
Task = tuple[int, list[Tile], Tile]
"""Its kernel, the tiles that it reads, and the one that it writes or updates."""


def independent(tasks: int) -> Iterator[Task]:
    for i in range(tasks // 3):
        yield 0, [], ("x", i)
        for j in range(2):
            yield 1, [], ("y", 2 * i + j)


def chain(tasks: int) -> Iterator[Task]:
    for _ in range(tasks):
        yield 0, [], ("x", 0)


def layered(tasks: int) -> Iterator[Task]:
    width = 1000
    for layer in range(tasks // width):
        for own in range(width):
            kernel = (own >= 334) + (own >= 667)
            reads = [layer * width + (own * 13 + r * 337) % width for r in range(kernel + 2)]
            yield kernel, [("x", read) for read in reads], ("x", (layer + 1) * width + own)


def moe(tasks: int) -> Iterator[Task]:
    tiles, experts = 16, 2048
    parts = experts // tiles
    for r in range(tasks // (tiles + experts + tiles)):
        for t in range(tiles):
            yield 0, [("x", r * tiles + t)], ("y", r * tiles + t)
        for e in range(experts):
            reads = (e % tiles, (e + e // tiles + 1) % tiles)
            yield 1, [("y", r * tiles + read) for read in reads], ("z", r * experts + e)
        for t in range(tiles):
            reads = range(r * experts + t * parts, r * experts + (t + 1) * parts)
            yield 2, [("z", read) for read in reads], ("x", (r + 1) * tiles + t)


STREAMS: dict[str, Callable[[int], Iterator[Task]]] = {
    stream.__name__: stream for stream in (independent, chain, layered, moe)
}


@dataclass
class Live:
    """The tasks in the window that still matter to those which access a tile."""

    writer: simpy.Event | None = None
    readers: list[simpy.Event] = field(default_factory=list[simpy.Event])
    users: int = 0
    """How many tasks of the window access it."""


class Tiles:
    """Exact dependency inference; what no task of the window accesses is forgotten."""

    def __init__(self) -> None:
        self._live: dict[Tile, Live] = {}
        self._window: deque[set[Tile]] = deque()

    def add(self, task: simpy.Event, reads: list[Tile], write: Tile) -> list[simpy.Event]:
        """The earlier tasks that this one waits for."""
        if len(self._window) == WINDOW:
            self._forget(self._window.popleft())
        tiles = {*reads, write}
        self._window.append(tiles)
        for tile in tiles:
            self._live.setdefault(tile, Live()).users += 1
        written = self._live[write]
        found = [self._live[read].writer for read in reads] + [written.writer, *written.readers]
        for read in reads:
            self._live[read].readers.append(task)
        written.writer, written.readers = task, []
        return list({source for source in found if source is not None and not source.processed})

    def _forget(self, tiles: set[Tile]) -> None:
        for tile in tiles:
            live = self._live[tile]
            live.users -= 1
            if live.users == 0:
                del self._live[tile]


class Machine:
    def __init__(self, kernels: list[tuple[str, int]]) -> None:
        self.env = simpy.Environment()
        self._cores = {unit: simpy.Resource(self.env, count) for unit, count in CORES.items()}
        self._kernels = kernels

    def simulate(self, stream: Iterator[Task]) -> int:
        """The makespan."""
        self.env.process(self._submit(stream))
        self.env.run()
        return self.env.now

    def _submit(self, stream: Iterator[Task]) -> Iterator[simpy.Event]:
        tiles = Tiles()
        live: deque[simpy.Event] = deque()
        for kernel, reads, write in stream:
            if len(live) == WINDOW and not (oldest := live.popleft()).processed:
                yield oldest
            finished = self.env.event()
            sources = tiles.add(finished, reads, write)
            self.env.process(self._run(kernel, sources, finished))
            live.append(finished)

    def _run(
        self, kernel: int, sources: list[simpy.Event], finished: simpy.Event
    ) -> Iterator[simpy.Event]:
        unit, cycles = self._kernels[kernel]
        if sources:
            yield self.env.all_of(sources)
        with self._cores[unit].request() as core:
            yield core
            yield self.env.timeout(cycles)
        finished.succeed()


def main() -> None:
    stream, tasks, *texts = sys.argv[1:]
    kernels = [(unit, int(cycles)) for unit, cycles in (text.split(":") for text in texts)]
    begin = time.perf_counter()
    makespan = Machine(kernels).simulate(STREAMS[stream](int(tasks)))
    print(json.dumps({"seconds": time.perf_counter() - begin, "makespan": makespan}))


if __name__ == "__main__":
    main()
