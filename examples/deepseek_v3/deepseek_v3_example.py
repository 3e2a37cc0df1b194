"""A DeepSeek-V3 style layer from Python to numbers, cycles and a trace.

layer.py holds the kernels and the workload, golden.py the formulas that values are held against.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from checks import Check, check_layer
from config import PARTS, Config, task_estimate
from layer import attention_kernels, layer, moe_kernels
from report import print_run
from tensors import procedural_weights, tensors
from weights import WeightsError, load

from pto_wsp import (
    Deps,
    DispatchPolicy,
    DType,
    Pools,
    PtoError,
    ReadyPolicy,
    StartPolicy,
    TaskWindow,
    Tensor,
    TracePolicy,
    WindowMode,
)
from pto_wsp.machine import Machine

HERE = Path(__file__).resolve().parent
RULE = "=" * 60
REDUCED_HIDDEN = 256
MACHINE = "ascend_a3"


@dataclass(frozen=True)
class Layer:
    c: Config
    t: SimpleNamespace
    attention: SimpleNamespace
    moe: SimpleNamespace
    work: Any


def build(
    c: Config, seed: int = 0, weights: dict[str, Tensor] | None = None, values: bool = True
) -> Layer:
    if weights is None:
        weights = procedural_weights(c, seed)
    t = tensors(c, weights, seed, values)
    attention, moe = attention_kernels(c), moe_kernels(c)
    return Layer(c, t, attention, moe, layer(c, t, attention, moe))


# ---- Schedules -------------------------------------------------------------------------------


def basic_schedule(work):
    return work.dispatch(DispatchPolicy.work_steal()).task_graph(
        deps=Deps.hybrid(),
        window=TaskWindow(16384, "tasks", WindowMode.STALL),
        pools=Pools.by_exec_unit(),
        ready=ReadyPolicy.work_steal(),
        start=StartPolicy.threshold(100),
        trace=TracePolicy.cycles(),
    )


def advanced_schedule(work):
    """More schedulers as the stream of tasks grows; dependencies in batches.

    batch_deps() and pipeline_depth() are deprecated and warn: today both are settings of
    task_graph(batch=128, range_compression=True, depth=3, depth_scope="per_pool").
    """
    policies = {
        256: DispatchPolicy.round_robin(1),
        1024: DispatchPolicy.round_robin(4),
        4096: DispatchPolicy.work_steal(),
    }
    return (
        work.dispatch_threshold(thresholds=list(policies), policies=policies)
        .task_graph(
            deps=Deps.hybrid(),
            window=TaskWindow(16384, "tasks", WindowMode.STALL),
            pools=Pools.by_exec_unit(),
            ready=ReadyPolicy.work_steal(),
        )
        .batch_deps(128, range_compression=True)
        .pipeline_depth(3, scope="per_pool")
    )


def program():
    """What `ptoc deepseek_v3_example.py` compiles."""
    return basic_schedule(build(Config()).work)


# ---- What is printed before anything runs ----------------------------------------------------

LISTED = {
    *("matmul", "add", "sub", "mul", "div", "neg", "abs", "max", "min"),
    *("exp", "log", "sqrt", "rsqrt", "sin", "cos", "tanh", "sigmoid"),
    *("rowsum", "rowmax", "rowmin", "rowmean", "colsum", "colmax", "colmin"),
}
"""Matmul, arithmetic, math and reductions: what the line of a kernel shows of its calls."""


def print_configuration(c: Config) -> None:
    print(f"""{RULE}
PTO-RT v9 DeepSeek-V3.2 MoE Example
{RULE}

Configuration (DeepSeek-V3 style):
  Batch size: {c.batch}
  Sequence length: {c.seq}
  Hidden dimension: {c.hidden}

MLA Configuration:
  Num heads: {c.heads}
  Head dim: {c.head_dim}
  KV LoRA rank: {c.kv_rank}

MoE Configuration:
  Total experts: {c.experts}
  Active experts (top-K): {c.top_k}
  Shared experts: {c.shared}
  Expert FFN dim: {c.ffn}

Task estimation:""")
    for part, tasks in task_estimate(c).items():
        print(f"  {part}: {tasks}")
    print()


def print_kernels(built: Layer) -> None:
    print("JIT Kernels (@jit_kernel + tl.*):")
    for kernel in (built.moe.expert, built.moe.router, built.attention.mla):
        unit = f" ({kernel.unit})" if kernel.unit else ""
        calls = dict.fromkeys(f"tl.{call}" for call in kernel.calls if call in LISTED)
        print(f"  {kernel.name}{unit}: {', '.join(calls)}")
    print()


def print_schedules(basic: Any, advanced: Any) -> None:
    print("Basic task graph schedule:")
    print(f"  Deps: {basic.deps}")
    print(f"  Window: {basic.window.size}")
    print(f"  Pools: {basic.pools}")
    print(f"  Trace: {basic.trace}")
    print()
    print("Advanced schedule (with R5 extensions):")
    print(f"  Dispatch threshold: {advanced.thresholds}")
    print(f"  Batch deps: threshold={advanced.batch.threshold}")
    print(f"  Pipeline depth: {advanced.depth}")
    print()


# ---- Runs and checks -------------------------------------------------------------------------


def check_task_counts(built: Layer) -> Check:
    """The estimate against what the workload knows from its loops."""
    counts = built.work.task_counts()
    found = {part: sum(counts[kernel] for kernel in PARTS[part]) for part in PARTS}
    equal = found == task_estimate(built.c) and sum(counts.values()) == sum(found.values())
    return Check("task counts", f"{sum(counts.values())} tasks", equal)


def print_checks(title: str, checks: list[Check]) -> bool:
    """Prints each check; true if all have passed."""
    print(f"  {title}:")
    for check in checks:
        print(f"    {'ok    ' if check.passed else 'FAILED'} {check.name}: {check.found}")
    return all(check.passed for check in checks)


def compute(program: Any, built: Layer, threads: int | None) -> bool:
    """Runs a program with numbers and checks every value that golden.py can afford."""
    program.execute(threads=threads)
    program.synchronize()
    title = f"hidden {built.c.hidden}, {built.c.dtype.value}, against NumPy in f64"
    return print_checks(title, check_layer(built.c, built.t))


def compute_reduced(c: Config, args: argparse.Namespace) -> bool:
    """The same source at reduced width, in f32 and in the layer's own dtype."""
    passed = True
    for dtype in (DType.F32, c.dtype):
        built = build(replace(c, hidden=REDUCED_HIDDEN, dtype=dtype), args.seed)
        reduced = basic_schedule(built.work).compile(target="cpu_sim", machine=MACHINE)
        passed &= compute(reduced, built, args.threads)
    return passed


def run(built: Layer, basic: Any, advanced: Any, args: argparse.Namespace) -> bool:
    """Both schedules, with the numbers computed once; true if every check has passed."""
    c, t = built.c, built.t
    passed = print_checks("workload", [check_task_counts(built)])
    if args.timing_only:
        basic.simulate()
        advanced.simulate()
    else:
        passed &= compute(basic, built, args.threads)
        advanced.simulate(replay=basic)  # the same routing; nothing is computed again
    for name, program in (("basic", basic), ("advanced", advanced)):
        print_run(name, program, c, t, Machine(MACHINE), args.trace_dir)
    if not args.timing_only and args.weights is None:
        passed &= compute_reduced(c, args)
    return passed


def at_least(low: int) -> Callable[[str], int]:
    def integer(text: str) -> int:
        if not text.isdecimal() or int(text) < low:
            raise argparse.ArgumentTypeError(f"expected an integer from {low}, found {text!r}")
        return int(text)

    return integer


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--timing-only", action="store_true", help="no numbers: synthetic routing")
    add("--weights", type=Path, metavar="DIR", help="a Hugging Face deepseek_v3 folder")
    add("--threads", type=at_least(1), metavar="N", help="host threads; default: all cores")
    add(
        "--seed",
        type=at_least(0),
        metavar="N",
        default=0,
        help="of the input, the weights, the synthetic routing",
    )
    add("--trace-dir", type=Path, default=HERE / "traces", help="default: %(default)s")
    return parser.parse_args(argv)


def example(args: argparse.Namespace) -> int:
    """The whole example; gives the exit code."""
    args.trace_dir.mkdir(parents=True, exist_ok=True)  # no run that cannot keep its trace
    c, weights = load(args.weights) if args.weights else (Config(), None)
    print_configuration(c)
    built = build(c, args.seed, weights, values=not args.timing_only)
    print_kernels(built)

    print("Building workload...")
    print(f"  Workload kind: {built.work.kind}\n")
    basic, advanced = basic_schedule(built.work), advanced_schedule(built.work)
    print_schedules(basic, advanced)

    print("Compiling program...")
    programs = [plan.compile(target="cpu_sim", machine=MACHINE) for plan in (basic, advanced)]
    print(f"  Program type: {type(programs[0]).__name__}\n")

    print("Executing with CPU simulation...")
    if not run(built, *programs, args):
        print("Example failed: see the checks above.", file=sys.stderr)
        return 1
    print("Execution complete!\n")
    print("Example completed successfully!")
    print(RULE)
    return 0


def main(argv: list[str] | None = None) -> int:
    args = arguments(argv)
    try:
        return example(args)
    except (PtoError, WeightsError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
