"""Symbolic numbers of a workload: indices, linear and exact, and conditions on them."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar, cast

from xdsl.ir import SSAValue
from xdsl.ir.affine import AffineExpr

from pto_wsp.dialects.indices import NUMBER_MAX
from pto_wsp.dialects.task_numbers import Predicate
from pto_wsp.language.current import recorder
from pto_wsp.language.source import Place, check_name, fail, user_place


class Tiled:
    """A tile in a kernel: what it does with a number is the tile's own affair."""


_R = TypeVar("_R")


def _leaves_tiles(operator: Callable[[Any, Any], _R]) -> Callable[[Any, Any], _R]:
    """Makes an operator of numbers that lets a tile on its right decide."""

    @functools.wraps(operator)
    def checked(self: Any, other: Any) -> _R:
        return cast("_R", NotImplemented) if isinstance(other, Tiled) else operator(self, other)

    return checked


class Number(ABC):
    """What stands for an integer that only a run knows: an index, a symbol, an element of an
    integer tensor."""

    @abstractmethod
    def index(self) -> Index:
        """The number as an index; an element of a tensor is read here."""

    # ---- Arithmetic ----

    @_leaves_tiles
    def __add__(self, other: Number | int) -> Index:
        return self.index().plus(_index(other, "+"))

    def __radd__(self, other: Number | int) -> Index:
        return _index(other, "+").plus(self.index())

    @_leaves_tiles
    def __mul__(self, other: Number | int) -> Index:
        return self.index().times(_index(other, "*"))

    def __rmul__(self, other: Number | int) -> Index:
        return _index(other, "*").times(self.index())

    def __neg__(self) -> Index:
        return self * -1

    @_leaves_tiles
    def __sub__(self, other: Number | int) -> Index:
        return self.index().plus(-_index(other, "-"))

    def __rsub__(self, other: Number | int) -> Index:
        return _index(other, "-").plus(-self.index())

    def __floordiv__(self, other: int) -> Index:
        return self.index().divided(other, "//")

    def __mod__(self, other: int) -> Index:
        return self.index().divided(other, "%")

    # ---- Comparison ----

    @_leaves_tiles
    def __lt__(self, other: object) -> Condition:
        return Comparison(Predicate.LT, self.index(), _index(other, "<"))

    @_leaves_tiles
    def __le__(self, other: object) -> Condition:
        return Comparison(Predicate.LE, self.index(), _index(other, "<="))

    @_leaves_tiles
    def __gt__(self, other: object) -> Condition:
        return Comparison(Predicate.GT, self.index(), _index(other, ">"))

    @_leaves_tiles
    def __ge__(self, other: object) -> Condition:
        return Comparison(Predicate.GE, self.index(), _index(other, ">="))

    @_leaves_tiles
    def __eq__(self, other: object) -> Condition:  # type: ignore[override]
        return Comparison(Predicate.EQ, self.index(), _index(other, "=="))

    @_leaves_tiles
    def __ne__(self, other: object) -> Condition:  # type: ignore[override]
        return Comparison(Predicate.NE, self.index(), _index(other, "!="))

    __hash__ = None  # type: ignore[assignment]

    # ---- What a symbolic number cannot do ----

    def __bool__(self) -> NoReturn:
        fail(
            f"{self._what} has no value while the {_traced()} is traced, so `if`, `and`, `or`,"
            f" `not` and `while` cannot look at it: use {_choice()}"
        )

    def __index__(self) -> NoReturn:
        instead = (
            "to look up a number with it, make the array a Tensor(data=..)"
            if _traced() == "workload"
            else "a loop as long as it is tl.range(..)"
        )
        fail(
            f"{self._what} has no value while the {_traced()} is traced: it is no Python integer;"
            f" {instead}"
        )

    __int__ = __index__

    def __float__(self) -> NoReturn:
        fail(f"{self._what} has no value while the {_traced()} is traced: it is no Python float")

    def __iter__(self) -> NoReturn:
        fail(f"{self._what} cannot be iterated over: use P(..) or P.sel(..)")

    _what = "a loop variable"


@dataclass(frozen=True, eq=False)
class Quotient:
    """An index divided by a positive number, rounded down, or what remains of it."""

    dividend: Index
    divisor: int
    sign: str


@dataclass(frozen=True, eq=False)
class SymbolDeclaration:
    """What the IR is told of a symbol."""

    name: str
    default: int | None
    least: int
    most: int
    place: Place


Leaf = SSAValue | Quotient | SymbolDeclaration


class Index(Number):
    """A number that is known when the program runs: `b`, `s * 32 + 1`.

    Sums and differences are indices again; so are products, quotients (`//`) and remainders (`%`)
    with constants.
    """

    __slots__ = ("_constant", "_terms", "entry", "name", "position")

    def __init__(
        self,
        terms: Mapping[Leaf, int],
        constant: int = 0,
        name: str = "",
        position: Index | None = None,
        entry: Index | None = None,
    ) -> None:
        self._terms = {leaf: factor for leaf, factor in terms.items() if factor}
        self._constant = constant
        self.name = name
        """The axis that it stands for; empty for an expression."""
        self.position = position
        """For an element of a selection: its place in the selected row."""
        self.entry = entry
        """For an element of a CSR row: its place among all indices."""

    def index(self) -> Index:
        return self

    @property
    def constant(self) -> int | None:
        """The number, if it is known already."""
        return None if self._terms else self._constant

    @property
    def values(self) -> tuple[SSAValue, ...]:
        """The values of the IR in it."""
        found: dict[SSAValue, None] = {}
        for leaf in self._terms:
            if isinstance(leaf, SSAValue):
                found[leaf] = None
            elif isinstance(leaf, Quotient):
                found |= dict.fromkeys(leaf.dividend.values)
        return tuple(found)

    def expression(self) -> tuple[AffineExpr, tuple[SSAValue, ...]]:
        """As an expression over symbols, and the values that the symbols stand for."""
        operands: list[SSAValue] = []
        return self._expression(operands), tuple(operands)

    def _expression(self, operands: list[SSAValue]) -> AffineExpr:
        expr = AffineExpr.constant(self._constant)
        for number, (leaf, factor) in enumerate(self._terms.items()):
            term = _leaf_expression(leaf, operands)
            term = term if factor == 1 else term * factor
            expr = term if number == 0 and not self._constant else expr + term
        return expr

    def plus(self, other: Index) -> Index:
        terms = dict(self._terms)
        for leaf, factor in other._terms.items():
            terms[leaf] = terms.get(leaf, 0) + factor
        return Index(terms, self._constant + other._constant)

    def times(self, other: Index) -> Index:
        if other.constant is None:
            if self.constant is None:
                fail("the product of two loop variables is no index: multiply by a constant")
            return other.times(self)
        factor = other._constant
        return Index({leaf: f * factor for leaf, f in self._terms.items()}, self._constant * factor)

    def divided(self, other: int, sign: str) -> Index:
        if isinstance(other, bool) or not isinstance(other, int) or other < 1:  # pyright: ignore[reportUnnecessaryIsInstance]
            fail(f"an index can be divided by a positive integer, found `{sign} {other!r}`")
        if (known := self.constant) is not None:
            return Index({}, known // other if sign == "//" else known % other)
        return Index({Quotient(self, other, sign): 1})


def _leaf_expression(leaf: Leaf, operands: list[SSAValue]) -> AffineExpr:
    if isinstance(leaf, Quotient):
        dividend = leaf.dividend._expression(operands)  # pyright: ignore[reportPrivateUsage]
        return dividend // leaf.divisor if leaf.sign == "//" else dividend % leaf.divisor
    if isinstance(leaf, SymbolDeclaration):
        value: SSAValue = recorder(f"symbol {leaf.name!r}").symbol(leaf)
    else:
        value = leaf
    if value not in operands:
        operands.append(value)
    return AffineExpr.symbol(operands.index(value))


class GivenNumber(Index):
    """A number that launches give a kernel: one of its `Scalar` parameters."""

    _what = "a Scalar"


class Symbol(Index):
    """`Symbol("n", 256)`: a number that every run gives by its name, without a new compilation.

    The second argument is its value in runs that give none; `least` and `most` bound what a run may
    give. With `most`, regions that lie in their tensors up to there need no test at run time.
    """

    def __init__(
        self, name: str, value: int | None = None, *, least: int = 0, most: int = NUMBER_MAX
    ) -> None:
        check_name("a symbol", name)
        for what, number in (("value", value), ("least", least), ("most", most)):
            is_integer = isinstance(number, int) and not isinstance(number, bool)  # pyright: ignore[reportUnnecessaryIsInstance]
            if number is not None and not is_integer:
                fail(f"symbol {name!r}: {what} is an integer, found {number!r}")
        if not -NUMBER_MAX <= least <= most <= NUMBER_MAX:
            fail(
                f"symbol {name!r}: expected least <= most, both less than 2**40 from 0, found"
                f" {least} and {most}"
            )
        if value is not None and not least <= value <= most:
            fail(f"symbol {name!r}: expected a value in {least}..{most}, found {value}")
        declaration = SymbolDeclaration(name, value, least, most, user_place())
        super().__init__({declaration: 1}, name=name)

    _what = "a symbol"


# ---- Conditions --------------------------------------------------------------------------------


class Condition(ABC):
    """What P.when decides by: comparisons of numbers, joined by `&`, `|` and `~`."""

    def __and__(self, other: object) -> Condition:
        return Both((self, _condition(other, "&")))

    def __or__(self, other: object) -> Condition:
        return Either((self, _condition(other, "|")))

    @abstractmethod
    def __invert__(self) -> Condition: ...

    def __bool__(self) -> NoReturn:
        fail(
            f"a condition has no value while the {_traced()} is traced: `if`, `and`, `or`, `not`"
            " and chains such as `0 < i < 4` cannot look at it; use"
            f" {_choice()}, `&`, `|` and `~`"
        )


@dataclass(frozen=True, eq=False)
class Comparison(Condition):
    predicate: Predicate
    left: Index
    right: Index

    def __invert__(self) -> Condition:
        return Comparison(_OPPOSITE[self.predicate], self.left, self.right)


@dataclass(frozen=True, eq=False)
class Both(Condition):
    parts: tuple[Condition, Condition]

    def __invert__(self) -> Condition:
        return Either((~self.parts[0], ~self.parts[1]))


@dataclass(frozen=True, eq=False)
class Either(Condition):
    parts: tuple[Condition, Condition]

    def __invert__(self) -> Condition:
        return Both((~self.parts[0], ~self.parts[1]))


_OPPOSITE = {
    Predicate.EQ: Predicate.NE,
    Predicate.NE: Predicate.EQ,
    Predicate.LT: Predicate.GE,
    Predicate.GE: Predicate.LT,
    Predicate.GT: Predicate.LE,
    Predicate.LE: Predicate.GT,
}


def _condition(value: object, sign: str) -> Condition:
    if not isinstance(value, Condition):
        fail(f"conditions are joined with conditions, found `{sign} {value!r}`: mind the brackets")
    return value


def _traced() -> str:
    from pto_wsp.language.kernel_trace import is_tracing

    return "kernel" if is_tracing() else "workload"


def _choice() -> str:
    return "P.when(..)" if _traced() == "workload" else "tl.where(condition, a, b)"


# ---- Numbers from what a user gives ------------------------------------------------------------


def _index(value: object, sign: str) -> Index:
    if isinstance(value, Number):
        return value.index()
    if isinstance(value, bool) or not isinstance(value, int):
        fail(f"an index goes with integers and indices, found `{sign} {value!r}`")
    return Index({}, value)


def as_index(value: object) -> Index:
    """An index of a number or an integer; anything else is the user's mistake."""
    if isinstance(value, Number):
        return value.index()
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        fail(f"expected an integer, a loop variable or an expression of them, found {value!r}")
    return Index({}, value.__index__())  # type: ignore[attr-defined]
