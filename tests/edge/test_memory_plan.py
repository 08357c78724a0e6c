from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcase_system.edge.memory_plan import Buffer, better_plan, end, least, plan


def test_plan_by_hand():
    """The largest lies at 0; the second lives with it, so behind it; the third after it is gone."""
    living = [Buffer(16, 2, 3), Buffer(64, 0, 1), Buffer(32, 1, 2)]
    assert plan(living) == [0, 0, 64]


def test_a_gap_is_used_if_it_is_large_enough():
    long, short = [Buffer(64, 0, 1), Buffer(48, 0, 3)], [Buffer(40, 2, 2), Buffer(32, 2, 2)]
    # The first two at 0 and 64. When the 64 are gone, 40 go there; 32 do not fit between.
    assert plan([*long, *short]) == [0, 64, 0, 112]
    assert plan([*long, short[1]]) == [0, 64, 0]


@pytest.mark.parametrize("planner", [plan, better_plan])
@given(
    living=st.lists(
        st.builds(
            lambda size, first, lives: Buffer(16 * size, first, first + lives),
            st.integers(1, 40),
            st.integers(0, 8),
            st.integers(0, 4),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_what_lives_at_one_time_lies_apart(planner, living):
    offsets = planner(living)
    for at in range(14):
        spans = sorted(
            (offset, offset + one.bytes)
            for offset, one in zip(offsets, living, strict=True)
            if one.first <= at <= one.last
        )
        assert all(end <= begin for (_, end), (begin, _) in pairwise(spans))
    assert min(offsets) == 0
    assert least(living) <= end(living, offsets) <= end(living, plan(living))


def test_a_better_order_is_found():
    """By size, the 48 lie above the 64 that they share a time with, and the 32 above them."""
    living = [Buffer(64, 0, 1), Buffer(48, 1, 2), Buffer(32, 2, 3), Buffer(80, 3, 4)]
    assert end(living, better_plan(living)) == least(living) == 112


def test_without_buffers_there_is_no_memory():
    assert plan([]) == better_plan([]) == [] and end([], []) == least([]) == 0
