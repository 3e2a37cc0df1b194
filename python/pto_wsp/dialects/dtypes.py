"""The element types of tiles and tensors, in one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from xdsl.dialects.builtin import bf16, f16, f32, i1, i32, i64
from xdsl.ir import Attribute, TypeAttribute

Kind = Literal["bool", "int", "float"]


@dataclass(frozen=True)
class DTypeInfo:
    """What the compiler knows of an element type."""

    name: str
    """As it is printed: `f32`."""
    type: TypeAttribute
    bytes: int
    """Size of one element in memory."""
    kind: Kind
    abi: str
    """The enumerator of `pto_dtype` in `pto/abi.h`."""


DTYPES: tuple[DTypeInfo, ...] = (
    DTypeInfo("i1", i1, 1, "bool", "PTO_I1"),
    DTypeInfo("i32", i32, 4, "int", "PTO_I32"),
    DTypeInfo("i64", i64, 8, "int", "PTO_I64"),
    DTypeInfo("f16", f16, 2, "float", "PTO_F16"),
    DTypeInfo("bf16", bf16, 2, "float", "PTO_BF16"),
    DTypeInfo("f32", f32, 4, "float", "PTO_F32"),
)
"""Every element type, in the order in which they are listed in messages."""

_BY_TYPE: dict[Attribute, DTypeInfo] = {info.type: info for info in DTYPES}
_BY_NAME = {info.name: info for info in DTYPES}


def dtype_info(element_type: Attribute) -> DTypeInfo:
    """The table's row for an element type; raises `ValueError` for any other type."""
    if (info := _BY_TYPE.get(element_type)) is None:
        raise ValueError(f"element type must be one of {known_names()}, got {element_type}")
    return info


def dtype_named(name: str) -> DTypeInfo:
    """The table's row for a name such as `f32`; raises `ValueError` for an unknown one."""
    if (info := _BY_NAME.get(name)) is None:
        raise ValueError(f"element type must be one of {known_names()}, got {name}")
    return info


def known_names() -> str:
    """The names of all element types, for messages."""
    return ", ".join(_BY_NAME)


def is_float(element_type: Attribute) -> bool:
    """True for f16, bf16 and f32."""
    return dtype_info(element_type).kind == "float"


def is_integer(element_type: Attribute) -> bool:
    """True for i32 and i64, not for the i1 of masks."""
    return dtype_info(element_type).kind == "int"


def is_numeric(element_type: Attribute) -> bool:
    """True for what arithmetic works on: integers and floats, not masks."""
    return is_float(element_type) or is_integer(element_type)


def widened(a: Attribute, b: Attribute) -> TypeAttribute | None:
    """The type in which `a` meets `b`: itself if equal, f32 for different floats, else None."""
    if a == b:
        return dtype_info(a).type
    if is_float(a) and is_float(b):
        return f32
    return None
