"""A kernel as the cost model sees it: its ops with shapes, dtypes, bytes and pipes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from xdsl.ir import Operation, SSAValue, TypeAttribute

from pto_wsp.dialects.dtypes import dtype_info
from pto_wsp.dialects.tile import (
    ArgmaxOp,
    CastOp,
    CompareOp,
    ConstantOp,
    CumsumOp,
    DebugOp,
    ForOp,
    FusedOp,
    KernelOp,
    LoadOp,
    MatmulOp,
    NumberOp,
    OrderOp,
    Pipe,
    ReductionOp,
    RefType,
    ReshapeOp,
    Role,
    SliceOp,
    StoreOp,
    TileType,
    ValueOp,
    YieldOp,
    tile_type,
)


@dataclass(frozen=True)
class Fragment:
    """One op: m x k x n for a matmul, else rows x 1 x columns of the elements it works on."""

    op: str
    shape: tuple[int, int, int]
    element_type: TypeAttribute
    bytes: int
    """Moved from or to global memory; 0 for compute."""
    pipe: Pipe
    trips: int = 1
    loops: tuple[int, ...] = ()
    """The kernel's dynamic loops around it: their trips multiply."""
    parameter: int = -1
    """Of a transfer: the parameter that it moves to or from."""


def kernel_fragments(kernel: KernelOp) -> tuple[Fragment, ...]:
    """The fragments of a kernel in program order.

    What costs nothing has none: constants, numbers of loops, what is printed, and slices of stride
    1 and other shapes, which are addresses. What a loop runs has as many trips as the loop, or is
    in it, by its number, where the kernel's numbers decide.
    """
    if kernel.cpp is not None:
        return tuple(_transfers(kernel))
    return tuple(_Walk(kernel).fragments(kernel.body.block.ops, 1, ()))


def _transfers(kernel: KernelOp) -> Iterator[Fragment]:
    """What a body of C++ moves: every parameter whole."""
    for role, pipe, name in ((Role.OUT, Pipe.LOAD, "load"), (Role.IN, Pipe.STORE, "store")):
        for number, parameter in enumerate(kernel.parameters):
            if parameter.role is not role:
                box, element = parameter.type, parameter.type.element_type
                yield _transfer(name, TileType(box.extents, element), element, pipe, number)


class _Walk:
    def __init__(self, kernel: KernelOp) -> None:
        self._loops = {loop: number for number, loop in enumerate(kernel.dynamic_loops)}
        arguments = kernel.body.block.args
        self._parameters: dict[SSAValue, int] = {ref: i for i, ref in enumerate(arguments)}

    def fragments(
        self, ops: Iterable[Operation], trips: int, loops: tuple[int, ...]
    ) -> Iterator[Fragment]:
        for op in ops:
            if isinstance(op, FusedOp):
                yield from self.fragments(op.ops, trips, loops)
            elif isinstance(op, ForOp):
                dynamic = op.numbers is None
                times = 1 if op.numbers is None else len(op.numbers)
                inner = (*loops, self._loops[op]) if dynamic else loops
                yield from self.fragments(op.body.block.ops, trips * times, inner)
            elif (fragment := self._fragment(op)) is not None:
                yield replace(fragment, trips=trips, loops=loops)

    def _fragment(self, op: Operation) -> Fragment | None:
        match op:
            case LoadOp():
                moved, element, pipe = op.type, op.type.element_type, Pipe.LOAD
            case StoreOp():
                assert isinstance(op.ref.type, RefType)
                moved, element, pipe = tile_type(op.value), op.ref.type.element_type, Pipe.STORE
            case _:
                return _computation(op)
        name = op.name.removeprefix("tile.")
        return _transfer(name, moved, element, pipe, self._parameters[op.ref])


def _computation(op: Operation) -> Fragment | None:
    name = op.name.removeprefix("tile.")
    match op:
        case MatmulOp():
            element_type = tile_type(op.lhs).element_type
            return Fragment(name, op.shape, element_type, 0, Pipe.CUBE)
        case ConstantOp() | DebugOp() | NumberOp() | ReshapeOp() | YieldOp():
            return None
        case SliceOp() if op.strides == (1, 1):
            return None
        case CumsumOp() if op.axis.data == 0:
            # Down the columns it is one addition per element, along a row a scan.
            return _vector("cumsum_down", op.type)
        case OrderOp() | ReductionOp() | ArgmaxOp():
            return _vector(name, tile_type(op.source))
        case CastOp():
            return _vector(name, max(tile_type(op.source), op.type, key=lambda type: type.bytes))
        case CompareOp():
            element_type = tile_type(op.lhs).element_type
            return _vector(name, TileType(op.type.extents, element_type))
        case ValueOp():
            return _vector(name, op.type)
        case _:
            raise AssertionError(f"no fragment for {op.name}")


def _transfer(
    name: str, box: TileType, element_type: TypeAttribute, pipe: Pipe, parameter: int
) -> Fragment:
    size = box.rows * box.cols * dtype_info(element_type).bytes
    shape = (box.rows, 1, box.cols)
    return Fragment(name, shape, element_type, size, pipe, parameter=parameter)


def _vector(name: str, worked_on: TileType) -> Fragment:
    shape = (worked_on.rows, 1, worked_on.cols)
    return Fragment(name, shape, worked_on.element_type, 0, Pipe.VECTOR)
