"""The layer's tensors: given, procedural, or filled by its tasks."""

from types import SimpleNamespace
from typing import Any

import numpy as np
from config import Config
from numpy.typing import NDArray

from pto_wsp import DType, Tensor, Zipf

F32, I32 = DType.F32, DType.I32


def activations(c: Config, seed: int) -> SimpleNamespace:
    """What the layer computes; `chosen` has a source for when nothing is computed."""

    def empty(name, *shape, dtype=c.dtype, **source):
        return Tensor.empty((c.batch, c.seq, *shape), dtype, name=name, **source)

    routing = Zipf(0.8, seed, values=c.experts, groups=c.groups, kept_groups=c.kept_groups)
    return SimpleNamespace(
        h=empty("h", c.hidden),
        latent=empty("latent", c.kv_rank),
        k_pe=empty("k_pe", c.rope_dim),
        o=empty("o", c.heads * c.head_dim),
        x1=empty("x1", c.hidden),
        h2=empty("h2", c.hidden),
        logits=empty("logits", c.experts, dtype=F32),
        weights=empty("weights", c.top_k, dtype=F32),
        chosen=empty("chosen", c.top_k, dtype=I32, routing=routing),
        parts=empty("parts", c.top_k * c.hidden),
        routed=empty("routed", c.hidden, dtype=F32),
        shared=empty("shared", c.shared * c.hidden, dtype=F32),
        update=empty("update", c.hidden, dtype=F32),
        out=empty("out", c.hidden),
    )


def procedural_weights(c: Config, seed: int) -> dict[str, Tensor]:
    """Random weights that keep the variance of what they multiply; elements are made when read."""

    def weight(name, *shape):
        return Tensor.random(shape, c.dtype, name=name, seed=seed, scale=(3 / shape[-2]) ** 0.5)

    def gamma(name, width):
        values = np.random.default_rng(seed).uniform(0.5, 1.5, (1, width))
        return Tensor(data=values.astype(np.float32), dtype=c.dtype, name=name)

    H, D, R, L, F = c.hidden, c.head_dim, c.rope_dim, c.kv_rank, c.ffn
    return {
        "norm_attention": gamma("norm_attention", H),
        "w_q": weight("w_q", c.heads, H, D + R),
        "w_kv": weight("w_kv", H, L + R),
        "norm_kv": gamma("norm_kv", L),
        "w_uk": weight("w_uk", c.heads, D, L),
        "w_uv": weight("w_uv", c.heads, L, D),
        "w_o": weight("w_o", c.heads * D, H),
        "norm_moe": gamma("norm_moe", H),
        "w_router": weight("w_router", H, c.experts),
        "bias": Tensor.random((1, c.experts), F32, name="bias", seed=seed, scale=0.05),
        "gate": weight("gate", c.experts, H, F),  # 3.2 GB that never exist in memory
        "up": weight("up", c.experts, H, F),
        "down": weight("down", c.experts, F, H),
        "shared_gate": weight("shared_gate", c.shared, H, F),
        "shared_up": weight("shared_up", c.shared, H, F),
        "shared_down": weight("shared_down", c.shared, F, H),
    }


def turns(c: Config, positions: NDArray[Any]) -> tuple[Tensor, Tensor]:
    """cos and sin, [row, rope_dim / 2], of the angle position * theta^(-2i / rope_dim)."""
    frequency = c.theta ** (-np.arange(0, c.rope_dim, 2) / c.rope_dim)
    angle = np.outer(positions, frequency)
    cos, sin = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
    return Tensor(data=cos, name="cos"), Tensor(data=sin, name="sin")


def tensors(
    c: Config, weights: dict[str, Tensor], seed: int, values: bool = True
) -> SimpleNamespace:
    """All tensors of the layer by name. Without values x has none: only time can be had."""
    shape = (c.batch, c.seq, c.hidden)
    if values:
        x = Tensor.random(shape, c.dtype, name="x", seed=seed, scale=3**0.5)
    else:
        x = Tensor.empty(shape, c.dtype, name="x")
    cos, sin = turns(c, np.arange(c.seq))
    return SimpleNamespace(x=x, cos=cos, sin=sin, **weights, **vars(activations(c, seed)))
