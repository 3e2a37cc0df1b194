"""Values that only a run knows: a wrong one ends it, naming the task and the function."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tile_runs import Run, outputs

from pto_wsp import DType, ExecutionError, tl

X = np.arange(12, dtype=np.float32).reshape(3, 4)


@pytest.mark.parametrize(
    ("body", "numbers", "words"),
    [
        (lambda x, i: tl.gather_rows(x, i), [[0], [3]], ("tl.gather_rows", "0..2", "'x0'")),
        (lambda x, i: tl.gather_rows(x + x, i), [[-1], [0]], ("tl.gather_rows", "0..2")),
        (lambda x, i: tl.gather(x[0:2], i), [[4], [0]], ("tl.gather", "0..3")),
    ],
)
def test_numbers_out_of_range(
    body: Callable[..., Any], numbers: list[list[int]], words: tuple[str, ...]
) -> None:
    indices = np.array(numbers, np.int32)
    shape = (2, 4) if "rows" in words[0] else (2, 1)
    with pytest.raises(ExecutionError) as caught:
        outputs([Run("picks", body, (X, indices), shape, DType.F32)])
    for word in ("picks", *words):
        assert word in str(caught.value)


@pytest.mark.parametrize("body", [lambda x: tl.sort(x).values, lambda x: tl.topk(x, 4).values])
def test_nan_has_no_rank(body: Callable[..., Any]) -> None:
    spoilt = X.copy()
    spoilt[1, 2] = np.nan
    with pytest.raises(ExecutionError, match="an element is NaN"):
        outputs([Run("orders", body, (spoilt,), (3, 4), DType.F32)])


def test_scattered_rows() -> None:
    import pto_wsp as pto

    @pto.jit_kernel
    def scatter(
        x: pto.In[pto.Tile[3, 4, DType.F32]],
        n: pto.In[pto.Tile[3, 1, DType.I32]],
        y: pto.InOut[pto.Tile[5, 4, DType.F32]],
    ):
        tl.scatter_rows(y, x, n)

    def run(numbers: list[int]) -> np.ndarray:
        y = pto.Tensor(data=np.full((5, 4), -1, np.float32), name="y")
        x = pto.Tensor(data=X, name="x")
        n = pto.Tensor(data=np.array(numbers, np.int32)[:, None], name="n")

        @pto.workload
        def once():
            for i in pto.P(pto.Dense[1]("i")):
                scatter[i](x=x[:], n=n[:], y=y[:])

        program = once().task_graph().compile()
        program.execute()
        program.synchronize()
        return y.numpy()

    wanted = np.full((5, 4), -1, np.float32)
    for row, number in enumerate([4, 0, 4]):
        wanted[number] = X[row]
    np.testing.assert_array_equal(run([4, 0, 4]), wanted)
    with pytest.raises(ExecutionError, match=r"tl.scatter_rows: .*0\.\.4.*'y'"):
        run([0, 5, 1])
