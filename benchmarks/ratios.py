"""The history of the ratios of speeds, and whether one has fallen.

    python benchmarks/ratios.py check                 # fails where one fell by a third
    python benchmarks/ratios.py record 0.2 --note "a quiet machine"
    python benchmarks/ratios.py show --plot ratios.svg

Ratios of programs that ran side by side hold on any machine; speeds do not. They are of CPU time
over all threads, each variant's best of several rounds: another process may delay a program, but
adds little to what it spends. `check` compares with the last line of `history.jsonl`.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "engine"))

import run
from measuring import conditions

HISTORY = Path(__file__).resolve().parent / "history.jsonl"
KEPT, DOUBTED = 2 / 3, 0.8
"""Of a recorded ratio: below the one it has fallen, below the other it is measured again."""
TASKS = 100_000
ROUNDS, MORE = 3, 12
"""Of each stream at least, and where a ratio is in doubt by then, or is to be recorded."""

Ratios = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Record:
    label: str
    """A version or commit."""
    conditions: str
    tasks: int
    """Of each stream, the start of the process included."""
    ratios: Ratios


def fallen(found: Ratios, recorded: Ratios, kept: float = KEPT) -> list[str]:
    """One line for each recorded ratio that is missing, or lower than that part of it."""
    lines: list[str] = []
    for stream, ratios in recorded.items():
        for name, before in ratios.items():
            now = found.get(stream, {}).get(name)
            if now is None:
                lines.append(f"{stream}: {name}: recorded as {before:.2f}, not measured")
            elif now < kept * before:
                lines.append(f"{stream}: {name}: {now:.2f}, recorded as {before:.2f}")
    return lines


def read(history: Path) -> list[Record]:
    if not history.exists():
        return []
    return [Record(**json.loads(line)) for line in history.read_text().splitlines()]


def append(history: Path, record: Record) -> None:
    with history.open("a") as out:
        out.write(json.dumps(asdict(record)) + "\n")


def measure(ptosim: str, recorded: Ratios) -> Ratios:
    """Of all streams; more rounds for one that seems to fall below its record."""
    found: Ratios = {}
    with tempfile.TemporaryDirectory() as folder:
        bench = run.Bench(Path(folder), ptosim)
        for stream in run.UNITS:
            before = {stream: recorded.get(stream, {})}
            for count, best in enumerate(bench.rounds(stream, TASKS), 1):
                found[stream] = run.ratios(best, run.CLOCKS["CPU time"])
                enough = recorded and count >= ROUNDS and not fallen(found, before, DOUBTED)
                if enough or count == MORE:
                    break
    return found


def table(records: Sequence[Record]) -> Iterator[str]:
    width = max(len(record.label) for record in records)
    for stream in run.UNITS:
        names = list(run.RATIOS)
        yield f"{stream:{max(width, 12)}}  " + "  ".join(f"{name:>17}" for name in names)
        for record in records:
            found = record.ratios.get(stream, {})
            cells = (f"{found[name]:17.2f}" if name in found else f"{'-':>17}" for name in names)
            yield f"{record.label:{max(width, 12)}}  " + "  ".join(cells)
    yield from (
        f"{record.label}: {record.tasks:,} tasks, {record.conditions}" for record in records
    )


def plot(records: Sequence[Record], path: Path) -> None:
    from matplotlib import pyplot

    pyplot.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "ratios"}
    figure, places = pyplot.subplots(1, len(run.RATIOS), figsize=(3.5 * len(run.RATIOS), 3))
    labels = [record.label for record in records]
    for place, name in zip(places, run.RATIOS, strict=True):
        for stream in run.UNITS:
            values = [record.ratios.get(stream, {}).get(name) for record in records]
            place.plot(labels, values, marker="o", label=stream, clip_on=False)
        place.set_title(name)
        place.set_ylim(bottom=0)
    places[0].legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None, "Creator": None} if path.suffix == ".svg" else {})


def check(history: Path, ptosim: str) -> int:
    records = read(history)
    if not records:
        raise SystemExit(f"{history}: expected a recorded run, found none; `record` one")
    last = records[-1]
    found = measure(ptosim, last.ratios)
    print(*table([last, Record("now", conditions(), TASKS, found)]), sep="\n")
    lines = fallen(found, last.ratios)
    for line in lines:
        print(f"fallen by more than a third: {line}", file=sys.stderr)
    return 1 if lines else 0


def record(history: Path, ptosim: str, label: str, note: str) -> int:
    found = measure(ptosim, {})
    rounded = {
        stream: {name: round(value, 3) for name, value in ratios.items()}
        for stream, ratios in found.items()
    }
    append(history, Record(label, conditions(note), TASKS, rounded))
    return show(history, None)


def show(history: Path, picture: Path | None) -> int:
    records = read(history)
    if not records:
        raise SystemExit(f"{history}: expected a recorded run, found none; `record` one")
    print(*table(records), sep="\n")
    if picture is not None:
        plot(records, picture)
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--history", type=Path, default=HISTORY)
    parser.add_argument("--ptosim", default=shutil.which("ptosim") or "ptosim")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check", help="measure, and fail where a ratio fell by a third")
    recording = commands.add_parser("record", help="measure, and append to the history")
    recording.add_argument("label", help="such as a version or a commit")
    recording.add_argument("--note", default="", help="what else the machine did")
    showing = commands.add_parser("show", help="the history as a table")
    showing.add_argument("--plot", type=Path, help="an .svg or .png file; needs matplotlib")
    arguments = parser.parse_args()
    if arguments.command == "check":
        return check(arguments.history, arguments.ptosim)
    if arguments.command == "record":
        return record(arguments.history, arguments.ptosim, arguments.label, arguments.note)
    return show(arguments.history, arguments.plot)


if __name__ == "__main__":
    sys.exit(main())
