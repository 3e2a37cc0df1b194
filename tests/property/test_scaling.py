"""What becomes of a run where time itself, the memories or the cores change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from model.engine import run_engine
from model.programs import Run, Size, random_run
from model.unrolling import unrolled

rngs = st.randoms(use_true_random=False)
sizes = st.integers(1, 60).map(Size)
factors = st.sampled_from((2, 3, 10, 1000, 100_000))

TASK_TIMES = ("submit", "ready", "dispatch", "start", "end", "retire")
PHASES = ("load", "compute", "store")


def without_rounding(run: Run) -> Run:
    """Whole cycles per byte, a cycle at least of work, and no rate of dispatches in real time."""
    machine, settings, kernels, tensors, program = run
    machine |= {name: min(machine[name], 1) for name in ("memory_bytes", "l2_bytes")}
    kernels = [kernel | {"compute": max(kernel["compute"], 1)} for kernel in kernels]
    if str(settings["timing"]).startswith("rate_limit"):
        settings |= {"timing": "immediate"}
    return machine, settings, kernels, tensors, program


def slower(run: Run, factor: int) -> Run:
    """All that takes time takes `factor` times as long."""
    machine, settings, kernels, tensors, program = run
    machine = machine | {
        "costs": {name: cycles * factor for name, cycles in machine["costs"].items()},
        "memory_cycles": machine["memory_cycles"] * factor,
        "l2_cycles": machine["l2_cycles"] * factor,
    }
    kernels = [kernel | {phase: kernel[phase] * factor for phase in PHASES} for kernel in kernels]
    return machine, settings, kernels, tensors, [slower_line(line, factor) for line in program]


def slower_line(line: tuple[Any, ...], factor: int) -> tuple[Any, ...]:
    match line:
        case ("task", kernel, operands, keys, after):
            return "task", kernel, operands, keys | {"cost": keys["cost"] * factor}, after
        case ("pipeline", depths, processes):
            return "pipeline", depths, [[slower_line(at, factor) for at in p] for p in processes]
        case _:
            return line


def scaled(rows: Iterable[Mapping[str, Any]], factor: int) -> list[dict[str, Any]]:
    return [dict(row) | {name: row[name] * factor for name in TASK_TIMES} for row in rows]


@given(rngs, sizes, factors)
def test_a_slower_clock_changes_nothing_but_the_numbers(
    rng: Random, size: Size, factor: int
) -> None:
    run = without_rounding(random_run(rng, size))
    found, stretched = run_engine(*run), run_engine(*slower(run, factor))
    assert stretched["stats"]["makespan"] == found["stats"]["makespan"] * factor
    assert stretched["tasks"] == scaled(found["tasks"], factor)
    assert stretched["edges"] == found["edges"]
    assert stretched["stalls"] == [
        (core, begin * factor, end * factor, cause, task)
        for core, begin, end, cause, task in found["stalls"]
    ]


def chain(run: Run) -> Run:
    """Its tasks one after the other, at once when they may, whatever they touch."""
    machine, settings, kernels, tensors, program = run
    tasks = [line for line in unrolled(program) if line[0] == "task"]
    program = [(*line[:4], [i - 1] if i else []) for i, line in enumerate(tasks)]
    settings |= {"deps": "explicit", "streams": 0, "stream_by": "id"}
    settings |= {"timing": "immediate", "start": "threshold(1)", "batch": 1, "depth": 0}
    settings |= {"depth_scope": "core", "window": 30000, "window_unit": "tasks"}
    return machine, settings, kernels, tensors, program


def with_machine(run: Run, **changes: Any) -> Run:
    return run[0] | changes, *run[1:]


def makespans(runs: Sequence[Run]) -> list[int]:
    return [run_engine(*run)["stats"]["makespan"] for run in runs]


@given(rngs, sizes)
def test_a_faster_memory_never_slows_a_chain(rng: Random, size: Size) -> None:
    run = chain(random_run(rng, size))
    machine = run[0]
    changes = [
        {f"{level}_cycles": machine[f"{level}_cycles"] * factor}
        for level in ("memory", "l2")
        for factor in (4, 2)
    ]
    hbm4, hbm2, l24, l22, same = makespans(
        [*(with_machine(run, **change) for change in changes), run]
    )
    assert hbm4 >= hbm2 >= same
    assert l24 >= l22 >= same


@given(rngs, sizes)
def test_faster_cores_never_slow_a_chain(rng: Random, size: Size) -> None:
    machine, settings, kernels, tensors, program = chain(random_run(rng, size))
    settings |= {"trace": "cycles"}
    # A kernel without any work counts as one cycle of it: that is no faster core.
    kernels = [kernel | {"compute": kernel["compute"] + 2} for kernel in kernels]
    faster = [kernel | {phase: kernel[phase] // 2 for phase in PHASES} for kernel in kernels]
    before, after = makespans(
        [
            (machine, settings, kernels, tensors, program),
            (machine, settings, faster, tensors, program),
        ]
    )
    assert after <= before
