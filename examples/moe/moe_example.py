"""A mixture of experts, token by token and grouped: what is sorting the tokens worth?

128 experts of a Qwen3-30B-A3B layer, 8 per token, 256 tokens, with routing from even to skewed.
"""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1]))

import golden
from common.example import MACHINE, Example, print_cycles, print_table, print_what_if, run_example
from experts import Config, grouped, per_token, tensors

from pto_wsp import Program

SAMPLED = 4
"""Tokens held against NumPy, which takes long to make their experts' weights."""

WAYS = {"per token": per_token, "grouped": grouped}


def popularity(c: Config, skew: float) -> np.ndarray:
    """What skewed routing adds to the logits: Zipf's law over shuffled experts."""
    rank = np.random.default_rng(5).permutation(c.experts)
    return (-skew * np.log1p(rank)).astype(np.float32)


def example(run: Example) -> None:
    c = Config(tokens=64, hidden=128, experts=16, top_k=4, ffn=64) if run.small else Config()
    t = tensors(c)
    programs = {name: way(c, t).task_graph().compile(machine=MACHINE) for name, way in WAYS.items()}
    rows: list[tuple[object, ...]] = []
    for skew in (1.0, 0.0):
        t.popularity.numpy()[:] = popularity(c, skew)
        outputs: list[np.ndarray] = []
        for name, program in programs.items():
            run.execute(program)
            outputs.append(t.out.numpy().copy())
            rows.append((skew, *spread(c, t), name, *cost(program)))
        check(run, f"skew {skew}", t, outputs)
    print("\nMost visits over mean visits, experts with any, and what each way costs:")
    print_table(("skew", "most", "experts", "way", "tasks", "GB", "ms"), rows[::-1])
    for name, program in programs.items():
        print()
        print_cycles(f"{name}, skew {skew}", program)
        print_what_if(program, [{"memory.hbm": 3.2}, {"memory.l2_size": 1024}, {"cores.cube": 48}])


def spread(c: Config, t: SimpleNamespace) -> tuple[str, int]:
    visits = np.bincount(t.chosen.numpy().ravel(), minlength=c.experts)
    return f"{visits.max() / visits.mean():.1f}", np.count_nonzero(visits)


def cost(program: Program) -> tuple[int, str, str]:
    stats = program.stats
    return stats.tasks, f"{stats.memory_bytes / 1e9:.2f}", f"{stats.makespan_ms:.3f}"


def check(run: Example, name: str, t: SimpleNamespace, outputs: list[np.ndarray]) -> None:
    """What was chosen has the best scores; some tokens' outputs are right, all others agree."""
    x, chosen = t.x.numpy(), t.chosen.numpy().astype(np.int64)
    score = golden.scores(x, t.router.numpy(), t.popularity.numpy())
    best = np.sort(score, axis=-1)[:, ::-1][:, : chosen.shape[1]]
    run.check(f"{name}, chosen", np.take_along_axis(score, chosen, axis=-1), best, 1e-3)
    some = slice(None) if run.small else slice(None, None, len(x) // SAMPLED)
    expected = golden.moe(x[some], score[some], chosen[some], t.gate, t.up, t.down)
    for way, found in zip(WAYS, outputs, strict=True):
        run.check(f"{name}, {way}, {len(expected)} tokens", found[some], expected, 5e-3)
    run.check(f"{name}, grouped beside per token, all tokens", outputs[1], outputs[0], 5e-3)


if __name__ == "__main__":
    sys.exit(run_example(__doc__, example))
