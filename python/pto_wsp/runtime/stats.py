"""A run's statistics."""

from __future__ import annotations

import msgspec

from pto_wsp import _core


class PoolStats(msgspec.Struct, frozen=True):
    name: str
    cores: int
    tasks: int
    busy: int
    """Core cycles on which a task lies; with the stalls they make cores x makespan."""
    stalls: dict[str, int]
    """Core cycles per cause."""


class KernelStats(msgspec.Struct, frozen=True):
    name: str
    tasks: int
    busy: int
    """Core cycles."""
    stalls: dict[str, int]
    """Core cycles of the gaps before this kernel's tasks, per cause."""


class SchedulerStats(msgspec.Struct, frozen=True):
    dispatches: int
    reports: int
    steals: int
    busy: int
    """Cycles."""


class HostStats(msgspec.Struct, frozen=True):
    run_seconds: float
    """What the host spent: no part of virtual time, and different in each run."""


class Stats(msgspec.Struct, frozen=True):
    """What a run comes to; but for `host`, a function of program, machine and settings."""

    tasks: int
    edges: int
    reads: int
    """Times that the orchestrator read data that tasks write, and paid `readback`."""
    makespan_cycles: int
    makespan_ms: float
    utilisation: dict[str, float]
    """Per pool, busy core cycles over all core cycles."""
    stalls: dict[str, int]
    """Core cycles per cause, over all pools."""
    window_high_water: int
    """What live tasks held at most, in the schedule's `window_unit`."""
    window_overruns: int
    """Tasks that did not fit (`window_mode=benchmark`)."""
    ready_high_water: int
    """Tasks in queues at most."""
    orchestrator_busy: int
    """Cycles."""
    memory_bytes: int
    """Moved through HBM."""
    memory_busy: int
    """Cycles."""
    l2_bytes: int
    """Moved between the cores and L2."""
    l2_busy: int
    """Cycles."""
    borrowed_vector: int
    """Vector cycles inside cube kernels."""
    pools: list[PoolStats]
    kernels: list[KernelStats]
    schedulers: list[SchedulerStats]
    host: HostStats
    text: str = ""

    def summary(self) -> str:
        """Makespan, utilisation per pool and the share of each stall cause, in a few lines."""
        return self.text.rstrip()

    @staticmethod
    def of(result: _core.RunResult) -> Stats:
        decoded = msgspec.json.decode(result.json, type=Stats)
        return msgspec.structs.replace(decoded, text=result.summary)
