"""The passes, one a file, and the registry of their names. Importing this imports none of them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import ModuleType

from xdsl.passes import ModulePass

_PASSES = {
    "verify-dominance": "verify_dominance:VerifyDominancePass",
    "tile-check": "tile_check:TileCheckPass",
    "task-check-launches": "task_check_launches:TaskCheckLaunchesPass",
    "task-check-bounds": "task_check_bounds:TaskCheckBoundsPass",
    "canonicalize": "canonicalize:CanonicalizePass",
    "cse": "cse:CommonSubexpressionElimination",
    "tile-infer-unit": "tile_infer_unit:TileInferUnitPass",
    "tile-fuse": "tile_fuse:TileFusePass",
    "tile-place": "tile_place:TilePlacePass",
    "tile-fragments": "tile_fragments:TileFragmentsPass",
    "task-classify-tensors": "task_classify_tensors:TaskClassifyTensorsPass",
    "task-check-reads": "task_check_reads:TaskCheckReadsPass",
    "schedule-resolve": "schedule_resolve:ScheduleResolvePass",
}
"""Name -> module and class, in the order of the default pipeline."""

DEFAULT_PIPELINE: tuple[str, ...] = tuple(_PASSES)
"""What `compile` runs."""


def get_all_passes() -> dict[str, Callable[[], type[ModulePass]]]:
    """Name -> function that imports and returns the pass."""

    def factory(place: str) -> Callable[[], type[ModulePass]]:
        _, _, name = place.partition(":")
        return lambda: getattr(_module(place), name)

    return {name: factory(place) for name, place in _PASSES.items()}


def pass_summary(name: str) -> str:
    """What a pass does, in a line: the first of its file's documentation."""
    first = (_module(_PASSES[name]).__doc__ or "").partition("\n")[0]
    return first.partition(": ")[2].rstrip(".")


def _module(place: str) -> ModuleType:
    return import_module(f"{__name__}.{place.partition(':')[0]}")
