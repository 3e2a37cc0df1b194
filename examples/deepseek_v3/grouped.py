"""The experts' half of the layer, grouped: each chosen expert's weights are read once.

The program sorts the tokens' choices by expert, gives each expert whole blocks of rows, permutes
the tokens into them, and runs one task per block. What of a block no token fills is masked.
"""

from functools import reduce
from types import SimpleNamespace

import numpy as np
from config import Config
from layer import F32, I32, part, swiglu

from pto_wsp import Dense, DType, In, Out, P, Ragged, Tensor, Tile, jit_kernel, tl

BLOCK = 32
"""Rows of a block."""


def most_blocks(c: Config) -> int:
    """Blocks that any routing of a sequence needs at most: each expert fills all but its last."""
    return min(c.seq * c.top_k, c.seq * c.top_k // BLOCK + c.experts)


def tensors(c: Config) -> SimpleNamespace:
    """What only this variant has, per sequence."""
    blocks = most_blocks(c)

    def empty(name: str, *shape: int, dtype: DType = I32) -> Tensor:
        return Tensor.empty((c.batch, *shape), dtype, name=name)

    # Rows that belong to no block are never read as numbers, but they are in what combine reads.
    rows = np.zeros((c.batch, blocks * BLOCK, c.hidden), c.dtype.numpy)
    return SimpleNamespace(
        first_block=empty("first_block", c.experts + 1),
        token_of=empty("token_of", blocks, BLOCK),
        filled=empty("filled", blocks, BLOCK, dtype=c.dtype),
        row_of=empty("row_of", c.seq, c.top_k),
        permuted=empty("permuted", blocks * BLOCK, c.hidden, dtype=c.dtype),
        answers=Tensor(data=rows, dtype=c.dtype, name="answers"),
    )


def spread(row, places):
    """Elements of a 1 x N row by number, in the shape of `places`."""
    flat = tl.reshape(places, (1, places.shape[0] * places.shape[1]))
    return tl.reshape(tl.gather(row, flat), places.shape)


def kernels(c: Config) -> SimpleNamespace:
    S, K, E, H, F, T, dt = c.seq, c.top_k, c.experts, c.hidden, c.ffn, c.tile, c.dtype
    N, B = S * K, most_blocks(c)

    @jit_kernel
    def group_jit(
        chosen: In[Tile[S, K, I32]],
        first_block: Out[Tile[1, E + 1, I32]],
        token_of: Out[Tile[B, BLOCK, I32]],
        filled: Out[Tile[B, BLOCK, dt]],
        row_of: Out[Tile[S, K, I32]],
    ):
        """Blocks of expert e are first_block[e] .. first_block[e + 1] - 1."""
        ids, choice = tl.sort(tl.reshape(chosen, (1, N)))
        expert = tl.iota(tl.alloc((E, N), I32), axis=0)
        ones = tl.cast(expert == ids, I32)
        count = tl.transpose(tl.rowsum(ones))  # choices of each expert
        blocks = tl.cast(tl.cast(count + (BLOCK - 1), F32) * (1 / BLOCK), I32)
        end, start = tl.cumsum(blocks), tl.cumsum(count) - count
        first = end - blocks
        tl.store(first_block, tl.concat([tl.full((1, 1), 0, I32), end]))

        # Block b belongs to the expert before which b blocks or fewer end.
        block = tl.iota(tl.alloc((B, E), I32), axis=0)
        owner = tl.minimum(tl.rowsum(tl.cast(block >= end, I32)), E - 1)
        within = tl.iota(tl.alloc((B, BLOCK), I32), axis=1)
        within = within + (block[:, :1] - spread(first, owner)) * BLOCK  # row of the expert's rows
        is_filled = within < spread(count, owner)
        sorted_at = tl.where(is_filled, within + spread(start, owner), 0)
        token = tl.cast(tl.cast(spread(choice, sorted_at), F32) * (1 / K), I32)
        tl.store(token_of, token)
        tl.store(filled, tl.cast(is_filled, dt))

        position = tl.iota(ids, axis=1)
        row = tl.gather(first, ids) * BLOCK + position - tl.gather(start, ids)
        tl.store(row_of, tl.reshape(tl.gather(row, tl.sort(choice).indices), (S, K)))

    @jit_kernel
    def permute_jit(
        x: In[Tile[S, H, dt]],
        token_of: In[Tile[1, BLOCK, I32]],
        filled: In[Tile[1, BLOCK, dt]],
        y: Out[Tile[BLOCK, H, dt]],
    ):
        rows = tl.gather_rows(x, tl.transpose(tl.load(token_of)))
        tl.store(y, tl.rowmul(rows, tl.transpose(tl.load(filled))))

    @jit_kernel(unit="cube")
    def expert_block_jit(
        x: In[Tile[BLOCK, H, dt]],
        gate: In[Tile[H, F, dt]],
        up: In[Tile[H, F, dt]],
        down: In[Tile[F, H, dt]],
        y: Out[Tile[BLOCK, H, dt]],
    ):
        """One block of tokens visits one expert."""
        tl.store(y, swiglu(x, gate, up, down))

    @jit_kernel
    def gather_combine_jit(
        answers: In[Tile[B * BLOCK, H, dt]],
        row_of: In[Tile[T, K, I32]],
        weights: In[Tile[T, K, F32]],
        y: Out[Tile[T, H, F32]],
    ):
        rows, w = tl.load(row_of), tl.load(weights)
        each = (
            tl.rowmul(tl.gather_rows(answers, rows[:, k : k + 1]), w[:, k : k + 1])
            for k in range(K)
        )
        tl.store(y, reduce(tl.add, each))

    return SimpleNamespace(
        group=group_jit, permute=permute_jit, expert=expert_block_jit, combine=gather_combine_jit
    )


def expert_tasks(c: Config, t: SimpleNamespace, g: SimpleNamespace, k: SimpleNamespace) -> None:
    """Two tasks per block of an expert's tokens; how many blocks it has comes out of the router."""
    batch, experts = Dense[c.batch]("batch"), Dense[c.experts]("expert")
    for b in P(batch):
        k.group[b](
            chosen=t.chosen[b],
            first_block=g.first_block[b],
            token_of=g.token_of[b],
            filled=g.filled[b],
            row_of=g.row_of[b],
        )
    for b, e in P(batch, experts):
        first, end = g.first_block[b, e], g.first_block[b, e + 1]
        for j in P(Ragged[end - first]("block")):
            block, rows = first + j, part(first + j, BLOCK)
            k.permute[b, e, j](
                x=t.h2[b],
                token_of=g.token_of[b, block],
                filled=g.filled[b, block],
                y=g.permuted[b, rows],
            )
            k.expert[b, e, j](
                x=g.permuted[b, rows],
                gate=t.gate[e],
                up=t.up[e],
                down=t.down[e],
                y=g.answers[b, rows],
            )
    for b, s in P(batch, Dense[c.seq // c.tile]("tile")):
        rows = part(s, c.tile)
        k.combine[b, s](
            answers=g.answers[b],
            row_of=g.row_of[b, rows],
            weights=t.weights[b, rows],
            y=t.routed[b, rows],
        )
