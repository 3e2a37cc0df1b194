"""Program, Stats and Trace on task programs written by hand."""

import os
import signal
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chain_program import Chain
from task_programs import task_program

from pto_wsp.errors import ExecutionError, LoadError, MachineError, PtoError, ScheduleError
from pto_wsp.runtime import Program


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("programs")


@pytest.fixture
def chain(cache: Path) -> Chain:
    return Chain(task_program("chain", cache))


def test_execute_computes_into_the_tensors_own_memory(chain: Chain) -> None:
    chain.run()
    np.testing.assert_array_equal(chain.z.data, chain.expected())
    assert chain.program.is_complete
    chain.x.data += 7
    chain.run()
    np.testing.assert_array_equal(chain.z.data, chain.expected())


def test_two_programs_live_side_by_side(cache: Path) -> None:
    one, two = Chain(task_program("chain", cache)), Chain(task_program("chain", cache), window=1)
    two.x.data *= 10
    one.program.execute()
    two.program.execute()
    two.program.synchronize()
    one.program.synchronize()
    for program in (one, two):
        np.testing.assert_array_equal(program.z.data, program.expected())
    assert two.program.stats.makespan_cycles > one.program.stats.makespan_cycles


def test_simulate_takes_settings_and_leaves_the_program_as_it_was(chain: Chain) -> None:
    chain.run()
    stats, trace = chain.program.stats, chain.program.trace
    narrow = chain.program.simulate(window=1)
    few = chain.program.simulate(**{"cores.vector": 1})
    assert chain.program.simulate().stats.makespan_cycles == stats.makespan_cycles
    assert narrow.stats.makespan_cycles > stats.makespan_cycles
    assert few.stats.makespan_cycles > stats.makespan_cycles
    assert narrow.stats.window_high_water == 1
    assert narrow.trace.tasks.rows == 6
    assert chain.program.stats is stats
    assert chain.program.trace is trace


def test_simulate_replays_what_was_read(chain: Chain, cache: Path) -> None:
    chain.run()
    other = Chain(task_program("chain", cache))
    other.chosen.has_values = False
    with pytest.raises(ExecutionError, match="'chosen', which has no values: execute first"):
        other.program.simulate()
    edges = chain.program.trace.edges
    replayed = other.program.simulate(replay=chain.program).trace.edges
    np.testing.assert_array_equal(replayed["src"], edges["src"])


def test_an_error_waits_for_synchronize(chain: Chain) -> None:
    chain.x.has_values = False
    chain.program.execute()
    with pytest.raises(ExecutionError, match=r"chain\.py:20: tensor 'x' has no values"):
        chain.program.synchronize()
    chain.x.has_values = True
    chain.x.data[0, 0] = 2e6
    chain.program.execute()
    with pytest.raises(ExecutionError, match="above one million"):
        chain.program.synchronize()
    chain.x.data[0, 0] = 1
    chain.run()
    np.testing.assert_array_equal(chain.z.data, chain.expected())


def test_tensors_that_are_written_know_until_when(chain: Chain) -> None:
    chain.program.execute()
    assert chain.z.is_running()
    assert not hasattr(chain.x, "is_running")
    chain.program.synchronize()
    assert not chain.z.is_running()


def test_a_started_program_is_not_started_again(chain: Chain) -> None:
    chain.program.execute()
    with pytest.raises(ExecutionError, match=r"call synchronize\(\) first"):
        chain.program.execute()
    chain.program.synchronize()
    chain.program.synchronize()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"window": 0}, "setting `window`: expected an integer from 1"),
        (
            {"window": [1]},
            r"setting `window`: expected a word, a number or a boolean, found `\[1\]`",
        ),
        ({"range_compression": "yes"}, "expected true or false, found `yes`"),
        ({"deps": "some"}, "expected hybrid or inferred or explicit"),
        ({"windo": 4}, "windo"),
    ],
)
def test_bad_settings(chain: Chain, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ScheduleError, match=message):
        chain.program.simulate(**settings)


def test_arrays_of_another_shape_or_dtype(chain: Chain) -> None:
    chain.chosen.data = chain.chosen.data.astype(np.int64)
    with pytest.raises(ExecutionError, match=r"expected i32 of shape \[2\], found i64"):
        chain.program.simulate()


def test_what_cannot_be_loaded(cache: Path, tmp_path: Path) -> None:
    whole = task_program("chain", cache).read_bytes()
    damaged = tmp_path / "damaged.so"
    damaged.write_bytes(whole[:2000] + bytes([whole[2000] ^ 1]) + whole[2001:])
    with pytest.raises(LoadError, match="damaged"):
        Program(damaged, {})
    with pytest.raises(LoadError, match="cannot be read"):
        Program(tmp_path / "absent.so", {})
    with pytest.raises(MachineError, match="no machine profile 'abacus'"):
        Program(task_program("chain", cache), {}, machine="abacus")


def test_results_are_there_after_a_run(chain: Chain) -> None:
    with pytest.raises(ExecutionError, match="no results yet"):
        _ = chain.program.stats
    simulated = chain.program.simulate()
    assert chain.program.stats is simulated.stats


def test_trace_columns(chain: Chain, tmp_path: Path) -> None:
    trace = chain.program.simulate().trace
    assert " ".join(trace.tasks) == (
        "task kernel unit core scheduler pool stream submit ready dispatch start end retire "
        "bound_by loc axes"
    )
    assert trace.tasks["kernel"].tolist() == ["add_one"] * 4 + ["twice"] * 2
    assert trace.tasks["unit"].tolist() == ["vector"] * 6
    assert trace.tasks["loc"].tolist() == ["chain.py:30"] * 4 + ["chain.py:33"] * 2
    assert trace.axes(5) == {"pick": 1}
    assert set(trace.edges["kind"].tolist()) == {"raw"}
    assert trace.stalls["end"].max() == chain.program.stats.makespan_cycles
    trace.save(tmp_path / "run.csv")
    trace.save(tmp_path / "run.pftrace")
    names = {"run.csv", "run.edges.csv", "run.stalls.csv", "run.pftrace"}
    assert {path.name for path in tmp_path.iterdir()} == names
    with pytest.raises(
        PtoError, match=r"run\.zip: expected a name that ends in \.pftrace or \.csv"
    ):
        trace.save(tmp_path / "run.zip")


def test_summary_names_makespan_and_utilisation(chain: Chain) -> None:
    stats = chain.program.simulate().stats
    assert f"{stats.makespan_cycles} cycles" in stats.summary()
    assert "vector" in stats.summary()


def interrupt_once_waited_for(program: Program) -> None:
    """Interrupts this process as soon as its main thread waits in `program.synchronize()`."""

    def send() -> None:
        while not program.is_complete:
            pass
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=send, daemon=True).start()


def test_an_interrupt_cancels_and_leaves_the_process_usable(cache: Path, chain: Chain) -> None:
    endless = Program(task_program("endless", cache), {})
    for _ in range(2):
        endless.execute()
        assert not endless.is_complete
        interrupt_once_waited_for(endless)
        with pytest.raises(KeyboardInterrupt):
            endless.synchronize()
    chain.run()
    np.testing.assert_array_equal(chain.z.data, chain.expected())


def test_dropping_a_running_program_ends_it(cache: Path) -> None:
    program = Program(task_program("endless", cache), {})
    program.execute()
    del program
