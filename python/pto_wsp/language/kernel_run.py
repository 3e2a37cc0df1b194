"""Kernel.run: the Python body on numbers, line by line."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, Region, SSAValue

from pto_wsp.dialects import tile
from pto_wsp.dialects.dtypes import dtype_named
from pto_wsp.dialects.tile import RefType
from pto_wsp.language.index import Index
from pto_wsp.language.kernel_trace import KernelTrace, Ref, tracing
from pto_wsp.language.parameters import ParameterSpec, ScalarSpec
from pto_wsp.language.source import fail
from pto_wsp.reference.kernels import KernelState


class EagerTrace(KernelTrace):
    """Computes each op when it is inserted."""

    is_eager = True

    def __init__(
        self, block: Block, folder: str, memory: Mapping[SSAValue, NDArray[Any]], run: str
    ) -> None:
        super().__init__(block, folder)
        self._state = KernelState(run)
        self._state.values |= memory

    def numbers(self, value: SSAValue) -> NDArray[Any] | None:
        return self._state.values.get(value)

    def insert(self, op: Operation) -> Operation:
        inserted = super().insert(op)
        self._state.run(inserted)
        return inserted


def run_body(
    function: Callable[..., Any],
    parameters: Mapping[str, ParameterSpec],
    scalars: Mapping[str, ScalarSpec],
    folder: str,
    given: Mapping[str, Any],
) -> dict[str, NDArray[Any]]:
    """Runs a kernel's function; gives what its Out and InOut parameters hold."""
    types = {name: _type(spec) for name, spec in parameters.items()}
    block = Block(arg_types=list(types.values()))
    # Locations are looked up from ops to what is around them.
    kernel = ModuleOp(Region(block))
    memory = {name: _memory(name, spec, given) for name, spec in parameters.items()}
    arguments = dict(zip(parameters, block.args, strict=True))
    by_argument: dict[SSAValue, NDArray[Any]] = {arguments[name]: memory[name] for name in memory}
    name = f"{function.__name__}.run"
    trace = EagerTrace(kernel.body.block, folder, by_argument, name)
    refs = {name: Ref(name, spec, arguments[name]) for name, spec in parameters.items()}
    numbers = {name: _number(name, spec, given[name]) for name, spec in scalars.items()}
    with tracing(trace):
        function(**refs, **numbers)
    return {name: memory[name] for name, spec in parameters.items() if spec.role != "in"}


def _type(spec: ParameterSpec) -> RefType:
    return tile.RefType((spec.tile.rows, spec.tile.cols), dtype_named(spec.tile.dtype.value).type)


def _number(name: str, spec: ScalarSpec, given: Any) -> Index:
    if isinstance(given, bool) or not hasattr(given, "__index__"):
        fail(f"run: number {name!r} is an integer, found {given!r}")
    number = operator.index(given)
    if not spec.least <= number <= spec.most:
        fail(f"run: number {name!r}: expected {spec.least} to {spec.most}, found {number}")
    return Index({}, number, name=name)


def _memory(name: str, spec: ParameterSpec, given: Mapping[str, Any]) -> NDArray[Any]:
    """A copy of what is given for a parameter, rows x columns; zeros for an Out one."""
    shape, dtype = (spec.tile.rows, spec.tile.cols), spec.tile.dtype.numpy
    if spec.role == "out":
        return np.zeros(shape, dtype)
    array = np.asarray(given[name].numpy() if hasattr(given[name], "numpy") else given[name])
    if tuple(n for n in array.shape if n != 1) != tuple(n for n in shape if n != 1):
        found = "x".join(map(str, array.shape))
        fail(f"run: parameter {name!r} is {spec.tile}, found an array of {found}")
    if array.dtype != dtype and not np.can_cast(array.dtype, dtype, "same_kind"):
        fail(f"run: parameter {name!r} is {spec.tile}, found an array of {array.dtype}")
    return np.array(array.reshape(shape), dtype)
