"""The CPU time of each step from a Python source to a loaded program; the best of `--repeat`.

CPU time, of the process and what it starts: on an idle machine it is what a user waits.

python benchmarks/compile/run.py
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

EXAMPLE = Path(__file__).parents[2] / "examples" / "deepseek_v3" / "deepseek_v3_example.py"


def best(repeat: int, step: Callable[[], Any]) -> tuple[float, Any]:
    """The shortest of the step's durations, and its last answer."""
    shortest, answer = float("inf"), None
    for _ in range(repeat):
        begin = sum(os.times()[:4])
        answer = step()
        shortest = min(shortest, sum(os.times()[:4]) - begin)
    return shortest, answer


def show(name: str, seconds: float, target: float) -> None:
    mark = "" if seconds < target else "  misses its target"
    print(f"{name:44} {seconds:7.3f} s   target {target:.2f} s{mark}")


def command(*words: str) -> Callable[[], Any]:
    return lambda: subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)


def example() -> Any:
    """The example as a module: its import is no part of what is measured."""
    sys.path.insert(0, str(EXAMPLE.parent))
    spec = importlib.util.spec_from_file_location("example", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["example"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeat", type=int, default=3)
    repeat = parser.parse_args().repeat
    show("a process that imports pto_wsp", best(repeat, command("-c", "import pto_wsp"))[0], 0.25)
    version = best(repeat, command("-m", "pto_wsp.tools.ptoc", "--version"))[0]
    show("ptoc --version", version, 0.15)

    from pto_wsp import _core
    from pto_wsp.codegen import build, emit_units
    from pto_wsp.dialects import make_context
    from pto_wsp.transforms.analysis.plan_settings import module_settings
    from pto_wsp.transforms.pipeline import run_pipeline

    source = example()
    trace, work = best(repeat, source.program)
    clone, module = best(repeat, lambda: work.module())
    # A pipeline lowers its module in place: each time a fresh one.
    passes, _ = best(repeat, lambda: run_pipeline(work.module(), make_context()))
    run_pipeline(module, make_context())
    emission, units = best(repeat, lambda: emit_units(module))
    print(f"{'  trace':44} {trace:7.3f} s")
    print(f"{'  passes':44} {passes - clone:7.3f} s")
    print(f"{'  emission':44} {emission:7.3f} s")
    show("from Python to C++, DeepSeek-V3 layer", trace + passes + emission, 0.4)

    settings = module_settings(module)

    def compile_anew() -> None:
        with tempfile.TemporaryDirectory() as cache:
            build(units, settings, cache=Path(cache))

    show("the C++ compiler, DeepSeek-V3 layer", best(repeat, compile_anew)[0], 1.0)
    build(units, settings)
    load, _ = best(repeat, lambda: _core.LoadedProgram(build(units, settings)))
    show("from C++ to a loaded program, cached", load, 0.1)


if __name__ == "__main__":
    main()
