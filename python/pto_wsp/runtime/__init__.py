"""Runs compiled programs and tells what came of it."""

from pto_wsp.runtime.check import CheckReport
from pto_wsp.runtime.program import Program, Result
from pto_wsp.runtime.stats import Stats
from pto_wsp.runtime.trace import CriticalPath, StepSeries, Table, Trace
from pto_wsp.runtime.what_if import Variant, WhatIf

__all__ = [
    "CheckReport",
    "CriticalPath",
    "Program",
    "Result",
    "Stats",
    "StepSeries",
    "Table",
    "Trace",
    "Variant",
    "WhatIf",
]
