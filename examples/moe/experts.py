"""Two ways to have tokens visit their experts: one by one, or in blocks of one expert's tokens."""

from dataclasses import dataclass
from functools import reduce
from types import SimpleNamespace

import numpy as np

from pto_wsp import Dense, DType, In, Out, P, Ragged, Tensor, Tile, jit_kernel, tl, workload

F16, F32, I32 = DType.F16, DType.F32, DType.I32


@dataclass(frozen=True)
class Config:
    tokens: int = 256
    hidden: int = 2048
    experts: int = 128
    top_k: int = 8
    ffn: int = 768
    block: int = 32

    @property
    def choices(self) -> int:
        return self.tokens * self.top_k

    @property
    def rows(self) -> int:
        """Of all blocks, whatever the routing: no expert leaves more than one partly empty."""
        return (self.choices // self.block + self.experts) * self.block


def tensors(c: Config) -> SimpleNamespace:
    def weight(name, *shape):
        return Tensor.random(shape, F16, name=name, scale=(3 / shape[-2]) ** 0.5)

    return SimpleNamespace(
        x=Tensor.random((c.tokens, c.hidden), F16, name="x", scale=3**0.5),
        router=weight("router", c.hidden, c.experts),
        popularity=Tensor(data=np.zeros((1, c.experts), np.float32), name="popularity"),
        gate=weight("gate", c.experts, c.hidden, c.ffn),
        up=weight("up", c.experts, c.hidden, c.ffn),
        down=weight("down", c.experts, c.ffn, c.hidden),
        chosen=Tensor.empty((c.tokens, c.top_k), I32, name="chosen"),
        weights=Tensor.empty((c.tokens, c.top_k), F32, name="weights"),
        out=Tensor.empty((c.tokens, c.hidden), F16, name="out"),
    )


def part(i, width):
    """The i-th of equal parts."""
    return slice(i * width, (i + 1) * width)


def mixed(answers, weights, c: Config):
    """A row of K answers side by side, weighed and added."""
    each = (answers[:, part(k, c.hidden)] * weights[:, k : k + 1] for k in range(c.top_k))
    return reduce(tl.add, each)


def route(c: Config, t: SimpleNamespace) -> None:
    """Tasks that choose: softmax over all experts, the largest K, weights that add up to 1."""
    B, H, E, K = c.block, c.hidden, c.experts, c.top_k

    @jit_kernel
    def choose(
        x: In[Tile[B, H, F16]],
        router: In[Tile[H, E, F16]],
        popularity: In[Tile[1, E, F32]],
        chosen: Out[Tile[B, K, I32]],
        weights: Out[Tile[B, K, F32]],
    ):
        best = tl.topk(tl.softmax(tl.matmul(x, router) + popularity), K)
        tl.store(chosen, best.indices)
        tl.store(weights, best.values / tl.rowsum(best.values))

    for i in P(Dense[c.tokens // B]("tile")):
        rows = part(i, B)
        choose[i](
            x=t.x[rows],
            router=t.router,
            popularity=t.popularity,
            chosen=t.chosen[rows],
            weights=t.weights[rows],
        )


def visit(c: Config, rows: int):
    """The kernel with which so many tokens visit one expert."""
    H, F = c.hidden, c.ffn

    @jit_kernel(unit="cube")
    def expert(
        x: In[Tile[rows, H, F16]],
        gate: In[Tile[H, F, F16]],
        up: In[Tile[H, F, F16]],
        down: In[Tile[F, H, F16]],
        y: Out[Tile[rows, H, F16]],
    ):
        z = tl.silu(tl.matmul(x, gate)) * tl.matmul(x, up)
        tl.store(y, tl.matmul(tl.cast(z, F16), down))

    return expert


# ---- Token by token --------------------------------------------------------------------------


def per_token(c: Config, t: SimpleNamespace):
    B, H, K = c.block, c.hidden, c.top_k
    answers = Tensor.empty((c.tokens, K * H), F16, name="answers")
    expert = visit(c, 1)

    @jit_kernel
    def mix(
        answers: In[Tile[B, K * H, F16]], weights: In[Tile[B, K, F32]], y: Out[Tile[B, H, F16]]
    ):
        tl.store(y, mixed(answers, weights, c))

    @workload
    def moe():
        route(c, t)
        for i in P(Dense[c.tokens]("token")):
            for e in P.sel(t.chosen[i], name="expert"):
                y = answers[i, part(e.position, H)]
                expert[i, e](x=t.x[i], gate=t.gate[e], up=t.up[e], down=t.down[e], y=y)
        for i in P(Dense[c.tokens // B]("tile")):
            rows = part(i, B)
            mix[i](answers=answers[rows], weights=t.weights[rows], y=t.out[rows])

    return moe()


# ---- Grouped ---------------------------------------------------------------------------------


def grouped(c: Config, t: SimpleNamespace):
    B, H, E, K, N, R = c.block, c.hidden, c.experts, c.top_k, c.choices, c.rows
    first_choice, first_block = (
        Tensor.empty((E + 1,), I32, name=name) for name in ("first_choice", "first_block")
    )
    token_of = Tensor.empty((N + B,), I32, name="token_of")
    row_of = Tensor.empty((N,), I32, name="row_of")
    number = Tensor(data=np.arange(N + B, dtype=np.int32), name="number")
    permuted = Tensor.empty((R, H), F16, name="permuted")
    answers = Tensor(data=np.zeros((R, H), np.float16), name="answers")
    expert = visit(c, B)

    @jit_kernel
    def group(
        chosen: In[Tile[c.tokens, K, I32]],
        first_choice: Out[Tile[1, E + 1, I32]],
        first_block: Out[Tile[1, E + 1, I32]],
        token_of: Out[Tile[1, N + B, I32]],
        row_of: Out[Tile[1, N, I32]],
    ):
        """Sorts the choices by expert; blocks first_block[e] .. first_block[e + 1] - 1 are e's."""
        expert, choice = tl.sort(tl.reshape(chosen, (1, N)))
        is_of = tl.iota(tl.alloc((E, N)), axis=0) == expert
        count = tl.transpose(tl.rowsum(tl.cast(is_of, I32)))
        blocks = tl.cast(tl.cast(count + (B - 1), F32) * (1 / B), I32)
        choices_end, blocks_end, zero = tl.cumsum(count), tl.cumsum(blocks), tl.alloc((1, 1), I32)
        tl.store(first_choice, tl.concat([zero, choices_end]))
        tl.store(first_block, tl.concat([zero, blocks_end]))
        token = tl.cast(tl.cast(choice, F32) * (1 / K), I32)
        tl.store(token_of, tl.concat([token, tl.alloc((1, B), I32)]))
        # A choice's row: the first of its expert, and how many of the expert's come before it.
        before = tl.iota(expert) - tl.gather(choices_end - count, expert)
        row = tl.gather(blocks_end - blocks, expert) * B + before
        tl.store(row_of, tl.gather(row, tl.sort(choice).indices))

    @jit_kernel
    def permute(
        x: In[Tile[c.tokens, H, F16]],
        token_of: In[Tile[B, 1, I32]],
        number: In[Tile[B, 1, I32]],
        end: In[Tile[1, 1, I32]],
        y: Out[Tile[B, H, F16]],
    ):
        """Rows of one expert's tokens; zeros behind the last of them."""
        rows = tl.gather_rows(x, tl.load(token_of))
        tl.store(y, tl.where(tl.load(number) < tl.load(end), rows, 0.0))

    @jit_kernel
    def gather_mix(
        answers: In[Tile[R, H, F16]],
        row_of: In[Tile[B * K, 1, I32]],
        weights: In[Tile[B, K, F32]],
        y: Out[Tile[B, H, F16]],
    ):
        own = tl.gather_rows(answers, tl.load(row_of))
        tl.store(y, mixed(tl.reshape(own, (B, K * H)), weights, c))

    @workload
    def moe():
        route(c, t)
        group(
            chosen=t.chosen,
            first_choice=first_choice,
            first_block=first_block,
            token_of=token_of,
            row_of=row_of,
        )
        for e in P(Dense[E]("expert")):
            block, choice = P.read(first_block[e]), P.read(first_choice[e])
            for j in P(Ragged[first_block[e + 1] - block]("block")):
                rows, begin = part(block + j, B), choice + j * B
                sorted_here = slice(begin, begin + B)
                permute[e, j](
                    x=t.x,
                    token_of=token_of[sorted_here],
                    number=number[sorted_here],
                    end=first_choice[e + 1],
                    y=permuted[rows],
                )
                x, y = permuted[rows], answers[rows]
                expert[e, j](x=x, gate=t.gate[e], up=t.up[e], down=t.down[e], y=y)
        for i in P(Dense[c.tokens // B]("tile")):
            rows = part(i, B)
            own, weights = row_of[part(i, B * K)], t.weights[rows]
            gather_mix[i](answers=answers, row_of=own, weights=weights, y=t.out[rows])

    return moe()
