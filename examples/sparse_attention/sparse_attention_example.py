"""DeepSeek-V3.2's sparse attention: from which context on is it worth its indexer?

16 sequences decode one token each. A lightning indexer scores all earlier tokens and chooses 2048
of them; 128 heads attend to those alone.
"""

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1]))

import golden
from attention import Config, dense, sparse, tensors
from common.example import Example, print_cycles, print_table, print_what_if, run_example

SMALL = Config(
    batch=4,
    room=512,
    hidden=128,
    q_rank=64,
    heads=8,
    rank=64,
    nope=32,
    rope=32,
    index_heads=8,
    index_dim=64,
    top_k=128,
    block=64,
    scored=128,
    picked=64,
    head_group=4,
)


def example(run: Example) -> None:
    c = SMALL if run.small else Config()
    t = tensors(c)
    for name, way in (("sparse", sparse), ("dense", dense)):
        program = way(c, t)
        run.execute(program)
        check(run, name, c, t)
        print_cycles(name, program)
        print_what_if(program, [{"memory.hbm": 3.2}, {"cores.cube": 48}, {"schedulers": 5}])
    print("\nOther contexts:")
    print_contexts(c, (1, 2) if run.small else (0.5, 1, 2, 4, 8, 16))


def check(run: Example, name: str, c: Config, t: SimpleNamespace) -> None:
    lengths = t.position.numpy().ravel() + 1
    attended = [np.arange(length) for length in lengths]
    if name == "sparse":
        attended = list(t.chosen.numpy())
        check_choice(run, c, t, lengths, attended)
    expected = [golden.attention(c, t, b, tokens) for b, tokens in enumerate(attended)]
    run.check(f"{name}, outputs", t.o.numpy(), expected, 5e-3)


def check_choice(
    run: Example, c: Config, t: SimpleNamespace, lengths: np.ndarray, chosen: list[np.ndarray]
) -> None:
    """The chosen tokens have the best scores; which ones they are may differ where scores tie."""
    found: list[np.ndarray] = []
    best: list[np.ndarray] = []
    for b, length in enumerate(lengths):
        score = golden.index_scores(c, t, b, int(length))
        found.append(np.sort(score[chosen[b]]))
        best.append(np.sort(score)[-c.top_k :])
    distinct = all(len(np.unique(tokens)) == c.top_k for tokens in chosen)
    run.check_that("chosen", "no token twice" if distinct else "a token twice", distinct)
    run.check("scores of the chosen", found, best, 5e-3)


def print_contexts(c: Config, factors: tuple[float, ...]) -> None:
    """Time by the room of the caches, and how much of it the top-k itself is."""
    rows: list[tuple[object, ...]] = []
    for factor in factors:
        sized = replace(c, room=int(c.room * factor))
        ways = [way(sized, tensors(sized, values=False)) for way in (dense, sparse)]
        runs = [way.simulate().stats for way in ways]
        free = ways[1].simulate(**{"kernels.select": 1}).stats.makespan_ms
        cells = (f"{cell:.3g}" for s in runs for cell in (s.memory_bytes / 1e6, s.makespan_ms))
        faster = runs[0].makespan_ms / runs[1].makespan_ms
        rows.append((sized.room, *cells, f"{faster:.2f}", f"{free:.3g}"))
    header = ("context", "dense: MB", "ms", "sparse: MB", "ms", "times as fast", "ms, free top-k")
    print_table(header, rows)


if __name__ == "__main__":
    sys.exit(run_example(__doc__, example))
