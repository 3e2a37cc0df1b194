"""Decode with DeepSeek-V3.2's sparse attention, and with attention to all tokens."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
from common.example import MACHINE

from pto_wsp import (
    Dense,
    DType,
    In,
    Out,
    P,
    Program,
    Ragged,
    Tensor,
    Tile,
    jit_kernel,
    tl,
    workload,
)

F16, F32, I32 = DType.F16, DType.F32, DType.I32


@dataclass(frozen=True)
class Config:
    batch: int = 16
    room: int = 8192
    """Tokens that the cache of a sequence can hold."""
    hidden: int = 7168
    q_rank: int = 1536
    heads: int = 128
    rank: int = 512
    nope: int = 128
    rope: int = 64
    index_heads: int = 64
    index_dim: int = 128
    top_k: int = 2048
    theta: float = 10000.0
    eps: float = 1e-6
    block: int = 512
    """Tokens that a core looks at together."""
    scored: int = 4096
    """Tokens that an indexer's task scores."""
    query_heads: int = 4
    """Of the indexer, in a task that projects."""
    picked: int = 1024
    """Chosen tokens that one task brings together."""
    head_group: int = 32
    """Heads of an attention task."""


def positions(c: Config) -> np.ndarray:
    """Where each new token stands: sequences fill three quarters of the room or more."""
    return np.random.default_rng(0).integers(3 * c.room // 4, c.room, c.batch).astype(np.int32)


def tensors(c: Config, values: bool = True) -> SimpleNamespace:
    """Without values the caches take no memory: only time can be had."""
    B, J, D = c.batch, c.index_heads, c.index_dim
    position = positions(c)

    def weight(name, rows, columns):
        return Tensor.random((rows, columns), F16, name=name, scale=(3 / rows) ** 0.5)

    def random(name, *shape, scale=3**0.5):
        return Tensor.random(shape, F16, name=name, scale=scale)

    def numbers(name, values, dtype=np.float32):
        return Tensor(data=np.asarray(values, dtype), name=name)

    def cache(name, width, fill, dtype):
        if not values:
            return Tensor.empty((B, c.room, width), dtype, name=name)
        return Tensor(data=fill((B, c.room, width)).astype(dtype.numpy), name=name)

    rng = np.random.default_rng(1)
    angle = np.outer(position, c.theta ** (-np.arange(0, c.rope, 2) / c.rope))
    return SimpleNamespace(
        h=random("h", B, c.hidden),
        qr=random("qr", B, c.q_rank),
        position=numbers("position", position[:, None], np.int32),
        blocks=numbers("blocks", position // c.scored + 1, np.int32),
        number=numbers("number", np.arange(c.room), np.int32),
        cos=numbers("cos", np.cos(angle)),
        sin=numbers("sin", np.sin(angle)),
        w_query=weight("w_query", c.q_rank, J * D),
        w_key=weight("w_key", c.hidden, D),
        w_weight=weight("w_weight", c.hidden, J),
        gamma=numbers("gamma", rng.uniform(0.5, 1.5, (1, D))),
        beta=numbers("beta", rng.uniform(-0.5, 0.5, (1, D))),
        query=Tensor.empty((B, J * D), F16, name="query"),
        weight=Tensor.empty((B, J), F32, name="weight"),
        new_key=Tensor.empty((B, D), F16, name="new_key"),
        keys=cache("keys", D, lambda shape: rng.normal(size=shape), F16),
        score=cache("score", 1, lambda shape: np.full(shape, -np.inf), F32),
        chosen=Tensor.empty((B, c.top_k), I32, name="chosen"),
        latent=random("latent", B, c.room, c.rank),
        k_pe=random("k_pe", B, c.room, c.rope),
        picked_latent=Tensor.empty((B, c.top_k, c.rank), F16, name="picked_latent"),
        picked_k_pe=Tensor.empty((B, c.top_k, c.rope), F16, name="picked_k_pe"),
        q_latent=random("q_latent", B, c.heads, c.rank, scale=0.5),
        q_pe=random("q_pe", B, c.heads, c.rope, scale=0.5),
        o=Tensor.empty((B, c.heads, c.rank), F16, name="o"),
    )


def part(i, width):
    """The i-th of equal parts."""
    return slice(i * width, (i + 1) * width)


# ---- Indexer ---------------------------------------------------------------------------------


def indexer(c: Config, t: SimpleNamespace) -> None:
    """Tasks that choose, for the new token of each sequence, the tokens that it attends to."""
    B, J, D, N = c.batch, c.index_heads, c.index_dim, c.block
    wide, half = c.query_heads * D, c.rope // 2

    def rope(x, cos, sin):
        a, b = x[:, :half], x[:, half : c.rope]
        return tl.concat([a * cos - b * sin, a * sin + b * cos, x[:, c.rope :]])

    @jit_kernel
    def index_query(
        qr: In[Tile[B, c.q_rank, F16]],
        w: In[Tile[c.q_rank, wide, F16]],
        cos: In[Tile[B, half, F32]],
        sin: In[Tile[B, half, F32]],
        query: Out[Tile[B, wide, F16]],
    ):
        q = tl.matmul(qr, w)
        for j in range(c.query_heads):
            tl.store(query, rope(q[:, part(j, D)], cos, sin), (0, j * D))

    @jit_kernel
    def index_key(
        h: In[Tile[B, c.hidden, F16]],
        w: In[Tile[c.hidden, D, F16]],
        gamma: In[Tile[1, D, F32]],
        beta: In[Tile[1, D, F32]],
        cos: In[Tile[B, half, F32]],
        sin: In[Tile[B, half, F32]],
        key: Out[Tile[B, D, F16]],
    ):
        k = tl.layernorm(tl.matmul(h, w), tl.load(gamma), tl.load(beta), c.eps)
        tl.store(key, rope(k, cos, sin))

    @jit_kernel
    def index_weight(
        h: In[Tile[B, c.hidden, F16]], w: In[Tile[c.hidden, J, F16]], weight: Out[Tile[B, J, F32]]
    ):
        tl.store(weight, tl.matmul(h, w) * (J**-0.5 * D**-0.5))

    @jit_kernel
    def append(new: In[Tile[1, D, F16]], key: Out[Tile[1, D, F16]]):
        tl.store(key, new)

    @jit_kernel
    def score_tokens(
        query: In[Tile[1, J * D, F16]],
        weight: In[Tile[1, J, F32]],
        keys: In[Tile[c.scored, D, F16]],
        number: In[Tile[1, c.scored, I32]],
        position: In[Tile[1, 1, I32]],
        score: Out[Tile[1, c.scored, F32]],
    ):
        q, w, last = tl.reshape(query, (J, D)), tl.transpose(tl.load(weight)), tl.load(position)
        for i in tl.range(0, c.scored, N):
            each = tl.relu(tl.matmul(q, tl.load(keys, [i, 0], [N, D]), transpose_b=True))
            seen = tl.load(number, [0, i], [1, N]) <= last
            tl.store(score, tl.where(seen, tl.colsum(tl.rowmul(each, w)), -np.inf), [0, i])

    @jit_kernel
    def select(score: In[Tile[1, c.room, F32]], chosen: Out[Tile[1, c.top_k, I32]]):
        tl.store(chosen, tl.topk(score, c.top_k).indices)

    batch, turn = Dense[B]("sequence"), {"cos": t.cos, "sin": t.sin}
    for j in P(Dense[J // c.query_heads]("index_heads")):
        columns = part(j, wide)
        index_query[j](qr=t.qr, w=t.w_query[:, columns], query=t.query[:, columns], **turn)
    index_key(h=t.h, w=t.w_key, gamma=t.gamma, beta=t.beta, key=t.new_key, **turn)
    index_weight(h=t.h, w=t.w_weight, weight=t.weight)
    for b in P(batch):
        append[b](new=t.new_key[b], key=t.keys[b, P.read(t.position[b, 0])])
    for b, i in P(batch, Ragged[batch, t.blocks]("block")):
        rows = part(i, c.scored)
        score_tokens[b, i](
            query=t.query[b],
            weight=t.weight[b],
            keys=t.keys[b, rows],
            number=t.number[rows],
            position=t.position[b],
            score=t.score[b, rows],
        )
    for b in P(batch):
        select[b](score=t.score[b], chosen=t.chosen[b])


# ---- Attention -------------------------------------------------------------------------------


def pick(c: Config, t: SimpleNamespace) -> None:
    """Tasks that bring a sequence's chosen tokens together."""
    L, R, N, room = c.rank, c.rope, c.picked, c.room

    @jit_kernel
    def pick_tokens(
        latent: In[Tile[room, L, F16]],
        k_pe: In[Tile[room, R, F16]],
        chosen: In[Tile[N, 1, I32]],
        picked_latent: Out[Tile[N, L, F16]],
        picked_k_pe: Out[Tile[N, R, F16]],
    ):
        tokens = tl.load(chosen)
        tl.store(picked_latent, tl.gather_rows(latent, tokens))
        tl.store(picked_k_pe, tl.gather_rows(k_pe, tokens))

    for b, i in P(Dense[c.batch]("sequence"), Dense[c.top_k // N]("part")):
        rows = part(i, N)
        pick_tokens[b, i](
            latent=t.latent[b],
            k_pe=t.k_pe[b],
            chosen=t.chosen[b, rows],
            picked_latent=t.picked_latent[b, rows],
            picked_k_pe=t.picked_k_pe[b, rows],
        )


def attend(c: Config, t: SimpleNamespace, latent: Tensor, k_pe: Tensor, numbers) -> None:
    """Tasks of a sequence and some heads each. `numbers(b)`: which tokens latent[b] and k_pe[b]
    hold; those behind the sequence's end do not count."""
    G, L, R, N, tokens = c.head_group, c.rank, c.rope, c.block, latent.shape[1]

    @jit_kernel
    def attention(
        q_latent: In[Tile[G, L, F16]],
        q_pe: In[Tile[G, R, F16]],
        latent: In[Tile[tokens, L, F16]],
        k_pe: In[Tile[tokens, R, F16]],
        number: In[Tile[1, tokens, I32]],
        position: In[Tile[1, 1, I32]],
        o: Out[Tile[G, L, F16]],
    ):
        highest, total, mixed = tl.full((G, 1), -1e30, F32), tl.alloc((G, 1)), tl.alloc((G, L))
        for i in tl.range(0, tokens, N):
            keys, pe = tl.load(latent, [i, 0], [N, L]), tl.load(k_pe, [i, 0], [N, R])
            score = tl.matmul(q_latent, keys, transpose_b=True)
            score = (score + tl.matmul(q_pe, pe, transpose_b=True)) * (c.nope + R) ** -0.5
            seen = tl.load(number, [0, i], [1, N]) <= tl.load(position)
            score = tl.where(seen, score, -np.inf)
            now = tl.maximum(highest, tl.rowmax(score))
            p, kept = tl.exp(score - now), tl.exp(highest - now)
            mixed = tl.rowmul(mixed, kept) + tl.matmul(tl.cast(p, F16), keys)
            highest, total = now, total * kept + tl.rowsum(p)
        tl.store(o, mixed / total)

    for b, g in P(Dense[c.batch]("sequence"), Dense[c.heads // G]("heads")):
        heads = part(g, G)
        attention[b, g](
            q_latent=t.q_latent[b, heads],
            q_pe=t.q_pe[b, heads],
            latent=latent[b],
            k_pe=k_pe[b],
            number=numbers(b),
            position=t.position[b],
            o=t.o[b, heads],
        )


def sparse(c: Config, t: SimpleNamespace) -> Program:
    @workload
    def sparse_attention():
        indexer(c, t)
        pick(c, t)
        attend(c, t, t.picked_latent, t.picked_k_pe, lambda b: t.chosen[b])

    return sparse_attention().task_graph().compile(machine=MACHINE)


def dense(c: Config, t: SimpleNamespace) -> Program:
    @workload
    def dense_attention():
        attend(c, t, t.latent, t.k_pe, lambda b: t.number)

    return dense_attention().task_graph().compile(machine=MACHINE)
