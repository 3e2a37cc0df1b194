"""One step of decoding: the next token of 32 sequences, each with up to 1024 tokens in its cache.

What does a step cost whose every token wants eight experts of its own?
"""

import argparse
import sys
from dataclasses import replace
from types import SimpleNamespace

import decode
import numpy as np
from checks import check_decode
from config import Config
from deepseek_v3_example import MACHINE, REDUCED_HIDDEN, at_least, basic_schedule, print_checks
from layer import attention_kernels, moe_kernels
from report import weight_bytes
from tensors import procedural_weights

from pto_wsp import Program, PtoError, Tensor
from pto_wsp.machine import Machine

SEQUENCES, ROOM, REDUCED_ROOM = 32, 1024, 128
WHAT_IF = [{"memory.hbm": 3.2}, {"memory": "flat"}, {"cores.cube": 48}]


def step(c: Config, room: int, seed: int) -> tuple[Program, SimpleNamespace]:
    """A step with caches of random length and content."""
    rng = np.random.default_rng(seed)
    cache = decode.empty_cache(c, room)
    for values in (cache.latent, cache.k_pe):
        values.numpy()[:] = rng.normal(size=values.shape)
    cache.position.numpy()[:, 0] = rng.integers(0, room, c.seq)
    x = Tensor.random((1, c.seq, c.hidden), c.dtype, name="x", seed=seed, scale=3**0.5)
    t = decode.tensors(c, procedural_weights(c, seed), x, cache, seed)
    work = decode.layer(c, t, attention_kernels(c), moe_kernels(c))
    return basic_schedule(work).compile(machine=MACHINE), t


def compute(
    c: Config, room: int, args: argparse.Namespace
) -> tuple[bool, Program, SimpleNamespace]:
    program, t = step(c, room, args.seed)
    program.execute(threads=args.threads)
    program.synchronize()
    title = f"hidden {c.hidden}, {c.seq} sequences, against NumPy in f64"
    return print_checks(title, check_decode(c, t)), program, t


def print_cycles(program: Program, c: Config, t: SimpleNamespace) -> None:
    stats, machine = program.stats, Machine(MACHINE)
    experts = len(np.unique(t.chosen.numpy()))
    moved = weight_bytes(c, t, experts)
    bound = moved / machine.amount("memory.hbm") * 1e3
    print(f"  {stats.tasks} tasks, {stats.makespan_cycles} cycles = {stats.makespan_ms:.3f} ms")
    print(f"  each weight once, {experts} experts: {moved / 1e9:.3g} GB, {bound:.3f} ms", end="")
    print(f"; ratio {stats.makespan_ms / bound:.2f}; moved {stats.memory_bytes / 1e9:.3g} GB")
    print("\nWhat if:")
    print(program.what_if(WHAT_IF))


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=at_least(1), metavar="N", help="default: all cores")
    parser.add_argument("--seed", type=at_least(0), metavar="N", default=0)
    parser.add_argument("--hidden", type=at_least(64), default=Config.hidden)
    parser.add_argument("--room", type=at_least(1), default=ROOM, help="of a cache, in tokens")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    args = arguments(argv)
    c = replace(Config(), seq=SEQUENCES, hidden=args.hidden)
    try:
        passed, program, t = compute(c, args.room, args)
        print_cycles(program, c, t)
        if c.hidden > REDUCED_HIDDEN:
            passed &= compute(replace(c, hidden=REDUCED_HIDDEN), REDUCED_ROOM, args)[0]
    except PtoError as error:
        print(error, file=sys.stderr)
        return 1
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
