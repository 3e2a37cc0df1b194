"""Kernels: Python functions over tiles, traced once."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, overload

from numpy.typing import NDArray

from pto_wsp.dialects import tile
from pto_wsp.dialects.dtypes import dtype_named
from pto_wsp.dialects.locations import file_location
from pto_wsp.dialects.tile import KernelOp, RefType
from pto_wsp.language.current import recorder
from pto_wsp.language.index import GivenNumber, Index, Number, as_index
from pto_wsp.language.kernel_trace import KernelTrace, Ref, tracing
from pto_wsp.language.parameters import ANY_SCALAR, ParameterSpec, Scalar, ScalarSpec
from pto_wsp.language.source import Place, check_name, definition_place, fail
from pto_wsp.language.tensor import TensorView

UnitName = Literal["cube", "vector"]


@dataclass(frozen=True)
class _Traced:
    op: KernelOp
    calls: tuple[str, ...]


class Kernel:
    """A kernel. `kernel[b, s](x=.., y=..)` in a workload makes one task of it."""

    def __init__(
        self,
        function: Callable[..., Any],
        unit: UnitName | None = None,
        cost: int | str | None = None,
        cpp: str | None = None,
    ) -> None:
        if unit not in (None, "cube", "vector"):
            fail(f'expected unit="cube" or unit="vector", found {unit!r}')
        if cost is not None and (isinstance(cost, bool) or not tile.is_cost(str(cost))):
            fail(f"cost of {function.__name__}: expected {tile.COST_EXPECTED}, found {cost!r}")
        self._function = function
        self.name = function.__name__
        self.unit = unit
        """The declared unit, or None where the compiler infers it."""
        self.cost = None if cost is None else str(cost)
        """What a run of it takes, or None where the cost model says."""
        self.cpp = cpp
        """The body as C++, or None where the function is the body."""
        if cpp is not None and cost is None:
            fail(f"{function.__name__}: a kernel whose body is C++ needs cost=..")
        self.place: Place = definition_place(function.__code__)
        self.parameters, self.scalars = _parameters(function, self.place)
        functools.update_wrapper(self, function)

    def __getitem__(self, axes: Any) -> Launcher:
        given = cast("tuple[Any, ...]", axes if isinstance(axes, tuple) else (axes,))
        return Launcher(self, tuple(as_index(axis) for axis in given))

    def __call__(self, **operands: Any) -> None:
        """Launches the kernel as a task without axes."""
        Launcher(self, ())(**operands)

    def run(self, *positional: Any, **named: Any) -> NDArray[Any] | tuple[NDArray[Any], ...]:
        """Runs the Python body on NumPy arrays or tensors, line by line: `breakpoint()` stops in
        it, `print(x)` shows a tile's numbers, `x.numpy()` gives them.

        Takes the In, InOut and Scalar parameters in order or by name, rows x columns (axes of
        extent 1 do not count), and leaves them as they are. Gives what the Out and InOut
        parameters hold at the end: one array, or a tuple of them in order. Raises TraceError, and
        ExecutionError for numbers that an op cannot have.
        """
        from pto_wsp.language.kernel_run import run_body

        if self.cpp is not None:
            fail(f"{self.name}.run: the body is C++, which only a compiled program runs")
        read = [name for name, spec in self.parameters.items() if spec.role != "out"]
        wanted = [name for name in self.takes if name in read or name in self.scalars]
        given = dict(zip(wanted, positional, strict=False)) | named
        if (
            len(positional) > len(wanted)
            or given.keys() != set(wanted)
            or (len(given) != len(positional) + len(named))
        ):
            fail(f"{self.name}.run takes {', '.join(wanted)}, each once")
        folder = os.path.dirname(self.place.file)
        specs = (self.parameters, self.scalars)
        written = tuple(run_body(self._function, *specs, folder, given).values())
        return written[0] if len(written) == 1 else written

    @property
    def takes(self) -> tuple[str, ...]:
        """The names of all parameters, in order."""
        return tuple(inspect.signature(self._function).parameters)

    @property
    def calls(self) -> tuple[str, ...]:
        """The `tl` functions that the body called by name, in order of first call."""
        return self._traced.calls

    @property
    def ops(self) -> tuple[str, ...]:
        """The names of all ops of the traced body, in order."""
        return tuple(op.name.removeprefix("tile.") for op in self._traced.op.body.walk())

    def op(self) -> KernelOp:
        """A copy of the kernel in the IR."""
        return self._traced.op.clone()

    @functools.cached_property
    def _traced(self) -> _Traced:
        op = self._new_op()
        if self.cpp is not None:
            return _Traced(op, ())
        folder = os.path.dirname(self.place.file)
        trace = KernelTrace(op.body.block, folder)
        arguments: dict[str, Ref | Index] = {
            name: Ref(name, spec, argument)
            for (name, spec), argument in zip(self.parameters.items(), op.arguments, strict=True)
        }
        for name, value in zip(self.scalars, op.number_values, strict=True):
            arguments[name] = GivenNumber({value: 1}, name=name)
        with tracing(trace):
            result = self._function(**arguments)
        trace.check_loops()
        if result is not None:
            fail(
                f"kernel {self.name!r} returns a value: store it with tl.store instead", self.place
            )
        self._check_stores(trace)
        return _Traced(op, tuple(trace.calls))

    def _new_op(self) -> KernelOp:
        """The kernel without its body."""
        parameters = [
            tile.Parameter(
                name,
                tile.Role(spec.role),
                RefType((spec.tile.rows, spec.tile.cols), dtype_named(spec.tile.dtype.value).type),
            )
            for name, spec in self.parameters.items()
        ]
        numbers = [
            tile.NumberAttr(name, spec.least, spec.most) for name, spec in self.scalars.items()
        ]
        unit = None if self.unit is None else tile.Unit(self.unit)
        op = KernelOp(self.name, parameters, None, unit, self.cost, self.cpp, numbers)
        folder = os.path.dirname(self.place.file)
        op.location = file_location(self.place.relative_to(folder), self.place.line, 1)
        return op

    def _check_stores(self, trace: KernelTrace) -> None:
        for name, spec in self.parameters.items():
            if spec.role == "out" and name not in trace.stored:
                fail(f"kernel {self.name!r} never stores to its Out parameter {name!r}", self.place)

    def __repr__(self) -> str:
        return f"<kernel {self.name}>"


@dataclass(frozen=True)
class Launcher:
    """A kernel with its axes: called with a tensor region per parameter it makes a task."""

    kernel: Kernel
    axes: tuple[Index, ...]

    def __call__(self, *positional: Any, after: Sequence[Any] = (), **operands: Any) -> Any:
        """Gives the launch's handle, for `after=[..]` of later launches: explicit dependencies."""
        kernel = self.kernel
        trace = recorder(f"a launch of {kernel.name}")
        if positional:
            names = ", ".join(f"{name}=.." for name in kernel.takes)
            fail(f"{kernel.name} takes its regions by name: {kernel.name}[..]({names})")
        unknown = [name for name in operands if name not in kernel.takes]
        missing = [name for name in kernel.takes if name not in operands]
        if unknown or missing:
            names = ", ".join(kernel.takes)
            wrong = [f"missing {', '.join(missing)}"] if missing else []
            wrong += [f"unknown {', '.join(unknown)}"] if unknown else []
            fail(f"{kernel.name} takes {names}; {'; '.join(wrong)}")
        views = {name: _checked(kernel, name, operands[name]) for name in kernel.parameters}
        numbers = {name: _number(kernel, name, operands[name]) for name in kernel.scalars}
        return trace.launch(kernel, self.axes, views, numbers, _handles(kernel, after))


def _handles(kernel: Kernel, after: Any) -> list[Any]:
    given: list[Any] = [*after] if isinstance(after, (list, tuple)) else [after]
    for handle in given:
        if not hasattr(handle, "op"):
            fail(f"{kernel.name}: after= takes a list of what launches return, found {handle!r}")
    return given


def _number(kernel: Kernel, name: str, operand: Any) -> Index:
    if not isinstance(operand, Number) and (
        isinstance(operand, bool) or not hasattr(operand, "__index__")
    ):
        fail(
            f"{kernel.name}: {name} takes an integer, a loop variable, a symbol, an element of an"
            f" integer tensor or an expression of them, found {operand!r}"
        )
    number, spec = as_index(operand), kernel.scalars[name]
    known = number.constant
    if known is not None and not spec.least <= known <= spec.most:
        fail(
            f"{kernel.name}: number {name!r} (declared at {kernel.place}): expected {spec.least} to"
            f" {spec.most}, found {known}"
        )
    return number


def _checked(kernel: Kernel, name: str, operand: Any) -> TensorView:
    spec = kernel.parameters[name].tile
    view: Any = (
        operand if isinstance(operand, TensorView) else getattr(operand, "__getitem__", None)
    )
    if view is None or not hasattr(operand, "numpy") or not hasattr(operand, "dtype"):
        fail(f"{kernel.name}: {name} takes a tensor or a slice of one, found {operand!r}")
    if not isinstance(operand, TensorView):
        view = operand[...]
    where = f"{kernel.name}: parameter {name!r} (declared at {kernel.place})"
    if view.dtype is not spec.dtype:
        fail(f"{where} is {spec}, found tensor {view.tensor.name!r} of {view.dtype.value}")
    wanted = [extent for extent in (spec.rows, spec.cols) if extent != 1]
    if [extent for extent in view.extents if extent != 1] != wanted:
        found = "x".join(map(str, view.extents))
        fail(
            f"{where} is {spec}, found a region of {found} of tensor {view.tensor.name!r}"
            " (axes of extent 1 do not count)"
        )
    return view


def _parameters(
    function: Callable[..., Any], place: Place
) -> tuple[dict[str, ParameterSpec], dict[str, ScalarSpec]]:
    """The tiles and the numbers of a kernel's signature."""
    specs: dict[str, ParameterSpec] = {}
    scalars: dict[str, ScalarSpec] = {}
    check_name("a kernel", function.__name__, place)
    for name, parameter in inspect.signature(function).parameters.items():
        check_name(f"a parameter of {function.__name__}", name, place)
        annotation = parameter.annotation
        if isinstance(annotation, str):
            fail(
                f"parameter {name!r} of {function.__name__} is annotated with text, {annotation!r}:"
                " remove `from __future__ import annotations` from the file, or the quotes",
                place,
            )
        annotation = ANY_SCALAR if annotation is Scalar else annotation
        if not isinstance(annotation, (ParameterSpec, ScalarSpec)):
            fail(
                f"parameter {name!r} of {function.__name__} needs an annotation such as"
                " In[Tile[rows, columns, dtype]] or Scalar",
                place,
            )
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            fail(f"parameter {name!r} of {function.__name__}: * and ** are not allowed", place)
        if isinstance(annotation, ScalarSpec):
            scalars[name] = annotation
        else:
            specs[name] = annotation
    if not specs or all(spec.role == "in" for spec in specs.values()):
        fail(
            f"kernel {function.__name__!r} writes nothing: it needs an Out or InOut parameter",
            place,
        )
    return specs, scalars


@overload
def jit_kernel(function: Callable[..., Any], /) -> Kernel: ...
@overload
def jit_kernel(
    *,
    unit: UnitName | None = None,
    cost: int | str | None = None,
    cpp_src: str | None = None,
    cpp_file: str | os.PathLike[str] | None = None,
) -> Callable[[Callable[..., Any]], Kernel]: ...
def jit_kernel(
    function: Callable[..., Any] | None = None,
    /,
    *,
    unit: UnitName | None = None,
    cost: int | str | None = None,
    cpp_src: str | None = None,
    cpp_file: str | os.PathLike[str] | None = None,
) -> Kernel | Callable[[Callable[..., Any]], Kernel]:
    """Makes a kernel of a function over tiles: `@jit_kernel` or `@jit_kernel(unit="cube")`.

    The unit is inferred where it is not declared: `cube` with a matmul, else `vector`. With `cost`,
    in cycles or as a time such as "2.5us", a run takes that, all of it compute, in the place of
    what the cost model finds; it moves nothing through the memories that cores share.

    With `cpp_src`, or `cpp_file` beside the file of the function, the body is C++: statements in
    which each parameter is a pointer to its elements, dense and row after row, integers as
    themselves, f64 as double, other floats as float. In and InOut parameters are loaded before, Out
    and InOut ones are stored and rounded after; the function is not called. What the code does is
    its author's responsibility, and `cost` has to say what it takes.
    """
    if function is not None:
        return Kernel(function)

    def decorate(decorated: Callable[..., Any]) -> Kernel:
        return Kernel(decorated, unit, cost, _cpp_body(decorated, cpp_src, cpp_file))

    return decorate


def _cpp_body(
    function: Callable[..., Any], source: str | None, file: str | os.PathLike[str] | None
) -> str | None:
    if source is not None and file is not None:
        fail(f"{function.__name__}: give cpp_src or cpp_file, not both")
    if file is None:
        return source
    path = os.path.join(os.path.dirname(function.__code__.co_filename), file)
    try:
        with open(path, encoding="utf-8") as text:
            return text.read()
    except OSError as error:
        fail(f"{function.__name__}: cpp_file {path} cannot be read: {error.strerror}")


kernel = jit_kernel
