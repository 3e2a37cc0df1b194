"""Random machines, schedules and programs, for whatever looks like `random.Random`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from .tables import Setting, read_schedule

STREAMS = 3
SMALL = (0, 0, 0, 1, 1, 2, 3, 5, 8)
COSTS = (
    "submit",
    "submit_operand",
    "readback",
    "dispatch",
    "dispatch_latency",
    "completion_latency",
    "complete",
    "resolve",
    "steal",
    "pickup",
)

Run = tuple[dict[str, Any], dict[str, Setting], list[dict[str, Any]], list[Any], list[Any]]
"""The arguments of `simulate`: machine, settings, kernels, tensors, program."""


@dataclass(frozen=True)
class Size:
    """How large a run may be."""

    lines: int
    """Of the program, about."""
    cube_cores: int = 3
    vector_cores: int = 4
    extent: int = 6
    """Of each axis of a tensor, at most."""
    whole: float = 0.4
    """How likely a region takes an axis whole."""


LARGE = Size(lines=2000, cube_cores=24, vector_cores=48, extent=14, whole=0.05)


def random_run(rng: Random, size: Size, *, refusable: bool = False) -> Run:
    """A run of any kind that the settings allow; `refusable`: or one that ends with an error."""
    machine = random_machine(rng, size)
    schedule = random_schedule(rng, machine, refusable=refusable)
    units = [unit for unit in ("cube", "vector") if machine[f"{unit}_cores"]]
    kernels = [random_kernel(rng, f"k{i}", rng.choice(units)) for i in range(rng.randint(1, 5))]
    tensors = [random_tensor(rng, f"t{i}", size) for i in range(rng.randint(1, 3))]
    program = ProgramWriter(rng, schedule, kernels, tensors, size).write()
    return machine, schedule, kernels, tensors, program


def random_machine(rng: Random, size: Size) -> dict[str, Any]:
    cube, vector = rng.randint(0, size.cube_cores), rng.randint(0, size.vector_cores)
    return {
        "cube_cores": cube,
        "vector_cores": vector or int(not cube),
        "schedulers": rng.randint(1, 5),
        "schedulers_max": 8,
        "core_slots": rng.choice((1, 1, 2, 3)),
        "memory_bytes": rng.choice((0, 0, 1, 2, 7)),
        "memory_cycles": rng.choice((1, 1, 2, 5)),
        "costs": random_costs(rng),
    }


def random_costs(rng: Random) -> dict[str, int]:
    if rng.random() < 0.1:
        return {}
    return {name: rng.choice(SMALL) for name in COSTS}


def random_schedule(
    rng: Random, machine: Mapping[str, Any], *, refusable: bool
) -> dict[str, Setting]:
    """Any legal combination of policies; those beyond the defaults come seldom each."""
    settings: dict[str, Setting] = {
        "deps": rng.choice(("hybrid", "hybrid", "inferred", "explicit")),
        "infer": rng.choice(
            ("infer_bytes_overlap", "infer_bytes_overlap", "infer_tensor_map_exact")
        ),
        "pools": random_pools(rng, machine),
        "ready": rng.choice(("fifo", "work_steal", "priority(rank)")),
        "dispatch_threshold": random_dispatch(rng),
        "start": f"threshold({rng.choice((1, 1, 1, 2, 4, 9))})",
        "timing": random_timing(rng),
        "batch": rng.choice((1, 1, 2, 3, 7)),
        "range_compression": rng.random() < 0.5,
        "trace": rng.choice(("cycles", "cycles", "cycles", "cycles(cost)", "none")),
        **random_window(rng, refusable=refusable),
        **random_depth(rng),
        **random_streams(rng),
    }
    if refusable and rng.random() < 0.1:
        settings["start"] = "after_orchestration"
    return settings


def random_pools(rng: Random, machine: Mapping[str, Any]) -> str:
    if rng.random() < 0.7:
        return rng.choice(("single", "by_exec_unit", "by_exec_unit"))
    pools: list[str] = []
    cube, vector = machine["cube_cores"], machine["vector_cores"]
    # The first one has cores of every unit that the machine has.
    least = (min(cube, 1), min(vector, 1))
    while len(pools) < 3 and cube + vector > 0:
        share = rng.randint(least[0], cube), rng.randint(least[1], vector)
        least = (0, 0)
        if any(share):
            pools.append(f"p{len(pools)}={share[0]}/{share[1]}")
            cube, vector = cube - share[0], vector - share[1]
        elif pools:
            break
    return f"custom(pool,{','.join(pools)})"


def random_window(rng: Random, *, refusable: bool) -> dict[str, Setting]:
    unit = rng.choice(("tasks", "tasks", "tasks", "entries", "bytes"))
    small = (1, 2, 3, 5, 8, 13, 50) if refusable or unit == "tasks" else (8192,)
    modes = ("stall", "stall", "stall", "benchmark", "abort")
    return {
        "window": rng.choice((*small, 30000, 30000)),
        "window_unit": unit,
        "window_mode": rng.choice(modes if refusable else modes[:-1]),
    }


def random_depth(rng: Random) -> dict[str, Setting]:
    scope = rng.choice(("core", "core", "per_pool", "global", "per_stream"))
    return {"depth": rng.choice((0, 0, 1, 2, 3)), "depth_scope": scope}


def random_streams(rng: Random) -> dict[str, Setting]:
    streams = rng.choice((0, 0, 1, 2, STREAMS))
    # A key function gives any of STREAMS numbers.
    return {
        "streams": streams,
        "stream_by": rng.choice(("id", "stream")) if streams == STREAMS else "id",
    }


def random_timing(rng: Random) -> str:
    if rng.random() < 0.6:
        return "immediate"
    # At 1 GHz a rate of r begins a dispatch every 10^6 / r cycles.
    rate = rng.choice((1_000_000, 500_000, 300_000, 100_000))
    return rng.choice(
        (
            f"batched({rng.randint(1, 6)})",
            f"interleaved({rng.randint(1, 4)})",
            f"rate_limit({rate})",
        )
    )


def random_dispatch(rng: Random) -> str:
    thresholds = sorted(rng.sample(range(1, 20), rng.choice((1, 1, 1, 2, 3))))
    return ",".join(f"{threshold}={random_policy(rng)}" for threshold in thresholds)


def random_policy(rng: Random) -> str:
    round_robin = f"round_robin({rng.randint(0, 5)})"
    keyed = ("affinity(home)", "hash(home)", "dispatch_by(first)")
    return rng.choice(("shared", round_robin, "work_steal", *keyed))


def random_kernel(rng: Random, name: str, unit: str) -> dict[str, Any]:
    moved = rng.choice((0, 0, 1, 4, 10))
    return {
        "name": name,
        "unit": unit,
        "roles": [rng.choice(("in", "in", "out", "inout")) for _ in range(rng.randint(0, 3))],
        "load": rng.choice(SMALL),
        "compute": rng.choice((0, 1, 2, 3, 7, 20)),
        "store": rng.choice(SMALL),
        "load_bytes": rng.randint(0, moved),
        "bytes": moved,
    }


def random_tensor(rng: Random, name: str, size: Size) -> tuple[str, int, list[int]]:
    extents = [rng.randint(1, size.extent) for _ in range(rng.randint(1, 3))]
    return name, rng.choice((1, 2, 4)), extents


class ProgramWriter:
    """Writes tasks, reads and nested scopes."""

    def __init__(
        self,
        rng: Random,
        schedule: Mapping[str, Setting],
        kernels: list[dict[str, Any]],
        tensors: list[Any],
        size: Size,
    ) -> None:
        self._pools = read_schedule(schedule).custom_pools
        self._after = 0.0 if schedule["deps"] == "inferred" else rng.choice((0.0, 0.2))
        self._tasks = 0
        self._rng, self._kernels, self._tensors, self._size = rng, kernels, tensors, size
        self._lines: list[Any] = []
        self._scopes = rng.choice((0.0, 0.05, 0.15, 0.3))
        self._reads = rng.choice((0.0, 0.05, 0.2))

    def write(self) -> list[Any]:
        while len(self._lines) < self._size.lines:
            self._item(depth=0)
        return self._lines

    def _item(self, depth: int) -> None:
        if depth < 3 and self._rng.random() < self._scopes:
            self._scope(depth)
        elif self._rng.random() < self._reads:
            self._lines.append(("read", self._region()))
        else:
            self._lines.append(self._task())

    def _scope(self, depth: int) -> None:
        self._lines.append(("scope",))
        for part in range(self._rng.randint(0, 4)):
            # The begin of a scope is the begin of its first part too.
            if part > 0 or self._rng.random() < 0.8:
                self._lines.append(("part",))
            for _ in range(self._rng.choice((0, 1, 2, 2, 4))):
                self._item(depth + 1)
        self._lines.append(("end",))

    def _task(self) -> Any:
        number = self._rng.randrange(len(self._kernels))
        operands = [self._region() for _ in self._kernels[number]["roles"]]
        keys = {
            "home": self._rng.randint(-9, 9),
            "first": 0,
            "rank": self._rng.randint(-2, 2),
            "stream": self._rng.randrange(STREAMS),
            "pool": self._pool(self._kernels[number]["unit"]),
            "cost": self._rng.choice((1, 2, 5, 9)),
        }
        after: list[int] = []
        while self._tasks and self._rng.random() < self._after:
            after.append(self._rng.randrange(self._tasks))
        self._tasks += 1
        return "task", number, operands, keys, after

    def _pool(self, unit: str) -> int:
        """One that has cores of the unit."""
        cores = [pool.cube_cores if unit == "cube" else pool.vector_cores for pool in self._pools]
        return self._rng.choice([n for n, count in enumerate(cores) if count] or [0])

    def _region(self) -> Any:
        tensor = self._rng.randrange(len(self._tensors))
        boxes = [self._interval(extent) for extent in self._tensors[tensor][2]]
        return tensor, [begin for begin, _ in boxes], [length for _, length in boxes]

    def _interval(self, extent: int) -> tuple[int, int]:
        """Offset and length: all of it, or any part, seldom nothing."""
        if self._rng.random() < self._size.whole:
            return 0, extent
        begin = self._rng.randint(0, extent)
        return begin, self._rng.randint(min(1, extent - begin), extent - begin)
