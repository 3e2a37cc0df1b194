"""The `task` dialect's views: boxes of tensors."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import Self
from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr, IndexType, IntAttr
from xdsl.interfaces import HasCanonicalizationPatternsInterface
from xdsl.ir import SSAValue
from xdsl.ir.affine import AffineExpr
from xdsl.irdl import (
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.pattern_rewriter import RewritePattern
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from pto_wsp.dialects.indices import IndexLike, index_map, verify_index_map
from pto_wsp.dialects.syntax import (
    CustomSyntax,
    ints,
    join,
    parse_index_list,
    parse_ints,
    parse_value,
    print_index_list,
)
from pto_wsp.dialects.task_types import (
    TensorType,
    tensor_type,
)


@irdl_op_definition
class ViewOp(HasCanonicalizationPatternsInterface, CustomSyntax):
    """A box of a tensor or view, of the same rank: `%v = task.view %t[%b, %s * 32] [1, 32]`."""

    name = "task.view"

    source = operand_def(TensorType)
    map_attr = prop_def(AffineMapAttr, prop_name="offsets")
    extent_list = prop_def(ArrayAttr[IntAttr], prop_name="extents")
    indices = var_operand_def(IndexType())
    result = result_def(TensorType)

    traits = traits_def(Pure())

    def __init__(
        self,
        source: SSAValue,
        offsets: Sequence[IndexLike],
        extents: Sequence[int],
        operands: Sequence[SSAValue] = (),
    ):
        """`offsets` are numbers or expressions over symbols; symbol i stands for `operands[i]`."""
        super().__init__(
            operands=[source, operands],
            properties={"offsets": index_map(offsets, operands), "extents": ints(extents)},
            result_types=[TensorType(ints(extents), tensor_type(source).element_type)],
        )

    @property
    def offsets(self) -> tuple[AffineExpr, ...]:
        """An expression per axis, over one symbol per element of `indices`."""
        return self.map_attr.data.results

    @property
    def extents(self) -> tuple[int, ...]:
        return tuple(extent.data for extent in self.extent_list)

    @property
    def type(self) -> TensorType:
        return self.result.type

    def verify_(self) -> None:
        source = tensor_type(self.source)
        verify_index_map(self.map_attr.data, self.indices)
        if not len(self.offsets) == len(self.extents) == source.rank:
            raise VerifyException(
                f"an offset and an extent per axis of {source.short},"
                f" got {len(self.offsets)} and {len(self.extents)}"
            )
        for axis, (extent, bound) in enumerate(zip(self.extents, source.shape, strict=True)):
            if not 1 <= extent <= bound:
                raise VerifyException(f"axis {axis} has {bound} elements, the view {extent}")
        if self.type != TensorType(self.extent_list, source.element_type):
            raise VerifyException(
                f"a view of {join(self.extents, 'x')} of {source.short} is not a {self.type.short}"
            )

    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        from pto_wsp.transforms.canonicalization_patterns.task import (
            ComposeViews,
            DropWholeView,
            FoldIndexIntoView,
        )

        return (FoldIndexIntoView(), ComposeViews(), DropWholeView())

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        start = parser.pos
        source = parse_value(parser)
        if not isinstance(source.type, TensorType):
            parser.raise_error("a view is of a tensor or view", start, parser.pos)
        offsets, operands = parse_index_list(parser)
        extents = ints(parse_ints(parser, parser.Delimiter.SQUARE))
        try:
            result = TensorType(extents, source.type.element_type)
        except VerifyException as error:
            parser.raise_error(str(error), start, parser.pos)
        return cls.create(
            operands=[source, *operands],
            properties={"offsets": AffineMapAttr(offsets), "extents": extents},
            result_types=[result],
        )

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.source)
        print_index_list(printer, self.map_attr.data, self.indices)
        printer.print_string(f" [{join(self.extents)}]")
