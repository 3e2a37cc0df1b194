"""Trace.critical_path, window_occupancy and ready_depth; ptosim --critical-path."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from chain_program import Chain
from task_programs import task_program

from pto_wsp.errors import PtoError
from pto_wsp.runtime import Trace


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Trace:
    path = task_program("chain", tmp_path_factory.mktemp("programs"), {"window": 2})
    return Chain(path).program.simulate().trace


def test_the_observed_path_tiles_the_makespan(trace: Trace) -> None:
    path = trace.critical_path()
    begin, end = path.observed["begin"], path.observed["end"]
    makespan = int(trace.tasks["end"].max())
    assert begin[0] == 0
    assert end[-1] == makespan
    np.testing.assert_array_equal(begin[1:], end[:-1])
    totals = path.totals()
    assert sum(totals.values()) == makespan
    assert list(totals.values()) == sorted(totals.values(), reverse=True)
    assert {"compute", "window_full"} <= set(totals)


def test_the_longest_path_and_slack(trace: Trace) -> None:
    path = trace.critical_path()
    assert path.slack.dtype == np.int64
    assert path.slack.shape == (trace.tasks.rows,)
    assert not path.slack[path.longest].any()
    assert 0 < path.length <= int(trace.tasks["end"].max())
    assert f"longest path   {path.length} cycles" in str(path)


def test_window_and_queue_over_time(trace: Trace) -> None:
    live, queue = trace.window_occupancy(), trace.ready_depth()
    assert live.high_water == live.value.max() == 2, "the window"
    assert live.value[-1] == 0
    assert np.all(np.diff(live.time) > 0)
    assert queue.high_water == 1
    assert queue.time.size == 0, "each task is dispatched in the cycle in which it becomes ready"


def test_bandwidth_over_time(trace: Trace) -> None:
    moved = trace.hbm_bandwidth(bins=10)
    assert moved.edges.tolist() == sorted(moved.edges.tolist())
    assert (moved.edges[0], moved.edges[-1]) == (0, trace.tasks["end"].max())
    assert moved.bytes.sum() > 0
    seconds = np.diff(moved.edges) / trace.clock_hz
    assert moved.rate == pytest.approx(moved.bytes / seconds)
    assert moved.rate.max() <= 1.61e12, "1.6 TB/s, and a byte more or less in a bin"
    with pytest.raises(PtoError, match="1 bin or more"):
        trace.hbm_bandwidth(0)


def test_a_table_of_both_paths(trace: Trace, tmp_path: Path) -> None:
    trace.save_critical_path(tmp_path / "path.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "path.csv").read_text())))
    found = trace.critical_path()
    observed = [row for row in rows if row["path"] == "observed"]
    assert [int(row["end"]) for row in observed] == found.observed["end"].tolist()
    assert [row["cause"] for row in observed] == found.observed["cause"].tolist()
    longest = [row for row in rows if row["path"] == "longest"]
    assert [int(row["task"]) for row in longest] == found.longest.tolist()
    assert int(longest[-1]["end"]) == found.length
    assert rows[-1]["loc"].startswith("chain.py:")
