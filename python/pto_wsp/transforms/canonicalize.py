"""`canonicalize`: folds, views composed, index arithmetic inside maps, combines inlined."""

from xdsl.transforms.canonicalize import CanonicalizePass

__all__ = ["CanonicalizePass"]
