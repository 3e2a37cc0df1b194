"""The product that the example must give."""

from typing import Any


def matmul(a: Any, b: Any) -> Any:
    return a.astype("float32") @ b.astype("float32")
