"""Fails where a ratio of speeds has fallen by a third below the recorded one.

    python benchmarks/engine/run.py --tasks 1e6 --json found.json
    python benchmarks/check_ratios.py found.json           # against benchmarks/ratios.json

Ratios of two programs that ran side by side hold on any machine; speeds do not.
"""

import argparse
import json
import sys
from pathlib import Path

RECORDED = Path(__file__).parent / "ratios.json"
KEPT = 2 / 3

Ratios = dict[str, dict[str, float]]


def fallen(found: Ratios, recorded: Ratios) -> list[str]:
    """One line for each recorded ratio that is missing, or a third lower than recorded."""
    lines: list[str] = []
    for stream, ratios in recorded.items():
        for name, before in ratios.items():
            now = found.get(stream, {}).get(name)
            if now is None:
                lines.append(f"{stream}: {name}: recorded as {before:.2f}, not measured")
            elif now < KEPT * before:
                lines.append(f"{stream}: {name}: {now:.2f}, recorded as {before:.2f}")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("found", type=Path, help="what benchmarks/engine/run.py --json wrote")
    parser.add_argument("--recorded", type=Path, default=RECORDED)
    arguments = parser.parse_args()
    lines = fallen(
        json.loads(arguments.found.read_text()), json.loads(arguments.recorded.read_text())
    )
    for line in lines:
        print(line, file=sys.stderr)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
