"""What the command line of `ptoc` gives to a compilation."""

from __future__ import annotations

from dataclasses import dataclass

OK, DIAGNOSTIC, USAGE, INTERNAL = 0, 1, 2, 70
"""Exit codes."""

EMIT = ("mlir", "tile", "task", "schedule", "cost", "cpp", "so")
EVERY = "*"
"""What `--print-ir-after` without a pass names: every pass."""


class UsageError(Exception):
    """Options that do not go together, or a name that does not exist."""


@dataclass(frozen=True)
class Options:
    """See `ptoc --help`."""

    file: str | None
    output: str | None
    emit: str
    machine: str
    pass_pipeline: str | None
    list_passes: bool
    compiler: str | None
    print_ir_before: list[str]
    print_ir_after: list[str]
    print_ir_after_all: bool
    dump_dir: str | None
    timing: bool
    print_op_generic: bool
    print_debuginfo: bool
    verify_diagnostics: bool
    split_input_file: bool
