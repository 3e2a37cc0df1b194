"""Program.what_if: the same program with other settings, beside itself."""

from pathlib import Path
from typing import Any

import pytest
from chain_program import Chain
from task_programs import task_program

from pto_wsp.errors import ExecutionError, MachineError, PtoError, ScheduleError

FASTER = {"costs.dispatch": 0, "cores.vector": 65536, "memory.hbm": 3.2}


@pytest.fixture(scope="module")
def program_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return task_program("chain", tmp_path_factory.mktemp("programs"))


@pytest.fixture
def chain(program_file: Path) -> Chain:
    return Chain(program_file)


def test_each_setting_alone_and_then_all_together(chain: Chain) -> None:
    compared = chain.program.what_if({"window": 1, "cores.vector": 1})
    assert [dict(one.settings) for one in compared.variants] == [
        {"window": 1},
        {"cores.vector": 1},
        {"window": 1, "cores.vector": 1},
    ]
    base = chain.program.simulate().stats.makespan_cycles
    assert compared.base.makespan_cycles == base
    for variant in compared.variants:
        alone = chain.program.simulate(**variant.settings).stats
        assert variant.stats.makespan_cycles == alone.makespan_cycles > base
        assert variant.ratio == pytest.approx(alone.makespan_cycles / base)


def test_a_list_is_a_run_for_each_mapping(chain: Chain) -> None:
    compared = chain.program.what_if([{"window": 1, "ready": "work_steal"}, FASTER])
    slower, faster = compared.variants
    assert slower.ratio > 1 > faster.ratio
    assert faster.settings == FASTER


def test_settings_without_limits(chain: Chain) -> None:
    """Many cores, no dispatch cost, a window for everything and a fast memory."""
    free = {"cores.vector": 65536, "costs.dispatch": 0, "window": 1 << 40, "memory.hbm": 1000}
    assert chain.program.what_if(free).variants[-1].ratio < 1


def test_the_table(chain: Chain) -> None:
    compared = chain.program.what_if({"window": 1, "range_compression": True})
    lines = str(compared).splitlines()
    head = "setting cycles ms ratio cube busy vector busy largest stall change"
    assert " ".join(lines[0].split()) == head
    assert [line.split()[0] for line in lines[1:4]] == [
        "base",
        "window=1",
        "range_compression=true",
    ]
    assert lines[4].startswith("window=1, range_compression=true ")
    assert lines[1].split()[1:4] == [
        str(compared.base.makespan_cycles),
        f"{compared.base.makespan_ms:.3f}",
        "1.000",
    ]
    largest = max(compared.variants[0].stats.stalls.items(), key=lambda item: item[1])
    assert largest[0] in lines[2]


def test_it_replays_what_an_execution_read(chain: Chain) -> None:
    chain.run()
    executed = chain.program.stats
    chain.chosen.has_values = False
    compared = chain.program.what_if({"window": 1})
    assert compared.base.makespan_cycles == executed.makespan_cycles
    assert chain.program.stats is executed
    other = Chain(chain.path)
    other.chosen.has_values = False
    assert other.program.what_if({"window": 1}, replay=chain.program).base.edges == executed.edges


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"core.vector": 3}, ScheduleError, r"unknown setting `core\.vector`; did you mean"),
        ({"cores.vector": 0}, MachineError, "cores.vector"),
        ({"window": 0}, ScheduleError, "setting `window`: expected an integer from 1"),
        ({"ready": "lifo"}, ScheduleError, "expected fifo, work_steal or priority"),
        ({"ready": "priority(depth)"}, ScheduleError, "no key function `depth`"),
        ({"window": None}, ScheduleError, "expected a word, a number or a boolean, found `None`"),
        ({}, ScheduleError, "at least one setting"),
        ([], ScheduleError, "at least one setting"),
        ([{}], ScheduleError, "at least one setting"),
        ("window=4", ScheduleError, "what_if: expected settings"),
        ({3: 4}, ScheduleError, "the name of a setting, found 3"),
    ],
)
def test_bad_changes(chain: Chain, changes: Any, error: type[PtoError], message: str) -> None:
    with pytest.raises(error, match=message):
        chain.program.what_if(changes)


def test_data_that_nobody_has(chain: Chain) -> None:
    chain.chosen.has_values = False
    with pytest.raises(ExecutionError, match="'chosen', which has no values: execute first"):
        chain.program.what_if({"window": 4})


def test_a_bad_setting_is_told_before_anything_runs(chain: Chain) -> None:
    chain.chosen.has_values = False  # so that any run fails
    with pytest.raises(ScheduleError, match="expected fifo"):
        chain.program.what_if([{"window": 4}, {"ready": "lifo"}])
