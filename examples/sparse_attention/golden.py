"""The lightning indexer and sparse attention in NumPy and f64, one sequence at a time."""

from typing import Any

import numpy as np


def f64(view: Any) -> Any:
    return view.numpy().astype(np.float64)


def rope(x: Any, position: Any, columns: int, theta: float) -> Any:
    """x [..., D]: of the first columns, i and i + columns / 2 turn together, the rest stays."""
    half = columns // 2
    turn = np.exp(1j * position * theta ** (-np.arange(half) / half))
    turned = (x[..., :half] + 1j * x[..., half:columns]) * turn
    return np.concatenate([turned.real, turned.imag, x[..., columns:]], axis=-1)


def new_key(c: Any, t: Any, b: int) -> Any:
    """The indexer's key of the sequence's new token: a layer norm, then RoPE."""
    k = f64(t.h[b]).ravel() @ f64(t.w_key)
    k = (k - k.mean()) / np.sqrt(k.var() + c.eps)
    k = k * f64(t.gamma).ravel() + f64(t.beta).ravel()
    return rope(k, int(t.position.numpy()[b, 0]), c.rope, c.theta)


def index_scores(c: Any, t: Any, b: int, length: int) -> Any:
    """How much the last token of sequence b wants each of its tokens: sum_j w_j relu(q_j . k_s)."""
    keys = np.concatenate([f64(t.keys[b])[: length - 1], new_key(c, t, b)[None]])
    q = (f64(t.qr[b]).ravel() @ f64(t.w_query)).reshape(c.index_heads, c.index_dim)
    q = rope(q, int(t.position.numpy()[b, 0]), c.rope, c.theta)
    weight = f64(t.h[b]).ravel() @ f64(t.w_weight) * c.index_heads**-0.5
    return weight * c.index_dim**-0.5 @ np.maximum(q @ keys.T, 0)


def attention(c: Any, t: Any, b: int, tokens: Any) -> Any:
    """All heads [heads, rank] of sequence b over the given tokens alone (absorbed form)."""
    latent, k_pe = f64(t.latent[b])[tokens], f64(t.k_pe[b])[tokens]
    score = f64(t.q_latent[b]) @ latent.T + f64(t.q_pe[b]) @ k_pe.T
    score *= (c.nope + c.rope) ** -0.5
    p = np.exp(score - score.max(axis=-1, keepdims=True))
    return p / p.sum(axis=-1, keepdims=True) @ latent
