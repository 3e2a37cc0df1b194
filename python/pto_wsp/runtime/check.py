"""Is every conflicting pair of accesses ordered, whatever the timing?"""

from __future__ import annotations

import msgspec

from pto_wsp import _core


class Access(msgspec.Struct, frozen=True):
    task: int
    loc: str
    """File and line of the launch."""
    text: str
    """`kernel(axis=value) reads tensor[begin:end, ...]`"""


class Finding(msgspec.Struct, frozen=True):
    """Pairs of accesses from the same two launches and parameters."""

    kind: str
    """`raw`, `waw` or `war`."""
    count: int
    """How many pairs there are."""
    earlier: Access
    """Of the first pair."""
    later: Access


class CheckReport(msgspec.Struct, frozen=True):
    """`str()` gives all findings with both lines and both regions."""

    tasks: int
    edges: int
    """That the schedule gives, without structural ones."""
    pairs: int
    """Conflicting pairs of tasks that had to be ordered."""
    races: list[Finding]
    """Pairs that no path of edges orders."""
    partial_overlaps: list[Finding]
    """Pairs that share elements without being equal, which exact matching does not see."""
    needless_edges: list[Finding]
    """Inferred edges that a path of other edges implies."""
    text: str

    @property
    def is_race_free(self) -> bool:
        return not self.races

    def __str__(self) -> str:
        return self.text.rstrip()

    @staticmethod
    def of(result: _core.RunResult) -> CheckReport:
        return msgspec.convert(result.check, CheckReport)
