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
    I32 = "i32"
    I64 = "i64"
    BOOL = "i1"
    """Masks inside kernels: what a comparison gives."""

    @property
    def numpy(self) -> np.dtype[Any]:
        """The NumPy dtype; bf16 is that of ml_dtypes."""
        return _NUMPY[self]

    @property
    def is_float(self) -> bool:
        return self in (DType.F16, DType.BF16, DType.F32)

    @classmethod
    def of(cls, dtype: np.dtype[Any]) -> DType | None:
        """The element type of a NumPy dtype, or None for one that tensors do not have."""
        return next((own for own, theirs in _NUMPY.items() if theirs == dtype), None)


_NUMPY: dict[DType, np.dtype[Any]] = {
    DType.F16: np.dtype(np.float16),
    DType.BF16: np.dtype(ml_dtypes.bfloat16),
    DType.F32: np.dtype(np.float32),
    DType.I32: np.dtype(np.int32),
    DType.I64: np.dtype(np.int64),
    DType.BOOL: np.dtype(np.bool_),
}
