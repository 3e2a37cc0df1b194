"""The same layer twice: a task per token and expert, and a task per block of an expert's tokens.

What is it worth to sort the tokens first, so that each chosen expert's weights are read once?
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import grouped
import numpy as np
from checks import TOLERANCE, Check, check_layer
from config import Config
from deepseek_v3_example import MACHINE, REDUCED_HIDDEN, at_least, basic_schedule, print_checks
from golden import error
from layer import Experts, attention_kernels, expert_tasks, layer, moe_kernels
from report import weight_bytes
from tensors import procedural_weights, tensors

from pto_wsp import PtoError
from pto_wsp.machine import Machine

WHAT_IF = [{"memory.hbm": 3.2}, {"memory.l2_size": 1024}, {"memory": "flat"}, {"cores.cube": 48}]
"""Twice the bandwidth of HBM, an L2 of a gigabyte, none at all, twice the cube cores."""


@dataclass(frozen=True)
class Variant:
    name: str
    c: Config
    t: SimpleNamespace
    program: Any


def variant(name: str, c: Config, seed: int, experts: Experts) -> Variant:
    t = tensors(c, procedural_weights(c, seed), seed)
    work = layer(c, t, attention_kernels(c), moe_kernels(c), experts)
    return Variant(name, c, t, basic_schedule(work).compile(machine=MACHINE))


def grouped_tasks(c: Config) -> Experts:
    g, kernels = grouped.tensors(c), grouped.kernels(c)
    return lambda c, t, _: grouped.expert_tasks(c, t, g, kernels)


def both(c: Config, seed: int) -> tuple[Variant, Variant]:
    return (
        variant("per token", c, seed, expert_tasks),
        variant("grouped", c, seed, grouped_tasks(c)),
    )


# ---- Numbers ---------------------------------------------------------------------------------


def compute(one: Variant, threads: int | None) -> None:
    one.program.execute(threads=threads)
    one.program.synchronize()


def check_both(per_token: Variant, grouped: Variant) -> bool:
    """Each against NumPy where that can be had, and one against the other."""
    name = f"hidden {grouped.c.hidden}, {grouped.c.dtype.value}, grouped"
    passed = print_checks(f"{name}, against NumPy in f64", check_grouped(grouped))
    found, other = (one.t.out.numpy().astype(np.float64) for one in (grouped, per_token))
    off, limit = error(found, other), TOLERANCE[grouped.c.dtype]
    check = Check("out (all)", f"error {off:.1e}, at most {limit:.0e}", off <= limit)
    return print_checks(f"{name}, against the variant per token", [check]) and passed


def check_grouped(one: Variant) -> list[Check]:
    """`parts` are the other variant's own."""
    return [check for check in check_layer(one.c, one.t) if not check.name.startswith("parts")]


# ---- Cycles ----------------------------------------------------------------------------------


def bound_cycles(one: Variant, machine: Machine) -> tuple[float, str]:
    """What HBM needs for the bytes that this variant has to move at least, in cycles.

    Grouped: the weights, each once, of the experts that were chosen. Per token: what the run moved
    through HBM, which is every visit's weights less what L2 still held.
    """
    if one.name == "grouped":
        experts = len(np.unique(one.t.chosen.numpy()))
        count, what = weight_bytes(one.c, one.t, experts), f"weights, {experts} experts chosen"
    else:
        count, what = one.program.stats.memory_bytes, "moved, with what L2 holds left out"
    seconds = count / machine.amount("memory.hbm")
    return seconds * machine.amount("clock"), f"{count / 1e9:.3g} GB {what}"


def print_cycles(variants: tuple[Variant, ...], machine: Machine) -> list[Check]:
    checks: list[Check] = []
    print(f"  on {machine.name}:")
    for one in variants:
        stats = one.program.stats
        bound, what = bound_cycles(one, machine)
        ratio = stats.makespan_cycles / bound
        cube = stats.utilisation["cube"]
        print(f"    {one.name}: {stats.tasks} tasks, {stats.makespan_cycles} cycles", end="")
        print(f" = {stats.makespan_ms:.3f} ms, cube {cube:.1%}")
        print(f"      bound {bound:.0f} cycles ({what}), ratio {ratio:.2f}")
        checks.append(Check(f"{one.name} not below its bound", f"ratio {ratio:.2f}", ratio >= 1))
    return checks


def print_what_if(per_token: Variant, grouped: Variant) -> None:
    tables: list[Any] = []
    for one in (per_token, grouped):
        print(f"\nWhat if ({one.name}):")
        tables.append(one.program.what_if(WHAT_IF))
        print(tables[-1])
    faster = per_token.program.stats.makespan_cycles / grouped.program.stats.makespan_cycles
    gains = [1 / table.variants[0].ratio for table in tables]
    moved = [one.program.stats.memory_bytes / 1e9 for one in (per_token, grouped)]
    print(
        f"\nLesson: grouping moves {moved[1]:.3g} GB in the place of {moved[0]:.3g} GB and is"
        f" {faster:.2f} times as fast; twice the bandwidth would make it {gains[0]:.2f} times"
        f" as fast per token, {gains[1]:.2f} times grouped."
    )


# ---- The example -----------------------------------------------------------------------------


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    count: Callable[[str], int] = at_least(1)
    parser.add_argument("--threads", type=count, metavar="N", help="default: all cores")
    parser.add_argument("--seed", type=at_least(0), metavar="N", default=0)
    parser.add_argument(
        "--hidden",
        type=at_least(64),
        default=Config.hidden,
        help="width of the layer (default: %(default)s)",
    )
    return parser.parse_args(argv)


def example(args: argparse.Namespace) -> bool:
    c = replace(Config(), hidden=args.hidden)
    print("Compiling both variants...")
    variants = both(c, args.seed)
    print("Executing with CPU simulation...")
    for one in variants:
        compute(one, args.threads)
    passed = check_both(*variants)
    checks = print_cycles(variants, Machine(MACHINE))
    print_what_if(*variants)
    if c.hidden > REDUCED_HIDDEN:
        reduced = both(replace(c, hidden=REDUCED_HIDDEN), args.seed)
        for one in reduced:
            compute(one, args.threads)
        passed &= check_both(*reduced)
    return all(check.passed for check in checks) and passed


def main(argv: list[str] | None = None) -> int:
    args = arguments(argv)
    try:
        return 0 if example(args) else 1
    except PtoError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
