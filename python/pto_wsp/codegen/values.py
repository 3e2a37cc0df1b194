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
        return "double" if info.name == "f64" else "float"
    if info.kind == "bool":
        return "uint8_t"
    return f"{'uint' if info.name.startswith('u') else 'int'}{8 * info.bytes}_t"


def c_bytes(element_type: Attribute) -> int:
    """Bytes of an element in scratch."""
    info = dtype_info(element_type)
    return max(info.bytes, 4) if info.kind == "float" else info.bytes


def c_number(number: float | int, element_type: Attribute) -> str:
    """A literal that gives back every bit of `number`."""
    info = dtype_info(element_type)
    if info.kind != "float":
        return _integer(int(number), info.name)
    suffix = "" if info.name == "f64" else "f"
    if math.isnan(number):
        return f'__builtin_nan{suffix}("")'
    if math.isinf(number):
        return f"{'-' if number < 0 else ''}__builtin_inf{suffix}()"
    decimal = repr(float(number))
    exact = float(decimal) == number and len(decimal) <= 9
    return f"{decimal if exact else float(number).hex()}{suffix}"


def _integer(number: int, name: str) -> str:
    if name == "u64":
        return f"UINT64_C({number})"
    if name != "i64":
        return str(number)
    # The least number has no literal: its digits are those of one that does not fit.
    return "INT64_MIN" if number == -(2**63) else f"INT64_C({number})"


def rounded(expression: str, element_type: Attribute) -> str:
    """`expression`, a float, rounded to the dtype."""
    info = dtype_info(element_type)
    narrow = info.kind == "float" and info.bytes < 4
    return f"pto_round_{info.name}({expression})" if narrow else expression


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
