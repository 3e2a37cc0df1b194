"""Attention of one query token over a sequence's own keys and values, in NumPy and f64."""

from typing import Any

import numpy as np


def attention(q: Any, keys: Any, values: Any) -> Any:
    """q [heads, D], keys and values [KV heads, length, D]; neighbouring heads share a KV head."""
    shared = len(q) // len(keys)
    outputs: list[Any] = []
    for head, one in enumerate(q.astype(np.float64)):
        k, v = keys[head // shared].astype(np.float64), values[head // shared].astype(np.float64)
        score = k @ one / np.sqrt(len(one))
        p = np.exp(score - score.max())
        outputs.append(p @ v / p.sum())
    return np.stack(outputs)


def sequence(pool: Any, table: Any, heads: int, length: int) -> Any:
    """A sequence's rows [heads, length, D] out of its pages [heads * page, D] of the pool."""
    pages = -(-length // (pool.shape[1] // heads))
    each = [pool[int(page)].numpy().reshape(heads, -1, pool.shape[2]) for page in table[:pages]]
    return np.concatenate(each, axis=1)[:, :length]
