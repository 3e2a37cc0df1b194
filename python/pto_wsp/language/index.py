"""Symbolic indices of a workload: linear in loop variables, exact, and bound to their loops."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from xdsl.ir import SSAValue
from xdsl.ir.affine import AffineExpr

from pto_wsp.language.current import recorder
from pto_wsp.language.source import fail


class Index:
    """A number that is known when the program runs: `b`, `s * 32 + 1`.

    Sums and differences are indices again; so are products, quotients (`//`) and remainders (`%`)
    with constants.
    """

    __slots__ = ("_constant", "_terms", "name", "position")

    def __init__(
        self,
        terms: Mapping[SSAValue, int],
        constant: int = 0,
        name: str = "",
        position: Index | None = None,
    ) -> None:
        self._terms = {value: factor for value, factor in terms.items() if factor}
        self._constant = constant
        self.name = name
        """The axis that it stands for; empty for an expression."""
        self.position = position
        """For an element of a selection: its place in the selected row."""

    @property
    def constant(self) -> int | None:
        """The number, if it is known already."""
        return None if self._terms else self._constant

    @property
    def values(self) -> tuple[SSAValue, ...]:
        """The loop variables in it."""
        return tuple(self._terms)

    def expression(self) -> tuple[AffineExpr, tuple[SSAValue, ...]]:
        """As an expression over symbols, and the values that the symbols stand for."""
        expr = AffineExpr.constant(self._constant)
        for number, factor in enumerate(self._terms.values()):
            term = AffineExpr.symbol(number)
            term = term if factor == 1 else term * factor
            expr = term if number == 0 and not self._constant else expr + term
        return expr, self.values

    # ---- Arithmetic ----

    def __add__(self, other: Index | int) -> Index:
        other = _index(other, "+")
        terms = dict(self._terms)
        for value, factor in other._terms.items():
            terms[value] = terms.get(value, 0) + factor
        return Index(terms, self._constant + other._constant)

    def __mul__(self, other: Index | int) -> Index:
        other = _index(other, "*")
        if other.constant is None:
            if self.constant is None:
                fail("the product of two loop variables is no index: multiply by a constant")
            return other * self
        factor = other._constant
        return Index({v: f * factor for v, f in self._terms.items()}, self._constant * factor)

    def __neg__(self) -> Index:
        return self * -1

    def __sub__(self, other: Index | int) -> Index:
        return self + -_index(other, "-")

    def __rsub__(self, other: Index | int) -> Index:
        return _index(other, "-") - self

    __radd__ = __add__
    __rmul__ = __mul__

    def __floordiv__(self, other: int) -> Index:
        return self._divided(other, "//")

    def __mod__(self, other: int) -> Index:
        return self._divided(other, "%")

    def _divided(self, other: int, sign: str) -> Index:
        if isinstance(other, bool) or not isinstance(other, int) or other < 1:  # pyright: ignore[reportUnnecessaryIsInstance]
            fail(f"an index can be divided by a positive integer, found `{sign} {other!r}`")
        if (known := self.constant) is not None:
            return Index({}, known // other if sign == "//" else known % other)
        expr, operands = self.expression()
        divided = expr // other if sign == "//" else expr % other
        return Index({recorder(f"`{sign}`").insert_index(divided, operands): 1})

    # ---- What a symbolic value cannot do ----

    def __bool__(self) -> NoReturn:
        fail(
            "a loop variable has no value while the workload is traced, so `if`, `and`, `or`,"
            " `not` and `while` cannot look at it"
        )

    def __index__(self) -> NoReturn:
        fail("a loop variable has no value while the workload is traced: it is no Python integer")

    __int__ = __index__

    def __float__(self) -> NoReturn:
        fail("a loop variable has no value while the workload is traced: it is no Python float")

    def __iter__(self) -> NoReturn:
        fail("a loop variable cannot be iterated over: use P(..) or P.sel(..)")

    def _compare(self, other: object) -> NoReturn:
        fail("loop variables cannot be compared while the workload is traced")

    __lt__ = __le__ = __gt__ = __ge__ = _compare

    def __eq__(self, other: object) -> NoReturn:
        self._compare(other)

    __hash__ = None  # type: ignore[assignment]


def _index(value: object, sign: str) -> Index:
    if isinstance(value, Index):
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        fail(f"an index goes with integers and indices, found `{sign} {value!r}`")
    return Index({}, value)


def as_index(value: object) -> Index:
    """An index of an index or an integer; anything else is the user's mistake."""
    if isinstance(value, Index):
        return value
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        fail(f"expected an integer, a loop variable or an expression of them, found {value!r}")
    return Index({}, value.__index__())  # type: ignore[attr-defined]
