"""The analyses that passes and users stand on, without a pass around them."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xdsl.dialects.builtin import ModuleOp, bf16, f16, f32, f64, i32
from xdsl.ir.affine import AffineExpr

from pto_wsp.dialects import make_context
from pto_wsp.dialects.dtypes import DTYPES, dtype_named, widened
from pto_wsp.dialects.schedule import PlanOp
from pto_wsp.dialects.task import IndexOp, ParallelOp, WorkloadOp
from pto_wsp.dialects.text import parse_module
from pto_wsp.dialects.tile_values import round_to
from pto_wsp.errors import ScheduleError
from pto_wsp.transforms.analysis.axis_ranges import expr_range, value_range
from pto_wsp.transforms.analysis.plan_settings import module_settings, plan_settings
from pto_wsp.transforms.analysis.task_counts import task_counts
from pto_wsp.transforms.pipeline import parse_passes, run_pipeline
from pto_wsp.transforms.tile_check import covered_elements


def parsed(text: str) -> ModuleOp:
    return parse_module(make_context(), text, "test")


# ---- Counting tasks ----------------------------------------------------------------------------


def test_tasks_are_counted_from_the_loops() -> None:
    module = parsed("""
    task.workload @w {
      %rows = task.tensor "rows" from memory : 4x1x8xi32
      task.parallel (%a, %b) in (2, 16) { task.launch @norm  task.launch @norm }
      task.seq (%t) in (4) {
        %row = task.view %rows[%t, 0, 0] [1, 1, 8]
        task.select %e at %k in %row { task.launch @expert  task.combine { task.launch @add } }
      }
      task.sequential { task.launch @norm } then { task.parallel (%z) in (0) { task.launch @add } }
      task.parallel (%big, %bigger) in (1000000, 1000000) { task.launch @never_unrolled }
    }""")
    (workload,) = (op for op in module.walk() if isinstance(op, WorkloadOp))
    counts = task_counts(workload)
    expected = {"norm": 65, "expert": 32, "add": 32, "never_unrolled": 10**12}
    assert counts.per_kernel == expected
    assert list(counts.per_kernel) == list(expected)
    assert counts.total == 65 + 32 + 32 + 10**12


# ---- Ranges of indices -------------------------------------------------------------------------


def expressions(symbols: int) -> st.SearchStrategy[AffineExpr]:
    leaves = st.one_of(
        st.integers(-9, 9).map(AffineExpr.constant),
        st.integers(0, symbols - 1).map(AffineExpr.symbol),
    )
    divisors = st.integers(1, 5)

    def grow(inner: st.SearchStrategy[AffineExpr]) -> st.SearchStrategy[AffineExpr]:
        return st.one_of(
            st.tuples(inner, inner).map(lambda pair: pair[0] + pair[1]),
            st.tuples(inner, st.integers(-4, 4)).map(lambda pair: pair[0] * pair[1]),
            st.tuples(inner, divisors).map(lambda pair: pair[0] // pair[1]),
            st.tuples(inner, divisors).map(lambda pair: pair[0] % pair[1]),
        )

    return st.recursive(leaves, grow, max_leaves=5)


@given(expressions(2), st.integers(1, 5), st.integers(1, 5))
def test_ranges_hold_every_value(expr: AffineExpr, n: int, m: int) -> None:
    loop = ParallelOp([n, m])
    found = expr_range(expr, loop.induction_values)
    values = [expr.eval([], pair) for pair in itertools.product(range(n), range(m))]
    assert found.low is not None
    assert found.high is not None
    assert found.low <= min(values)
    assert max(values) <= found.high
    if found.exact:
        assert (found.low, found.high) == (min(values), max(values))


def test_index_arithmetic_is_looked_through() -> None:
    i, j = ParallelOp([8, 4]).induction_values
    block = IndexOp(AffineExpr.symbol(0) * 32 + 5, [i])
    assert value_range(block.result).high == 7 * 32 + 5
    both = expr_range(AffineExpr.symbol(0) + AffineExpr.symbol(1), [block.result, j])
    assert (both.low, both.high) == (5, 7 * 32 + 5 + 3)
    # i - i is 0; an interval cannot know.
    assert not expr_range(AffineExpr.symbol(0) - AffineExpr.symbol(1), [i, i]).exact


# ---- Boxes -------------------------------------------------------------------------------------

boxes = st.tuples(
    st.tuples(st.integers(0, 6), st.integers(0, 6)), st.tuples(st.integers(1, 4), st.integers(1, 4))
)


@given(st.lists(boxes, max_size=5))
def test_covered_elements_are_counted_once(
    given_boxes: list[tuple[tuple[int, int], tuple[int, int]]],
) -> None:
    elements = {
        (row + r, col + c)
        for (row, col), (rows, cols) in given_boxes
        for r in range(rows)
        for c in range(cols)
    }
    assert covered_elements(given_boxes) == len(elements)


# ---- Plans as settings -------------------------------------------------------------------------


def test_a_plan_becomes_settings() -> None:
    module = parsed("""
    schedule.plan @old for @w {
      schedule.dispatch_threshold {256 = round_robin<1>, 1024 = round_robin, 4096 = work_steal}
      schedule.task_graph window(64, tasks, stall) ready(work_steal) start(threshold<100>)
      schedule.batch_deps (128, range_compression)
      schedule.pipeline_depth (3, per_pool)
    }""")
    run_pipeline(module, make_context(), parse_passes("schedule-resolve"))
    assert module_settings(module) == {
        "deps": "hybrid",
        "infer": "infer_bytes_overlap",
        "window": 64,
        "window_unit": "tasks",
        "window_mode": "stall",
        "pools": "by_exec_unit",
        "ready": "work_steal",
        "start": "threshold(100)",
        "trace": "cycles",
        "timing": "immediate",
        "batch": 128,
        "range_compression": True,
        "depth": 3,
        "depth_scope": "per_pool",
        "dispatch_threshold": "256=round_robin(1),1024=round_robin(0),4096=work_steal",
    }


def test_settings_of_no_plan_and_of_several() -> None:
    assert module_settings(parsed("builtin.module {}")) == {}
    two = parsed("schedule.plan @a for @w {} schedule.plan @b for @w {}")
    with pytest.raises(ScheduleError, match="one plan, this module has @a, @b"):
        module_settings(two)
    (first, _) = (op for op in two.walk() if isinstance(op, PlanOp))
    with pytest.raises(ValueError, match="@a: schedule-resolve has not run"):
        plan_settings(first)


# ---- Dtypes ------------------------------------------------------------------------------------


def test_the_table_of_dtypes() -> None:
    assert [dtype_named(info.name) for info in DTYPES] == list(DTYPES)
    assert widened(f16, f32) == f32
    assert widened(f16, f16) == f16
    assert widened(f16, i32) is None
    assert widened(f64, bf16) == f64
    assert widened(dtype_named("f8e4m3").type, f32) is None, "storage is cast first"
    assert list(dtype_named("u8").range) == list(range(256))
    assert dtype_named("i64").range == range(-(2**63), 2**63)
    known = "i1, i8, i16, i32, i64, u8, u16, u32, u64, f8e4m3, f8e5m2, f16, bf16, f32, f64"
    with pytest.raises(ValueError, match=f"one of {known}, got f8"):
        dtype_named("f8")


def test_numbers_round_to_their_dtype() -> None:
    assert round_to(0.1, "f32") == 0.10000000149011612
    assert round_to(0.1, "f16") == 0.0999755859375
    assert round_to(0.1, "bf16") == 0.10009765625
    assert round_to(1e6, "f16") == float("inf")
