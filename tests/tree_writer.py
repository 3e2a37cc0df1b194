"""Trees of `workload_trees` in the words of the language."""

import operator
from typing import Any

import numpy as np
from workload_trees import COLUMNS, ENTRIES, OPERATORS, PLACES, ROWS, SYMBOLS, Data, Node

import pto_wsp as pto
from pto_wsp import CSR, DType, In, InOut, Out, P, Ragged, Sparse, Symbol, Tensor, Tile, tl

F32, I32 = DType.F32, DType.I32


@pto.jit_kernel
def mark(place: InOut[Tile[1, 1, F32]]):
    tl.store(place, place + 1.0)


def copies(rows: int, columns: int) -> Any:
    def copy(x: In[Tile[rows, columns, I32]], y: Out[Tile[rows, columns, I32]]):
        tl.store(y, x)

    copy.__name__ = f"copy{rows}x{columns}"
    return pto.jit_kernel(copy)


COPIES = {
    "lengths": copies(1, ROWS),
    "chosen": copies(ROWS, COLUMNS),
    "indptr": copies(1, ROWS + 1),
    "indices": copies(1, ENTRIES),
}


class Writer:
    """Says trees in the language. Tensors whose names end in 2 are copied by tasks."""

    def __init__(self, data: Data) -> None:
        self.tensors: dict[str, Tensor] = {}
        for name in COPIES:
            given = getattr(data, name)
            self.tensors[name] = Tensor(data=given, name=name)
            self.tensors[f"{name}2"] = Tensor.empty(given.shape, I32, name=f"{name}2")
        self.places = Tensor(data=np.zeros(PLACES, np.float32), name="places")
        self._csr = {
            f"csr{end}": CSR(self.tensors[f"indptr{end}"], self.tensors[f"indices{end}"])
            for end in ("", "2")
        }
        self._symbols = {name: Symbol(name, value) for name, value in SYMBOLS.items()}

    def workload(self, block: tuple[Node, ...], *, computed: bool) -> Any:
        @pto.workload
        def tree():
            if computed:
                for name, copy in COPIES.items():
                    copy(x=self.tensors[name], y=self.tensors[f"{name}2"])
            self._block(block, {})

        return tree()

    def _block(self, block: tuple[Node, ...], scope: dict[str, Any]) -> None:
        for statement in block:
            getattr(self, f"_{statement[0]}")(scope, *statement[1:])

    def _number(self, node: Node, scope: dict[str, Any]) -> Any:
        kind, *rest = node
        match kind:
            case "const":
                return rest[0]
            case "name":
                return scope[rest[0]]
            case "symbol":
                return self._symbols[rest[0]]
            case "slot":
                return pto.slot(rest[0])
            case "element":
                return self.tensors[rest[0]][self._number(rest[1], scope)]
            case _:
                left, right = (self._number(side, scope) for side in rest)
                return {
                    "+": operator.add,
                    "-": operator.sub,
                    "*": operator.mul,
                    "//": operator.floordiv,
                    "%": operator.mod,
                }[kind](left, right)

    def _condition(self, node: Node, scope: dict[str, Any]) -> Any:
        kind, *rest = node
        if kind == "compare":
            left, right = (self._number(side, scope) for side in rest[1:])
            # Two Python numbers compare at once; what P.when takes has an index in it.
            return OPERATORS[rest[0]](self._symbols["n"] * 0 + left, right)
        parts = [self._condition(part, scope) for part in rest]
        return ~parts[0] if kind == "~" else {"&": operator.and_, "|": operator.or_}[kind](*parts)

    def _launch(self, scope: dict[str, Any], axes: tuple[Node, ...], place: Node) -> None:
        # A sum is no axis, so that no name is there twice.
        values = [self._number(axis, scope) + 0 for axis in axes]
        mark[tuple(values)](place=self.places[self._number(place, scope)])

    def _slot_set(self, scope: dict[str, Any], name: str, value: Node) -> None:
        pto.slot_set(name, self._number(value, scope))

    def _slot_load(self, scope: dict[str, Any], name: str, tensor: str, place: Node) -> None:
        pto.slot_load(name, self.tensors[tensor][self._number(place, scope)])

    def _axes(self, axes: tuple[Node, ...], scope: dict[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for kind, name, *rest in axes:
            match kind:
                case "dense":
                    made[name] = pto.Dense[rest[0]](name)
                case "dyn":
                    made[name] = pto.DenseDyn[self._symbols[rest[0]]](name)
                case "ragged":
                    size = self._number(rest[0], scope)
                    made[name] = Ragged[self._symbols["n"] * 0 + size](name)
                case "lengths":
                    made[name] = Ragged[made[rest[0]], self.tensors[rest[1]]](name)
                case _:
                    made[name] = Sparse[made[rest[0]], self._csr[rest[1]]](name)
        return made

    def _loop(
        self, scope: dict[str, Any], way: str, axes: tuple[Node, ...], body: tuple[Node, ...]
    ) -> None:
        made = self._axes(axes, scope)
        for found in (P if way == "P" else P.seq)(*made.values()):
            indices = found if isinstance(found, tuple) else (found,)
            self._block(body, scope | dict(zip(made, indices, strict=True)))

    def _sel(self, scope: dict[str, Any], name: str, tensor: str, row: Node, body: Any) -> None:
        for e in P.sel(self.tensors[tensor][self._number(row, scope)]):
            self._block(body, scope | {name: e, f"{name}.position": e.position})

    def _row(self, scope: dict[str, Any], name: str, csr: str, row: Node, body: Any) -> None:
        for e in P.sel(self._csr[csr][self._number(row, scope)]):
            places = {f"{name}.position": e.position, f"{name}.entry": e.entry}
            self._block(body, scope | {name: e} | places)

    def _tiles(
        self,
        scope: dict[str, Any],
        way: str,
        name: str,
        size: Node,
        tile: int,
        whole: Any,
        part: Any,
    ) -> None:
        for t in getattr(P, way)(self._number(size, scope), tile):
            inner = scope | {name: t, f"{name}.start": t.start}
            with P.when(t.is_whole):
                self._block(whole, inner)
            with P.otherwise():
                self._block(part, inner)

    def _chain(self, scope: dict[str, Any], branches: Any, rest: Any) -> None:
        for number, (condition, body) in enumerate(branches):
            with (P.elsewhen if number else P.when)(self._condition(condition, scope)):
                self._block(body, scope)
        if rest:
            with P.otherwise():
                self._block(rest, scope)
