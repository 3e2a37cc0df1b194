"""The formulas of a Llama layer in NumPy and f32, without cache, tiles or blocks."""

from typing import Any

import numpy as np


def f32(tensor: Any) -> Any:
    return tensor.numpy().astype(np.float32)


def rms(x: Any, gamma: Any, eps: float) -> Any:
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + eps) * gamma


def rope(x: Any, position: Any, theta: float) -> Any:
    """x [tokens, heads, D]: elements i and i + D / 2 turn by position * theta^(-2i / D)."""
    half = x.shape[-1] // 2
    angle = position[:, None, None] * theta ** (-np.arange(half) / half)
    turned = (x[..., :half] + 1j * x[..., half:]) * np.exp(1j * angle)
    return np.concatenate([turned.real, turned.imag], axis=-1).astype(np.float32)


def attention(q: Any, keys: Any, values: Any, position: Any) -> Any:
    """q [tokens, heads, D] sees the keys [length, KV heads, D] up to its own position."""
    shared = q.shape[1] // keys.shape[1]
    keys, values = (np.repeat(one, shared, axis=1) for one in (keys, values))
    score = np.einsum("thd,shd->hts", q, keys) / np.sqrt(q.shape[-1])
    score[:, np.arange(len(keys)) > position[:, None]] = -np.inf
    p = np.exp(score - score.max(axis=-1, keepdims=True))
    return np.einsum("hts,shd->thd", p / p.sum(axis=-1, keepdims=True), values)


def behind(past: Any, new: Any) -> Any:
    """The new tokens' [tokens, KV heads, D] behind the past's [length, KV heads * D]."""
    return np.concatenate([past.astype(np.float32).reshape(-1, *new.shape[1:]), new])


def layer(c: Any, w: Any, x: Any, pasts: list[Any]) -> Any:
    """x [tokens, hidden]: the new tokens of all sequences, one sequence behind the other.

    `pasts` has per sequence: how many tokens of x are its own, and the keys and values
    [length, KV heads * D] of the tokens before them.
    """
    h, tokens = rms(x, f32(w.norm_attention), c.eps), len(x)
    q, k, v = (h @ f32(one) for one in (w.q, w.k, w.v))
    q, k, v = (one.reshape(tokens, -1, c.dim) for one in (q, k, v))
    outputs: list[Any] = []
    first = 0
    for count, past_keys, past_values in pasts:
        own = slice(first, first + count)
        position = len(past_keys) + np.arange(count)
        keys = behind(past_keys, rope(k[own], position, c.theta))
        values = behind(past_values, v[own])
        outputs.append(attention(rope(q[own], position, c.theta), keys, values, position))
        first += count
    x1 = x + np.concatenate(outputs).reshape(tokens, -1) @ f32(w.o)
    h = rms(x1, f32(w.norm_ffn), c.eps)
    gate = h @ f32(w.gate)
    return x1 + (gate / (1 + np.exp(-gate)) * (h @ f32(w.up))) @ f32(w.down)
