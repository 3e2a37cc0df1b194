"""A Llama-3-8B layer, prefill and decode with a cache: what does a token cost?

A prompt of 256 tokens fills its part of the cache; then 16 sequences, that one among them, decode
one token each, with 256 to 4094 tokens before it.
"""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1]))

import golden
from common.example import Example, print_cycles, print_table, print_what_if, run_example
from layer import Config, Step, activations, layer, weights

from pto_wsp import DType, Tensor

SMALL = Config(hidden=256, heads=8, kv_heads=2, dim=32, ffn=512, context=256, columns=32, block=64)
TOLERANCE = 5e-3


def prefill(prompt: int, tile: int) -> Step:
    return Step(prompt // tile, unit=tile, tile=tile, kv_heads=1, one_sequence=True)


def decode(c: Config, batch: int) -> Step:
    return Step(batch, unit=1, tile=batch, kv_heads=c.kv_heads // 2, one_sequence=False)


def example(run: Example) -> None:
    c, prompt, batch, tile = (SMALL, 64, 8, 32) if run.small else (Config(), 256, 16, 128)
    w, cache, lengths = weights(c), filled_cache(c, batch), lengths_of(c, batch, prompt)
    first, then = prefill(prompt, tile), decode(c, batch)
    t, d = activations(c, first, np.arange(0, prompt, tile)), activations(c, then, lengths)
    programs = [layer(c, first, w, t, cache), layer(c, then, w, d, cache)]
    for program in programs:
        run.execute(program)
    check(run, c, w, cache, lengths, t, d)
    for name, program in zip(("prefill", "decode"), programs, strict=True):
        print_cycles(name, program)
        print_what_if(program, [{"memory.hbm": 3.2}, {"cores.cube": 48}, {"costs.dispatch": 0}])
    print(f"\nOther steps, decode with {c.context // 2} tokens before each:")
    print_steps(c, w, (1, 8) if run.small else (1, 4, 16, 64), prompt, tile)


def filled_cache(c: Config, sequences: int) -> SimpleNamespace:
    """Room for all sequences; all but the first hold the keys and values of a past."""
    rng = np.random.default_rng(7)

    def filled(name: str) -> Tensor:
        values = np.zeros((sequences, c.context, c.kv_heads * c.dim), np.float16)
        for one in values[1:]:
            one[:] = rng.uniform(-1, 1, one.shape)
        return Tensor(data=values, name=name)

    return SimpleNamespace(keys=filled("keys"), values=filled("values"))


def lengths_of(c: Config, batch: int, prompt: int) -> np.ndarray:
    """How many tokens each sequence has already: the first one the prompt's."""
    lengths = np.random.default_rng(3).integers(prompt, c.context - 1, batch)
    lengths[0] = prompt
    return lengths


def check(
    run: Example,
    c: Config,
    w: SimpleNamespace,
    cache: SimpleNamespace,
    lengths: np.ndarray,
    t: SimpleNamespace,
    d: SimpleNamespace,
) -> None:
    """The prompt and the token behind it in one go, without a cache; the other tokens."""
    prompt, batch = int(lengths[0]), len(lengths)
    x = np.concatenate([golden.f32(t.x), golden.f32(d.x)])
    keys, values = cache.keys.numpy(), cache.values.numpy()
    pasts = [(1, keys[b, : lengths[b]], values[b, : lengths[b]]) for b in range(1, batch)]
    expected = golden.layer(c, w, x, [(prompt + 1, keys[0, :0], values[0, :0]), *pasts])
    found, behind = d.out.numpy(), prompt + 1
    run.check("prefill", t.out.numpy(), expected[:prompt], TOLERANCE)
    run.check("decode behind the prompt", found[:1], expected[prompt:behind], TOLERANCE)
    run.check("decode of the others", found[1:], expected[behind:], TOLERANCE)


def print_steps(
    c: Config, w: SimpleNamespace, batches: tuple[int, ...], prompt: int, tile: int
) -> None:
    steps = [(decode(c, batch), np.full(batch, c.context // 2)) for batch in batches]
    steps.append((prefill(prompt, tile), np.arange(0, prompt, tile)))
    rows: list[tuple[object, ...]] = []
    for step, first in steps:
        shape = (step.units, c.context, c.kv_heads * c.dim)
        cache = {name: Tensor.empty(shape, DType.F16, name=name) for name in ("keys", "values")}
        t = activations(c, step, first)
        program = layer(c, step, w, t, SimpleNamespace(**cache)).simulate()
        stats, name = program.stats, "prefill" if step.one_sequence else "decode"
        ms, megabytes = stats.makespan_ms, stats.memory_bytes / 1e6
        token = f"{ms * 1e3 / step.tokens:.2f}"
        rows.append((name, step.tokens, stats.tasks, f"{megabytes:.0f}", f"{ms:.3f}", token))
    print_table(("step", "tokens", "tasks", "MB", "ms", "us a token"), rows)


if __name__ == "__main__":
    sys.exit(run_example(__doc__, example))
