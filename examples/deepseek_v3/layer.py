"""A DeepSeek-V3 style layer: latent attention, group-limited routing, sparse and shared experts.

One source for every size and dtype: functions of a configuration give tensors, kernels and
workload. The formulas stand in golden.py.
"""

import math
from dataclasses import dataclass
from functools import reduce
from types import SimpleNamespace

import numpy as np
from pto_wsp import Dense, DType, In, Out, P, Tensor, Tile, Zipf, jit_kernel, tl, workload

F32, I32 = DType.F32, DType.I32


@dataclass(frozen=True)
class Config:
    batch: int = 1
    seq: int = 256
    hidden: int = 4096
    heads: int = 32
    head_dim: int = 128
    rope_dim: int = 64
    kv_rank: int = 512
    experts: int = 256
    groups: int = 8
    kept_groups: int = 4
    top_k: int = 8
    shared: int = 2
    ffn: int = 1536
    routed_scale: float = 2.5
    theta: float = 10000.0
    eps: float = 1e-6
    tile: int = 32
    dtype: DType = DType.F16

    @property
    def tiles(self) -> int:
        """Tiles of the sequence, over the whole batch."""
        return self.batch * self.seq // self.tile

    @property
    def routed_elements(self) -> int:
        """Weights of all routed experts."""
        return self.experts * 3 * self.hidden * self.ffn


def task_estimate(c: Config) -> dict[str, int]:
    """How many tasks each part of the layer has, from the configuration alone."""
    return {
        "RMSNorm": 2 * c.tiles,  # before attention, before the experts
        "MLA": c.batch * c.heads + c.tiles,  # heads, KV compression
        "Router": 2 * c.tiles,  # logits, top-k
        "Expert FFN (sparse)": c.batch * c.seq * c.top_k,  # one per token and chosen expert
        "Shared experts": c.shared * c.tiles,
        "Combine + residual": 4 * c.tiles,  # combine, + shared, attention residual, MoE residual
    }


PARTS = {
    "RMSNorm": ["rmsnorm_jit"],
    "MLA": ["mla_attention_jit", "kv_compress_jit"],
    "Router": ["router_jit", "topk_jit"],
    "Expert FFN (sparse)": ["expert_ffn_jit"],
    "Shared experts": ["shared_expert_jit"],
    "Combine + residual": [
        "combine_jit",
        "add_shared_jit",
        "attention_residual_jit",
        "moe_residual_jit",
    ],
}
"""The kernels behind each line of the estimate."""


# ---- Tensors ---------------------------------------------------------------------------------


def activations(c: Config, seed: int) -> SimpleNamespace:
    """What the layer computes; `chosen` has a source for when nothing is computed."""

    def empty(name, *shape, dtype=c.dtype, **source):
        return Tensor.empty((c.batch, c.seq, *shape), dtype, name=name, **source)

    return SimpleNamespace(
        h=empty("h", c.hidden),
        latent=empty("latent", c.kv_rank),
        k_pe=empty("k_pe", c.rope_dim),
        o=empty("o", c.heads * c.head_dim),
        x1=empty("x1", c.hidden),
        h2=empty("h2", c.hidden),
        logits=empty("logits", c.experts, dtype=F32),
        weights=empty("weights", c.top_k, dtype=F32),
        chosen=empty("chosen", c.top_k, dtype=I32, routing=Zipf(0.8, seed=seed)),
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


def rope_tables(c: Config) -> dict[str, Tensor]:
    """cos and sin, [seq, rope_dim / 2], of the angle position * theta^(-2i / rope_dim)."""
    frequency = c.theta ** (-np.arange(0, c.rope_dim, 2) / c.rope_dim)
    angle = np.outer(np.arange(c.seq), frequency)
    return {
        "cos": Tensor(data=np.cos(angle).astype(np.float32), name="cos"),
        "sin": Tensor(data=np.sin(angle).astype(np.float32), name="sin"),
    }


def tensors(
    c: Config, weights: dict[str, Tensor], seed: int, values: bool = True
) -> SimpleNamespace:
    """All tensors of the layer by name. Without values x has none: only time can be had."""
    shape = (c.batch, c.seq, c.hidden)
    if values:
        x = Tensor.random(shape, c.dtype, name="x", seed=seed, scale=3**0.5)
    else:
        x = Tensor.empty(shape, c.dtype, name="x")
    return SimpleNamespace(x=x, **rope_tables(c), **weights, **vars(activations(c, seed)))


# ---- Kernels ---------------------------------------------------------------------------------


def rms(x, gamma, eps):
    x = tl.cast(x, F32)
    return tl.rowmul(x, tl.rsqrt(tl.rowmean(x * x) + eps)) * gamma


def rope(x, cos, sin):
    """Rotates interleaved pairs (2i, 2i + 1)."""
    even, odd = tl.slice_even(x), tl.slice_odd(x)
    return tl.interleave(even * cos - odd * sin, even * sin + odd * cos)


def swiglu(x, gate, up, down):
    g = tl.matmul(x, gate)
    silu = tl.div(g, tl.exp(tl.neg(g)) + 1.0)
    return tl.matmul(tl.cast(tl.mul(silu, tl.matmul(x, up)), x.dtype), down)


def attention_kernels(c: Config) -> SimpleNamespace:
    T, S, H, D, R, L, dt = c.tile, c.seq, c.hidden, c.head_dim, c.rope_dim, c.kv_rank, c.dtype

    @jit_kernel
    def rmsnorm_jit(x: In[Tile[T, H, dt]], gamma: In[Tile[1, H, dt]], y: Out[Tile[T, H, dt]]):
        tl.store(y, rms(x, gamma, c.eps))

    @jit_kernel
    def kv_compress_jit(
        h: In[Tile[T, H, dt]],
        w: In[Tile[H, L + R, dt]],
        gamma: In[Tile[1, L, dt]],
        cos: In[Tile[T, R // 2, F32]],
        sin: In[Tile[T, R // 2, F32]],
        latent: Out[Tile[T, L, dt]],
        k_pe: Out[Tile[T, R, dt]],
    ):
        """What a cache would keep of a token: a normed latent, one rotated key for all heads."""
        kv = tl.matmul(h, w)
        tl.store(latent, rms(kv[:, :L], gamma, c.eps))
        tl.store(k_pe, rope(kv[:, L:], cos, sin))

    @jit_kernel
    def mla_attention_jit(
        h: In[Tile[S, H, dt]],
        w_q: In[Tile[H, D + R, dt]],
        latent: In[Tile[S, L, dt]],
        k_pe: In[Tile[S, R, dt]],
        cos: In[Tile[S, R // 2, F32]],
        sin: In[Tile[S, R // 2, F32]],
        w_uk: In[Tile[D, L, dt]],
        w_uv: In[Tile[L, D, dt]],
        o: Out[Tile[S, D, dt]],
    ):
        """One head; the latent cache is used as it is (absorbed form), never expanded to keys."""
        q = tl.matmul(h, w_q)
        q_latent = tl.cast(tl.matmul(tl.cast(q[:, :D], dt), w_uk), dt)
        q_pe = tl.cast(rope(q[:, D:], cos, sin), dt)
        score = tl.matmul(q_latent, latent, transpose_b=True)
        score = score + tl.matmul(q_pe, k_pe, transpose_b=True)
        score = score * tl.rsqrt(tl.constant(D + R, F32))
        score = tl.where(tl.iota(score, axis=0) >= tl.iota(score, axis=1), score, -math.inf)
        p = tl.exp(score - tl.rowmax(score))
        p = tl.cast(tl.div(p, tl.rowsum(p)), dt)
        tl.store(o, tl.matmul(tl.cast(tl.matmul(p, latent), dt), w_uv))

    @jit_kernel
    def attention_residual_jit(
        x: In[Tile[T, H, dt]],
        o: In[Tile[T, c.heads * D, dt]],
        w: In[Tile[c.heads * D, H, dt]],
        y: Out[Tile[T, H, dt]],
    ):
        tl.store(y, x + tl.matmul(o, w))

    return SimpleNamespace(
        norm=rmsnorm_jit, kv=kv_compress_jit, mla=mla_attention_jit, residual=attention_residual_jit
    )


def moe_kernels(c: Config) -> SimpleNamespace:
    T, H, E, K, F, dt = c.tile, c.hidden, c.experts, c.top_k, c.ffn, c.dtype

    @jit_kernel
    def router_jit(h: In[Tile[T, H, dt]], w: In[Tile[H, E, dt]], logits: Out[Tile[T, E, F32]]):
        tl.store(logits, tl.matmul(h, w))

    @jit_kernel
    def topk_jit(
        logits: In[Tile[T, E, F32]],
        bias: In[Tile[1, E, F32]],
        weights: Out[Tile[T, K, F32]],
        chosen: Out[Tile[T, K, I32]],
    ):
        """Group-limited top-k: choose by biased score, weigh by the unbiased one."""
        s = tl.sigmoid(logits)
        biased, width = s + bias, E // c.groups
        groups = [biased[:, g * width : (g + 1) * width] for g in range(c.groups)]
        score = tl.concat([tl.rowsum(tl.topk(g, 2).values) for g in groups])
        weakest = tl.topk(score, c.kept_groups).values[:, -1:]
        kept = [
            tl.where(score[:, i : i + 1] >= weakest, g, -math.inf) for i, g in enumerate(groups)
        ]
        index = tl.topk(tl.concat(kept), K).indices
        picked = tl.gather(s, index)  # per row, by column
        tl.store(weights, tl.rowmul(picked, c.routed_scale / (tl.rowsum(picked) + 1e-20)))
        tl.store(chosen, index)

    @jit_kernel(unit="cube")
    def expert_ffn_jit(
        x: In[Tile[1, H, dt]],
        gate: In[Tile[H, F, dt]],
        up: In[Tile[H, F, dt]],
        down: In[Tile[F, H, dt]],
        y: Out[Tile[1, H, dt]],
    ):
        """One token's visit to one expert."""
        tl.store(y, swiglu(x, gate, up, down))

    @jit_kernel
    def shared_expert_jit(
        x: In[Tile[T, H, dt]],
        gate: In[Tile[H, F, dt]],
        up: In[Tile[H, F, dt]],
        down: In[Tile[F, H, dt]],
        y: Out[Tile[T, H, F32]],
    ):
        """One slice of the shared experts' width; their sum is one FFN of the whole width."""
        tl.store(y, swiglu(x, gate, up, down))

    @jit_kernel
    def combine_jit(
        parts: In[Tile[T, K * H, dt]], weights: In[Tile[T, K, F32]], y: Out[Tile[T, H, F32]]
    ):
        each = [tl.rowmul(parts[:, k * H : (k + 1) * H], weights[:, k : k + 1]) for k in range(K)]
        tl.store(y, reduce(tl.add, each))

    @jit_kernel
    def add_shared_jit(
        routed: In[Tile[T, H, F32]], shared: In[Tile[T, c.shared * H, F32]], y: Out[Tile[T, H, F32]]
    ):
        each = [shared[:, i * H : (i + 1) * H] for i in range(c.shared)]
        tl.store(y, reduce(tl.add, each, routed))

    @jit_kernel
    def moe_residual_jit(
        x: In[Tile[T, H, dt]], update: In[Tile[T, H, F32]], y: Out[Tile[T, H, dt]]
    ):
        tl.store(y, x + update)

    return SimpleNamespace(
        router=router_jit,
        topk=topk_jit,
        expert=expert_ffn_jit,
        shared=shared_expert_jit,
        combine=combine_jit,
        add_shared=add_shared_jit,
        residual=moe_residual_jit,
    )


# ---- Workload --------------------------------------------------------------------------------


def layer(c: Config, t: SimpleNamespace, attention: SimpleNamespace, moe: SimpleNamespace):
    T, H, D = c.tile, c.hidden, c.head_dim
    batch, tokens = Dense[c.batch]("batch"), Dense[c.seq]("token")
    tiles, heads = Dense[c.seq // T]("tile"), Dense[c.heads]("head")
    slices = Dense[c.shared]("shared")

    def rows(s):
        return slice(s * T, (s + 1) * T)

    def columns(i, width):
        return slice(i * width, (i + 1) * width)

    @workload
    def deepseek_v3_layer():
        for b, s in P(batch, tiles):
            attention.norm[b, s](x=t.x[b, rows(s)], gamma=t.norm_attention, y=t.h[b, rows(s)])
        for b, s in P(batch, tiles):
            attention.kv[b, s](
                h=t.h[b, rows(s)],
                w=t.w_kv,
                gamma=t.norm_kv,
                cos=t.cos[rows(s)],
                sin=t.sin[rows(s)],
                latent=t.latent[b, rows(s)],
                k_pe=t.k_pe[b, rows(s)],
            )
        for b, h in P(batch, heads):
            attention.mla[b, h](
                h=t.h[b],
                w_q=t.w_q[h],
                latent=t.latent[b],
                k_pe=t.k_pe[b],
                cos=t.cos,
                sin=t.sin,
                w_uk=t.w_uk[h],
                w_uv=t.w_uv[h],
                o=t.o[b, :, columns(h, D)],
            )
        for b, s in P(batch, tiles):
            attention.residual[b, s](
                x=t.x[b, rows(s)], o=t.o[b, rows(s)], w=t.w_o, y=t.x1[b, rows(s)]
            )
        for b, s in P(batch, tiles):
            attention.norm[b, s](x=t.x1[b, rows(s)], gamma=t.norm_moe, y=t.h2[b, rows(s)])
        for b, s in P(batch, tiles):
            moe.router[b, s](h=t.h2[b, rows(s)], w=t.w_router, logits=t.logits[b, rows(s)])
            moe.topk[b, s](
                logits=t.logits[b, rows(s)],
                bias=t.bias,
                weights=t.weights[b, rows(s)],
                chosen=t.chosen[b, rows(s)],
            )
        for b, s, i in P(batch, tiles, slices):
            moe.shared[b, s, i](
                x=t.h2[b, rows(s)],
                gate=t.shared_gate[i],
                up=t.shared_up[i],
                down=t.shared_down[i],
                y=t.shared[b, rows(s), columns(i, H)],
            )
        for b, token in P(batch, tokens):
            for e in P.sel(t.chosen[b, token]):  # the expert comes out of the router's numbers
                moe.expert[b, token, e](
                    x=t.h2[b, token],
                    gate=t.gate[e],
                    up=t.up[e],
                    down=t.down[e],
                    y=t.parts[b, token, columns(e.position, H)],
                )
        for b, s in P(batch, tiles):
            moe.combine[b, s](
                parts=t.parts[b, rows(s)], weights=t.weights[b, rows(s)], y=t.routed[b, rows(s)]
            )
            moe.add_shared[b, s](
                routed=t.routed[b, rows(s)], shared=t.shared[b, rows(s)], y=t.update[b, rows(s)]
            )
            moe.residual[b, s](x=t.x1[b, rows(s)], update=t.update[b, rows(s)], y=t.out[b, rows(s)])

    return deepseek_v3_layer()
