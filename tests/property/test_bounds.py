"""What no schedule can beat, and how far a machine without overheads stays behind at most."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from graphlib import TopologicalSorter
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from model.engine import run_engine
from model.programs import Run, Size, random_run
from model.tables import read_machine, read_schedule
from model.unrolling import unrolled

rngs = st.randoms(use_true_random=False)
sizes = st.integers(1, 60).map(Size)

Row = Mapping[str, Any]


def durations(run: Run) -> list[int]:
    """Of each task, without the memory that all share."""
    _, settings, kernels, _, program = run
    keyed = settings["trace"] == "cycles(cost)"
    phases = ("load", "compute", "store")
    return [
        line[3]["cost"] if keyed else max(1, sum(kernels[line[1]][phase] for phase in phases))
        for line in unrolled(program)
        if line[0] == "task"
    ]


def critical_path(weights: Sequence[int], edges: Sequence[tuple[int, int, str]]) -> int:
    """The longest way through the graph; joins, whose ids are negative, weigh nothing."""
    sources: defaultdict[int, list[int]] = defaultdict(list)
    for source, target, _ in edges:
        sources[target].append(source)
    nodes = dict(sources) | {task: sources[task] for task in range(len(weights))}
    longest: dict[int, int] = {}
    for node in TopologicalSorter(nodes).static_order():
        before = max((longest[source] for source in sources[node]), default=0)
        longest[node] = before + (weights[node] if node >= 0 else 0)
    return max(longest.values(), default=0)


def with_settings(run: Run, **settings: Any) -> Run:
    machine, others, *rest = run
    return machine, {**others, **settings}, *rest


@given(rngs, sizes)
def test_no_run_beats_its_graph_its_cores_or_its_memory(rng: Random, size: Size) -> None:
    run = random_run(rng, size)
    if run[1]["trace"] == "none":
        run = with_settings(run, trace="cycles")
    machine, schedule = read_machine(run[0]), read_schedule(run[1])
    found, weights = run_engine(*run), durations(run)
    makespan = found["stats"]["makespan"]
    assert makespan >= critical_path(weights, found["edges"])
    work: defaultdict[str, int] = defaultdict(int)
    for row in found["tasks"]:
        # With a depth the next task's load is hidden behind this one's work.
        hidden = run[2][row["kernel"]]["load"] if schedule.depth > 1 else 0
        work[row["unit"]] += max(weights[row["task"]] - hidden, 0)
    for unit, cycles in work.items():
        assert makespan * machine.cores(unit) >= cycles
    if machine.memory_bytes:
        moved = found["stats"]["memory_bytes"] * machine.memory_cycles
        assert makespan * machine.memory_bytes >= moved


def free_run(rng: Random, size: Size) -> Run:
    """One unit, one shared queue, no costs, no gates, no limit but the cores; any order of tasks.

    Reads and the calls of pipelines stay out, for there the orchestrator waits.
    """
    machine, settings, kernels, tensors, program = random_run(rng, size)
    machine |= {"cube_cores": 0, "vector_cores": rng.randint(1, 6), "costs": {}}
    machine |= {"core_slots": 1, "memory_bytes": 0, "l2_bytes": 0}
    kernels = [kernel | {"unit": "vector"} for kernel in kernels]
    program = [line for line in unrolled(program) if line[0] in ("task", "scope", "part", "end")]
    settings |= {
        "pools": rng.choice(("single", "by_exec_unit")),
        "dispatch_threshold": "1=shared",
        "start": "threshold(1)",
        "timing": rng.choice(("immediate", "interleaved(3)")),
        "trace": rng.choice(("cycles", "cycles(cost)")),
        "window": 8192,
        "window_unit": "tasks",
        "depth": rng.choice((0, 1)),
        "depth_scope": "core",
    }
    return machine, settings, kernels, tensors, program


@given(rngs, sizes)
def test_no_core_idles_while_a_task_is_ready(rng: Random, size: Size) -> None:
    found = run_engine(*free_run(rng, size))
    for _, begin, end, cause, _ in found["stalls"]:
        assert cause in ("dep_wait", "drained")
        for row in found["tasks"]:
            assert min(end, row["start"]) <= max(begin, row["ready"])


@given(rngs, sizes)
def test_graham(rng: Random, size: Size) -> None:
    run = free_run(rng, size)
    found, weights = run_engine(*run), durations(run)
    longest = critical_path(weights, found["edges"])
    cores = run[0]["vector_cores"]
    assert found["stats"]["makespan"] * cores <= sum(weights) + (cores - 1) * longest
