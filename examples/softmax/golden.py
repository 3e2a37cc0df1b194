"""Softmax of each row, in f64, a few rows at a time."""

from typing import Any

import numpy as np


def softmax(x: Any) -> Any:
    result = np.empty(x.shape, np.float32)
    for first in range(0, len(x), 64):
        rows = x[first : first + 64].astype(np.float64)
        weights = np.exp(rows - rows.max(axis=1, keepdims=True))
        result[first : first + 64] = weights / weights.sum(axis=1, keepdims=True)
    return result
