"""A Llama layer for new tokens of sequences whose earlier keys and values lie in a cache.

One source for prefill and decode: a unit is a number of neighbouring tokens of one sequence, many
in prefill, one in decode.
"""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
from common.example import MACHINE

from pto_wsp import (
    Dense,
    DType,
    In,
    InOut,
    Out,
    P,
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
    hidden: int = 4096
    heads: int = 32
    kv_heads: int = 8
    dim: int = 128
    ffn: int = 14336
    theta: float = 500000.0
    eps: float = 1e-5
    context: int = 4096
    columns: int = 256
    """Of a weight that one task multiplies with."""
    block: int = 512
    """Keys that one task attends to."""


@dataclass(frozen=True)
class Step:
    """One run of the layer, on `units` of `unit` tokens."""

    units: int
    unit: int
    tile: int
    """Tokens of a matmul."""
    kv_heads: int
    """Of a task of the attention."""
    one_sequence: bool

    @property
    def tokens(self) -> int:
        return self.units * self.unit

    @property
    def norm_rows(self) -> int:
        return min(self.tile, 8)

    def sequence(self, unit):
        return 0 if self.one_sequence else unit


def weights(c: Config) -> SimpleNamespace:
    def weight(name, rows, columns):
        return Tensor.random((rows, columns), F16, name=name, scale=(3 / rows) ** 0.5)

    def gamma(name):
        values = np.random.default_rng(0).uniform(0.5, 1.5, (1, c.hidden))
        return Tensor(data=values.astype(np.float16), name=name)

    angle = np.outer(np.arange(c.context), c.theta ** (-np.arange(0, c.dim, 2) / c.dim))
    return SimpleNamespace(
        norm_attention=gamma("norm_attention"),
        q=weight("w_q", c.hidden, c.heads * c.dim),
        k=weight("w_k", c.hidden, c.kv_heads * c.dim),
        v=weight("w_v", c.hidden, c.kv_heads * c.dim),
        o=weight("w_o", c.heads * c.dim, c.hidden),
        norm_ffn=gamma("norm_ffn"),
        gate=weight("gate", c.hidden, c.ffn),
        up=weight("up", c.hidden, c.ffn),
        down=weight("down", c.ffn, c.hidden),
        cos=Tensor(data=np.cos(angle).astype(np.float32), name="table_cos"),
        sin=Tensor(data=np.sin(angle).astype(np.float32), name="table_sin"),
        key_position=Tensor(data=np.arange(c.context, dtype=np.int32), name="key_position"),
    )


def activations(c: Config, step: Step, first: np.ndarray) -> SimpleNamespace:
    """What a step computes. `first` holds the position of each unit's first token."""
    position = (first[:, None] + np.arange(step.unit)).reshape(-1, 1).astype(np.int32)
    blocks = (first + step.unit - 1) // c.block + 1

    def empty(name, columns, dtype=F16):
        return Tensor.empty((step.tokens, columns), dtype, name=name)

    return SimpleNamespace(
        x=Tensor.random((step.tokens, c.hidden), F16, name=f"x_{step.unit}", scale=3**0.5),
        first=Tensor(data=first.astype(np.int32), name="first"),
        position=Tensor(data=position, name="position"),
        blocks=Tensor(data=blocks.astype(np.int32), name="blocks"),
        h=empty("h", c.hidden),
        cos=empty("cos", c.dim // 2, F32),
        sin=empty("sin", c.dim // 2, F32),
        q=empty("q", c.heads * c.dim),
        k=empty("k", c.kv_heads * c.dim),
        v=empty("v", c.kv_heads * c.dim),
        highest=empty("highest", c.heads, F32),
        total=empty("total", c.heads, F32),
        o=empty("o", c.heads * c.dim, F32),
        x1=empty("x1", c.hidden),
        h1=empty("h1", c.hidden),
        act=empty("act", c.ffn),
        out=empty("out", c.hidden),
    )


def part(i, width):
    """The i-th of equal parts."""
    return slice(i * width, (i + 1) * width)


def kernels(c: Config, step: Step) -> SimpleNamespace:
    parts = projection_kernels(c, step), attention_kernels(c, step), output_kernels(c, step)
    return SimpleNamespace(**{kernel.name: kernel for part in parts for kernel in part})


def projection_kernels(c: Config, step: Step):
    H, D, T, N = c.hidden, c.dim, step.tile, step.norm_rows

    @jit_kernel
    def norm(x: In[Tile[N, H, F16]], gamma: In[Tile[1, H, F16]], y: Out[Tile[N, H, F16]]):
        tl.store(y, tl.rmsnorm(x, gamma, c.eps))

    @jit_kernel
    def look_up(
        table_cos: In[Tile[c.context, D // 2, F32]],
        table_sin: In[Tile[c.context, D // 2, F32]],
        position: In[Tile[T, 1, I32]],
        cos: Out[Tile[T, D // 2, F32]],
        sin: Out[Tile[T, D // 2, F32]],
    ):
        tl.store(cos, tl.gather_rows(table_cos, tl.load(position)))
        tl.store(sin, tl.gather_rows(table_sin, tl.load(position)))

    @jit_kernel
    def project(h: In[Tile[T, H, F16]], w: In[Tile[H, D, F16]], y: Out[Tile[T, D, F16]]):
        tl.store(y, tl.matmul(h, w))

    @jit_kernel
    def project_rope(
        h: In[Tile[T, H, F16]],
        w: In[Tile[H, D, F16]],
        cos: In[Tile[T, D // 2, F32]],
        sin: In[Tile[T, D // 2, F32]],
        y: Out[Tile[T, D, F16]],
    ):
        """One head; element i and i + D / 2 turn together."""
        z = tl.matmul(h, w)
        a, b = z[:, : D // 2], z[:, D // 2 :]
        tl.store(y, tl.concat([a * cos - b * sin, a * sin + b * cos]))

    return norm, look_up, project, project_rope


def attention_kernels(c: Config, step: Step):
    D, U, G = c.dim, step.unit, step.kv_heads
    shared, KV = c.heads // c.kv_heads, c.kv_heads * c.dim

    @jit_kernel
    def begin(
        k: In[Tile[U, KV, F16]],
        v: In[Tile[U, KV, F16]],
        keys: Out[Tile[U, KV, F16]],
        values: Out[Tile[U, KV, F16]],
        highest: Out[Tile[U, c.heads, F32]],
        total: Out[Tile[U, c.heads, F32]],
        o: Out[Tile[U, c.heads * D, F32]],
    ):
        """A unit's keys and values go into the cache; it has attended to nothing yet."""
        tl.store(keys, k)
        tl.store(values, v)
        tl.store(highest, -1e30)
        tl.store(total, 0.0)
        tl.store(o, 0.0)

    @jit_kernel
    def attend(
        q: In[Tile[U, G * shared * D, F16]],
        position: In[Tile[U, 1, I32]],
        keys: In[Tile[c.block, G * D, F16]],
        values: In[Tile[c.block, G * D, F16]],
        key_position: In[Tile[1, c.block, I32]],
        highest: InOut[Tile[U, G * shared, F32]],
        total: InOut[Tile[U, G * shared, F32]],
        o: InOut[Tile[U, G * shared * D, F32]],
    ):
        """One block of keys. The heads that share a KV head are rows of one matmul."""
        rows = U * shared
        at = tl.reshape(tl.broadcast(position, (U, shared)), (rows, 1))
        is_seen = tl.load(key_position) <= at
        for g in range(G):
            heads, columns, wide = part(g, shared), part(g, D), part(g, shared * D)
            query = tl.reshape(q[:, wide], (rows, D))
            score = tl.matmul(query, keys[:, columns], transpose_b=True) * D**-0.5
            score = tl.where(is_seen, score, -np.inf)
            before = tl.reshape(highest[:, heads], (rows, 1))
            now = tl.maximum(before, tl.rowmax(score))
            p = tl.exp(score - now)
            kept = tl.exp(before - now) * tl.reshape(total[:, heads], (rows, 1))
            weight = kept + tl.rowsum(p)
            mixed = tl.matmul(tl.cast(p, F16), values[:, columns])
            mixed = mixed + tl.rowmul(tl.reshape(o[:, wide], (rows, D)), kept)
            tl.store(highest, tl.reshape(now, (U, shared)), (0, heads.start))
            tl.store(total, tl.reshape(weight, (U, shared)), (0, heads.start))
            tl.store(o, tl.reshape(mixed / weight, (U, shared * D)), (0, wide.start))

    return begin, attend


def output_kernels(c: Config, step: Step):
    """Each ends with a product; its columns are cut into tasks."""
    H, D, C, T = c.hidden, c.dim, c.columns, step.tile

    @jit_kernel
    def o_residual(
        a: In[Tile[T, c.heads * D, F32]],
        w: In[Tile[c.heads * D, C, F16]],
        x: In[Tile[T, C, F16]],
        y: Out[Tile[T, C, F16]],
    ):
        tl.store(y, x + tl.matmul(tl.cast(a, F16), w))

    @jit_kernel
    def gate_up(
        h: In[Tile[T, H, F16]],
        gate: In[Tile[H, C, F16]],
        up: In[Tile[H, C, F16]],
        y: Out[Tile[T, C, F16]],
    ):
        tl.store(y, tl.silu(tl.matmul(h, gate)) * tl.matmul(h, up))

    @jit_kernel
    def down_residual(
        a: In[Tile[T, c.ffn, F16]],
        w: In[Tile[c.ffn, C, F16]],
        x: In[Tile[T, C, F16]],
        y: Out[Tile[T, C, F16]],
    ):
        tl.store(y, x + tl.matmul(a, w))

    return o_residual, gate_up, down_residual


# ---- Workload --------------------------------------------------------------------------------


def layer(c: Config, step: Step, w: SimpleNamespace, t: SimpleNamespace, cache: SimpleNamespace):
    k = kernels(c, step)
    tiles = Dense[step.tokens // step.tile]("tile")

    def norm(x, gamma, y):
        for i in P(Dense[step.tokens // step.norm_rows]("rows")):
            rows = part(i, step.norm_rows)
            k.norm[i](x=x[rows], gamma=gamma, y=y[rows])

    def residual(kernel, operand, weight, x, y):
        for i, j in P(tiles, Dense[c.hidden // c.columns]("column")):
            rows, columns = part(i, step.tile), part(j, c.columns)
            kernel[i, j](
                a=operand[rows], w=weight[:, columns], x=x[rows, columns], y=y[rows, columns]
            )

    def projections():
        for i in P(tiles):
            rows = part(i, step.tile)
            position, cos, sin = t.position[rows], t.cos[rows], t.sin[rows]
            k.look_up[i](table_cos=w.cos, table_sin=w.sin, position=position, cos=cos, sin=sin)
        for i, j in P(tiles, Dense[c.heads]("head")):
            rotated(i, j, w.q, t.q)
        for i, j in P(tiles, Dense[c.kv_heads]("kv_head")):
            rotated(i, j, w.k, t.k)
            rows, columns = part(i, step.tile), part(j, c.dim)
            k.project[i, j](h=t.h[rows], w=w.v[:, columns], y=t.v[rows, columns])

    def rotated(i, j, weight, y):
        rows, columns = part(i, step.tile), part(j, c.dim)
        k.project_rope[i, j](
            h=t.h[rows],
            w=weight[:, columns],
            cos=t.cos[rows],
            sin=t.sin[rows],
            y=y[rows, columns],
        )

    def attention():
        units = Dense[step.units]("unit")
        for u in P(units):
            rows, sequence, first = part(u, step.unit), step.sequence(u), P.read(t.first[u])
            place = slice(first, first + step.unit)
            k.begin[u](
                k=t.k[rows],
                v=t.v[rows],
                keys=cache.keys[sequence, place],
                values=cache.values[sequence, place],
                highest=t.highest[rows],
                total=t.total[rows],
                o=t.o[rows],
            )
        heads = step.kv_heads * c.heads // c.kv_heads
        for u, g in P(units, Dense[c.kv_heads // step.kv_heads]("kv_heads")):
            rows, sequence = part(u, step.unit), step.sequence(u)
            wide, narrow = part(g, heads * c.dim), part(g, step.kv_heads * c.dim)
            for b in P(Ragged[t.blocks[u]]("block")):
                block = part(b, c.block)
                k.attend[u, g, b](
                    q=t.q[rows, wide],
                    position=t.position[rows],
                    keys=cache.keys[sequence, block, narrow],
                    values=cache.values[sequence, block, narrow],
                    key_position=w.key_position[block],
                    highest=t.highest[rows, part(g, heads)],
                    total=t.total[rows, part(g, heads)],
                    o=t.o[rows, wide],
                )

    def ffn():
        for i, j in P(tiles, Dense[c.ffn // c.columns]("column")):
            rows, columns = part(i, step.tile), part(j, c.columns)
            k.gate_up[i, j](
                h=t.h1[rows], gate=w.gate[:, columns], up=w.up[:, columns], y=t.act[rows, columns]
            )

    @workload
    def llama():
        norm(t.x, w.norm_attention, t.h)
        projections()
        attention()
        residual(k.o_residual, t.o, w.o, t.x, t.x1)
        norm(t.x1, w.norm_ffn, t.h1)
        ffn()
        residual(k.down_residual, t.act, w.down, t.x1, t.out)

    return llama().task_graph().compile(machine=MACHINE)
