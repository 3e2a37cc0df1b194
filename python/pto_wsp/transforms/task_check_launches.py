"""`task-check-launches`: kernels, workloads and plans fit together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass

from pto_wsp.dialects.locations import where
from pto_wsp.dialects.syntax import join
from pto_wsp.dialects.task import LaunchOp, RandomAttr, tensor_type
from pto_wsp.dialects.tile import KernelOp, Parameter, Role
from pto_wsp.transforms.analysis.symbols import Symbols, symbols
from pto_wsp.transforms.analysis.tensor_uses import tensor_of
from pto_wsp.transforms.diagnostics import Diagnostics


@dataclass(frozen=True)
class TaskCheckLaunchesPass(ModulePass):
    """Changes nothing; reports every launch and plan that does not fit what it names."""

    name = "task-check-launches"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        errors = Diagnostics()
        table = symbols(op)
        for launch in op.walk():
            if isinstance(launch, LaunchOp):
                _check_launch(launch, table, errors)
        for plan in table.plans.values():
            if plan.workload not in table.workloads:
                known = ", ".join(f"@{name}" for name in table.workloads) or "none"
                errors.error(
                    plan, f"@{plan.symbol}: there is no workload @{plan.workload}; known: {known}"
                )
        errors.raise_if_any()


def _check_launch(launch: LaunchOp, table: Symbols, errors: Diagnostics) -> None:
    kernel = table.kernels.get(launch.kernel)
    if kernel is None:
        known = ", ".join(f"@{name}" for name in table.kernels) or "none"
        errors.error(launch, f"there is no kernel @{launch.kernel}; known: {known}")
        return
    if len(kernel.numbers) != len(launch.numbers):
        names = ", ".join(number.title.data for number in kernel.numbers) or "none"
        errors.error(
            launch,
            f"@{kernel.symbol} takes {len(kernel.numbers)} numbers ({names}),"
            f" got {len(launch.numbers)}",
        )
    given = {Role.IN: launch.ins, Role.OUT: launch.outs, Role.INOUT: launch.inouts}
    for role, values in given.items():
        parameters = [parameter for parameter in kernel.parameters if parameter.role is role]
        if len(parameters) != len(values):
            names = ", ".join(parameter.name for parameter in parameters) or "none"
            errors.error(
                launch,
                f"@{kernel.symbol} takes {len(parameters)} {role} operands ({names}),"
                f" got {len(values)}",
            )
            continue
        for parameter, value in zip(parameters, values, strict=True):
            _check_operand(launch, kernel, parameter, value, errors)


def _check_operand(
    launch: LaunchOp,
    kernel: KernelOp,
    parameter: Parameter,
    value: SSAValue,
    errors: Diagnostics,
) -> None:
    region, tile = tensor_type(value), parameter.type
    tensor = tensor_of(value)
    context = f'@{kernel.symbol}: {parameter.name} gets a region of tensor "{tensor.tensor_name}"'
    declared = where(kernel)
    seen = f" (the kernel is declared at {declared})" if declared else ""
    if region.element_type != tile.element_type:
        errors.error(
            launch,
            f"{context} of {region.element_type}, expected {tile.element_type}{seen}",
        )
    if without_units(region.shape) != without_units(tile.shape):
        errors.error(
            launch,
            f"{context} of shape {join(region.shape, 'x')}, expected {join(tile.shape, 'x')}"
            f" up to axes of extent 1{seen}",
        )
    if parameter.role is not Role.IN and isinstance(tensor.source, RandomAttr):
        errors.error(
            launch,
            f"{context}, which is procedural and cannot be written; use Tensor.empty",
        )


def without_units(shape: Sequence[int]) -> tuple[int, ...]:
    """The extents that are not 1."""
    return tuple(extent for extent in shape if extent != 1)
