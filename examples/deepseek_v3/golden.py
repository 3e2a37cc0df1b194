"""The layer's formulas in NumPy and f64: what the values of a run are checked against.

Written from the formulas, not from the kernels: attention is the naive form (the latent cache is
expanded to keys and values), RoPE turns complex numbers, and only x, the weights and the
experts that the program chose come from outside. `c` is a configuration, `w` a namespace of
tensors whose slices have `.numpy()`; weights are read slice by slice, so that a layer whose
weights never exist as a whole can be checked too.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Chosen = NDArray[np.int64]


def f64(view: Any) -> Array:
    return view.numpy().astype(np.float64)


def error(value: Any, expected: Array) -> float:
    """max |value - expected| / max |expected|; NaN where value has one."""
    difference = np.abs(np.asarray(value, dtype=np.float64) - expected)
    return float(difference.max() / np.abs(expected).max())


def rms(x: Array, gamma: Array, eps: float) -> Array:
    return gamma * x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + eps)


def rope(x: Array, theta: float) -> Array:
    """Turns the interleaved pairs (2i, 2i + 1) of row p by the angle p * theta^(-2i / columns)."""
    position = np.arange(x.shape[0])[:, None]
    even = np.arange(0, x.shape[1], 2)
    turned = (x[:, 0::2] + 1j * x[:, 1::2]) * np.exp(1j * position * theta ** (-even / x.shape[1]))
    return np.stack([turned.real, turned.imag], axis=-1).reshape(x.shape)


def softmax(score: Array) -> Array:
    p = np.exp(score - score.max(axis=-1, keepdims=True))
    return p / p.sum(axis=-1, keepdims=True)


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def ffn(z: Array, gate: Array, up: Array, down: Array) -> Array:
    g = z @ gate
    return (g * sigmoid(g) * (z @ up)) @ down


def attention(c: Any, w: Any, x: Array) -> dict[str, Array]:
    """One sequence, x [S, hidden]: everything up to the router's input."""
    h = rms(x, f64(w.norm_attention), c.eps)
    kv = h @ f64(w.w_kv)
    latent = rms(kv[:, : c.kv_rank], f64(w.norm_kv), c.eps)
    k_pe = rope(kv[:, c.kv_rank :], c.theta)
    causal = np.triu(np.full((len(x), len(x)), -np.inf), 1)
    heads: list[Array] = []
    for head in range(c.heads):
        q = h @ f64(w.w_q[head])
        k_nope, v = latent @ f64(w.w_uk[head]).T, latent @ f64(w.w_uv[head])
        score = q[:, : c.head_dim] @ k_nope.T + rope(q[:, c.head_dim :], c.theta) @ k_pe.T
        heads.append(softmax(score * (c.head_dim + c.rope_dim) ** -0.5 + causal) @ v)
    o = np.concatenate(heads, axis=-1)
    x1 = x + o @ f64(w.w_o)
    h2 = rms(x1, f64(w.norm_moe), c.eps)
    logits = h2 @ f64(w.w_router)
    names = ("h", "latent", "k_pe", "o", "x1", "h2", "logits")
    return dict(zip(names, (h, latent, k_pe, o, x1, h2, logits), strict=True))


def decode(c: Any, w: Any, x: Array, caches: list[tuple[Array, Array]]) -> dict[str, Array]:
    """The next token of each sequence, x [sequence, hidden]: everything up to the router's input.

    A sequence's cache is the normed latents and turned keys of its tokens so far."""
    h = rms(x, f64(w.norm_attention), c.eps)
    kv = h @ f64(w.w_kv)
    latent = rms(kv[:, : c.kv_rank], f64(w.norm_kv), c.eps)
    o = np.empty((len(x), c.heads * c.head_dim))
    k_pe = np.empty((len(x), c.rope_dim))
    for head in range(c.heads):
        q, w_uk, w_uv = h @ f64(w.w_q[head]), f64(w.w_uk[head]), f64(w.w_uv[head])
        for b, (old_latent, old_k_pe) in enumerate(caches):
            place = len(old_latent)
            k_pe[b] = turned(kv[b, c.kv_rank :], place, c.theta)
            latents = np.vstack([old_latent, latent[b]])
            score = latents @ w_uk.T @ q[b, : c.head_dim]
            query = turned(q[b, c.head_dim :], place, c.theta)
            score += np.vstack([old_k_pe, k_pe[b]]) @ query
            p = softmax(score * (c.head_dim + c.rope_dim) ** -0.5)
            o[b, head * c.head_dim : (head + 1) * c.head_dim] = p @ (latents @ w_uv)
    x1 = x + o @ f64(w.w_o)
    h2 = rms(x1, f64(w.norm_moe), c.eps)
    names = ("h", "latent", "k_pe", "o", "x1", "h2", "logits")
    return dict(zip(names, (h, latent, k_pe, o, x1, h2, h2 @ f64(w.w_router)), strict=True))


def turned(row: Array, place: int, theta: float) -> Array:
    """`rope` of the row at one place."""
    return rope(np.vstack([np.zeros((place, len(row))), row]), theta)[-1]


def choose(c: Any, w: Any, logits: Array) -> tuple[Chosen, Array]:
    """The experts of each token, and the largest error of a score that cannot change their set."""
    biased = sigmoid(logits) + f64(w.bias).reshape(-1)
    best_two = np.sort(biased.reshape(len(biased), c.groups, -1), axis=-1)[..., -2:]
    group_order, group_gap = ranked(best_two.sum(axis=-1), c.kept_groups)
    kept = np.zeros((len(biased), c.groups), dtype=bool)
    np.put_along_axis(kept, group_order, True, axis=-1)
    allowed = np.repeat(kept, c.experts // c.groups, axis=-1)
    chosen, gap = ranked(np.where(allowed, biased, -np.inf), c.top_k)
    # Two scores differ by twice the error of one, two sums of two by four times.
    return chosen, np.minimum(gap / 2, group_gap / 4)


def ranked(score: Array, k: int) -> tuple[Chosen, Array]:
    """Where the k largest of each row are, and how far the next one lies below them."""
    order = np.argsort(-score, axis=-1, kind="stable")
    down = np.take_along_axis(score, order, axis=-1)
    next_one = down[:, k] if k < score.shape[-1] else np.full(len(score), -np.inf)
    return order[:, :k], down[:, k - 1] - next_one


def routing_weights(c: Any, logits: Array, chosen: Chosen) -> Array:
    picked = np.take_along_axis(sigmoid(logits), chosen, axis=-1)
    return picked / (picked.sum(axis=-1, keepdims=True) + 1e-20) * c.routed_scale


def experts(c: Any, w: Any, h2: Array, chosen: Chosen) -> Array:
    """[token, k, hidden]: expert by expert, so that the weights of each are made once."""
    parts = np.empty((*chosen.shape, c.hidden))
    for expert in np.unique(chosen):
        token, k = np.nonzero(chosen == expert)
        gate, up, down = (f64(part[int(expert)]) for part in (w.gate, w.up, w.down))
        parts[token, k] = ffn(h2[token], gate, up, down)
    return parts


def moe(c: Any, w: Any, x1: Array, h2: Array, logits: Array, chosen: Chosen) -> dict[str, Array]:
    """Any tokens' rows: their complete outputs under the given choice of experts."""
    weights = routing_weights(c, logits, chosen)
    parts = experts(c, w, h2, chosen)
    routed = np.einsum("tk,tkh->th", weights, parts)
    three = (w.shared_gate, w.shared_up, w.shared_down)
    shared = np.stack([ffn(h2, *(f64(part[i]) for part in three)) for i in range(c.shared)], axis=1)
    update = routed + shared.sum(axis=1)
    names = ("weights", "parts", "routed", "shared", "update", "out")
    values = (weights, parts, routed, shared, update, x1 + update)
    return dict(zip(names, values, strict=True))
