"""Runs passes over a module and verifies after each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.utils.arg_spec import parse_pipeline
from xdsl.utils.exceptions import ArgSpecParseError

from pto_wsp.errors import CompileError
from pto_wsp.transforms import DEFAULT_PIPELINE, get_all_passes
from pto_wsp.transforms.diagnostics import verify

Callback = Callable[[ModulePass, ModuleOp], None]
"""Called with a pass and the module as it is before or after it."""


def run_pipeline(
    module: ModuleOp,
    ctx: Context,
    passes: Sequence[ModulePass] | None = None,
    after: Callback | None = None,
    before: Callback | None = None,
) -> None:
    """Applies `passes`, by default those of `compile`, to the module in place.

    The module is verified first and after every pass. Raises CompileError with all findings of the
    pass, or verification, that found any.
    """
    verify(module)
    for step in default_passes() if passes is None else passes:
        if before is not None:
            before(step, module)
        step.apply(ctx, module)
        verify(module, after=step.name)
        if after is not None:
            after(step, module)


def default_passes() -> tuple[ModulePass, ...]:
    """What `compile` runs, in order."""
    available = get_all_passes()
    return tuple(available[name]()() for name in DEFAULT_PIPELINE)


def parse_passes(spec: str) -> tuple[ModulePass, ...]:
    """Passes from text such as `canonicalize,cse`; raises CompileError for unknown ones."""
    available = get_all_passes()
    try:
        specs = tuple(parse_pipeline(spec)) if spec.strip() else ()
    except ArgSpecParseError as error:
        raise CompileError(f"error: pass pipeline {spec!r}: {error}") from None
    passes: list[ModulePass] = []
    for given in specs:
        if given.name not in available:
            raise CompileError(
                f"error: there is no pass {given.name!r}; known: {', '.join(available)}"
            )
        try:
            passes.append(available[given.name]().from_spec(given))
        except ValueError as error:
            raise CompileError(f"error: pass {given.name}: {error}") from None
    return tuple(passes)
