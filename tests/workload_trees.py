"""Random workloads as trees of nested tuples.

`Model` walks a tree with Python's own loops and lists the tasks that there must be;
`tree_writer.Writer` says it in the language.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROWS, COLUMNS, ENTRIES, PLACES = 4, 3, 12, 32
SYMBOLS = {"n": 3, "m": 2}
OPERATORS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
Node = tuple[Any, ...]
Scope = dict[str, int]


# ---- Trees -------------------------------------------------------------------------------------


class Trees:
    """Draws trees; `computed`: some of what decides is written by tasks."""

    def __init__(self, rng: Random, *, computed: bool) -> None:
        self._rng = rng
        self._suffixes = ("", "2") if computed else ("",)
        self._number = 0

    def block(self, depth: int, names: tuple[str, ...]) -> tuple[Node, ...]:
        return tuple(self._statement(depth, names) for _ in range(self._rng.randint(1, 3)))

    def _statement(self, depth: int, names: tuple[str, ...]) -> Node:
        kinds = ["launch", "launch", "slot_set", "slot_load"]
        if depth > 0:
            kinds += ["loop", "loop", "loop", "sel", "row", "tiles", "chain", "chain", "chain"]
        return getattr(self, f"_{self._rng.choice(kinds)}")(depth, names)

    def _name(self, stem: str) -> str:
        self._number += 1
        return f"{stem}{self._number}"

    def _tensor(self, name: str) -> str:
        return name + self._rng.choice(self._suffixes)

    def expr(self, names: tuple[str, ...], depth: int = 2) -> Node:
        kinds = ["const", "symbol", "slot", *["name"] * 3 * bool(names)]
        if depth > 0:
            kinds += ["+", "-", "*", "//", "%", "element", "element"]
        kind = self._rng.choice(kinds)
        match kind:
            case "const":
                return "const", self._rng.randint(-3, 5)
            case "name":
                return "name", self._rng.choice(names)
            case "symbol":
                return "symbol", self._rng.choice(list(SYMBOLS))
            case "slot":
                return "slot", self._rng.choice("pq")
            case "element":
                tensor, size = self._rng.choice((("lengths", ROWS), ("indices", ENTRIES)))
                return "element", self._tensor(tensor), self.small(names, size, depth - 1)
            case "+" | "-":
                return kind, self.expr(names, depth - 1), self.expr(names, depth - 1)
            case _:
                factor = self._rng.randint(1, 4) if kind != "*" else self._rng.randint(-3, 3)
                return kind, self.expr(names, depth - 1), ("const", factor)

    def small(self, names: tuple[str, ...], size: int, depth: int = 1) -> Node:
        """An expression with values in 0 .. size - 1."""
        return "%", self.expr(names, depth), ("const", size)

    def condition(self, names: tuple[str, ...], depth: int = 2) -> Node:
        kind = self._rng.choice(["compare", "compare", "&", "|", "~"] if depth > 0 else ["compare"])
        if kind == "compare":
            sign = self._rng.choice(list(OPERATORS))
            return "compare", sign, self.expr(names, 1), self.expr(names, 1)
        parts = 1 if kind == "~" else 2
        return kind, *(self.condition(names, depth - 1) for _ in range(parts))

    def _launch(self, depth: int, names: tuple[str, ...]) -> Node:
        self._number += 1
        axes = tuple(self.expr(names) for _ in range(self._rng.randint(0, 3)))
        return "launch", (("const", self._number), *axes), self.small(names, PLACES, 2)

    def _slot_set(self, depth: int, names: tuple[str, ...]) -> Node:
        return "slot_set", self._rng.choice("pq"), self.small(names, 50, 2)

    def _slot_load(self, depth: int, names: tuple[str, ...]) -> Node:
        return "slot_load", self._rng.choice("pq"), self._tensor("lengths"), self.small(names, ROWS)

    def _loop(self, depth: int, names: tuple[str, ...]) -> Node:
        axes: list[Node] = []
        inner = names
        for _ in range(self._rng.randint(1, 3)):
            kind = self._rng.choice(["dense", "dense", "dyn", "ragged", "lengths", "sparse"])
            if kind in ("lengths", "sparse"):
                # Both depend on an axis of their rows, which goes before them.
                outer = self._name("r")
                axes.append(("dense", outer, ROWS))
                tensor = self._tensor("lengths" if kind == "lengths" else "csr")
                axes.append((kind, self._name("a"), outer, tensor))
                inner = (*inner, outer)
            elif kind == "dyn":
                axes.append((kind, self._name("a"), self._rng.choice(list(SYMBOLS))))
            elif kind == "ragged":
                # Its size may not look at the axes beside it.
                axes.append((kind, self._name("a"), self.small(names, 4)))
            else:
                axes.append((kind, self._name("a"), self._rng.randint(1, 3)))
            inner = (*inner, axes[-1][1])
            if len(axes) > 2:
                break
        way = self._rng.choice(("P", "seq"))
        return "loop", way, tuple(axes), self.block(depth - 1, inner)

    def _sel(self, depth: int, names: tuple[str, ...]) -> Node:
        name = self._name("e")
        body = self.block(depth - 1, (*names, name, f"{name}.position"))
        return "sel", name, self._tensor("chosen"), self.small(names, ROWS), body

    def _row(self, depth: int, names: tuple[str, ...]) -> Node:
        name = self._name("e")
        body = self.block(depth - 1, (*names, name, f"{name}.position", f"{name}.entry"))
        return "row", name, self._tensor("csr"), self.small(names, ROWS), body

    def _tiles(self, depth: int, names: tuple[str, ...]) -> Node:
        name, way = self._name("t"), self._rng.choice(("tiles", "seq_tiles"))
        inner = (*names, name, f"{name}.start")
        size = self._rng.choice((("symbol", "n"), self.small(names, 6)))
        return (
            "tiles",
            way,
            name,
            size,
            self._rng.randint(1, 3),
            self.block(depth - 1, inner),
            self.block(depth - 1, inner),
        )

    def _chain(self, depth: int, names: tuple[str, ...]) -> Node:
        branches = tuple(
            (self.condition(names), self.block(depth - 1, names))
            for _ in range(self._rng.randint(1, 3))
        )
        rest = self.block(depth - 1, names) if self._rng.random() < 0.5 else ()
        return "chain", branches, rest


# ---- Data --------------------------------------------------------------------------------------


@dataclass
class Data:
    """What a run is given; the arrays stay the same from run to run, with other values."""

    lengths: NDArray[np.int32]
    chosen: NDArray[np.int32]
    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]

    @classmethod
    def zeros(cls) -> Data:
        shapes = (ROWS,), (ROWS, COLUMNS), (ROWS + 1,), (ENTRIES,)
        return cls(*(np.zeros(shape, np.int32) for shape in shapes))

    def draw(self, rng: Random) -> None:
        """Fills the arrays with legal values."""
        self.lengths[:] = [rng.randint(0, 3) for _ in range(ROWS)]
        self.chosen[:] = [[rng.randint(-2, 6) for _ in range(COLUMNS)] for _ in range(ROWS)]
        self.indptr[:] = sorted(rng.randint(0, ENTRIES // 2) for _ in range(ROWS + 1))
        self.indices[:] = [rng.randint(-4, 9) for _ in range(ENTRIES)]


# ---- The tasks that there must be --------------------------------------------------------------


class Model:
    """Lists the tasks of a tree: axis values, and the place that each one counts up."""

    def __init__(self, data: Data, symbols: Mapping[str, int]) -> None:
        self._data = data
        self._symbols = symbols
        self._slots = {"p": 0, "q": 0}
        self.tasks: list[tuple[int, ...]] = []
        self.places: list[int] = []
        self.orders: list[list[range]] = []
        """Of each P.seq: the tasks of its iterations, of which each waits for those before it."""

    def run(self, block: tuple[Node, ...], scope: Scope) -> None:
        for statement in block:
            getattr(self, f"_{statement[0]}")(scope, *statement[1:])

    def _array(self, name: str) -> Any:
        return getattr(self._data, name.removesuffix("2"))

    def _number(self, node: Node, scope: Scope) -> int:
        kind, *rest = node
        match kind:
            case "const":
                return rest[0]
            case "name":
                return scope[rest[0]]
            case "symbol":
                return self._symbols[rest[0]]
            case "slot":
                return self._slots[rest[0]]
            case "element":
                return int(self._array(rest[0])[self._number(rest[1], scope)])
            case _:
                signs: dict[str, Callable[[int, int], int]] = {
                    "+": operator.add,
                    "-": operator.sub,
                    "*": operator.mul,
                    "//": operator.floordiv,
                    "%": operator.mod,
                }
                return signs[kind](self._number(rest[0], scope), self._number(rest[1], scope))

    def _holds(self, node: Node, scope: Scope) -> bool:
        kind, *rest = node
        if kind == "compare":
            left, right = (self._number(side, scope) for side in rest[1:])
            return OPERATORS[rest[0]](left, right)
        parts = [self._holds(part, scope) for part in rest]
        return not parts[0] if kind == "~" else all(parts) if kind == "&" else any(parts)

    def _launch(self, scope: Scope, axes: tuple[Node, ...], place: Node) -> None:
        self.tasks.append(tuple(self._number(axis, scope) for axis in axes))
        self.places.append(self._number(place, scope))

    def _slot_set(self, scope: Scope, name: str, value: Node) -> None:
        self._slots[name] = self._number(value, scope)

    def _slot_load(self, scope: Scope, name: str, tensor: str, place: Node) -> None:
        self._slots[name] = int(self._array(tensor)[self._number(place, scope)])

    def _values(self, axis: Node, scope: Scope, sizes: Scope) -> list[int]:
        kind, name, *rest = axis
        match kind:
            case "dense":
                return list(range(rest[0]))
            case "dyn":
                return list(range(self._symbols[rest[0]]))
            case "ragged":
                return list(range(sizes[name]))
            case "lengths":
                return list(range(self._array(rest[1])[scope[rest[0]]]))
            case _:
                return self._columns(scope[rest[0]])

    def _columns(self, row: int) -> list[int]:
        begin, end = self._data.indptr[row : row + 2]
        return [int(column) for column in self._data.indices[begin:end]]

    def _loop(self, scope: Scope, way: str, axes: tuple[Node, ...], body: tuple[Node, ...]) -> None:
        # Python computes the arguments of P(..) before the first iteration.
        sizes = {axis[1]: self._number(axis[2], scope) for axis in axes if axis[0] == "ragged"}

        order: list[range] = []

        def nest(left: tuple[Node, ...], inner: Scope) -> None:
            if not left:
                order.append(self._ran(body, inner))
                return
            for value in self._values(left[0], inner, sizes):
                nest(left[1:], inner | {left[0][1]: value})

        nest(axes, scope)
        if way == "seq":
            self.orders.append(order)

    def _ran(self, body: tuple[Node, ...], scope: Scope) -> range:
        first = len(self.tasks)
        self.run(body, scope)
        return range(first, len(self.tasks))

    def _sel(self, scope: Scope, name: str, tensor: str, row: Node, body: tuple[Node, ...]) -> None:
        numbers = [int(number) for number in self._array(tensor)[self._number(row, scope)]]
        for position, number in enumerate(numbers):
            self.run(body, scope | {name: number, f"{name}.position": position})

    def _row(self, scope: Scope, name: str, csr: str, row: Node, body: tuple[Node, ...]) -> None:
        number = self._number(row, scope)
        begin = int(self._data.indptr[number])
        for position, column in enumerate(self._columns(number)):
            places = {f"{name}.position": position, f"{name}.entry": begin + position}
            self.run(body, scope | {name: column} | places)

    def _tiles(
        self,
        scope: Scope,
        way: str,
        name: str,
        size: Node,
        tile: int,
        whole: tuple[Node, ...],
        part: tuple[Node, ...],
    ) -> None:
        length = self._number(size, scope)
        order: list[range] = []
        for number, start in enumerate(range(0, length, tile)):
            inner = scope | {name: number, f"{name}.start": start}
            order.append(self._ran(whole if start + tile <= length else part, inner))
        if way == "seq_tiles":
            self.orders.append(order)

    def _chain(
        self, scope: Scope, branches: tuple[tuple[Node, tuple[Node, ...]], ...], rest: Any
    ) -> None:
        for condition, body in branches:
            if self._holds(condition, scope):
                self.run(body, scope)
                return
        self.run(rest, scope)
