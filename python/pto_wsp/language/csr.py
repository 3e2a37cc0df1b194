"""Compressed sparse rows: which columns each row of a sparse matrix has."""

from __future__ import annotations

from dataclasses import dataclass

from pto_wsp.language.index import Index, as_index
from pto_wsp.language.source import fail
from pto_wsp.language.tensor import Tensor


class CSR:
    """`CSR(indptr, indices)`: row r has the columns `indices[indptr[r]:indptr[r + 1]]`.

    Both are integer tensors of one axis, given or computed by the program; `indptr` has an element
    more than there are rows. An order that is no order, or a row that leaves `indices`, ends a run
    with an ExecutionError.
    """

    def __init__(self, indptr: Tensor, indices: Tensor) -> None:
        for what, tensor in (("indptr", indptr), ("indices", indices)):
            if (
                not isinstance(tensor, Tensor)  # pyright: ignore[reportUnnecessaryIsInstance]
                or tensor.dtype.is_float
                or len(tensor.shape) != 1
            ):
                fail(f"CSR: {what} is an integer tensor of one axis, found {tensor!r}")
        if indptr.shape[0] < 2:
            fail("CSR: indptr has an element more than there are rows, found one of 1")
        self.indptr, self.indices = indptr, indices

    @property
    def rows(self) -> int:
        return self.indptr.shape[0] - 1

    def __getitem__(self, row: object) -> CSRRow:
        """A row, for P.sel."""
        number = as_index(row)
        if (known := number.constant) is not None and not 0 <= known < self.rows:
            fail(f"CSR: row {known} is not in 0..{self.rows - 1}")
        return CSRRow(self, number)

    def __repr__(self) -> str:
        return f"CSR({self.indptr!r}, {self.indices!r})"


@dataclass(frozen=True, eq=False)
class CSRRow:
    """The columns of a row."""

    csr: CSR
    row: Index
