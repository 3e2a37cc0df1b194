"""`cse`: equal pure ops become one, across nested regions; what virtual time sees stays."""

from xdsl.transforms.common_subexpression_elimination import CommonSubexpressionElimination

__all__ = ["CommonSubexpressionElimination"]
