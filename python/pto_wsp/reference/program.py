"""What `compile(target="reference")` gives: the program without an engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from xdsl.dialects.builtin import ModuleOp

from pto_wsp.errors import ExecutionError, PtoError
from pto_wsp.language.tensor import Tensor
from pto_wsp.reference.workloads import Interpreter
from pto_wsp.transforms.analysis.symbols import symbols as symbols_of


class ReferenceProgram:
    """The final IR, interpreted in NumPy, one task after the other in program order.

    Slow, and simple enough to be trusted: it has values and no virtual time.
    """

    def __init__(
        self, module: ModuleOp, tensors: Mapping[str, Tensor], ir: Callable[[], Mapping[str, str]]
    ) -> None:
        found = symbols_of(module)
        (self._workload,) = found.workloads.values()
        self._kernels = found.kernels
        self._tensors = tensors
        self._ir = ir
        self._failure: PtoError | None = None

    @property
    def name(self) -> str:
        return self._workload.symbol

    def execute(self, *, symbols: Mapping[str, int] | None = None) -> None:
        """Runs all tasks. What goes wrong is raised by synchronize(), as by other programs."""
        if self._failure is not None:
            raise ExecutionError("the program has failed: call synchronize() first")
        try:
            self._run(symbols or {})
        except PtoError as error:
            self._failure = error

    def _run(self, symbols: Mapping[str, int]) -> None:
        known = {symbol.symbol_name for symbol in self._workload.symbols}
        if unknown := sorted(symbols.keys() - known):
            raise ExecutionError(
                f"unknown symbol {unknown[0]!r}; the workload has {sorted(known) or 'none'}"
            )
        interpreter = Interpreter(self._kernels, self._tensors, symbols)
        interpreter.run(self._workload)
        for name in interpreter.written:
            self._tensors[name].has_values = True

    def synchronize(self) -> None:
        """Raises what went wrong in execute()."""
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    @property
    def is_complete(self) -> bool:
        """True: execute() returns when all is done."""
        return True

    def ir(self, dialect: str = "module") -> str:
        """The final module, or its part in one dialect: `tile`, `task` or `schedule`."""
        texts = self._ir()
        if dialect not in texts:
            raise PtoError(f"expected one of {', '.join(texts)}, found {dialect!r}")
        return texts[dialect]
