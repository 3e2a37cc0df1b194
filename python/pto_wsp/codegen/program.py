"""`task.workload` to C++: tensors, symbols and launch sites as tables, loops as a function."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import SSAValue

from pto_wsp.codegen.keys import DECLARATION
from pto_wsp.codegen.orchestration import emit_run
from pto_wsp.codegen.writer import Writer, place, quoted
from pto_wsp.dialects import task, tile
from pto_wsp.dialects.dtypes import dtype_info


def emit_program(
    out: Writer,
    workload: task.WorkloadOp,
    launches: Sequence[task.LaunchOp],
    kernels: Sequence[tile.KernelOp],
) -> None:
    """Writes the tables, `run`, and the program's entry."""
    _emit_tensors(out, workload.tensors)
    _emit_symbols(out, workload.symbols)
    _emit_sites(out, launches, [kernel.symbol for kernel in kernels])
    emit_run(out, workload, kernels, launches)
    out.line(DECLARATION)
    with out.block("static const pto_program program =", "};"):
        out.line(f"PTO_ABI_VERSION, {quoted(workload.symbol)},")
        out.line(f"{len(kernels)}, kernels, {len(workload.tensors)}, tensors,")
        symbols = f"{len(workload.symbols)}, {'symbols' if workload.symbols else 'nullptr'}"
        out.line(f"{symbols}, {len(launches)}, sites, pto_key_count, pto_keys, run,")
    out.line('extern "C" __attribute__((visibility("default")))')
    out.line("const pto_program* pto_program_entry(void) {")
    out.line("  return &program;")
    out.line("}")


# ---- Tables ------------------------------------------------------------------------------------


def _emit_tensors(out: Writer, tensors: Sequence[task.TensorOp]) -> None:
    with out.block("static const pto_tensor tensors[] =", "};"):
        for tensor in tensors:
            never_read = int(not _is_read_by_workload(tensor.result))
            assert tensor.role is not None, "task-classify-tensors has run"
            shape = tensor.type.shape
            fields = (
                quoted(tensor.tensor_name),
                quoted(place(tensor)),
                dtype_info(tensor.type.element_type).abi,
                *_source(tensor.source, f"PTO_{tensor.role.upper()}", shape),
                str(never_read),
            )
            out.line(f"{{{', '.join(fields)}}},")
    out.line()


def _emit_symbols(out: Writer, symbols: Sequence[task.SymbolOp]) -> None:
    if not symbols:
        return
    with out.block("static const pto_symbol symbols[] =", "};"):
        for symbol in symbols:
            default = 0 if symbol.default is None else symbol.default
            numbers = (symbol.least, symbol.most, int(symbol.default is not None), default)
            fields = (quoted(symbol.symbol_name), quoted(place(symbol)), *map(str, numbers))
            out.line(f"{{{', '.join(fields)}}},")
    out.line()


def _is_read_by_workload(value: SSAValue) -> bool:
    """Does anything but tasks use the tensor or view?"""
    users = [use.operation for use in value.uses]
    views = [user.result for user in users if isinstance(user, task.ViewOp)]
    return not all(isinstance(user, task.ViewOp | task.LaunchOp) for user in users) or any(
        _is_read_by_workload(view) for view in views
    )


def _source(source: task.Source | None, role: str, shape: Sequence[int]) -> tuple[str, ...]:
    """The fields of pto_tensor from `source` on."""
    kind, seed, parameter, values, groups, kept = "PTO_SOURCE_NONE", 0, 0.0, 0, 1, 1
    match source:
        case task.MemoryAttr():
            kind = "PTO_SOURCE_MEMORY"
        case task.RandomAttr():
            kind, seed, parameter = "PTO_SOURCE_RANDOM", source.seed, source.scale
        case task.ZipfAttr():
            kind, seed, parameter = "PTO_SOURCE_ZIPF", source.seed, source.exponent
            values, groups, kept = source.values, source.groups, source.kept_groups
        case None:
            pass
    extents = ", ".join(map(str, shape))
    numbers = (values, groups, kept)
    return (
        kind,
        role,
        str(len(shape)),
        f"{{{extents}}}",
        f"{seed}u",
        repr(parameter),
        *map(str, numbers),
    )


def _emit_sites(out: Writer, launches: Sequence[task.LaunchOp], kernels: Sequence[str]) -> None:
    for number, launch in enumerate(launches):
        names = ", ".join(quoted(name) for name in launch.axes) or "nullptr"
        out.line(f"static const char* const axes_{number}[] = {{{names}}};")
    with out.block("static const pto_site sites[] =", "};"):
        for number, launch in enumerate(launches):
            kernel, checked = kernels.index(launch.kernel), int(launch.checked is not None)
            out.line(
                f"{{{kernel}, {quoted(place(launch))}, {len(launch.axes)}, "
                f"axes_{number}, {checked}}},"
            )
    out.line()
