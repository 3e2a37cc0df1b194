"""A DeepSeek-V3 style layer: latent attention, group-limited routing, sparse and shared experts.

One source for every size and dtype: functions of a configuration give kernels and workload. The
formulas stand in golden.py.
"""

import math
from collections.abc import Callable
from functools import reduce
from types import SimpleNamespace
from typing import Any

from config import Config

from pto_wsp import Dense, DType, In, Out, P, Tile, combine, jit_kernel, tl, workload

F32, I32 = DType.F32, DType.I32

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

Experts = Callable[[Config, SimpleNamespace, SimpleNamespace], None]
"""Makes the tasks that fill `routed`: what the chosen experts say of each token, weighed."""


def layer(
    c: Config,
    t: SimpleNamespace,
    attention: SimpleNamespace,
    moe: SimpleNamespace,
    experts: Experts | None = None,
):
    @workload
    def deepseek_v3_layer():
        with combine():
            attention_tasks(c, t, attention)
            moe_tasks(c, t, attention.norm, moe, experts or expert_tasks)

    return deepseek_v3_layer()


def part(i, width):
    """The i-th of equal parts."""
    return slice(i * width, (i + 1) * width)


def attention_tasks(c: Config, t: SimpleNamespace, kernels: SimpleNamespace) -> None:
    batch, heads = Dense[c.batch]("batch"), Dense[c.heads]("head")
    tiles = Dense[c.seq // c.tile]("tile")

    for b, s in P(batch, tiles):
        rows = part(s, c.tile)
        kernels.norm[b, s](x=t.x[b, rows], gamma=t.norm_attention, y=t.h[b, rows])
    for b, s in P(batch, tiles):
        rows = part(s, c.tile)
        kernels.kv[b, s](
            h=t.h[b, rows],
            w=t.w_kv,
            gamma=t.norm_kv,
            cos=t.cos[rows],
            sin=t.sin[rows],
            latent=t.latent[b, rows],
            k_pe=t.k_pe[b, rows],
        )
    for b, h in P(batch, heads):
        kernels.mla[b, h](
            h=t.h[b],
            w_q=t.w_q[h],
            latent=t.latent[b],
            k_pe=t.k_pe[b],
            cos=t.cos,
            sin=t.sin,
            w_uk=t.w_uk[h],
            w_uv=t.w_uv[h],
            o=t.o[b, :, part(h, c.head_dim)],
        )
    for b, s in P(batch, tiles):
        rows = part(s, c.tile)
        kernels.residual[b, s](x=t.x[b, rows], o=t.o[b, rows], w=t.w_o, y=t.x1[b, rows])


def moe_tasks(
    c: Config, t: SimpleNamespace, norm: Any, kernels: SimpleNamespace, experts: Experts
) -> None:
    batch, tiles = Dense[c.batch]("batch"), Dense[c.seq // c.tile]("tile")
    slices = Dense[c.shared]("shared")

    for b, s in P(batch, tiles):
        rows = part(s, c.tile)
        norm[b, s](x=t.x1[b, rows], gamma=t.norm_moe, y=t.h2[b, rows])
    for b, s in P(batch, tiles):
        rows = part(s, c.tile)
        logits, weights, chosen = t.logits[b, rows], t.weights[b, rows], t.chosen[b, rows]
        kernels.router[b, s](h=t.h2[b, rows], w=t.w_router, logits=logits)
        kernels.topk[b, s](logits=logits, bias=t.bias, weights=weights, chosen=chosen)
    for b, s, i in P(batch, tiles, slices):
        rows = part(s, c.tile)
        kernels.shared[b, s, i](
            x=t.h2[b, rows],
            gate=t.shared_gate[i],
            up=t.shared_up[i],
            down=t.shared_down[i],
            y=t.shared[b, rows, part(i, c.hidden)],
        )
    experts(c, t, kernels)
    for b, s in P(batch, tiles):
        rows = part(s, c.tile)
        routed, update = t.routed[b, rows], t.update[b, rows]
        kernels.add_shared[b, s](routed=routed, shared=t.shared[b, rows], y=update)
        kernels.residual[b, s](x=t.x1[b, rows], update=update, y=t.out[b, rows])


def expert_tasks(c: Config, t: SimpleNamespace, kernels: SimpleNamespace) -> None:
    """One task per token and chosen expert."""
    batch, tokens = Dense[c.batch]("batch"), Dense[c.seq]("token")
    for b, token in P(batch, tokens):
        # Which experts these are comes out of the router's numbers.
        for e in P.sel(t.chosen[b, token], name="expert"):
            kernels.expert[b, token, e](
                x=t.h2[b, token],
                gate=t.gate[e],
                up=t.up[e],
                down=t.down[e],
                y=t.parts[b, token, part(e.position, c.hidden)],
            )
    for b, s in P(batch, Dense[c.seq // c.tile]("tile")):
        rows = part(s, c.tile)
        kernels.combine[b, s](
            parts=t.parts[b, rows], weights=t.weights[b, rows], y=t.routed[b, rows]
        )
