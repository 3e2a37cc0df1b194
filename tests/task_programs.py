"""Task programs written by hand, for tests of what runs them."""

import json
from collections.abc import Mapping
from pathlib import Path

from pto_wsp.codegen.build import build

SOURCES = Path(__file__).parents[1] / "cpp" / "tests" / "programs"


def task_program(
    name: str, cache: Path, settings: Mapping[str, object] | None = None, *, chosen: str = "NONE"
) -> Path:
    """Compiles and seals cpp/tests/programs/NAME.cpp; `chosen` is the source of `chain`'s index
    tensor."""
    source = f"#define CHOSEN_SOURCE PTO_SOURCE_{chosen}\n" + (SOURCES / f"{name}.cpp").read_text()
    return build([source], json.loads(json.dumps(settings or {})), cache=cache)
