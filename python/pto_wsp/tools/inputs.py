"""What `ptoc` reads: IR as text, or the workload that a Python file defines."""

from __future__ import annotations

import importlib.util
import inspect
import re
import sys
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Protocol, cast, runtime_checkable

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.exceptions import ParseError, VerifyException

from pto_wsp.dialects.text import parse_module
from pto_wsp.errors import CompileError, PtoError
from pto_wsp.language.kernel import Kernel
from pto_wsp.language.workload import is_workload_function

SPLIT = "// -----"
"""Separates the parts of a file under --split-input-file."""

_CLOSED_STRINGS = re.compile(r'(?:[^"/]|/(?!/)|"(?:[^"\\]|\\.)*")*')
"""The beginning of a line up to a comment or to a string that does not end."""


@runtime_checkable
class HasModule(Protocol):
    """A workload, with or without a schedule, or a program."""

    def module(self) -> ModuleOp: ...


# ---- Text --------------------------------------------------------------------------------------


def read_text(path: str) -> str:
    """The text of a file, or of standard input for `-`."""
    if path == "-":
        return sys.stdin.read()
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise CompileError(f"{path}: error: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise CompileError(f"{path}: error: no UTF-8 text: {error.reason}") from None


def split_text(text: str) -> list[str]:
    """The parts between lines of `// -----`; each keeps its line numbers."""
    parts: list[str] = []
    line_number = 0
    for part in text.split(f"\n{SPLIT}\n"):
        parts.append("\n" * line_number + part)
        line_number += part.count("\n") + 2
    return parts


def parse_text(ctx: Context, text: str, path: str) -> ModuleOp:
    """The module in `text`; raises CompileError where it is none."""
    name = "<stdin>" if path == "-" else path
    if not text.strip():
        raise CompileError(f"{name}: error: expected a module in MLIR syntax, found nothing")
    _check_strings(text, name)
    try:
        return parse_module(ctx, text, name)
    except ParseError as error:
        at = error.span.get_location()
        message = " ".join(error.msg.split())
        raise CompileError(f"{at.file}:{at.line}:{at.col}: error: {message}") from None
    except VerifyException as error:
        # An attribute that refuses its parameters; the parser does not say where it stands.
        raise CompileError(f"{name}: error: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise CompileError(f"{name}: error: regions are nested too deeply") from None


def _check_strings(text: str, name: str) -> None:
    """xDSL's lexer takes time exponential in what follows a string that does not end."""
    for number, line in enumerate(text.split("\n"), start=1):
        closed = _CLOSED_STRINGS.match(line)
        assert closed is not None
        if line[closed.end() :].startswith('"'):
            column = closed.end() + 1
            raise CompileError(f"{name}:{number}:{column}: error: the string does not end")


# ---- Python ------------------------------------------------------------------------------------


def trace_python(path: str, name: str | None) -> ModuleOp:
    """The module of a Python file's workload.

    `name` is the object to take; without it `program`, else the only workload object of the file,
    else its only @workload function. A function is called without arguments. Raises CompileError
    where there is none.
    """
    with _user_code(path):
        namespace = vars(_import(path))
        found = _pick(path, namespace, name)
        if isinstance(found, Kernel):
            raise CompileError(
                f"{path}: error: {found.name} is a kernel, which workloads launch; name a workload"
            )
        if not isinstance(found, HasModule) and callable(found):
            found = found()
        if not isinstance(found, HasModule):
            what = type(found).__name__
            raise CompileError(
                f"{path}: error: {name or 'program'} is no workload: it gives a {what}"
            )
        return found.module()


def _pick(path: str, namespace: dict[str, object], name: str | None) -> object:
    wanted = name or "program"
    if wanted in namespace:
        return namespace[wanted]
    if name is not None:
        raise CompileError(f"{path}: error: the file defines no {name}")
    workloads = _distinct(namespace, _is_workload) or _distinct(namespace, _makes_workload)
    if len(workloads) == 1:
        return next(iter(workloads.values()))[1]
    if not workloads:
        raise CompileError(
            f"{path}: error: there is no workload: define `program`, a workload or a function"
            " without arguments that returns one"
        )
    names = ", ".join(key for key, _ in workloads.values())
    raise CompileError(f"{path}: error: several workloads ({names}): name one as {path}:NAME")


def _distinct(
    namespace: dict[str, object], wanted: Callable[[object], bool]
) -> dict[int, tuple[str, object]]:
    """Name and value of what is wanted; one object under two names counts once."""
    return {id(value): (key, value) for key, value in namespace.items() if wanted(value)}


def _is_workload(value: object) -> bool:
    return isinstance(value, HasModule) and not inspect.isclass(value)


def _makes_workload(value: object) -> bool:
    if not is_workload_function(value) or not callable(value):
        return False
    try:
        inspect.signature(value).bind()
    except TypeError:
        return False
    return True


def _import(path: str) -> ModuleType:
    file = Path(path)
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise CompileError(f"{path}: error: Python cannot import this file")
    module = importlib.util.module_from_spec(spec)
    # As Python does for a script: its neighbours can be imported.
    sys.path.insert(0, str(file.resolve().parent))
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    return module


@contextmanager
def _user_code(path: str) -> Generator[None]:
    """Turns what the user's code raises into diagnostics with the user's line."""
    try:
        yield
    except PtoError:
        raise
    except SystemExit as error:
        raise CompileError(f"{path}: error: the file ended Python ({error.code})") from None
    except SyntaxError as error:
        place = f"{_shown(path, error.filename or path)}:{error.lineno}:{error.offset}"
        raise CompileError(f"{place}: error: {error.msg}") from None
    except Exception as error:
        raise CompileError(
            f"{_place(path, error)}: error: {type(error).__name__}: {error}"
        ) from error


def _place(path: str, error: Exception) -> str:
    folder = Path(path).resolve().parent
    frames = traceback.extract_tb(error.__traceback__)
    for frame in reversed(frames):
        if Path(frame.filename).resolve().is_relative_to(folder):
            column = cast("int | None", getattr(frame, "colno", None))
            return f"{_shown(path, frame.filename)}:{frame.lineno}:{(column or 0) + 1}"
    return path


def _shown(path: str, file: str) -> str:
    """The file as the user called it, if it is the one that is compiled."""
    return path if Path(file).resolve() == Path(path).resolve() else file
