"""The engine, with the arguments of the model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pto_wsp import _core

from .tables import Settings


def run_engine(
    machine: Mapping[str, Any],
    settings: Settings,
    kernels: Sequence[Mapping[str, Any]],
    tensors: Sequence[tuple[Any, ...]],
    program: Sequence[tuple[Any, ...]],
) -> dict[str, Any]:
    return _core.simulate_table(
        dict(machine), json.dumps(dict(settings)), list(kernels), list(tensors), list(program)
    )
