"""Casts between dtypes in NumPy: rounded once, and defined for every number."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pto_wsp.language.dtypes import DType

Array = NDArray[Any]


def cast(array: Array, dtype: np.dtype[Any]) -> Array:
    """To floats to the nearest, ties to even; from floats to integers towards zero, stopping at the
    ends of the range, 0 of a NaN; between integers modulo the range; to bool whether it is not 0.
    """
    with np.errstate(all="ignore"):
        if _is_float(array.dtype) and dtype.kind in "iu":
            return _stopped(array, dtype)
        if _is_float(dtype) and dtype.itemsize < 4 and array.dtype.itemsize > 2:
            return _odd(array).astype(dtype)
        return array.astype(dtype)


def _is_float(dtype: np.dtype[Any]) -> bool:
    kind = DType.of(dtype)
    return kind is not None and kind.is_float


def _stopped(array: Array, dtype: np.dtype[Any]) -> Array:
    limits = np.iinfo(dtype)
    wide = np.trunc(array.astype(np.float64))
    # 2^63 and 2^64 are doubles, the largest integers below them are not.
    inside = np.where((wide >= limits.min) & (wide < float(limits.max) + 1), wide, 0)
    found = inside.astype(dtype)
    found[wide < limits.min] = limits.min
    found[wide >= float(limits.max) + 1] = limits.max
    return found


def _odd(array: Array) -> Array:
    """In f32, what rounds to a narrower float as the number itself does: of the two around it, if
    it is none, the one whose last bit is set."""
    if array.dtype == np.float32:
        return array
    exact = array.astype(np.longdouble)
    nearest = np.atleast_1d(array.astype(np.float32))
    wrong = np.isfinite(exact) & (nearest.astype(np.longdouble) != exact)
    even = wrong & (nearest.view(np.uint32) & 1 == 0)
    towards = np.where(
        nearest.astype(np.longdouble) < exact, np.float32(np.inf), -np.float32(np.inf)
    )
    return np.where(even, np.nextafter(nearest, towards), nearest).reshape(array.shape)
