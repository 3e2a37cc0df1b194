"""A command's time and memory, the machine, and the blocks of a page that a benchmark writes."""

import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

END = "<!-- end -->"


@dataclass(frozen=True)
class Usage:
    output: str
    """Standard output."""
    cpu: float
    """Seconds over all threads, the system's work included: only that sum is exact."""
    peak_kib: int


def usage(command: Iterable[Any]) -> Usage:
    """Runs a command to its end; one that fails ends this process."""
    words = [*map(str, command)]
    with tempfile.TemporaryFile("w+") as out, subprocess.Popen(words, stdout=out) as child:
        peak, pause = 0, 0.0001
        while (ended := os.wait4(child.pid, os.WNOHANG))[0] == 0:
            # Not the peak that wait4 tells: it begins with the process that made the child.
            peak = max(peak, _peak_kib(child.pid))
            time.sleep(pause)
            pause = min(1.2 * pause, 0.005)
        _, status, used = ended
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            raise SystemExit(f"{' '.join(words)}: exit code {child.returncode}")
        out.seek(0)
        return Usage(out.read(), used.ru_utime + used.ru_stime, peak)


def _peak_kib(process: int) -> int:
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    lines = (line.split() for line in status.splitlines())
    return next((int(words[1]) for words in lines if words[:1] == ["VmHWM:"]), 0)


def conditions(note: str = "") -> str:
    """The processor, the load beside it, and what the user says."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    name = next(names, platform.machine())
    load = os.getloadavg()[0]
    return ", ".join(filter(None, [f"{os.cpu_count()} x {name}", f"load {load:.1f}", note]))


def write_block(page: Path, name: str, lines: Iterable[str]) -> None:
    """Puts the lines between `<!-- NAME -->` and the next `<!-- end -->` of a page."""
    begin = f"<!-- {name} -->"
    before, found, rest = page.read_text().partition(begin)
    _, closed, after = rest.partition(END)
    if not (found and closed):
        raise SystemExit(f"{page}: expected {begin} and {END} after it, found none")
    page.write_text("\n".join([before + begin, *lines, END]) + after)
