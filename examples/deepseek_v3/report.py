"""What a run's virtual time says: cycles, how busy cores were, why they were not, the roofline."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from config import Config

from pto_wsp import Tensor
from pto_wsp.machine import Machine

DENSE = (
    *("norm_attention", "w_q", "w_kv", "norm_kv", "w_uk", "w_uv", "w_o", "norm_moe"),
    *("w_router", "bias", "shared_gate", "shared_up", "shared_down"),
)
"""Weights that every run reads."""

ROUTED = ("gate", "up", "down")
"""Weights of which a run reads the chosen experts'."""


def chosen_experts(trace: Any) -> int:
    """How many different experts had tasks; their axes are batch, token, expert."""
    tasks = trace.tasks
    return len(np.unique(tasks["axes"][tasks["kernel"] == "expert_ffn_jit", 2]))


def nbytes(tensor: Tensor) -> int:
    return math.prod(tensor.shape) * tensor.dtype.numpy.itemsize


def weight_bytes(c: Config, t: SimpleNamespace, experts: int) -> int:
    """Bytes of the weights that a run needs at least once, with so many experts chosen."""
    dense = sum(nbytes(getattr(t, name)) for name in DENSE)
    return dense + experts * sum(nbytes(getattr(t, name)) for name in ROUTED) // c.experts


def print_run(
    name: str, result: Any, c: Config, t: SimpleNamespace, machine: Machine, folder: Path
) -> None:
    """Prints a run's report and saves its trace in the folder."""
    stats, trace = result.stats, result.trace
    cycles, cores = stats.makespan_cycles, sum(pool.cores for pool in stats.pools)
    print(f"  {name} schedule on {machine.name}:")
    print(f"    makespan: {cycles} cycles = {stats.makespan_ms:.3f} ms")
    busy = (f"{pool} {share:.1%}" for pool, share in stats.utilisation.items())
    print(f"    utilisation: {', '.join(busy)}")
    causes = sorted(stats.stalls.items(), key=lambda stall: -stall[1])
    shares = (f"{cause} {stalled / (cores * cycles):.1%}" for cause, stalled in causes if stalled)
    print(f"    stalls: {', '.join(shares)}")
    experts = chosen_experts(trace)
    moved = weight_bytes(c, t, experts)
    bound_ms = moved / machine.amount("memory.hbm") * 1e3
    print(f"    roofline: {bound_ms:.4g} ms for {moved / 1e9:.3g} GB, {experts} experts chosen")
    print(f"    makespan / roofline: {stats.makespan_ms / bound_ms:.2f}")
    path = folder / f"deepseek_v3_{name}.pftrace"
    trace.save(path)
    print(f"    trace: {path}")
