"""Program.check and ptosim --check: what explicit order and exact matching miss."""

import pytest
from chain_program import Chain
from task_programs import task_program

from pto_wsp.errors import ExecutionError, ScheduleError


@pytest.fixture
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    return Chain(task_program("chain", tmp_path_factory.getbasetemp() / "programs"))


def test_inferred_order_is_race_free(chain: Chain) -> None:
    for infer in ("infer_bytes_overlap", "infer_tensor_map_exact"):
        report = chain.program.check(infer=infer)
        assert report.is_race_free
        assert (report.tasks, report.pairs, report.edges) == (6, 2, 2)
        assert not report.partial_overlaps
        assert not report.needless_edges


def test_explicit_order_without_handles_names_lines_and_regions(chain: Chain) -> None:
    report = chain.program.check(deps="explicit")
    assert not report.is_race_free
    (race,) = report.races
    assert (race.kind, race.count) == ("raw", 2)
    assert race.earlier.loc == "chain.py:30"
    assert race.earlier.text == "add_one(row=2) writes y[2:3, 0:8]"
    assert race.later.loc == "chain.py:33"
    assert race.later.text == "twice(pick=0) reads y[2:3, 0:8]"
    assert "chain.py:30: task 2, add_one(row=2) writes y[2:3, 0:8]" in str(report)
    assert "give the later one after=" in str(report)
    assert not chain.program.check(deps="explicit", window=1).is_race_free, "luck is no order"
    assert chain.program.check(deps="explicit", streams=1).is_race_free


def test_what_cannot_be_checked(chain: Chain) -> None:
    with pytest.raises(ScheduleError, match="unknown setting `dep`"):
        chain.program.check(dep="explicit")


def test_data_that_nobody_has(chain: Chain) -> None:
    chain.chosen.has_values = False
    with pytest.raises(ExecutionError, match="'chosen', which has no values: execute first"):
        chain.program.check()


def test_it_replays_an_execution_and_leaves_its_results(chain: Chain) -> None:
    chain.run()
    stats = chain.program.stats
    chain.chosen.has_values = False
    assert chain.program.check().pairs == 2
    assert chain.program.stats is stats


def test_the_report_is_a_value(chain: Chain) -> None:
    assert chain.program.check() == chain.program.check()
