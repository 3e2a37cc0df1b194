"""Runs compiled programs and tells what came of it."""

from pto_wsp.runtime.program import Program, Result
from pto_wsp.runtime.stats import Stats
from pto_wsp.runtime.trace import Trace

__all__ = ["Program", "Result", "Stats", "Trace"]
