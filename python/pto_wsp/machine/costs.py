"""What kernels cost on a machine, and why: from their fragments, without building anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from pto_wsp import _core
from pto_wsp.dialects import tile
from pto_wsp.dialects.dtypes import dtype_info
from pto_wsp.dialects.locations import file_line_col
from pto_wsp.machine import Machine


def kernel_reports(module: ModuleOp, machine: Machine) -> Iterator[_core.KernelReport]:
    """Of each kernel, in order, once `tile-infer-unit` and `tile-fragments` have run. Raises
    MachineError for a kernel that has no cost on the machine, with the op and the sizes."""
    for kernel in module.walk():
        if isinstance(kernel, tile.KernelOp) and kernel.fragments is not None:
            assert kernel.unit is not None
            fragments = [_row(fragment) for fragment in kernel.fragments]
            loops = [_place(loop) for loop in kernel.dynamic_loops]
            report = machine.kernel_report(
                kernel.symbol, _place(kernel), kernel.unit, fragments, loops
            )
            if kernel.cost is not None:
                report["given"] = kernel.cost
            yield report


def costs_text(reports: Sequence[_core.KernelReport], machine: Machine) -> str:
    """A paragraph per kernel: its cycles, then pipes, buffers and the roofline."""
    clock = machine.amount("clock")
    return "\n".join("\n".join(_lines(report, clock)) + "\n" for report in reports)


def _row(fragment: tile.FragmentAttr) -> _core.Fragment:
    dtype = dtype_info(fragment.element_type).name
    shape, trips = fragment.shape, fragment.trips.data
    loops = [loop.data for loop in fragment.loops]
    parameter = fragment.parameter.data
    return (
        fragment.op.data,
        fragment.pipe.data,
        dtype,
        shape,
        fragment.bytes,
        trips,
        loops,
        parameter,
    )


def _place(op: Operation) -> str:
    location = file_line_col(op.location)
    return f"{location.filename.data}:{location.line.data}" if location else "?"


def _lines(report: _core.KernelReport, clock: int) -> Iterator[str]:
    phases = report["load"], report["compute"], report["store"]
    cycles = sum(phases)
    yield (
        f"{report['name']} ({report['location']}), {report['unit']}: {cycles} cycles, "
        f"{cycles / clock * 1e6:.3f} us "
        f"(load {phases[0]}, compute {phases[1]}, store {phases[2]}); bound by {report['bound_by']}"
        + ("; without the trips of its dynamic loops" if report["loops"] else "")
    )
    if given := report.get("given"):
        yield f"  takes {given} instead, as its cost is given"
    yield f"  {'pipe':<10} {'cycles':>12} {'busy':>7} {'bytes':>14} {'bytes/cycle':>12}"
    for pipe in report["pipes"]:
        moved = pipe["bytes"]
        rate = f"{moved / pipe['cycles']:.1f}" if moved else "-"
        yield (
            f"  {pipe['name']:<10} {pipe['cycles']:>12} {pipe['cycles'] / cycles:>7.1%} "
            f"{moved or '-':>14} {rate:>12}"
        )
    if report["borrowed_vector"]:
        yield f"  {report['borrowed_vector']} cycles of the paired vector cores"
    yield f"  {'buffer':<10} {'used':>12} {'size':>14} {'':>7}"
    for buffer in report["buffers"]:
        used, size = buffer["used"], buffer["size"]
        yield f"  {buffer['name']:<10} {used:>12} {size:>14} {used / size:>7.1%}"
    yield from _roofline(report, cycles)
    for loop in report["loops"]:
        yield (
            f"  and per trip of the loop at {loop['location']}: {loop['cycles']:.1f} cycles,"
            f" {loop['bytes']} bytes, {loop['moved_bytes']} moved; {loop['operations']} operations"
        )


def _roofline(report: _core.KernelReport, cycles: int) -> Iterator[str]:
    operations, count = report["operations"], report["bytes"]
    intensity = f"{operations / count:.2f} per byte" if count else "no bytes"
    yield (
        f"  global memory: {count} bytes, each once; {report['moved_bytes']} moved. "
        f"{operations} operations, {intensity}"
    )
    roofline = report["roofline"]
    times = f"; {cycles / roofline:.2f} times that" if roofline else ""
    yield f"  roofline of the core: {roofline} cycles{times}"
