"""`ptoc cache`: what the program cache holds, and how to empty it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from pto_wsp.errors import CompileError
from pto_wsp.tools.options import DIAGNOSTIC, OK


def run(argv: Sequence[str]) -> int:
    """Runs `ptoc cache ARGV` and returns the exit code; argparse ends the process on misuse."""
    arguments = _parser().parse_args(argv)
    try:
        if arguments.clear:
            _clear()
        else:
            _stats()
    except (CompileError, OSError) as error:
        print(error, file=sys.stderr)
        return DIAGNOSTIC
    return OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ptoc cache",
        description="Compiled programs, in $PTO_CACHE_DIR or the user's cache folder.",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--stats", action="store_true", help="where, how many, how large (default)")
    what.add_argument("--clear", action="store_true", help="remove all")
    return parser


def _stats() -> None:
    from pto_wsp.codegen.cache import Cache, cache_dir, cache_limit

    limit, cache = cache_limit(), Cache(cache_dir())
    entries = cache.entries()
    print(f"folder    {cache.folder}")
    for what, suffix in (("programs", ".so"), ("objects", ".o")):
        sizes = [entry.bytes for entry in entries if entry.path.suffix == suffix]
        print(f"{what:<9} {len(sizes)}, {sum(sizes)} bytes")
    print(f"limit     {limit} bytes; PTO_CACHE_SIZE changes it")


def _clear() -> None:
    from pto_wsp.codegen.cache import Cache, cache_dir

    cache = Cache(cache_dir())
    removed = cache.clear()
    size = sum(entry.bytes for entry in removed)
    print(f"removed {len(removed)} files, {size} bytes, from {cache.folder}")
