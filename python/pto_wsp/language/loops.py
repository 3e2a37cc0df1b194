"""`P`: the loops, selections and conditions of a workload; slots, the numbers that it keeps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from xdsl.ir import SSAValue

from pto_wsp.dialects import task
from pto_wsp.language.axes import AnyAxis, Axis, RaggedAxis, SparseAxis
from pto_wsp.language.conditions import branch
from pto_wsp.language.csp import pipe
from pto_wsp.language.csr import CSRRow
from pto_wsp.language.index import Condition, Index, Number, as_index
from pto_wsp.language.source import check_name, fail
from pto_wsp.language.tensor import Tensor, TensorView
from pto_wsp.language.tiles import TileIndex, tile_axis
from pto_wsp.language.workload_trace import WorkloadTrace, current_trace


class Loops:
    """`P(axis, ..)`: for all values of the axes, in any order in time; `P.seq`: one after the
    other; `P.sel`: for the numbers that a row of a tensor holds when the program runs."""

    def __call__(self, *axes: AnyAxis) -> Iterator[Any]:
        """`for b, s in P(batch, tiles):` the last axis runs fastest; one axis gives one index."""
        return _loop(task.ParallelOp, axes, "P")

    def seq(self, *axes: AnyAxis) -> Iterator[Any]:
        """Like P(..), but each iteration waits for the one before it."""
        return _loop(task.SeqOp, axes, "P.seq")

    def sel(self, row: TensorView | Tensor | CSRRow, *, name: str | None = None) -> Iterator[Index]:
        """`for e in P.sel(chosen[b, t]):` one iteration per element of an integer row, or of a row
        of a CSR.

        The orchestrator waits for the tasks that write the row. `e.position` is the element's place
        in the row, for a CSR `e.entry` the place among all indices; `name` is the axis name that
        tasks carry (default: the tensor's).
        """
        trace = current_trace("P.sel")
        with ExitStack() as stack:
            yield _select(trace, stack, row, name)

    def tiles(
        self, size: int | Number | Axis, tile: int, *, name: str = "tile"
    ) -> Iterator[TileIndex]:
        """`for t in P.tiles(seq, 32): .. x[t.rows]`: the tiles of `tile` elements of 0 .. size - 1.

        `t` is the tile's number, `t.start` its first element, `t.rows` its slice. The last tile may
        be a part: `P.when(t.is_whole)` tells.
        """
        return _tiles(task.ParallelOp, size, tile, name, "P.tiles")

    def seq_tiles(
        self, size: int | Number | Axis, tile: int, *, name: str = "tile"
    ) -> Iterator[TileIndex]:
        """Like P.tiles(..), but each tile waits for the one before it."""
        return _tiles(task.SeqOp, size, tile, name, "P.seq_tiles")

    def read(self, element: TensorView) -> Index:
        """An element of an integer tensor, read once: `n = P.read(lengths[b])`.

        The orchestrator waits for the tasks that write it.
        """
        if not isinstance(element, TensorView):  # pyright: ignore[reportUnnecessaryIsInstance]
            fail(f"P.read takes an element of a tensor, found {element!r}")
        return current_trace("P.read").read(element, "P.read")

    def pipe(self) -> AbstractContextManager[None]:
        """`with P.pipe():` the processes whose bodies are given inside are a pipeline: their tasks
        overlap in time, as far as channels have places and tokens. Declare them in the order in
        which tokens go through; values are as if each token went through alone."""
        return pipe()

    def when(self, condition: Condition) -> AbstractContextManager[None]:
        """`with P.when(i < n):` its tasks exist where the condition holds; `&`, `|` and `~` join
        conditions. `P.elsewhen` and `P.otherwise` may follow."""
        return branch("P.when", condition, follows=False)

    def elsewhen(self, condition: Condition) -> AbstractContextManager[None]:
        """Where this condition holds and none of the chain before it."""
        return branch("P.elsewhen", condition, follows=True)

    def otherwise(self) -> AbstractContextManager[None]:
        """Where no condition of the chain before it holds."""
        return branch("P.otherwise", None, follows=True)


P = Loops()


# ---- Slots -------------------------------------------------------------------------------------


def slot(name: str) -> Index:
    """The number in a slot as it is now: 0 until `slot_set` or `slot_load` puts another there.

    A slot is a number of 64 bits that the workload keeps while it runs, for loops and conditions;
    it is set in program order, whatever tasks do in time.
    """
    check_name("a slot", name)
    return current_trace("slot").slot_load(name)


def slot_set(name: str, value: int | Number) -> None:
    """Puts a number into a slot; beyond 2^40 it ends the run with an ExecutionError."""
    check_name("a slot", name)
    current_trace("slot_set").slot_store(name, as_index(value))


def slot_load(name: str, element: TensorView) -> None:
    """Puts an element of an integer tensor into a slot, once the tasks that write it are done."""
    check_name("a slot", name)
    trace = current_trace("slot_load")
    trace.slot_store(name, P.read(element))


# ---- Opening loops -----------------------------------------------------------------------------


def _loop(op: type[task.LoopOp], axes: Sequence[AnyAxis], what: str) -> Iterator[Any]:
    trace = current_trace(what)
    if not axes:
        fail(f"{what}(..) takes at least one axis")
    for axis in axes:
        if not isinstance(axis, AnyAxis):  # pyright: ignore[reportUnnecessaryIsInstance]
            fail(f'{what}(..) takes axes such as Dense[8]("tile"), found {axis!r}')
    with _Nest(trace, op, what) as nest:
        indices = nest.open(axes)
        yield indices[0] if len(indices) == 1 else indices


class _Nest(ExitStack):
    """The loops that one `for` of the user opens: as few as their lengths allow."""

    def __init__(self, trace: WorkloadTrace, op: type[task.LoopOp], what: str) -> None:
        super().__init__()
        self._trace = trace
        self._op = op
        self._what = what
        self._pending: list[tuple[Axis, AnyAxis]] = []
        self._indices: list[Index] = []

    def open(self, axes: Sequence[AnyAxis]) -> tuple[Index, ...]:
        for axis in axes:
            match axis:
                case Axis():
                    self._pending.append((axis, axis))
                case RaggedAxis():
                    row = axis.lengths[self._index_of(axis.outer, axis)]
                    self._pending.append((Axis(axis.name, row), axis))
                case SparseAxis():
                    self._open_sparse(axis)
        self._flush()
        return tuple(self._indices)

    def _index_of(self, outer: AnyAxis, inner: RaggedAxis | SparseAxis) -> Index:
        self._flush()
        if outer not in self._trace.open_axes:
            fail(
                f"axis {inner.name!r} depends on axis {outer.name!r}, which no loop around it runs"
                f" over: put the same axis into an outer loop or before it in {self._what}(..)"
            )
        return self._trace.open_axes[outer]

    def _flush(self) -> None:
        """Opens one loop over the axes that wait."""
        if not self._pending:
            return
        pending, self._pending = self._pending, []
        sizes = [_size(self._trace, axis) for axis, _ in pending]
        loop = self._op(sizes)
        self._trace.insert(loop)
        self.enter_context(self._trace.inside(loop.body.block))
        for (axis, declared), value in zip(pending, loop.induction_values, strict=True):
            value.name_hint = axis.name
            self._bind(declared, Index({value: 1}, name=axis.name))

    def _bind(self, axis: AnyAxis, index: Index) -> None:
        self._indices.append(index)
        before = self._trace.open_axes.get(axis)
        self._trace.open_axes[axis] = index
        self.callback(_restore, self._trace.open_axes, axis, before)

    def _open_sparse(self, axis: SparseAxis) -> None:
        row = axis.csr[self._index_of(axis.outer, axis)]
        if self._op is task.ParallelOp:
            self._bind(axis, _select(self._trace, self, row, axis.name))
            return
        # In order: a loop over the places of the row, and a read in each iteration.
        first, end = _bounds(self._trace, row)
        loop = self._op([self._trace.value_of(end - first, "a sparse axis")])
        loop.induction_values[0].name_hint = f"{axis.name}_position"
        self._trace.insert(loop)
        self.enter_context(self._trace.inside(loop.body.block))
        position = Index({loop.induction_values[0]: 1}, name="position")
        entry = first + position
        element = self._trace.read(row.csr.indices[entry], "a sparse axis")
        (value,) = element.values
        value.name_hint = axis.name
        self._bind(axis, Index({value: 1}, name=axis.name, position=position, entry=entry))


def _restore(open_axes: dict[object, Index], axis: object, before: Index | None) -> None:
    if before is None:
        del open_axes[axis]
    else:
        open_axes[axis] = before


def _size(trace: WorkloadTrace, axis: Axis) -> int | SSAValue:
    size = as_index(axis.size)
    known = size.constant
    if known is not None and known < 0:
        fail(f"axis {axis.name!r} has the length {known}: expected at least 0")
    return trace.value_of(size, f"the length of axis {axis.name!r}") if known is None else known


def _bounds(trace: WorkloadTrace, row: CSRRow) -> tuple[Index, Index]:
    """Where a row of a CSR begins and ends among all indices."""
    indptr = row.csr.indptr
    return trace.read(indptr[row.row], "a CSR's row"), trace.read(
        indptr[row.row + 1], "a CSR's row"
    )


def _select(
    trace: WorkloadTrace, stack: ExitStack, row: TensorView | Tensor | CSRRow, name: str | None
) -> Index:
    """Opens a selection; its element."""
    bounds: tuple[Index, ...] = ()
    view: object = row
    if isinstance(row, CSRRow):
        bounds = _bounds(trace, row)
        view = row.csr.indices[...]
    elif isinstance(row, Tensor):
        view = row[...]
    if not isinstance(view, TensorView):
        fail(f"P.sel takes a row of a tensor or of a CSR, found {row!r}")
    if view.dtype.is_float:
        fail(f"P.sel takes integers, tensor {view.tensor.name!r} is {view.dtype.value}")
    if sum(extent != 1 for extent in view.extents) > 1:
        fail(f"P.sel takes one row, found a region of {view.extents} of {view.tensor.name!r}")
    axis = view.tensor.name if name is None else name
    check_name("the axis of P.sel (name=, else the tensor's name)", axis)
    op = task.SelectOp(
        trace.view(view, "P.sel"), bounds=[trace.value_of(bound, "P.sel") for bound in bounds]
    )
    op.element.name_hint, op.position.name_hint = axis, "k"
    trace.insert(op)
    trace.selected(op.element, view.tensor.name)
    stack.enter_context(trace.inside(op.body.block))
    position = Index({op.position: 1}, name="position")
    entry = bounds[0] + position if bounds else None
    return Index({op.element: 1}, name=axis, position=position, entry=entry)


def _tiles(
    op: type[task.LoopOp], size: int | Number | Axis, tile: int, name: str, what: str
) -> Iterator[TileIndex]:
    length = as_index(size.size if isinstance(size, Axis) else size)
    axis = tile_axis(length, tile, name, what)
    for index in _loop(op, [axis], what):
        yield TileIndex(index, tile, length)
