"""The benchmark's streams of tasks as ordinary workloads; limit/streams.h holds the same ones."""

from collections.abc import Callable, Sequence
from functools import reduce
from inspect import Parameter, Signature
from typing import Any, Literal

from pto_wsp import Dense, DType, In, InOut, Out, P, Tensor, Tile, jit_kernel, tl, workload

SIDE = 32
BLOCK = Tile[SIDE, SIDE, DType.F32]
WIDTH = 1000
"""Tasks in a layer."""
TILES, EXPERTS = 16, 2048
PARTS = EXPERTS // TILES


def independent(tasks: int) -> Any:
    """Every task updates a tile of its own; one in three is a cube task."""
    count = tasks // 3
    cube, vector = _updating("cube", "cube"), _updating("vector", "vector")
    x, y = _tiles("x", count), _tiles("y", 2 * count)

    @workload
    def stream():
        for i in P(Dense[count]("i")):
            cube[i](x=_at(x, i))
            for j in P(Dense[2]("j")):
                vector[i, j](x=_at(y, 2 * i + j))

    return stream()


def chain(tasks: int) -> Any:
    """Every task updates one and the same tile."""
    x, update = _tiles("x", 1), _updating("update", "vector")

    @workload
    def stream():
        for i in P(Dense[tasks]("i")):
            update[i](x=x)

    return stream()


def layered(tasks: int) -> Any:
    """Layers of 1000; each task reads 2 to 4 tiles of the layer before."""
    layers = tasks // WIDTH
    x = _tiles("x", (layers + 1) * WIDTH)
    groups = [
        (_summing("read_2", "cube", 2), 0, 334),
        (_summing("read_3", "vector", 3), 334, 333),
        (_summing("read_4", "vector", 4), 667, 333),
    ]

    @workload
    def stream():
        for layer in P(Dense[layers]("layer")):
            for inputs, (kernel, first, count) in enumerate(groups, 2):
                for j in P(Dense[count]("j")):
                    own = j + first
                    reads = [(own * 13 + r * 337) % WIDTH for r in range(inputs)]
                    kernel[layer, j](
                        **_inputs([_at(x, layer * WIDTH + read) for read in reads]),
                        y=_at(x, (layer + 1) * WIDTH + own),
                    )

    return stream()


def fan(tasks: int, edges: int) -> Any:
    """Layers of 1000; each task reads so many tiles of the layer before."""
    layers = tasks // WIDTH
    x, kernel = _tiles("x", (layers + 1) * WIDTH), _summing("read", "vector", edges)

    @workload
    def stream():
        for layer, j in P(Dense[layers]("layer"), Dense[WIDTH]("j")):
            reads = [(j * 13 + r * 337) % WIDTH for r in range(edges)]
            kernel[layer, j](
                **_inputs([_at(x, layer * WIDTH + read) for read in reads]),
                y=_at(x, (layer + 1) * WIDTH + j),
            )

    return stream()


def moe(tasks: int) -> Any:
    """Rounds of 16 tiles -> 2048 tasks that read two of them -> 16 combines of 128 results each."""
    rounds = tasks // (TILES + EXPERTS + TILES)
    x, y = _tiles("x", (rounds + 1) * TILES), _tiles("y", rounds * TILES)
    z = _tiles("z", rounds * EXPERTS)
    spread, expert = _summing("spread", "vector", 1), _summing("expert", "cube", 2)
    combine = _summing("combine", "vector", PARTS)

    @workload
    def stream():
        for r in P(Dense[rounds]("round")):
            for t in P(Dense[TILES]("tile")):
                spread[r, t](x0=_at(x, r * TILES + t), y=_at(y, r * TILES + t))
            for e in P(Dense[EXPERTS]("expert")):
                reads = [e % TILES, (e + e // TILES + 1) % TILES]
                expert[r, e](
                    **_inputs([_at(y, r * TILES + read) for read in reads]),
                    y=_at(z, r * EXPERTS + e),
                )
            for t in P(Dense[TILES]("tile")):
                reads = [_at(z, r * EXPERTS + t * PARTS + part) for part in range(PARTS)]
                combine[r, t](**_inputs(reads), y=_at(x, (r + 1) * TILES + t))

    return stream()


STREAMS: dict[str, Callable[[int], Any]] = {
    stream.__name__: stream for stream in (independent, chain, layered, moe)
}


def _tiles(name: str, count: int) -> Tensor:
    """A column of tiles without values."""
    return Tensor.empty((count * SIDE, SIDE), DType.F32, name=name)


def _at(tensor: Tensor, index: Any) -> Any:
    return tensor[index * SIDE : (index + 1) * SIDE, :]


def _inputs(tiles: Sequence[Any]) -> dict[str, Any]:
    return {f"x{i}": tile for i, tile in enumerate(tiles)}


def _updating(name: str, unit: Literal["cube", "vector"]) -> Any:
    def body(x: InOut[BLOCK]) -> None:
        tl.store(x, tl.load(x) + 1.0)

    body.__name__ = name
    return jit_kernel(unit=unit)(body)


def _summing(name: str, unit: Literal["cube", "vector"], inputs: int) -> Any:
    """A kernel of any number of inputs: x0, x1, ... -> y, their sum."""

    def body(y: Any, **refs: Any) -> None:
        tl.store(y, reduce(tl.add, [tl.load(ref) for ref in refs.values()]))

    named = [
        Parameter(f"x{i}", Parameter.KEYWORD_ONLY, annotation=In[BLOCK]) for i in range(inputs)
    ]
    output = Parameter("y", Parameter.KEYWORD_ONLY, annotation=Out[BLOCK])
    body.__signature__ = Signature([*named, output])  # pyright: ignore[reportFunctionMemberAccess]
    body.__name__ = name
    return jit_kernel(unit=unit)(body)
