"""The arrays that users hand over: what cannot be written to is refused before anything is."""

from pathlib import Path

import numpy as np
import pytest

from pto_wsp import Dense, DType, In, InOut, Out, P, Tensor, Tile, jit_kernel, tl, workload
from pto_wsp.errors import ExecutionError, TraceError

F32 = DType.F32


def doubled(data: np.ndarray):
    y = Tensor(data=data, name="y")
    once = Dense[1]("once")

    @jit_kernel
    def double(y: InOut[Tile[4, 8, F32]]):
        tl.store(y, y + y)

    @workload
    def work():
        for i in P(once):
            double[i](y=y[:])

    program = work().task_graph().compile()
    program.execute()
    program.synchronize()


def test_results_reach_the_users_array() -> None:
    data = np.ones((4, 8), np.float32)
    doubled(data)
    assert np.array_equal(data, np.full((4, 8), 2.0))


def test_read_only_data_is_not_written_to(tmp_path: Path) -> None:
    np.ones((4, 8), np.float32).tofile(tmp_path / "data")
    mapped = np.memmap(tmp_path / "data", np.float32, "r", shape=(4, 8))
    with pytest.raises(ExecutionError, match=r"test_user_data.*'y'.*read-only"):
        doubled(mapped)
    fixed = bytes(128)
    with pytest.raises(ExecutionError, match="read-only"):
        doubled(np.frombuffer(fixed, np.float32).reshape(4, 8))
    assert fixed == bytes(128)


def test_results_never_go_to_a_hidden_copy() -> None:
    with pytest.raises(ExecutionError, match="not C-contiguous"):
        doubled(np.ones((8, 4), np.float32).T)


def increments(a: np.ndarray, b: np.ndarray) -> None:
    x, y = Tensor(data=a, name="x"), Tensor(data=b, name="y")

    @jit_kernel
    def add(x: In[Tile[4, 8, F32]], y: InOut[Tile[4, 8, F32]]):
        tl.store(y, x + y)

    @workload
    def work():
        for i in P(Dense[1]("once")):
            add[i](x=x[:], y=y[:])

    program = work().compile()
    program.execute()
    program.synchronize()


def test_two_tensors_over_memory_that_tasks_write_are_refused() -> None:
    data = np.ones((6, 8), np.float32)
    with pytest.raises(ExecutionError, match="'y' and 'x' share memory"):
        increments(data[:4], data[2:])
    assert np.array_equal(data, np.ones((6, 8)))
    two = np.ones((8, 8), np.float32)
    increments(two[:4], two[4:])
    assert np.array_equal(two[4:], np.full((4, 8), 2.0))


def test_other_byte_orders_are_refused_with_a_way_out() -> None:
    with pytest.raises(TraceError, match="newbyteorder"):
        Tensor(data=np.ones((4, 8), ">f4"), name="x")


@pytest.mark.parametrize("threads", ["a", 1.5, 0, -4, 2**40, True])
def test_an_impossible_number_of_threads_is_refused(threads: object) -> None:
    x = Tensor(data=np.ones((4, 8), np.float32), name="x")

    @jit_kernel
    def double(x: InOut[Tile[4, 8, F32]]):
        tl.store(x, x + x)

    @workload
    def work():
        double(x=x[:])

    program = work().task_graph().compile()
    with pytest.raises(ExecutionError, match="threads: expected 1 to 1024"):
        program.execute(threads=threads)  # type: ignore[arg-type]


def test_names_of_tensors_are_free_and_others_are_identifiers() -> None:
    x = Tensor.empty((4, 8), F32, name='a b"\n;é\\')

    @jit_kernel
    def double(x: InOut[Tile[4, 8, F32]]):
        tl.store(x, x + x)

    @workload
    def work():
        double(x=x[:])

    work().task_graph().compile().simulate()
    with pytest.raises(TraceError, match="axis is named by an identifier"):
        Dense[2]("é")
    with pytest.raises(TraceError, match="a parameter of wrong"):

        @jit_kernel
        def wrong(é: In[Tile[4, 8, F32]]):
            pass


def copy_rows(source: Tensor, first: int, target: Tensor, to: int) -> None:
    copy(x=source[first : first + 4], y=target[to : to + 4])


@jit_kernel
def copy(x: In[Tile[4, 8, F32]], y: Out[Tile[4, 8, F32]]):
    tl.store(y, x)


def test_what_no_task_has_written_is_not_read() -> None:
    x = Tensor(data=np.ones((8, 8), np.float32), name="x")
    middle, y = Tensor.empty((8, 8), F32, name="middle"), Tensor.empty((8, 8), F32, name="y")

    @workload
    def half():
        copy_rows(x, 0, middle, 0)
        copy_rows(middle, 2, y, 0)

    program = half().task_graph().compile()
    program.execute()
    with pytest.raises(
        ExecutionError, match=r"copy.*'x' reads tensor 'middle'\[2:6, 0:8\], where no"
    ):
        program.synchronize()

    @workload
    def whole():
        for first in (4, 0):
            copy_rows(x, first, middle, first)
        copy_rows(middle, 2, y, 0)

    program = whole().task_graph().compile()
    program.execute()
    program.synchronize()
    assert np.array_equal(y.numpy()[:4], np.ones((4, 8)))


@pytest.mark.parametrize("to", [0, 1])
def test_a_task_does_not_write_what_another_parameter_reads(to: int) -> None:
    x = Tensor(data=np.ones((8, 8), np.float32), name="x")

    @workload
    def shifted():
        copy_rows(x, 0, x, to)

    program = shifted().task_graph().compile()
    program.execute()
    with pytest.raises(ExecutionError, match=r"'x' and 'y' share elements of tensor 'x'.*InOut"):
        program.synchronize()
    with pytest.raises(ExecutionError, match="share elements"):
        program.simulate()


def test_a_task_reads_and_writes_different_parts_of_a_tensor() -> None:
    x = Tensor(data=np.arange(64, dtype=np.float32).reshape(8, 8), name="x")

    @workload
    def moved():
        copy_rows(x, 0, x, 4)

    program = moved().task_graph().compile()
    program.execute()
    program.synchronize()
    assert np.array_equal(x.numpy()[4:], x.numpy()[:4])
