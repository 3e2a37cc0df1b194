"""`ptoc`: compiles a workload, and shows the IR at any stage.

Only what `--help` and `--version` need is imported here; the rest comes with the first compilation.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from pto_wsp.tools.options import EMIT, EVERY, INTERNAL, OK, USAGE, Options, UsageError

_EPILOG = """\
exit codes: 0 ok, 1 diagnostic, 2 usage, 70 internal error

  ptoc model.py                          the final IR of the file's workload
  ptoc model.py:program --emit=cpp       the C++ of one of several
  ptoc model.py -p tile-check,canonicalize --print-ir-after-all
  ptoc model.py --emit=mlir | ptoc - --emit=cpp
  ptoc model.py --emit=cost --machine=my_machine.json
  ptoc machine list | show MACHINE [KEY...] | check FILE...
  ptoc cache --stats | --clear           the compiled programs that are kept
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `ptoc` and returns its exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    if given[:1] in (["machine"], ["cache"]):
        return _subcommand(*given)
    try:
        parsed = _parser().parse_args(_with_values(_without_subcommand(given)))
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else USAGE
    options = Options(**vars(parsed))
    try:
        if options.list_passes:
            return _list_passes()
        from pto_wsp.tools.driver import compile_file

        return compile_file(options)
    except UsageError as error:
        print(f"ptoc: error: {error}", file=sys.stderr)
        return USAGE
    except BrokenPipeError:
        # Whoever read the output has enough of it; nothing is left to flush it to.
        sys.stdout = None
        return OK
    except KeyboardInterrupt:
        return 130
    except Exception:
        traceback.print_exc()
        print("ptoc: internal error: this is a bug of ptoc, not of your program", file=sys.stderr)
        return INTERNAL


def _subcommand(name: str, *argv: str) -> int:
    command = import_module(f"pto_wsp.tools.{name}_command")
    try:
        return command.run(argv)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else USAGE


def _without_subcommand(argv: list[str]) -> list[str]:
    return argv[1:] if argv[:1] == ["compile"] else argv


def _with_values(argv: list[str]) -> list[str]:
    """`--print-ir-after model.py`: the flag alone does not take the file as its pass."""
    alone = ("--print-ir-before", "--print-ir-after")
    return [f"{word}={EVERY}" if word in alone else word for word in argv]


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from importlib.metadata import PackageNotFoundError, version

        try:
            print(f"ptoc {version('pto-wsp')}")
        except PackageNotFoundError:
            print("ptoc, of a source tree that is not installed")
        parser.exit(OK)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ptoc",
        description="Compile a workload: Python or IR in; IR, C++ or a task program out.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help="FILE.py[:NAME], FILE.mlir, or - for IR on standard input",
    )
    parser.add_argument("-o", dest="output", metavar="FILE", help="write here instead of stdout")
    parser.add_argument(
        "--emit",
        choices=EMIT,
        default="mlir",
        help="the whole IR (default), one dialect's part of it, what each kernel costs, C++, or a"
        " task program",
    )
    parser.add_argument(
        "--machine",
        default="ascend_a3",
        metavar="MACHINE",
        help="for --emit=cost: a profile's name or file (ptoc machine list)",
    )
    parser.add_argument(
        "-p",
        "--pass-pipeline",
        metavar="PASSES",
        help="run these passes, comma-separated, instead of the default ones; '' runs none",
    )
    parser.add_argument("--list-passes", action="store_true", help="list the passes and exit")
    parser.add_argument("--compiler", metavar="COMMAND", help="C++ compiler for --emit=so")
    _add_looks(parser)
    _add_text_and_tests(parser)
    parser.add_argument(
        "--version",
        action=_Version,
        nargs=0,
        dest=argparse.SUPPRESS,
        default=argparse.SUPPRESS,
        help="show the version and exit",
    )
    return parser


def _add_looks(parser: argparse.ArgumentParser) -> None:
    show = parser.add_argument_group("looking inside (on stderr)")
    show.add_argument("--print-ir-before", action="append", metavar="PASS", default=[])
    show.add_argument("--print-ir-after", action="append", metavar="PASS", default=[])
    show.add_argument("--print-ir-after-all", action="store_true")
    show.add_argument("--dump-dir", metavar="DIR", help="write the IR after every pass to DIR")
    show.add_argument("--timing", action="store_true", help="show how long every step took")


def _add_text_and_tests(parser: argparse.ArgumentParser) -> None:
    text = parser.add_argument_group("text")
    text.add_argument("--print-op-generic", action="store_true", help="use the generic syntax")
    text.add_argument("--print-debuginfo", action="store_true", help="show source locations")
    test = parser.add_argument_group("tests")
    test.add_argument(
        "--verify-diagnostics",
        action="store_true",
        help="fail unless exactly the errors in `expected-error {{text}}` comments occur",
    )
    test.add_argument(
        "--split-input-file",
        action="store_true",
        help="compile the parts between lines of `// -----` one by one",
    )


def _list_passes() -> int:
    from pto_wsp.transforms import get_all_passes, pass_summary

    for name in get_all_passes():
        print(f"{name:24}{pass_summary(name)}")
    return OK


if __name__ == "__main__":
    sys.exit(main())
