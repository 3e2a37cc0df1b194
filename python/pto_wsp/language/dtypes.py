"""Element types."""

from __future__ import annotations

from enum import Enum
from typing import Any

import ml_dtypes
import numpy as np


class DType(Enum):
    """The type of a tensor's or tile's elements; the value is its name in the IR."""

    F16 = "f16"
    BF16 = "bf16"
    F32 = "f32"
    F64 = "f64"
    F8E4M3 = "f8e4m3"
    """Storage: 4 bits of exponent, 3 of mantissa, up to 448, no infinity. Cast it to compute."""
    F8E5M2 = "f8e5m2"
    """Storage: 5 bits of exponent, 2 of mantissa, up to 57344. Cast it to compute."""
    I8 = "i8"
    I16 = "i16"
    I32 = "i32"
    I64 = "i64"
    U8 = "u8"
    U16 = "u16"
    U32 = "u32"
    U64 = "u64"
    BOOL = "i1"
    """Masks inside kernels: what a comparison gives."""

    @property
    def numpy(self) -> np.dtype[Any]:
        """The NumPy dtype; bf16 and fp8 are those of ml_dtypes."""
        return _NUMPY[self]

    @property
    def is_float(self) -> bool:
        """True for floats of any precision, fp8 too."""
        return self.value.startswith(("f", "bf"))

    @property
    def is_storage(self) -> bool:
        """True for fp8: moved, cast and multiplied as matrices, with no arithmetic of its own."""
        return self in (DType.F8E4M3, DType.F8E5M2)

    @classmethod
    def of(cls, dtype: np.dtype[Any]) -> DType | None:
        """The element type of a NumPy dtype, or None for one that tensors do not have."""
        return next((own for own, theirs in _NUMPY.items() if theirs == dtype), None)


_NUMPY: dict[DType, np.dtype[Any]] = {
    DType.F16: np.dtype(np.float16),
    DType.BF16: np.dtype(ml_dtypes.bfloat16),
    DType.F32: np.dtype(np.float32),
    DType.F64: np.dtype(np.float64),
    DType.F8E4M3: np.dtype(ml_dtypes.float8_e4m3fn),
    DType.F8E5M2: np.dtype(ml_dtypes.float8_e5m2),
    DType.I8: np.dtype(np.int8),
    DType.I16: np.dtype(np.int16),
    DType.I32: np.dtype(np.int32),
    DType.I64: np.dtype(np.int64),
    DType.U8: np.dtype(np.uint8),
    DType.U16: np.dtype(np.uint16),
    DType.U32: np.dtype(np.uint32),
    DType.U64: np.dtype(np.uint64),
    DType.BOOL: np.dtype(np.bool_),
}
