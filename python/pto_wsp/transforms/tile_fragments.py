"""`tile-fragments`: every kernel's ops as the cost model reads them."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, ModuleOp
from xdsl.passes import ModulePass

from pto_wsp.dialects.tile import FragmentAttr, KernelOp
from pto_wsp.transforms.analysis.kernel_fragments import Fragment, kernel_fragments


@dataclass(frozen=True)
class TileFragmentsPass(ModulePass):
    """Sets `fragments`; the engine makes cycles of them and a machine profile."""

    name = "tile-fragments"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for kernel in op.walk():
            if isinstance(kernel, KernelOp):
                fragments = [_attribute(fragment) for fragment in kernel_fragments(kernel)]
                kernel.fragment_list = ArrayAttr(fragments)


def _attribute(fragment: Fragment) -> FragmentAttr:
    return FragmentAttr(
        fragment.op,
        fragment.shape,
        fragment.element_type,
        fragment.bytes,
        fragment.pipe,
        fragment.trips,
        fragment.loops,
        fragment.parameter,
    )
