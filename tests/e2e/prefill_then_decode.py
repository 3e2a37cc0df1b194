"""Prefills sequences, decodes one token more from the cache that is left, and compares with the
formulas on the whole sequences. Prints the largest error; runs in the folder of the example."""

import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))

import decode
import golden
import numpy as np
from config import Config
from layer import attention_kernels, layer, moe_kernels
from tensors import procedural_weights, tensors

from pto_wsp import DType, Tensor

SEQUENCES, TOKENS = 3, 40
REDUCED = Config(
    *(SEQUENCES, TOKENS, 96, 4, 16, 8, 32, 16, 4, 2, 4, 1, 48), tile=8, dtype=DType.F32
)


def run(work) -> None:
    program = work.compile()
    program.execute()
    program.synchronize()


def main() -> None:
    x = np.random.default_rng(1).normal(size=(SEQUENCES, TOKENS + 1, REDUCED.hidden))
    x = x.astype(np.float32)
    weights = procedural_weights(REDUCED, 0)

    before = tensors(REDUCED, weights, 0)
    before.x = Tensor(data=x[:, :TOKENS], name="x")
    run(layer(REDUCED, before, attention_kernels(REDUCED), moe_kernels(REDUCED)))

    c = replace(REDUCED, batch=1, seq=SEQUENCES, tile=SEQUENCES)
    cache = decode.empty_cache(c, TOKENS + 5)
    cache.latent.numpy()[:, :TOKENS] = before.latent.numpy()
    cache.k_pe.numpy()[:, :TOKENS] = before.k_pe.numpy()
    cache.position.numpy()[:] = TOKENS
    t = decode.tensors(c, weights, Tensor(data=x[:, TOKENS][None], name="x"), cache, 0)
    run(decode.layer(c, t, attention_kernels(c), moe_kernels(c)))

    for b in range(SEQUENCES):
        expected = golden.attention(REDUCED, t, x[b].astype(np.float64))
        last = {name: value[-1:] for name, value in expected.items()}
        chosen = golden.choose(REDUCED, t, last["logits"])[0]
        last |= golden.moe(REDUCED, t, last["x1"], last["h2"], last["logits"], chosen)
        for name in ("latent", "k_pe", "o", "x1", "logits", "routed", "shared", "out"):
            value = getattr(t, name)[0, b].numpy().reshape(1, -1)
            error = golden.error(value, last[name].reshape(1, -1))
            print(f"sequence {b} {name}: {error:.1e} {'ok' if error < 1e-4 else 'WRONG'}")


main()
