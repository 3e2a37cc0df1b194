"""Passes that only look."""

from xdsl.passes import ModulePass


class CheckPass(ModulePass):
    """A pass that changes nothing: what was verified before it holds after it."""
