"""A mixture of experts in NumPy, expert by expert, and how its tokens choose."""

from typing import Any

import numpy as np


def scores(x: Any, router: Any, popularity: Any) -> Any:
    """Each token's probabilities of all experts, in f64."""
    logits = x.astype(np.float64) @ router.astype(np.float64) + popularity
    p = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return p / p.sum(axis=-1, keepdims=True)


def moe(x: Any, score: Any, chosen: Any, gate: Any, up: Any, down: Any) -> Any:
    """The chosen experts' answers [tokens, hidden], weighed by their share of the chosen scores."""
    picked = np.take_along_axis(score, chosen, axis=-1)
    weights = picked / picked.sum(axis=-1, keepdims=True)
    x, out = x.astype(np.float32), np.zeros(x.shape)
    for expert in np.unique(chosen):
        token, k = np.nonzero(chosen == expert)
        g, u, d = (part[int(expert)].numpy().astype(np.float32) for part in (gate, up, down))
        z = x[token] @ g
        out[token] += weights[token, k, None] * ((z / (1 + np.exp(-z)) * (x[token] @ u)) @ d)
    return out
