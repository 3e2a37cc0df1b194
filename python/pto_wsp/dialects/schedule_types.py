"""Attributes of the `schedule` dialect, and the words that its clauses know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects.builtin import ArrayAttr, IntAttr, StringAttr, SymbolRefAttr, UnitAttr
from xdsl.ir import Attribute, ParametrizedAttribute
from xdsl.irdl import irdl_attr_definition, param_def
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from pto_wsp.dialects.syntax import integer


@dataclass(frozen=True)
class Key:
    """The name of a key function, without the @."""

    name: str

    def __str__(self) -> str:
        return f"@{self.name}"


Argument = int | str | Key


@dataclass(frozen=True)
class Arguments:
    """What may stand in a policy's angle brackets."""

    ints: tuple[int, int] = (0, 0)
    """The least and the largest number of integers; they are all at least 1."""
    words: tuple[str, ...] = ()
    """At most one of these words."""
    keys: tuple[int, int] = (0, 0)
    """The least and the largest number of key functions."""


_INFER = ("infer_bytes_overlap", "infer_tensor_map_exact")
_KEYED = Arguments(keys=(1, 1))

POLICIES: dict[str, dict[str, Arguments]] = {
    "deps": {
        **{word: Arguments() for word in _INFER},
        "explicit": Arguments(),
        "hybrid": Arguments(words=_INFER),
    },
    "pools": {"single": Arguments(), "by_exec_unit": Arguments(), "custom": _KEYED},
    "ready": {"fifo": Arguments(), "work_steal": Arguments(), "priority": _KEYED},
    "start": {"threshold": Arguments(ints=(1, 1)), "after_orchestration": Arguments()},
    "trace": {"none": Arguments(), "cycles": Arguments(keys=(0, 1))},
    "dispatch": {
        "shared": Arguments(),
        "round_robin": Arguments(ints=(0, 1)),
        "affinity": _KEYED,
        "hash": _KEYED,
        "dispatch_by": _KEYED,
        "work_steal": Arguments(),
    },
    "timing": {
        "immediate": Arguments(),
        "batched": Arguments(ints=(1, 1)),
        "interleaved": Arguments(ints=(1, 1)),
        "rate_limit": Arguments(ints=(1, 1)),
    },
}
"""Clause -> word -> arguments. `dispatch policy(shared)` is what holds without a policy."""

WINDOW_UNITS = ("tasks", "bytes", "entries")
WINDOW_MODES = ("stall", "abort", "benchmark")
DEPTH_SCOPES = ("core", "per_pool", "global", "per_stream")


def _one_of(what: str, word: str, known: Sequence[str]) -> None:
    if word not in known:
        raise VerifyException(f"{what} must be one of {', '.join(known)}, got {word}")


def _at_least_one(what: str, number: int) -> None:
    if number < 1:
        raise VerifyException(f"{what} must be at least 1, got {number}")


_ArgumentAttr = IntAttr | StringAttr | SymbolRefAttr


def _argument(given: Argument) -> _ArgumentAttr:
    if isinstance(given, Key):
        return SymbolRefAttr(given.name)
    return IntAttr(given) if isinstance(given, int) else StringAttr(given)


def _arguments(given: Sequence[Argument] | ArrayAttr[_ArgumentAttr]) -> ArrayAttr[_ArgumentAttr]:
    return given if isinstance(given, ArrayAttr) else ArrayAttr(map(_argument, given))


@irdl_attr_definition
class PolicyAttr(ParametrizedAttribute):
    """A word, or a word with arguments: `#schedule.policy<round_robin<4>>`."""

    name = "schedule.policy"

    word_attr: StringAttr = param_def(converter=StringAttr.get)
    argument_list: ArrayAttr[IntAttr | StringAttr | SymbolRefAttr] = param_def(converter=_arguments)

    @property
    def word(self) -> str:
        return self.word_attr.data

    @property
    def arguments(self) -> tuple[Argument, ...]:
        return tuple(
            Key(argument.string_value()) if isinstance(argument, SymbolRefAttr) else argument.data
            for argument in self.argument_list
        )

    @property
    def key(self) -> str | None:
        """The key function that it names."""
        return next((given.name for given in self.arguments if isinstance(given, Key)), None)

    @property
    def short(self) -> str:
        """As it is written in a clause: `round_robin<4>`."""
        if not self.arguments:
            return self.word
        return f"{self.word}<{', '.join(map(str, self.arguments))}>"

    def verify_for(self, clause: str) -> None:
        """Raises `VerifyException` unless the clause knows the word and its arguments."""
        _one_of(clause, self.word, tuple(POLICIES[clause]))
        allowed = POLICIES[clause][self.word]
        numbers = [argument for argument in self.arguments if isinstance(argument, int)]
        words = [argument for argument in self.arguments if isinstance(argument, str)]
        keys = [argument for argument in self.arguments if isinstance(argument, Key)]
        for what, limits, found in (
            ("numbers", allowed.ints, numbers),
            ("key functions", allowed.keys, keys),
        ):
            least, most = limits
            if not least <= len(found) <= most:
                expected = str(least) if least == most else f"{least} or {most}"
                raise VerifyException(
                    f"{clause}: {self.word} takes {expected} {what}, got {len(found)}"
                )
        for number in numbers:
            _at_least_one(f"{clause}: {self.word}", number)
        if words and not allowed.words:
            raise VerifyException(f"{clause}: {self.word} takes no words, got {', '.join(words)}")
        if len(words) > 1:
            raise VerifyException(f"{clause}: {self.word} takes one word, got {', '.join(words)}")
        for word in words:
            _one_of(f"{clause}: {self.word}", word, allowed.words)

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            return parse_policy(parser).parameters

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(self.short)


def policy(word: str, *arguments: Argument) -> PolicyAttr:
    """`policy("round_robin", 4)`"""
    return PolicyAttr(word, arguments)


def parse_policy(parser: AttrParser) -> PolicyAttr:
    """`work_steal`, `round_robin<4>`, `hybrid<infer_bytes_overlap>`, `affinity<@head>`"""

    def argument() -> Argument:
        if (key := parser.parse_optional_symbol_name()) is not None:
            return Key(key.data)
        number = parser.parse_optional_integer(allow_boolean=False)
        return parser.parse_identifier() if number is None else number

    word = parser.parse_identifier()
    found = parser.parse_optional_comma_separated_list(parser.Delimiter.ANGLE, argument)
    return policy(word, *(found or ()))


@irdl_attr_definition
class WindowAttr(ParametrizedAttribute):
    """How much may be alive at once: `#schedule.window<16384, tasks, stall>`."""

    name = "schedule.window"

    size_attr: IntAttr = param_def(converter=integer)
    unit_attr: StringAttr = param_def(converter=StringAttr.get)
    mode_attr: StringAttr = param_def(converter=StringAttr.get)

    @property
    def size(self) -> int:
        return self.size_attr.data

    @property
    def unit(self) -> str:
        return self.unit_attr.data

    @property
    def mode(self) -> str:
        return self.mode_attr.data

    @property
    def short(self) -> str:
        return f"{self.size}, {self.unit}, {self.mode}"

    def verify(self) -> None:
        _at_least_one("window", self.size)
        _one_of("window: unit", self.unit, WINDOW_UNITS)
        _one_of("window: mode", self.mode, WINDOW_MODES)

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            return parse_window(parser).parameters

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(self.short)


def parse_window(parser: AttrParser) -> WindowAttr:
    """`16384, tasks, stall`"""
    size = parser.parse_integer(allow_boolean=False)
    parser.parse_punctuation(",")
    unit = parser.parse_identifier()
    parser.parse_punctuation(",")
    return WindowAttr(size, unit, parser.parse_identifier())


def _flag(on: bool | ArrayAttr[UnitAttr]) -> ArrayAttr[UnitAttr]:
    if isinstance(on, ArrayAttr):
        return on
    return ArrayAttr([UnitAttr()] if on else [])


@irdl_attr_definition
class BatchAttr(ParametrizedAttribute):
    """Tasks published and reports served n at a time: `#schedule.batch<128, range_compression>`."""

    name = "schedule.batch"

    size_attr: IntAttr = param_def(converter=integer)
    flag: ArrayAttr[UnitAttr] = param_def(converter=_flag)

    @property
    def size(self) -> int:
        return self.size_attr.data

    @property
    def range_compression(self) -> bool:
        """A run of consecutive ids among a report's successors costs one `resolve`."""
        return len(self.flag) > 0

    @property
    def short(self) -> str:
        return f"{self.size}, range_compression" if self.range_compression else str(self.size)

    def verify(self) -> None:
        _at_least_one("batch", self.size)

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            return parse_batch(parser).parameters

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(self.short)


def batch(size: int, range_compression: bool = False) -> BatchAttr:
    """`batch(128, range_compression=True)`"""
    return BatchAttr(size, range_compression)


def parse_batch(parser: AttrParser) -> BatchAttr:
    """`128`, `128, range_compression`"""
    size = parser.parse_integer(allow_boolean=False)
    compressed = parser.parse_optional_punctuation(",") is not None
    if compressed:
        parser.parse_keyword("range_compression")
    return batch(size, compressed)


@irdl_attr_definition
class DepthAttr(ParametrizedAttribute):
    """How many tasks are in flight on a core: `#schedule.depth<3, per_pool>`."""

    name = "schedule.depth"

    size_attr: IntAttr = param_def(converter=integer)
    scope_attr: StringAttr = param_def(converter=StringAttr.get)

    @property
    def size(self) -> int:
        return self.size_attr.data

    @property
    def scope(self) -> str:
        return self.scope_attr.data

    @property
    def short(self) -> str:
        return f"{self.size}, {self.scope}"

    def verify(self) -> None:
        _at_least_one("depth", self.size)
        _one_of("depth: scope", self.scope, DEPTH_SCOPES)

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            return parse_depth(parser).parameters

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(self.short)


def parse_depth(parser: AttrParser) -> DepthAttr:
    """`3`, `3, per_pool`"""
    size = parser.parse_integer(allow_boolean=False)
    scoped = parser.parse_optional_punctuation(",") is not None
    return DepthAttr(size, parser.parse_identifier() if scoped else "core")
