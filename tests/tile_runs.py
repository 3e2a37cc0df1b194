"""Many kernels in one compiled program: each is a body, its inputs and the tile that it gives."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pto_wsp import Dense, DType, In, Out, P, Scalar, Tensor, Tile, jit_kernel, tl, workload

MOST_NUMBER = 8


@dataclass(frozen=True)
class Run:
    """A kernel `body(*tiles, *numbers) -> tile` on arrays and the numbers of its launch, 0 to 8,
    and the dtype that its result is stored in."""

    name: str
    body: Callable[..., Any]
    inputs: tuple[np.ndarray, ...]
    shape: tuple[int, int]
    dtype: DType
    numbers: tuple[int, ...] = ()


def _kernel(run: Run) -> Any:
    names = [f"x{i}" for i in range(len(run.inputs))]
    numbers = [f"n{i}" for i in range(len(run.numbers))]

    def body(**tiles: Any) -> None:
        tl.store(tiles["y"], run.body(*(tiles[name] for name in [*names, *numbers])))

    specs: list[Any] = [
        In[Tile[array.shape[0], array.shape[1], DType.of(array.dtype)]] for array in run.inputs
    ]
    specs += [Scalar[0, MOST_NUMBER]] * len(numbers)
    specs.append(Out[Tile[run.shape[0], run.shape[1], run.dtype]])
    kind = inspect.Parameter.KEYWORD_ONLY
    body.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(name, kind, annotation=spec)
            for name, spec in zip([*names, *numbers, "y"], specs, strict=True)
        ]
    )
    body.__name__ = run.name
    return jit_kernel(body)


def outputs(runs: Sequence[Run], target: str = "cpu_sim") -> list[np.ndarray]:
    """What each kernel stores: all are compiled as one program and run once."""
    kernels = [_kernel(run) for run in runs]
    given = [
        {f"x{i}": Tensor(data=array, name=f"{run.name}_x{i}") for i, array in enumerate(run.inputs)}
        for run in runs
    ]
    counts = [number for run in runs for number in run.numbers]
    table = Tensor(data=np.array([*counts, 0], np.int32), name="numbers")
    results = [Tensor.empty(run.shape, run.dtype, name=f"{run.name}_y") for run in runs]

    @workload
    def all_of_them():
        for i in P(Dense[1]("once")):
            at = 0
            for kernel, tensors, result in zip(kernels, given, results, strict=True):
                operands: Any = {name: tensor[:] for name, tensor in tensors.items()}
                for name in kernel.scalars:
                    operands[name] = table[at]
                    at += 1
                kernel[i](**operands, y=result[:])

    program: Any = all_of_them().task_graph().compile(target=target)  # type: ignore[call-overload]
    program.execute()
    program.synchronize()
    return [result.numpy() for result in results]


def run_by_line(run: Run) -> np.ndarray:
    """What the Python body gives on numbers."""
    found = _kernel(run).run(*run.inputs, *run.numbers)
    assert isinstance(found, np.ndarray)
    return found
