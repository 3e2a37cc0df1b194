"""What `pto_wsp` raises: one hierarchy under `PtoError`."""

from __future__ import annotations


class PtoError(Exception):
    """The base of all errors of this package."""


class CompileError(PtoError):
    """A program that cannot be compiled: one line per finding, each with the user's file and line."""
