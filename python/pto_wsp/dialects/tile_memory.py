"""The `tile` dialect's ops that touch memory: loads and stores of boxes, or of rows by number."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence, Set
from typing import cast

from typing_extensions import Self
from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr, IndexType, f64, i32
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.ir.affine import AffineConstantExpr, AffineExpr
from xdsl.irdl import (
    AttrSizedOperandSegments,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import EffectInstance, MemoryEffect, MemoryEffectKind
from xdsl.utils.exceptions import VerifyException

from pto_wsp.dialects.dtypes import is_float
from pto_wsp.dialects.indices import IndexLike, index_map, verify_index_map
from pto_wsp.dialects.syntax import (
    CustomSyntax,
    parse_index_list,
    parse_value,
    print_index_list,
)
from pto_wsp.dialects.tile_loops import index_range, is_dynamic
from pto_wsp.dialects.tile_types import RefType, Role, RoleAttr, Shape, SpaceAttr, TileType
from pto_wsp.dialects.tile_values import parse_type, print_type, tile_type, verify_in_range


class _ReadsRef(MemoryEffect):
    @classmethod
    def get_effects(cls, op: Operation) -> Set[EffectInstance]:
        assert isinstance(op, LoadOp)
        return {EffectInstance(MemoryEffectKind.READ, op.ref)}


class _WritesRef(MemoryEffect):
    @classmethod
    def get_effects(cls, op: Operation) -> Set[EffectInstance]:
        assert isinstance(op, StoreOp)
        return {EffectInstance(MemoryEffectKind.WRITE, op.ref)}


def _role_of(ref: SSAValue) -> Role | None:
    block = ref.owner
    kernel = block.parent_op() if isinstance(block, Block) else None
    roles = None if kernel is None else kernel.properties.get("roles")
    if not isinstance(block, Block) or not isinstance(roles, ArrayAttr):
        return None
    given = cast("ArrayAttr[Attribute]", roles).data
    index = block.args.index(ref)
    role = given[index] if index < len(given) else None
    return role.data if isinstance(role, RoleAttr) else None


def ref_type(value: SSAValue) -> RefType:
    """The type of a kernel's parameter; raises `VerifyException` for any other value."""
    if not isinstance(value.type, RefType):
        raise VerifyException(f"expected a kernel's parameter, got a value of type {value.type}")
    return value.type


class AccessOp(CustomSyntax, ABC):
    """A load or store of a box: the offsets of its corner, or the numbers of its rows."""

    map_attr = prop_def(AffineMapAttr, prop_name="offsets")
    ref = operand_def(RefType)
    indices = var_operand_def(IndexType())
    rows = opt_operand_def(TileType)
    """An Nx1 tile of i32: row i of the box is this row of the parameter."""

    irdl_options = (AttrSizedOperandSegments(as_property=True),)

    @property
    def offsets(self) -> tuple[AffineExpr, AffineExpr]:
        """Row and column of the corner, over one symbol per element of `indices`."""
        row, col = self.map_attr.data.results
        return row, col

    @property
    def corner(self) -> Shape | None:
        """Row and column of the corner where they are numbers; None where a loop moves it."""
        row, col = self.offsets
        if isinstance(row, AffineConstantExpr) and isinstance(col, AffineConstantExpr):
            return row.value, col.value
        return None

    @property
    def is_checked(self) -> bool:
        """True where a run has to test that the box lies in the parameter."""
        if self.rows is not None or not is_dynamic(self.indices):
            return False
        rows, cols = self.box_shape
        bounds = ref_type(self.ref).shape
        row, col = (index_range(offset, self.indices) for offset in self.offsets)
        return (
            min(row.low, col.low) < 0 or row.high + rows > bounds[0] or col.high + cols > bounds[1]
        )

    @property
    @abstractmethod
    def box_shape(self) -> Shape:
        """Rows and columns of what is loaded or stored."""

    def verify_box(self, box: TileType) -> None:
        """Raises `VerifyException` unless the box lies in the parameter, as far as is known."""
        bounds = ref_type(self.ref).shape
        offsets = self.map_attr.data
        if len(offsets.results) != 2:
            raise VerifyException(f"a box has two offsets, got {len(offsets.results)}")
        verify_index_map(offsets, self.indices)
        row, col = (index_range(offset, self.indices) for offset in self.offsets)
        if self.rows is None and is_dynamic(self.indices):
            # Of all places where it may begin, the one that lies best; a run tests what it meets.
            best = [min(max(0, found.low), found.high) for found in (row, col)]
            verify_in_range(best, box.shape, bounds)
            return
        if self.rows is None:
            verify_in_range((row.low, col.low), box.shape, bounds)
            verify_in_range((row.high, col.high), box.shape, bounds)
            return
        numbers = tile_type(self.rows)
        if numbers != TileType((box.rows, 1), i32):
            raise VerifyException(
                f"the numbers of {box.rows} rows are {box.rows}x1xi32, got {numbers.short}"
            )
        if (row.low, row.high) != (0, 0):
            raise VerifyException("rows are chosen by number, or a box begins at one: not both")
        verify_in_range((0, col.low), (1, box.cols), bounds)
        verify_in_range((0, col.high), (1, box.cols), bounds)

    def print_place(self, printer: Printer) -> None:
        printer.print_string(" at ")
        print_index_list(printer, self.map_attr.data, self.indices)
        if self.rows is not None:
            printer.print_string(" rows(")
            printer.print_ssa_value(self.rows)
            printer.print_string(")")


def box_expected(op: AccessOp, axis: int) -> str:
    """What a run says of a box that leaves its parameter, down to the number it found."""
    block = op.ref.owner
    kernel = block.parent_op() if isinstance(block, Block) else None
    names = None if kernel is None else kernel.properties.get("names")
    name = "a parameter"
    if isinstance(block, Block) and isinstance(names, ArrayAttr):
        name = f"{names.data[block.args.index(op.ref)].data!r}"  # pyright: ignore
    line, lines = ("row", "rows") if axis == 0 else ("column", "columns")
    bound = ref_type(op.ref).shape[axis]
    last = bound - op.box_shape[axis]
    what = op.name.removeprefix("tile.")
    return (
        f"tl.{what}: the first {line} of a box: expected 0 to {last}, of {bound} {lines} of {name}"
    )


def parse_place(
    parser: Parser,
) -> tuple[AffineMapAttr, Sequence[SSAValue], Sequence[SSAValue]]:
    """`at [%k * 64, 0] rows(%i)`: offsets, their operands, and the row numbers if there are any."""
    offsets, indices = index_map((0, 0), ()), ()
    if parser.parse_optional_keyword("at") is not None:
        parsed, indices = parse_index_list(parser)
        offsets = AffineMapAttr(parsed)
    rows: list[SSAValue] = []
    if parser.parse_optional_keyword("rows") is not None:
        with parser.in_parens():
            rows.append(parse_value(parser))
    return offsets, indices, rows


@irdl_op_definition
class LoadOp(AccessOp):
    """Reads a box of a parameter: `%0 = tile.load %x at [0, 128] : 32x64xf16`.

    With `rows(%i)` the rows of these numbers, one after the other.
    """

    name = "tile.load"

    space = opt_prop_def(SpaceAttr)
    result = result_def(TileType)

    traits = traits_def(_ReadsRef())

    def __init__(
        self,
        ref: SSAValue,
        offsets: Sequence[IndexLike] = (0, 0),
        extents: Shape | None = None,
        indices: Sequence[SSAValue] = (),
        rows: SSAValue | None = None,
    ):
        source = ref_type(ref)
        result = TileType(source.shape if extents is None else extents, source.element_type)
        super().__init__(
            operands=[ref, indices, rows],
            properties={"offsets": index_map(offsets, indices)},
            result_types=[result],
        )

    @property
    def type(self) -> TileType:
        """The result's type."""
        return self.result.type

    @property
    def box_shape(self) -> Shape:
        return self.type.shape

    def verify_(self) -> None:
        source = ref_type(self.ref)
        if self.type.element_type != source.element_type:
            raise VerifyException(
                f"a load keeps the dtype {source.element_type}, declared as {self.type.short};"
                " use tile.cast"
            )
        self.verify_box(self.type)

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        ref = parse_value(parser)
        offsets, indices, rows = parse_place(parser)
        result, placement = parse_type(parser)
        op = cls.build(
            operands=[ref, indices, rows],
            properties={"offsets": offsets},
            result_types=[result],
        )
        op.properties.update(placement)
        return op

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.ref)
        self.print_place(printer)
        print_type(printer, self.type, self.space)


@irdl_op_definition
class StoreOp(AccessOp):
    """Writes a box of a parameter, rounded to its dtype: `tile.store %0, %y at [0, 128]`.

    With `rows(%i)` to the rows of these numbers, in order: of equal numbers the last one stays.
    """

    name = "tile.store"

    value = operand_def(TileType)

    traits = traits_def(_WritesRef())

    def __init__(
        self,
        value: SSAValue,
        ref: SSAValue,
        offsets: Sequence[IndexLike] = (0, 0),
        indices: Sequence[SSAValue] = (),
        rows: SSAValue | None = None,
    ):
        super().__init__(
            operands=[value, ref, indices, rows],
            properties={"offsets": index_map(offsets, indices)},
        )

    @property
    def box_shape(self) -> Shape:
        return tile_type(self.value).shape

    def verify_(self) -> None:
        value, target = tile_type(self.value), ref_type(self.ref)
        both_float = is_float(value.element_type) and is_float(target.element_type)
        both_narrow = both_float and f64 not in (value.element_type, target.element_type)
        if value.element_type != target.element_type and not both_narrow:
            raise VerifyException(
                f"a store rounds floats of up to 32 bits only: {value.short} does not go into"
                f" {target.short}; use tile.cast"
            )
        if _role_of(self.ref) is Role.IN:
            raise VerifyException("the parameter is `in`: only `out` and `inout` can be stored to")
        self.verify_box(value)

    @classmethod
    def parse_syntax(cls, parser: Parser) -> Self:
        value = parse_value(parser)
        parser.parse_punctuation(",")
        ref = parse_value(parser)
        offsets, indices, rows = parse_place(parser)
        return cls.build(operands=[value, ref, indices, rows], properties={"offsets": offsets})

    def print_syntax(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list((self.value, self.ref), printer.print_ssa_value)
        self.print_place(printer)
