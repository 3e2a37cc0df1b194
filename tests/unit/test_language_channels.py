"""Processes and channels: what is traced of them, and how each mistake is told."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pto_wsp import (
    Channel,
    Dense,
    DType,
    In,
    Out,
    P,
    Tensor,
    Tile,
    TraceError,
    connect,
    consume,
    jit_kernel,
    process,
    send,
    tl,
    workload,
)

F32 = DType.F32
ITEM, HALF = Dense[8]("i"), Dense[2]("j")


@jit_kernel
def copy(x: In[Tile[1, 8, F32]], y: Out[Tile[1, 8, F32]]):
    tl.store(y, x)


def row(name: str) -> Tensor:
    return Tensor.empty((8, 8), F32, name=name)


X, BUFFER, Y = row("x"), row("buffer"), row("y")


def load_into(channel: Channel) -> Callable[[], None]:
    def load() -> None:
        for i in P(ITEM):
            copy[i](x=X[i], y=BUFFER[i])
            send(channel, i)

    return load


def store_from(channel: Channel) -> Callable[[], None]:
    def store() -> None:
        consume(channel, lambda i: copy[i](x=BUFFER[i], y=Y[i]) and None)

    return store


def test_a_pipeline_is_traced_once_whichever_way_it_is_written() -> None:
    full = Channel("full", depth=2)

    @workload
    def connected():
        connect(
            process("load").produces(full).body(load_into(full)),
            process("store").consumes(full).replicate(2).body(store_from(full)),
        )

    @workload
    def piped():
        with P.pipe():
            process("load").produces(full).body(load_into(full))

            @process("store").consumes(full).replicate(2).body
            def _():
                with consume(full) as i:
                    copy[i](x=BUFFER[i], y=Y[i])

    first, second = (str(made().base_module()) for made in (connected, piped))
    assert first.replace("@connected", "@piped") == second
    assert '%full = task.channel "full" depth 2 width 1' in first
    assert 'task.process "store" (%replica) in (2) {' in first
    assert "task.consume (%i_1) from %full {" in first
    assert "[i = %i_1]" in first, "a token's number keeps the name of its axis"


def test_tokens_are_counted() -> None:
    one, two = Channel("one"), Channel("two", depth=0)

    def first(replica: Any) -> None:
        for i, _ in P(ITEM, HALF):
            with P.when(i < 3):
                send(one, i, replica)

    def second() -> None:
        with consume(one) as (i, _):
            copy[i](x=X[i], y=BUFFER[i])
            for _ in P(HALF):
                send(two)
            send(two)

    def third() -> None:
        copy(x=X[0], y=Y[0])
        with consume(two):
            copy(x=X[1], y=Y[1])

    @workload
    def made():
        connect(
            process("first").produces(one).replicate(2).body(first),
            process("second").consumes(one).produces(two).replicate(3).body(second),
            process("third").consumes(two).body(third),
        )

    assert made().task_counts() == {"copy": 12 + 1 + 36}
    assert made().kind == "pipeline"


# ---- Mistakes ----------------------------------------------------------------------------------


def line_of(mark: str) -> int:
    lines = Path(__file__).read_text().splitlines()
    found = [number for number, line in enumerate(lines, 1) if line.endswith(f"# {mark}")]
    assert len(found) == 1, f"{mark} marks {len(found)} lines"
    return found[0]


def assert_refused(body: Callable[[], Any], mark: str, *words: str) -> None:
    """Tracing `body` as a workload fails at the marked line."""

    @workload
    def refused():
        body()

    with pytest.raises(TraceError) as caught:
        refused()
    for word in (f"test_language_channels.py:{line_of(mark)}: ", *words):
        assert word in str(caught.value)


def test_channels_and_processes_are_made_of_what_they_take() -> None:
    with pytest.raises(TraceError, match="a depth is an integer of at least 0, found -1"):
        Channel("full", -1)
    with pytest.raises(TraceError, match=r"replicate\(..\) takes a number from 1 on, found 0"):
        process("load").replicate(0)
    with pytest.raises(TraceError, match="expected channels, found 'full'"):
        process("load").produces("full")  # type: ignore[arg-type]


def test_tokens_go_from_one_process_to_one_below() -> None:
    full = Channel("full")

    def upside_down():
        with P.pipe():
            process("store").consumes(full).body(store_from(full))  # upside down
            process("load").produces(full).body(load_into(full))

    assert_refused(upside_down, "upside down", "'store' consumes channel 'full'", "in the order")

    def two_senders():
        with P.pipe():
            process("load").produces(full).body(load_into(full))
            process("again").produces(full).body(load_into(full))  # two senders

    assert_refused(two_senders, "two senders", "'load' sends already, 'again' too")

    def no_receiver():
        with P.pipe():  # no receiver
            process("load").produces(full).body(load_into(full))

    assert_refused(no_receiver, "no receiver", "channel 'full'", "has no receiver")

    def two_receivers():
        with P.pipe():
            process("load").produces(full).body(load_into(full))
            process("store").consumes(full).body(store_from(full))
            process("again").consumes(full).body(store_from(full))  # two receivers

    assert_refused(two_receivers, "two receivers", "'store' consumes already", ".replicate(n)")


def test_a_body_uses_its_channels_and_no_others() -> None:
    full, other = Channel("full"), Channel("other")

    def undeclared():
        def load():
            send(other, 1)  # undeclared

        connect(process("load").produces(full).body(load))

    assert_refused(undeclared, "undeclared", "does not declare .produces(other)")

    def unused():
        def load():
            pass

        connect(process("load").produces(full).body(load))  # unused

    assert_refused(unused, "unused", "'load' never sends to channel 'full'")

    def outside():
        send(full, 1)  # outside

    assert_refused(outside, "outside", "send(..) belongs in the body of a process")

    def twice():
        def store():
            consume(full, lambda _: None)
            consume(full, lambda _: None)  # twice

        connect(
            process("load").produces(full).body(load_into(full)),
            process("store").consumes(full).body(store),
        )

    assert_refused(twice, "twice", "is consumed twice")

    def in_a_loop():
        def store():
            for _ in P(HALF):
                consume(full, lambda _: None)  # in a loop

        connect(
            process("load").produces(full).body(load_into(full)),
            process("store").consumes(full).body(store),
        )

    assert_refused(in_a_loop, "in a loop", "is consumed in a loop or a condition")

    def widths():
        def load():
            send(full, 1)
            send(full, 1, 2)  # widths

        connect(process("load").produces(full).body(load))

    assert_refused(widths, "widths", "its tokens have 1 numbers, this one has 2")


def test_tasks_of_a_pipeline_are_in_processes() -> None:
    def beside():
        with P.pipe():  # beside
            process("nothing").body(lambda: None)
            copy(x=X[0], y=Y[0])

    assert_refused(beside, "beside", "every task is in the body of a process")

    def inner():
        def body():
            with P.pipe():  # inner
                pass

        connect(process("outer").body(body))

    assert_refused(inner, "inner", "a pipeline is inside of no other one")

    def index_of_another():
        full, seen = Channel("full"), []

        def load():
            for i in P(ITEM):
                seen.append(i)
                send(full, i)

        def store():
            with consume(full):
                copy(x=X[seen[0]], y=Y[0])  # index of another

        connect(
            process("load").produces(full).body(load),
            process("store").consumes(full).body(store),
        )

    assert_refused(index_of_another, "index of another", "uses 'i' outside of its loop")
