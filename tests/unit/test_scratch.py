"""Scratch planning: values that live at the same time never share a byte."""

from hypothesis import given
from hypothesis import strategies as st

from pto_wsp.codegen.scratch import ALIGNMENT, Lifetime, plan_scratch

lifetimes = st.builds(
    lambda size, first, length: Lifetime(size, first, first + length),
    st.integers(1, 5000),
    st.integers(0, 20),
    st.integers(0, 10),
)


@given(st.lists(lifetimes, max_size=30))
def test_values_alive_together_have_their_own_bytes(values: list[Lifetime]) -> None:
    plan = plan_scratch(values)
    places = list(zip(plan.offsets, values, strict=True))
    for i, (a_offset, a) in enumerate(places):
        assert a_offset % ALIGNMENT == 0
        assert a_offset + a.size <= plan.size
        for b_offset, b in places[i + 1 :]:
            alive_together = a.first <= b.last and b.first <= a.last
            apart = a_offset + a.size <= b_offset or b_offset + b.size <= a_offset
            assert apart or not alive_together


def test_a_chain_reuses_the_bytes_of_dead_values() -> None:
    chain = [Lifetime(1024, i, i + 1) for i in range(10)]
    assert plan_scratch(chain).size == 2048
