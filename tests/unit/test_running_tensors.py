"""Values of a tensor while a program computes them."""

import numpy as np
import pytest

from pto_wsp import DType, Tensor
from pto_wsp.errors import ExecutionError


def test_values_count_after_synchronize() -> None:
    running = True
    tensor = Tensor.empty((2, 2), DType.F32, name="y")
    tensor.note_run(lambda: running)
    for values in (tensor, tensor[0:1, 0:2]):
        with pytest.raises(ExecutionError, match=r"tensor 'y' is being computed: call synchronize"):
            values.numpy()
    running = False
    np.testing.assert_array_equal(tensor.numpy(), np.zeros((2, 2)))
