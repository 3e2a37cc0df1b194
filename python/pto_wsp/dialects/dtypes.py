"""The element types of tiles and tensors, in one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from xdsl.dialects.builtin import (
    Float8E4M3FNType,
    Float8E5M2Type,
    IntegerType,
    Signedness,
    bf16,
    f16,
    f32,
    f64,
    i1,
    i8,
    i16,
    i32,
    i64,
)
from xdsl.ir import Attribute, TypeAttribute

Kind = Literal["bool", "int", "float"]


@dataclass(frozen=True)
class DTypeInfo:
    """What the compiler knows of an element type."""

    name: str
    """As users write it: `f32`, `u8`, `f8e4m3`."""
    type: TypeAttribute
    """As it is printed: `f32`, `ui8`, `f8E4M3FN`."""
    bytes: int
    """Size of one element in memory."""
    kind: Kind
    abi: str
    """The enumerator of `pto_dtype` in `pto/abi.h`."""
    storage: bool = False
    """Moved, cast and multiplied as matrices only: no arithmetic."""

    @property
    def range(self) -> range:
        """The numbers that an integer dtype has."""
        if self.kind == "bool":
            return range(2)
        bits = 8 * self.bytes
        return range(1 << bits) if self.name[0] == "u" else range(-(1 << bits - 1), 1 << bits - 1)


def _unsigned(width: int) -> IntegerType:
    return IntegerType(width, Signedness.UNSIGNED)


DTYPES: tuple[DTypeInfo, ...] = (
    DTypeInfo("i1", i1, 1, "bool", "PTO_I1"),
    DTypeInfo("i8", i8, 1, "int", "PTO_I8"),
    DTypeInfo("i16", i16, 2, "int", "PTO_I16"),
    DTypeInfo("i32", i32, 4, "int", "PTO_I32"),
    DTypeInfo("i64", i64, 8, "int", "PTO_I64"),
    DTypeInfo("u8", _unsigned(8), 1, "int", "PTO_U8"),
    DTypeInfo("u16", _unsigned(16), 2, "int", "PTO_U16"),
    DTypeInfo("u32", _unsigned(32), 4, "int", "PTO_U32"),
    DTypeInfo("u64", _unsigned(64), 8, "int", "PTO_U64"),
    DTypeInfo("f8e4m3", Float8E4M3FNType(), 1, "float", "PTO_F8E4M3", storage=True),
    DTypeInfo("f8e5m2", Float8E5M2Type(), 1, "float", "PTO_F8E5M2", storage=True),
    DTypeInfo("f16", f16, 2, "float", "PTO_F16"),
    DTypeInfo("bf16", bf16, 2, "float", "PTO_BF16"),
    DTypeInfo("f32", f32, 4, "float", "PTO_F32"),
    DTypeInfo("f64", f64, 8, "float", "PTO_F64"),
)
"""Every element type, in the order in which they are listed in messages."""

_BY_TYPE: dict[Attribute, DTypeInfo] = {info.type: info for info in DTYPES}
_BY_NAME = {info.name: info for info in DTYPES}


def dtype_info(element_type: Attribute) -> DTypeInfo:
    """The table's row for an element type; raises `ValueError` for any other type."""
    if (info := _BY_TYPE.get(element_type)) is None:
        known = ", ".join(str(each.type) for each in DTYPES)
        raise ValueError(f"element type must be one of {known}, got {element_type}")
    return info


def dtype_named(name: str) -> DTypeInfo:
    """The table's row for a name such as `f32`; raises `ValueError` for an unknown one."""
    if (info := _BY_NAME.get(name)) is None:
        raise ValueError(f"element type must be one of {', '.join(_BY_NAME)}, got {name}")
    return info


def is_float(element_type: Attribute) -> bool:
    """True for floats of any precision, storage or not."""
    return dtype_info(element_type).kind == "float"


def is_computed_float(element_type: Attribute) -> bool:
    """True for the floats that arithmetic works on: f16, bf16, f32 and f64."""
    info = dtype_info(element_type)
    return info.kind == "float" and not info.storage


def is_integer(element_type: Attribute) -> bool:
    """True for i8 to i64 and u8 to u64, not for the i1 of masks."""
    return dtype_info(element_type).kind == "int"


def is_numeric(element_type: Attribute) -> bool:
    """True for what arithmetic works on: integers and floats, not masks and not fp8."""
    return is_computed_float(element_type) or is_integer(element_type)


def widened(a: Attribute, b: Attribute) -> TypeAttribute | None:
    """The type of `a` with `b`: itself if equal, f32 or f64 of different floats, else None."""
    if a == b:
        return dtype_info(a).type
    if is_computed_float(a) and is_computed_float(b):
        return f64 if f64 in (a, b) else f32
    return None
