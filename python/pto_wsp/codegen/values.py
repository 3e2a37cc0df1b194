"""How tile values look in emitted C++: where their elements are and what type they have there."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from xdsl.ir import Attribute

from pto_wsp.dialects.dtypes import dtype_info

Shape = tuple[int, int]


def c_type(element_type: Attribute) -> str:
    """The C type that holds an element in scratch: floats of every precision are held as float."""
    info = dtype_info(element_type)
    if info.kind == "float":
        return "float"
    return {"i1": "uint8_t", "i32": "int32_t", "i64": "int64_t"}[info.name]


def c_bytes(element_type: Attribute) -> int:
    """Bytes of an element in scratch."""
    info = dtype_info(element_type)
    return 4 if info.kind == "float" else info.bytes


def c_number(number: float | int, element_type: Attribute) -> str:
    """A literal that gives back every bit of `number`."""
    if dtype_info(element_type).kind != "float":
        return f"INT64_C({number})" if dtype_info(element_type).name == "i64" else str(int(number))
    if math.isnan(number):
        return '__builtin_nanf("")'
    if math.isinf(number):
        return "__builtin_inff()" if number > 0 else "-__builtin_inff()"
    decimal = repr(float(number))
    return (
        f"{decimal}f"
        if float(decimal) == number and len(decimal) <= 9
        else f"{float(number).hex()}f"
    )


def rounded(expression: str, element_type: Attribute) -> str:
    """`expression`, a float, rounded to the dtype."""
    name = dtype_info(element_type).name
    return f"pto_round_{name}({expression})" if name in ("f16", "bf16") else expression


@dataclass(frozen=True)
class Buffer:
    """Elements in scratch: a dense value, or a strided slice of one."""

    name: str
    """The C pointer to the dense value."""
    shape: Shape
    element_type: Attribute
    row_stride: int
    col_stride: int = 1
    offset: int = 0
    """Elements from the pointer to the first element."""

    @classmethod
    def dense(cls, name: str, shape: Shape, element_type: Attribute) -> Buffer:
        return cls(name, shape, element_type, shape[1])

    @property
    def is_dense(self) -> bool:
        rows, cols = self.shape
        return (self.row_stride == cols or rows == 1) and (self.col_stride == 1 or cols == 1)

    @property
    def pointer(self) -> str:
        return f"{self.name} + {self.offset}" if self.offset else self.name

    def slice(self, row: int, col: int, shape: Shape, steps: Shape) -> Buffer:
        """The elements (row + i * steps[0], col + j * steps[1])."""
        return replace(
            self,
            shape=shape,
            offset=self.offset + row * self.row_stride + col * self.col_stride,
            row_stride=self.row_stride * steps[0],
            col_stride=self.col_stride * steps[1],
        )

    def row(self, index: str) -> str:
        """Pointer to the first element of row `index`; of the only row, if there is one."""
        if self.shape[0] == 1:
            return self.pointer
        return f"{self.pointer} + {index} * {self.row_stride}"

    def col(self, index: str) -> str:
        """Subscript in a row of column `index`; of the only column, if there is one."""
        if self.shape[1] == 1:
            return "0"
        return index if self.col_stride == 1 else f"{index} * {self.col_stride}"
