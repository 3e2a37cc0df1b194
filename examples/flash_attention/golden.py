"""Attention of every head, in f64; causal: over the keys up to the query's own."""

from typing import Any

import numpy as np


def attention(q: Any, k: Any, v: Any, causal: bool = False) -> Any:
    out = np.empty(q.shape, np.float32)
    for head, (queries, keys, values) in enumerate(zip(q, k, v, strict=True)):
        scores = queries.astype(np.float64) @ keys.astype(np.float64).T / np.sqrt(q.shape[-1])
        if causal:
            scores[~np.tri(len(scores), dtype=bool)] = -np.inf
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        out[head] = weights / weights.sum(axis=1, keepdims=True) @ values.astype(np.float64)
    return out
