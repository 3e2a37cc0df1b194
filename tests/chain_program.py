"""The hand-written program `chain` with tensors, for tests of what runs programs."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pto_wsp.runtime import Program


@dataclass
class Given:
    """A tensor with memory."""

    data: NDArray[Any]
    has_values: bool = True

    def array(self) -> NDArray[Any]:
        return self.data

    def check_writable(self) -> None:
        assert self.data.flags.writeable

    def note_run(self, is_running: Callable[[], bool]) -> None:
        self.is_running = is_running


class Absent:
    """A tensor without memory."""

    has_values = False

    def array(self) -> None:
        return None

    def check_writable(self) -> None:
        raise AssertionError("there is nothing to write to")

    def note_run(self, is_running: Callable[[], bool]) -> None:
        raise AssertionError("there is nothing to write to")


class Chain:
    """z[p] = 2 (x[chosen[p]] + 1): a task for each row of x, then two that select."""

    def __init__(self, path: Path, **settings: str | int) -> None:
        self.path = path
        self.x = Given(np.arange(32, dtype=np.float32).reshape(4, 8))
        self.z = Given(np.zeros((2, 8), dtype=np.float32), has_values=False)
        self.chosen = Given(np.array([2, 0], dtype=np.int32))
        tensors = {"x": self.x, "z": self.z, "chosen": self.chosen, "y": Absent()}
        self.program = Program(path, tensors, settings, threads=2)

    def expected(self) -> NDArray[Any]:
        return 2 * (self.x.data[self.chosen.data] + 1)

    def run(self) -> None:
        self.program.execute()
        self.program.synchronize()
