"""Pipelines that run: values, overlap in time, order, and deadlocks."""

from functools import partial
from typing import Any

import numpy as np
import pytest

from pto_wsp import (
    Channel,
    Dense,
    DType,
    Event,
    ExecutionError,
    In,
    Out,
    P,
    Program,
    Tensor,
    Tile,
    connect,
    consume,
    jit_kernel,
    process,
    send,
    tl,
    workload,
)

F32 = DType.F32
N = 24
MACHINE = {
    "cores.vector": 8,
    **{f"costs.{cost}": 0 for cost in ("submit", "submit_operand", "dispatch", "complete")},
    **{f"costs.{cost}": 0 for cost in ("dispatch_latency", "completion_latency", "resolve")},
    "costs.pickup": 0,
    "kernels.load": 20,
    "kernels.scale": 100,
    "kernels.store": 20,
}


@jit_kernel
def load(x: In[Tile[1, 64, F32]], y: Out[Tile[1, 64, F32]]):
    tl.store(y, tl.load(x) + 1.0)


@jit_kernel
def scale(x: In[Tile[1, 64, F32]], y: Out[Tile[1, 64, F32]]):
    tl.store(y, tl.load(x) * 3.0)


@jit_kernel
def store(x: In[Tile[1, 64, F32]], y: Out[Tile[1, 64, F32]]):
    tl.store(y, x)


def numbers() -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).standard_normal((N, 64), dtype=np.float32)


def three_stages(depth: int, slots: int, replicas: int = 1) -> tuple[Program, Tensor, Tensor]:
    """x + 1 into one ring of buffers, times 3 into another, and out."""
    x = Tensor(numbers(), name="x")
    a, b = (Tensor.empty((slots, 64), F32, name=name) for name in "ab")
    y = Tensor.empty((N, 64), F32, name="y")
    loaded, scaled = Channel("loaded", depth), Channel("scaled", depth)

    def loading() -> None:
        for i in P(Dense[N]("i")):
            load[i](x=x[i], y=a[i % slots])
            send(loaded, i)

    def scaling() -> None:
        with consume(loaded) as i:
            scale[i](x=a[i % slots], y=b[i % slots])
            send(scaled, i)

    def storing() -> None:
        with consume(scaled) as i:
            store[i](x=b[i % slots], y=y[i])

    @workload
    def stages():
        connect(
            process("loading").produces(loaded).body(loading),
            process("scaling").consumes(loaded).produces(scaled).replicate(replicas).body(scaling),
            process("storing").consumes(scaled).body(storing),
        )

    return stages().compile(), x, y


@pytest.mark.parametrize(("depth", "slots", "replicas"), [(0, 1, 1), (2, 3, 1), (1, 8, 3)])
def test_values_are_as_if_each_token_went_alone(depth: int, slots: int, replicas: int) -> None:
    program, x, y = three_stages(depth, slots, replicas)
    program.execute(threads=2)
    program.synchronize()
    np.testing.assert_array_equal(y.numpy(), (x.numpy() + np.float32(1)) * np.float32(3))
    assert not program.check().races
    trace = program.simulate(**MACHINE).trace
    assert trace.tasks["task"].size == 3 * N
    totals = trace.critical_path().totals()
    assert sum(totals.values()) == int(trace.tasks["end"].max())


def test_stages_overlap_and_replicas_more() -> None:
    """Bodies of 100 cycles, one after the other or three at a time; the rest beside them."""
    one, _, _ = three_stages(1, 8)
    stats = one.simulate(**MACHINE).stats
    assert stats.makespan_cycles == 20 + N * 100 + 20
    assert stats.stalls["channel_empty"] > 0
    three, _, _ = three_stages(4, 16, replicas=3)
    assert three.simulate(**MACHINE).stats.makespan_cycles < (20 + N * 100 + 20) / 2


def test_an_event_is_all_that_another_process_waits_for() -> None:
    """Two loads, the event, a long store: the scales begin after the loads and beside the store."""
    x, y = Tensor(numbers(), name="x"), Tensor.empty((N, 64), F32, name="y")
    a, b = (Tensor.empty((N, 64), F32, name=name) for name in "ab")
    ready = Event("ready")
    asked: list[bool] = []

    def loading() -> None:
        asked.append(ready.query())
        for i in P(Dense[2]("i")):
            load[i](x=x[i], y=a[i])
        ready.record()
        asked.append(ready.query())
        store[0](x=x[2], y=b[0])

    def scaling() -> None:
        with ready.synchronize():
            for i in P(Dense[2]("i")):
                scale[i](x=x[i], y=y[i])

    @workload
    def two():
        connect(
            process("loading").produces(ready).body(loading),
            process("scaling").consumes(ready).body(scaling),
        )

    program = two().compile()
    program.execute()
    program.synchronize()
    np.testing.assert_array_equal(y[0:2].numpy(), x.numpy()[:2] * np.float32(3))
    assert asked == [False, True]
    tasks = program.simulate(**MACHINE | {"kernels.store": 500}).trace.tasks
    names = np.array(tasks["kernel"])
    starts, ends = np.array(tasks["start"]), np.array(tasks["end"])
    assert starts[names == "scale"].min() == ends[names == "load"].max() == 20
    assert starts[names == "scale"].max() < ends[names == "store"].max()


def test_the_reference_takes_the_same_turns() -> None:
    """Replicas, a rendezvous and a token that is read from a tensor; and the same deadlock."""
    order = Tensor(data=np.array([3, 1, 2, 0], np.int32), name="order")
    x, y = Tensor(numbers(), name="x"), Tensor.empty((8, 64), F32, name="y")
    cell, log = (Tensor.empty((1, 64), F32, name=name) for name in ("cell", "log"))
    chosen = Channel("chosen", 0)

    def choosing() -> None:
        for e in P.sel(order):
            load[e](x=x[e], y=cell[0])
            send(chosen, e, e.position)

    def using(replica: Any) -> None:
        with consume(chosen) as (e, k):
            scale[e, k](x=cell[0], y=y[k])
            store[e, k](x=y[k], y=y[4 + e])
            store[replica](x=y[k], y=log[0])

    @workload
    def choices():
        connect(
            process("choosing").produces(chosen).body(choosing),
            process("using").consumes(chosen).replicate(2).body(using),
        )

    def run(program: Any) -> list[bytes]:
        program.execute()
        program.synchronize()
        return [tensor.numpy().tobytes() for tensor in (y, log)]

    made = choices()
    assert run(made.compile()) == run(made.compile(target="reference"))
    stuck = crossed(2, target="reference")
    stuck.execute()
    with pytest.raises(ExecutionError, match="deadlock: process 'sending' waits at"):
        stuck.synchronize()


def test_what_stands_around_a_pipeline_stays_in_order() -> None:
    """A pipeline in each iteration of a P.seq, with a number from outside in its tokens."""
    x = Tensor(numbers(), name="x")
    buffer, y = (Tensor.empty((N, 64), F32, name=name) for name in ("buffer", "y"))
    pairs = Channel("pairs", 3)

    def first(r: Any) -> None:
        for i in P(Dense[N // 2]("i")):
            load[r, i](x=x[r * (N // 2) + i], y=buffer[i])
            send(pairs, r, i)

    def second() -> None:
        with consume(pairs) as (r, i):
            with P.when(i < N // 4):
                scale[r, i](x=buffer[i], y=y[r * (N // 2) + i])
            with P.otherwise():
                store[r, i](x=buffer[i], y=y[r * (N // 2) + i])

    @workload
    def rounds():
        for r in P.seq(Dense[2]("round")):
            with P.pipe():
                process("first").produces(pairs).body(partial(first, r))
                process("second").consumes(pairs).body(second)

    program = rounds().compile()
    program.execute()
    program.synchronize()
    want = x.numpy().reshape(2, N // 2, 64) + np.float32(1)
    want[:, : N // 4] *= np.float32(3)
    np.testing.assert_array_equal(y.numpy().reshape(want.shape), want)
    trace = program.simulate(**MACHINE).trace
    late = np.array([trace.axes(task)["round"] == 1 for task in range(trace.tasks.rows)])
    assert trace.tasks["start"][late].min() >= trace.tasks["end"][~late].max()


def crossed(depth: int, **compile_arguments: Any) -> Any:
    x, y = Tensor(numbers(), name="x"), Tensor.empty((N, 64), F32, name="y")
    head, tail = Channel("head", depth), Channel("tail", depth)  # channels

    def sending() -> None:
        for i in P(Dense[4]("i")):
            send(head, i)
            send(tail, i)

    def receiving() -> None:
        consume(tail, lambda i: store[i](x=x[i], y=y[i]) and None)
        consume(head, lambda i: store[i](x=x[i], y=y[i]) and None)

    @workload
    def waiting():
        connect(
            process("sending").produces(head, tail).body(sending),
            process("receiving").consumes(head, tail).body(receiving),
        )

    return waiting().compile(**compile_arguments)


def test_a_deadlock_names_the_cycle_and_what_to_change() -> None:
    with pytest.raises(ExecutionError) as caught:
        crossed(2).simulate()
    text = str(caught.value)
    assert "deadlock: each of these processes waits for the next one" in text
    assert "process 'sending' waits at test_pipelines.py:" in text
    assert "to send to channel 'head' (test_pipelines.py:" in text
    assert "depth 2), which is full" in text
    assert "process 'receiving' waits at" in text
    assert "to receive from channel 'tail'" in text
    assert "raise the depth of channel 'head'" in text
    assert crossed(4).simulate().stats.tasks == 8
