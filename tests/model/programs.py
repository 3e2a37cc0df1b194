"""Random machines, schedules and programs, for whatever looks like `random.Random`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from random import Random
from typing import Any

from .graph import scheduler_count
from .tables import Setting, core_places, read_machine, read_schedule

STREAMS = 3
STREAM_BY = ("id", "stream")
STALLING = {"window_mode": ("stall",), "start": ("threshold(1)",)}
ONE_HOME = ("1=affinity(same)", "1=affinity(home)", "1=work_steal", "1=affinity(same),9=shared")
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


@dataclass(frozen=True)
class Focus:
    """What random runs are to be about; all else is random."""

    settings: Mapping[str, Sequence[Setting]] = field(default_factory=dict)
    """One of each."""
    schedulers: Sequence[int] = (1, 2, 3, 4, 5)
    scopes: Sequence[float] = (0.0, 0.05, 0.15, 0.3)
    """How likely a line opens one."""
    reads: Sequence[float] = (0.0, 0.05, 0.2)
    after: Sequence[float] = (0.0, 0.2)
    """How likely a task names one that it comes after, where it may."""
    pipelines: Sequence[float] = (0.0, 0.0, 0.1)
    """How likely a line is a pipeline."""
    vector_cores: Sequence[int] = ()
    costs: Mapping[str, Sequence[int]] = field(default_factory=dict)
    trips: Sequence[int] = ()
    """Of tasks, whose kernels cost more with each; none: no kernel does."""


ANYTHING = Focus()
HOMES = ("affinity(home)", "hash(home)", "dispatch_by(own)", "round_robin(2)", "work_steal")
FOCI = {
    "anything": ANYTHING,
    "equal regions": Focus(
        {"deps": ("hybrid", "inferred"), "infer": ("infer_tensor_map_exact",), "streams": (0,)}
    ),
    "explicit edges": Focus({"deps": ("explicit",)}, scopes=(0.0,)),
    "streams": Focus({"deps": ("hybrid", "explicit"), "streams": (3,), "stream_by": STREAM_BY}),
    "structure": Focus({"deps": ("explicit",), "streams": (0,)}, (2, 3), scopes=(0.3, 0.5)),
    "overlapping services": Focus(
        {"deps": ("explicit", "hybrid"), "batch": (1, 1, 2), "window": (30000,)},
        (2, 3),
        scopes=(0.3, 0.5),
        after=(0.0, 0.4),
        costs={"submit": (0, 1), "complete": (0, 1, 20), "resolve": (0, 3, 8), "dispatch": (0,)},
    ),
    "pipelines": Focus({"window": (1, 3, 30000)}, reads=(0.0, 0.1), pipelines=(0.3,)),
    "pipelines alone": Focus(
        {"deps": ("explicit",), "streams": (0,), "window": (30000,)},
        (1, 2),
        scopes=(0.0, 0.2),
        reads=(0.0,),
        after=(0.0,),
        pipelines=(0.6,),
        costs={"submit": (0,), "submit_operand": (0,)},
    ),
    "reads": Focus({"window_mode": ("stall",), "window": (1, 2, 30000, 30000)}, reads=(0.3,)),
    "window of tasks": Focus({"window": (1, 2, 3, 5), "window_unit": ("tasks",), **STALLING}),
    "window of bytes": Focus({"window_unit": ("bytes",), **STALLING}),
    "window of entries": Focus({"window_unit": ("entries",), **STALLING}),
    "one queue": Focus({"pools": ("single",), "depth_scope": ("core", "per_pool")}),
    "one queue for all": Focus(
        {"pools": ("single",), "dispatch_threshold": ("1=shared",)},
        (2, 3),
        costs={"dispatch": (0,)},
    ),
    "priorities": Focus({"ready": ("priority(rank)",)}),
    "stealing": Focus({"ready": ("work_steal",), "dispatch_threshold": ONE_HOME}, (2, 3)),
    "stealing at once": Focus(
        {"ready": ("work_steal",), "dispatch_threshold": ONE_HOME, "deps": ("explicit",)},
        (3,),
        vector_cores=(5, 7, 9),
        costs={"submit": (0,), "dispatch": (0,), "steal": (0,), "submit_operand": (0,)},
    ),
    "shared queues": Focus({"dispatch_threshold": ("1=shared",), "depth": (0, 1)}, (2, 3)),
    "homes": Focus({"dispatch_threshold": [f"1={home}" for home in HOMES]}, (2, 3, 5)),
    "batches": Focus({"timing": ("batched(2)", "batched(3)", "batched(7)")}),
    "lanes": Focus({"timing": ("interleaved(2)", "interleaved(3)")}),
    "rates": Focus({"timing": ("rate_limit(300000)", "rate_limit(100000)")}),
    "depth per core": Focus({"depth": (1, 2, 3), "depth_scope": ("core",)}),
    "depth per pool": Focus({"depth": (1, 2, 3), "depth_scope": ("per_pool",)}),
    "depth in all": Focus({"depth": (1, 2, 3), "depth_scope": ("global",)}),
    "depth per stream": Focus(
        {"depth": (1, 2), "depth_scope": ("per_stream",), "streams": (3,), "stream_by": STREAM_BY}
    ),
    "depth of busy streams": Focus(
        {
            "depth": (2, 3),
            "depth_scope": ("per_stream",),
            "deps": ("inferred",),
            "streams": (1, 2),
            "stream_by": ("id",),
            "batch": (1, 2, 3),
        },
    ),
    "shared services": Focus({"batch": (2, 3, 7), "range_compression": (True, False)}),
    "tasks of many lengths": Focus(trips=(0, 0, 1, 2, 3, 50)),
    "a late start": Focus(
        {"start": ("after_orchestration", "threshold(6)"), "window": (30000,)}, reads=(0.0,)
    ),
}


def random_run(rng: Random, size: Size, *, focus: Focus = ANYTHING, refusable: bool = False) -> Run:
    """A run of any kind that the settings allow; `refusable`: or one that ends with an error."""
    machine = random_machine(rng, size) | {"schedulers": rng.choice(focus.schedulers)}
    if focus.vector_cores:
        machine["vector_cores"] = rng.choice(focus.vector_cores)
    machine["costs"] |= {name: rng.choice(values) for name, values in focus.costs.items()}
    settings = random_schedule(rng, machine, refusable=refusable)
    settings |= {key: rng.choice(values) for key, values in focus.settings.items()}
    settings = without_idle_ones(settings)
    units = [unit for unit in ("cube", "vector") if machine[f"{unit}_cores"]]
    kernels = [random_kernel(rng, f"k{i}", rng.choice(units)) for i in range(rng.randint(1, 5))]
    if focus.trips:
        for kernel in kernels:
            kernel["per_trip"] = random_trip(rng, kernel["roles"])
    tensors = [random_tensor(rng, f"t{i}", size) for i in range(rng.randint(1, 3))]
    writer = ProgramWriter(rng, machine, settings, kernels, tensors, size, focus, refusable)
    program = writer.write()
    if settings["window_unit"] != "tasks":
        # A window of a few tasks.
        factors = (1, 1, 1.5, 2, 3, 1000)
        factor = rng.choice((0.7, *factors) if refusable else factors)
        settings["window"] = max(1, int(writer.largest(str(settings["window_unit"])) * factor))
    return machine, settings, kernels, tensors, program


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
        "l2_bytes": rng.choice((0, 1, 3, 7)),
        "l2_cycles": rng.choice((1, 1, 2)),
        "l2_capacity": rng.choice((0, 1, 8, 30, 1000)),
        "costs": random_costs(rng),
    }


def random_costs(rng: Random) -> dict[str, int]:
    """Few cycles each; the more of them are 0, the more happens in one cycle."""
    free = rng.choice((0.0, 0.0, 0.5, 0.8, 1.0))
    return {name: 0 if rng.random() < free else rng.choice(SMALL) for name in COSTS}


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
        "memory": rng.choice(("l2", "l2", "flat")),
        **random_window(rng, refusable=refusable),
        **random_streams(rng),
    }
    if refusable and rng.random() < 0.1:
        settings["start"] = "after_orchestration"
    return without_idle_ones(settings)


def without_idle_ones(settings: dict[str, Setting]) -> dict[str, Setting]:
    """Settings that have nothing to act on are refused."""
    changed = dict(settings)
    if not settings["streams"]:
        changed["stream_by"] = "id"
    if not settings["depth"] or (
        settings["depth_scope"] == "per_stream" and not settings["streams"]
    ):
        changed["depth_scope"] = "core"
    return changed


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


def random_depth(rng: Random, streams: int) -> dict[str, Setting]:
    scopes = ("core", "core", "per_pool", "global", *(["per_stream"] if streams else []))
    depth = rng.choice((0, 0, 1, 2, 3))
    return {"depth": depth, "depth_scope": rng.choice(scopes) if depth else "core"}


def random_streams(rng: Random) -> dict[str, Setting]:
    streams = rng.choice((0, 0, 1, 2, STREAMS))
    # A key function gives any of STREAMS numbers.
    by = rng.choice(("id", "stream")) if streams == STREAMS else "id"
    return {"streams": streams, "stream_by": by, **random_depth(rng, streams)}


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
    keyed = ("affinity(home)", "hash(home)", "dispatch_by(own)")
    return rng.choice(("shared", round_robin, "work_steal", *keyed))


def random_kernel(rng: Random, name: str, unit: str) -> dict[str, Any]:
    moved = rng.choice((0, 0, 1, 4, 10))
    roles = [rng.choice(("in", "in", "out", "inout")) for _ in range(rng.randint(0, 3))]
    kernel: dict[str, Any] = {
        "name": name,
        "unit": unit,
        "roles": roles,
        "load": rng.choice(SMALL),
        "compute": rng.choice((0, 1, 2, 3, 7, 20)),
        "store": rng.choice(SMALL),
        "load_bytes": rng.randint(0, moved),
        "bytes": moved,
        "moved_bytes": moved + rng.choice((0, 0, 1, 9)),
    }
    return kernel | ({"loads": random_loads(rng, roles)} if rng.random() < 0.5 else {})


def random_loads(rng: Random, roles: Sequence[str]) -> list[int]:
    return [rng.choice((0, 1, 2, 5, 100)) for _ in roles]


def random_trip(rng: Random, roles: Sequence[str]) -> dict[str, Any]:
    moved = rng.choice((0, 0, 1, 4))
    return {
        "load": rng.choice(SMALL),
        "compute": rng.choice((0, 1, 7)),
        "store": rng.choice((0, 0, 1)),
        "load_bytes": rng.randint(0, moved),
        "bytes": moved,
        "moved_bytes": moved + rng.choice((0, 1)),
        "loads": random_loads(rng, roles),
    }


def random_tensor(rng: Random, name: str, size: Size) -> tuple[str, int, list[int]]:
    extents = [rng.randint(1, size.extent) for _ in range(rng.randint(1, 3))]
    return name, rng.choice((1, 2, 4)), extents


class ProgramWriter:
    """Writes tasks, reads and nested scopes."""

    def __init__(
        self,
        rng: Random,
        machine: Mapping[str, Any],
        settings: Mapping[str, Setting],
        kernels: list[dict[str, Any]],
        tensors: list[Any],
        size: Size,
        focus: Focus,
        refusable: bool,
    ) -> None:
        schedule, config = read_schedule(settings), read_machine(machine)
        self._places = core_places(config, schedule, scheduler_count(config, schedule))
        self._after = 0.0 if schedule.deps == "inferred" else rng.choice(focus.after)
        self._tasks = 0
        self._rng, self._kernels, self._tensors, self._size = rng, kernels, tensors, size
        self._lines: list[Any] = []
        self._wild = 0.003 if refusable else 0.0
        """How likely a task's keys are any numbers, that name nothing."""
        self._scopes = rng.choice(focus.scopes)
        self._pipelines = rng.choice(focus.pipelines)
        self._reads = rng.choice(focus.reads)
        self._trips = focus.trips

    def write(self) -> list[Any]:
        while sum(1 for _ in self._all_lines()) < self._size.lines:
            self._item(depth=0)
        return self._lines

    def _item(self, depth: int) -> None:
        if depth < 3 and self._rng.random() < self._pipelines:
            self._pipeline()
        elif depth < 3 and self._rng.random() < self._scopes:
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

    def _pipeline(self) -> None:
        """Stages in a row, declared in any order; each has replicas."""
        rng, before = self._rng, self._tasks
        stages = rng.randint(2, 4)
        most = 2 + self._size.lines // 8
        tokens = [rng.randint(1, most)]
        depths = [rng.choice((0, 0, 1, 1, 2, 3)) for _ in range(stages - 1)]
        parts: list[list[list[Any]]] = []
        for stage in range(stages):
            replicas = rng.choice((1, 1, 2, 3))
            sent = 0
            copies: list[list[Any]] = []
            for replica in range(replicas):
                into = stage - 1 if stage else None
                out = stage if stage + 1 < stages else None
                count = len(range(replica, tokens[-1], replicas))
                lines, found = self._process(into, out, count, most - sent)
                copies.append(lines)
                sent += found
            parts.append(copies)
            tokens.append(sent)
        rng.shuffle(parts)
        if all(
            any(call in lines for copies in parts for lines in copies)
            for call in [
                (kind, channel) for kind in ("send", "receive") for channel in range(stages - 1)
            ]
        ):
            lines = [lines for copies in parts for lines in copies]
            self._lines.append(("pipeline", depths, lines))
        else:
            self._tasks = before
            self._lines.append(self._task())

    def _process(
        self, into: int | None, out: int | None, count: int, most: int
    ) -> tuple[list[Any], int]:
        """A body per token; and how many tokens it sends, `most` at most."""
        rng, lines, sent = self._rng, self._lines, 0
        self._lines = []
        self._filling()
        self._lines.append(("loop",))
        for _ in range(count):
            if into is not None:
                self._lines.append(("receive", into))
            self._lines.append(("iteration",))
            for _ in range(rng.choice((1, 0, 1, 2))):
                self._filling()
            if out is not None:
                if rng.random() > 0.8 and sent + 2 <= most:
                    self._lines += [("loop",), ("iteration",)]
                    self._filling()
                    self._lines += [("send", out), ("iteration",), ("send", out), ("endloop",)]
                    self._filling()
                    sent += 2
                if rng.random() < 0.9 and sent < most:
                    self._lines.append(("send", out))
                    sent += 1
                if rng.random() < 0.3:
                    self._filling()
            if into is not None:
                self._lines.append(("done", into))
        self._lines.append(("endloop",))
        self._filling()
        written, self._lines = self._lines, lines
        return written, sent

    def _filling(self) -> None:
        """Tasks, scopes and reads of a process; what comes after is known within one only."""
        after, self._after, pipelines, self._pipelines = self._after, 0.0, self._pipelines, 0.0
        for _ in range(self._rng.choice((1, 0, 1, 1, 2))):
            self._item(depth=2)
        self._after, self._pipelines = after, pipelines

    def _task(self) -> Any:
        number = self._rng.randrange(len(self._kernels))
        operands = [self._region() for _ in self._kernels[number]["roles"]]
        unit = self._kernels[number]["unit"]
        pools = sorted({place.pool for place in self._places if place.unit == unit} - {-1})
        pool = self._rng.choice(pools)
        owners = {p.scheduler for p in self._places if (p.unit, p.pool) == (unit, pool)}
        keys = {
            "home": self._rng.randint(-9, 9),
            "own": self._rng.choice(sorted(owners)),
            "same": 0,
            "rank": self._rng.randint(-2, 2),
            "stream": self._rng.randrange(STREAMS),
            "pool": pool,
            "cost": self._rng.choice((1, 2, 5, 9)),
        }
        if self._rng.random() < self._wild:
            keys |= dict.fromkeys(("own", "stream", "pool", "cost"), self._rng.choice((-1, 1, 3)))
        after: list[int] = []
        while self._tasks and self._rng.random() < self._after:
            after.append(self._rng.randrange(self._tasks))
        self._tasks += 1
        if self._trips:
            return "task", number, operands, keys, after, self._rng.choice(self._trips)
        return "task", number, operands, keys, after

    def largest(self, unit: str) -> int:
        """What the largest task takes of a window of `bytes` or `entries`."""
        tasks = [line for line in self._all_lines() if line[0] == "task"]
        if unit == "entries":
            return max((len(line[2]) for line in tasks), default=1)
        return max((self._written_bytes(*line[1:3]) for line in tasks), default=1)

    def _all_lines(self) -> Iterator[Any]:
        for line in self._lines:
            if line[0] == "pipeline":
                for lines in line[2]:
                    yield from lines
            yield line

    def _written_bytes(self, kernel: int, operands: Sequence[Any]) -> int:
        roles = self._kernels[kernel]["roles"]
        return sum(
            self._tensors[tensor][1] * prod(extents)
            for role, (tensor, _, extents) in zip(roles, operands, strict=True)
            if role != "in"
        )

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
