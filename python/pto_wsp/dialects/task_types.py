"""Types and attributes of the `task` dialect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects.builtin import ArrayAttr, FloatData, IntAttr
from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import (
    Attribute,
    ParametrizedAttribute,
    SpacedOpaqueSyntaxAttribute,
    SSAValue,
    TypeAttribute,
)
from xdsl.irdl import irdl_attr_definition, param_def
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.traits import EffectInstance, MemoryEffectKind, Resource
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.str_enum import StrEnum

from pto_wsp.dialects.dtypes import dtype_info
from pto_wsp.dialects.syntax import integer, ints, join, number_text

MAX_RANK = 6
"""The most axes that a tensor has (`PTO_MAX_RANK` of the task program's ABI)."""


class TensorRole(StrEnum):
    """What a program's run does with a tensor; inferred, never declared."""

    CONSTANT = "constant"
    INPUT = "input"
    OUTPUT = "output"
    TEMPORARY = "temporary"


@irdl_attr_definition
class TensorRoleAttr(EnumAttribute[TensorRole], SpacedOpaqueSyntaxAttribute):
    """`#task<role input>`"""

    name = "task.role"


def _float(value: float | FloatData) -> FloatData:
    return value if isinstance(value, FloatData) else FloatData(float(value))


@irdl_attr_definition
class HandleType(ParametrizedAttribute, TypeAttribute):
    """A task, for the launches that come after it: `!task.handle`."""

    name = "task.handle"


@irdl_attr_definition
class SlotType(ParametrizedAttribute, TypeAttribute):
    """A number that the workload keeps while it runs: `!task.slot`."""

    name = "task.slot"


@irdl_attr_definition
class TensorType(ParametrizedAttribute, TypeAttribute):
    """A tensor or a box of one: `!task.tensor<1x256x4096xf16>`."""

    name = "task.tensor"

    extents: ArrayAttr[IntAttr] = param_def(converter=ints)
    element_type: TypeAttribute

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(extent.data for extent in self.extents)

    @property
    def rank(self) -> int:
        return len(self.extents)

    @property
    def short(self) -> str:
        """As it is written behind an op: `1x256x4096xf16`."""
        return "x".join((*map(str, self.shape), str(self.element_type)))

    def verify(self) -> None:
        if not 1 <= self.rank <= MAX_RANK:
            raise VerifyException(f"a tensor has 1 to {MAX_RANK} axes, got {self.rank}")
        if any(extent < 1 for extent in self.shape):
            raise VerifyException(f"extents are at least 1, got {join(self.shape, 'x')}")
        try:
            dtype_info(self.element_type)
        except ValueError as error:
            raise VerifyException(str(error)) from None

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            return parse_tensor_type(parser).parameters

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(self.short)


def parse_tensor_type(parser: AttrParser) -> TensorType:
    """`1x256x4096xf16`"""
    start = parser.pos
    shape, element_type = parser.parse_ranked_shape()
    assert isinstance(element_type, TypeAttribute)
    try:
        return TensorType(ints(shape), element_type)
    except VerifyException as error:
        parser.raise_error(str(error), start, parser.pos)


# ---- Where values come from when no task writes them -------------------------------------------


@irdl_attr_definition
class MemoryAttr(ParametrizedAttribute):
    """The user's array of the same name: `#task.memory`."""

    name = "task.memory"


@irdl_attr_definition
class RandomAttr(ParametrizedAttribute):
    """Uniform in (-scale, scale), a hash of seed, name and index: `#task.random<7, 0.5>`."""

    name = "task.random"

    seed_attr: IntAttr = param_def(converter=integer)
    scale_attr: FloatData = param_def(converter=_float)

    @property
    def seed(self) -> int:
        return self.seed_attr.data

    @property
    def scale(self) -> float:
        return self.scale_attr.data

    def verify(self) -> None:
        _verify_seed(self.seed)
        if not 0 < self.scale < float("inf"):
            raise VerifyException(f"scale is a positive number, got {self.scale}")

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            return cls.parse_clauses(parser).parameters

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(self.clauses)

    @property
    def clauses(self) -> str:
        return f"seed = {self.seed}, scale = {number_text(self.scale)}"

    @classmethod
    def parse_clauses(cls, parser: AttrParser) -> RandomAttr:
        values = _parse_clauses(parser, {"seed": 0, "scale": 1.0})
        return cls(int(values["seed"]), values["scale"])


@irdl_attr_definition
class ZipfAttr(ParametrizedAttribute):
    """Synthetic routing: every row holds distinct numbers below `values`, some far more often.

    With groups, a row's numbers come from `kept_groups` of them, as in group-limited top-k.
    """

    name = "task.zipf"

    exponent_attr: FloatData = param_def(converter=_float)
    seed_attr: IntAttr = param_def(converter=integer)
    values_attr: IntAttr = param_def(converter=integer)
    groups_attr: IntAttr = param_def(converter=integer)
    kept_groups_attr: IntAttr = param_def(converter=integer)

    @property
    def exponent(self) -> float:
        return self.exponent_attr.data

    @property
    def seed(self) -> int:
        return self.seed_attr.data

    @property
    def values(self) -> int:
        """Elements are in 0..values - 1."""
        return self.values_attr.data

    @property
    def groups(self) -> int:
        return self.groups_attr.data

    @property
    def kept_groups(self) -> int:
        return self.kept_groups_attr.data

    def verify(self) -> None:
        _verify_seed(self.seed)
        if not 0 <= self.exponent < float("inf"):
            raise VerifyException(f"the exponent is a number of at least 0, got {self.exponent}")
        if self.values < 1:
            raise VerifyException(f"values is at least 1, got {self.values}")
        if self.groups < 1 or self.values % self.groups:
            raise VerifyException(f"{self.values} values do not fall into {self.groups} groups")
        if not 1 <= self.kept_groups <= self.groups:
            raise VerifyException(f"kept_groups is in 1..{self.groups}, got {self.kept_groups}")

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            return cls.parse_clauses(parser).parameters

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(self.clauses)

    @property
    def clauses(self) -> str:
        return (
            f"s = {number_text(self.exponent)}, seed = {self.seed}, values = {self.values},"
            f" groups = {self.groups}, kept_groups = {self.kept_groups}"
        )

    @classmethod
    def parse_clauses(cls, parser: AttrParser) -> ZipfAttr:
        defaults = {"s": 1.0, "seed": 0, "values": 0, "groups": 1, "kept_groups": 1}
        found = _parse_clauses(parser, defaults)
        whole = (int(found[key]) for key in ("seed", "values", "groups", "kept_groups"))
        return cls(found["s"], *whole)


Source = MemoryAttr | RandomAttr | ZipfAttr


def _verify_seed(seed: int) -> None:
    if not 0 <= seed < 2**64:
        raise VerifyException(f"a seed has 64 bits, got {seed}")


def _parse_clauses(parser: AttrParser, defaults: dict[str, float]) -> dict[str, float]:
    """`key = number, ..` in any order."""
    found = dict(defaults)

    def clause() -> None:
        start = parser.pos
        key = parser.parse_identifier()
        if key not in found:
            parser.raise_error(f"expected one of {', '.join(defaults)}, got {key}", start)
        parser.parse_punctuation("=")
        found[key] = parser.parse_number()

    parser.parse_comma_separated_list(parser.Delimiter.NONE, clause)
    return found


def print_source(printer: Printer, source: Source) -> None:
    """`memory`, `random<seed = 7, scale = 0.5>`"""
    match source:
        case MemoryAttr():
            printer.print_string("memory")
        case RandomAttr():
            printer.print_string(f"random<{source.clauses}>")
        case ZipfAttr():
            printer.print_string(f"zipf<{source.clauses}>")


def parse_source(parser: AttrParser) -> Source:
    start = parser.pos
    kind = parser.parse_identifier()
    if kind == "memory":
        return MemoryAttr()
    if kind not in ("random", "zipf"):
        parser.raise_error(f"expected memory, random or zipf, got {kind}", start, parser.pos)
    try:
        with parser.in_angle_brackets():
            found = (RandomAttr if kind == "random" else ZipfAttr).parse_clauses(parser)
    except VerifyException as error:
        parser.raise_error(str(error), start, parser.pos)
    return found


# ---- Values and time --------------------------------------------------------------------------


def tensor_type(value: SSAValue) -> TensorType:
    """The type of a tensor or view; raises `VerifyException` for any other value."""
    if not isinstance(value.type, TensorType):
        raise VerifyException(f"expected a tensor or view, got a value of type {value.type}")
    return value.type


@dataclass(frozen=True)
class Clock(Resource):
    """Virtual time: whatever it sees writes it, so that no pass deletes, merges or moves it."""

    def name(self) -> str:
        return "clock"


TICK = EffectInstance(MemoryEffectKind.WRITE, resource=Clock())
"""The effect of an op that virtual time sees."""
