"""The layer for the next token of many sequences, each with a cache of what came before.

A row of `x` is one sequence's token; its place in the sequence is a number that only a run knows.
"""

import math
from types import SimpleNamespace

import numpy as np
from config import Config
from layer import F32, I32, expert_tasks, moe_tasks, part, rope
from tensors import activations, turns

from pto_wsp import Dense, In, Out, P, Tensor, Tile, combine, jit_kernel, tl, workload


def tensors(c: Config, weights: dict[str, Tensor], x: Tensor, cache: SimpleNamespace, seed: int):
    """`cache` holds latent [sequence, room, kv_rank], k_pe [sequence, room, rope_dim], and
    position [sequence, 1]: how many tokens each sequence has there."""

    def empty(name, *shape):
        return Tensor.empty((c.seq, c.heads, *shape), c.dtype, name=name)

    cos, sin = turns(c, cache.position.numpy()[:, 0])
    return SimpleNamespace(
        x=x,
        cos=cos,
        sin=sin,
        cache=cache,
        q_latent=empty("q_latent", c.kv_rank),
        q_pe=empty("q_pe", c.rope_dim),
        o_latent=empty("o_latent", c.kv_rank),
        **weights,
        **vars(activations(c, seed)),
    )


def empty_cache(c: Config, room: int) -> SimpleNamespace:
    """Room for so many tokens of each of `c.seq` sequences."""

    def zeros(name, width):
        return Tensor(data=np.zeros((c.seq, room, width), c.dtype.numpy), name=name)

    position = Tensor(data=np.zeros((c.seq, 1), np.int32), name="position")
    latent, k_pe = zeros("cache_latent", c.kv_rank), zeros("cache_k_pe", c.rope_dim)
    return SimpleNamespace(latent=latent, k_pe=k_pe, position=position)


def decode_kernels(c: Config, room: int) -> SimpleNamespace:
    T, H, D, R, L, dt = c.tile, c.hidden, c.head_dim, c.rope_dim, c.kv_rank, c.dtype

    @jit_kernel
    def append_jit(
        latent: In[Tile[1, L, dt]],
        k_pe: In[Tile[1, R, dt]],
        cache_latent: Out[Tile[1, L, dt]],
        cache_k_pe: Out[Tile[1, R, dt]],
    ):
        tl.store(cache_latent, latent)
        tl.store(cache_k_pe, k_pe)

    @jit_kernel
    def query_jit(
        h: In[Tile[T, H, dt]],
        w_q: In[Tile[H, D + R, dt]],
        w_uk: In[Tile[D, L, dt]],
        cos: In[Tile[T, R // 2, F32]],
        sin: In[Tile[T, R // 2, F32]],
        q_latent: Out[Tile[T, L, dt]],
        q_pe: Out[Tile[T, R, dt]],
    ):
        """One head of all sequences: its queries, in terms of the latents."""
        q = tl.matmul(h, w_q)
        tl.store(q_latent, tl.matmul(tl.cast(q[:, :D], dt), w_uk))
        tl.store(q_pe, rope(q[:, D:], cos, sin))

    @jit_kernel
    def decode_attention_jit(
        q_latent: In[Tile[c.heads, L, dt]],
        q_pe: In[Tile[c.heads, R, dt]],
        latent: In[Tile[room, L, dt]],
        k_pe: In[Tile[room, R, dt]],
        position: In[Tile[1, 1, I32]],
        o: Out[Tile[c.heads, L, dt]],
    ):
        """All heads of one sequence: they share its cache, which is read once."""
        score = tl.matmul(q_latent, latent, transpose_b=True)
        score = score + tl.matmul(q_pe, k_pe, transpose_b=True)
        score = score * (1 / math.sqrt(D + R))
        score = tl.where(tl.iota(score, axis=1) <= tl.load(position), score, -math.inf)
        p = tl.exp(score - tl.rowmax(score))
        tl.store(o, tl.matmul(tl.cast(p / tl.rowsum(p), dt), latent))

    @jit_kernel
    def value_jit(o_latent: In[Tile[T, L, dt]], w_uv: In[Tile[L, D, dt]], o: Out[Tile[T, D, dt]]):
        tl.store(o, tl.matmul(o_latent, w_uv))

    return SimpleNamespace(
        append=append_jit, query=query_jit, attend=decode_attention_jit, value=value_jit
    )


def attention_tasks(
    c: Config, t: SimpleNamespace, attention: SimpleNamespace, kernels: SimpleNamespace
) -> None:
    tiles, heads, sequences = Dense[c.tiles]("tile"), Dense[c.heads]("head"), Dense[c.seq]("seq")

    for s in P(tiles):
        rows = part(s, c.tile)
        attention.norm[s](x=t.x[0, rows], gamma=t.norm_attention, y=t.h[0, rows])
        attention.kv[s](
            h=t.h[0, rows],
            w=t.w_kv,
            gamma=t.norm_kv,
            cos=t.cos[rows],
            sin=t.sin[rows],
            latent=t.latent[0, rows],
            k_pe=t.k_pe[0, rows],
        )
    for b in P(sequences):
        here = t.cache.position[b, 0]
        kernels.append[b](
            latent=t.latent[0, b],
            k_pe=t.k_pe[0, b],
            cache_latent=t.cache.latent[b, here],
            cache_k_pe=t.cache.k_pe[b, here],
        )
    for s, h in P(tiles, heads):
        rows = part(s, c.tile)
        kernels.query[s, h](
            h=t.h[0, rows],
            w_q=t.w_q[h],
            w_uk=t.w_uk[h],
            cos=t.cos[rows],
            sin=t.sin[rows],
            q_latent=t.q_latent[rows, h],
            q_pe=t.q_pe[rows, h],
        )
    for b in P(sequences):
        kernels.attend[b](
            q_latent=t.q_latent[b],
            q_pe=t.q_pe[b],
            latent=t.cache.latent[b],
            k_pe=t.cache.k_pe[b],
            position=t.cache.position[b],
            o=t.o_latent[b],
        )
    for s, h in P(tiles, heads):
        rows = part(s, c.tile)
        o = t.o[0, rows, part(h, c.head_dim)]
        kernels.value[s, h](o_latent=t.o_latent[rows, h], w_uv=t.w_uv[h], o=o)
    for s in P(tiles):
        rows = part(s, c.tile)
        attention.residual[s](x=t.x[0, rows], o=t.o[0, rows], w=t.w_o, y=t.x1[0, rows])


def layer(c: Config, t: SimpleNamespace, attention: SimpleNamespace, moe: SimpleNamespace):
    kernels = decode_kernels(c, t.cache.latent.shape[1])

    @workload
    def deepseek_v3_decode():
        with combine():
            attention_tasks(c, t, attention, kernels)
            moe_tasks(c, t, attention.norm, moe, expert_tasks)

    return deepseek_v3_decode()
