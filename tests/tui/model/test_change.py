"""Changes of figures: published examples, and what is no change."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.model.change import Change, change, sampled_change
from tui.model.estimate import Estimate, share


def test_the_difference_of_two_shares_is_the_published_one() -> None:
    """Newcombe, Statistics in Medicine 17 (1998) 873, table II, method 10."""
    after, before = (share([(n / 30, t / 30)] * 30) for n, t in ((56, 70), (48, 80)))
    found = change(before, after)
    assert found.delta == pytest.approx(0.2)
    assert found.delta_interval == pytest.approx((0.0524, 0.3339), abs=6e-5)
    assert found.is_more


def test_what_has_no_interval_is_not_told_as_a_change() -> None:
    """Nor what was not measured."""
    found = change(Estimate(1.0), Estimate(3.0))
    assert (found.delta, found.ratio, found.is_changed) == (2.0, 3.0, False)
    assert Change(None, Estimate(1.0)).delta is None
    assert Change(None, Estimate(1.0)).ratio is None


def test_from_nothing_a_ratio_is_infinite() -> None:
    """Of nothing to nothing there is none."""
    nothing = Estimate(0.0, (0.0, 0.0))
    found = change(nothing, Estimate(2.0, (1.0, 3.0)))
    assert found.ratio == math.inf
    assert found.ratio_interval is None
    assert found.is_more
    assert change(nothing, nothing).ratio is None
    assert not change(nothing, nothing).is_changed


def test_the_width_of_a_bucket_does_not_cancel_out() -> None:
    """Two values of neighbouring buckets may be the same, however many there were."""
    before = Estimate(1.9, (1.9, 1.9), (1.0, 2.0))
    after = Estimate(2.1, (2.1, 2.1), (2.0, 4.0))
    found = change(before, after)
    assert found.delta_interval == pytest.approx((0.0, 3.0))
    assert found.ratio_interval == pytest.approx((1.0, 4.0))
    assert not found.is_changed


def test_a_bound_that_nothing_tells_is_infinite() -> None:
    """And what depends on it is not told as changed."""
    endless = Estimate(2.0, (1.5, math.inf), (1.5, math.inf))
    found = change(Estimate(1.0, (0.9, 1.1)), endless)
    assert found.delta_interval is not None
    assert found.delta_interval[1] == math.inf
    assert found.is_more
    assert not change(endless, Estimate(9.0, (8.0, 10.0))).is_more
    assert change(endless, Estimate(1.0, (0.9, 1.1))).is_less


@given(st.floats(0.01, 1e6), st.floats(0, 0.5), st.floats(0.01, 1e6), st.floats(0, 0.5))
def test_either_way_round_it_is_the_same(a: float, off_a: float, b: float, off_b: float) -> None:
    """An increase is a decrease backwards; the change seen is in its interval."""
    one = Estimate(a, (a * (1 - off_a), a * (1 + off_a)))
    other = Estimate(b, (b * (1 - off_b), b * (1 + off_b)))
    there, back = change(one, other), change(other, one)
    assert (there.is_more, there.is_less) == (back.is_less, back.is_more)
    for interval, seen in (
        (there.delta_interval, there.delta),
        (there.ratio_interval, there.ratio),
    ):
        assert interval is not None
        assert seen is not None
        size = 1e-6 * max(a, b, seen)
        assert interval[0] - size <= seen <= interval[1] + size


def test_sampled_costs_are_compared_as_counts() -> None:
    """Where nothing was seen before, the ratio has no upper bound."""
    found = sampled_change(100, 0.5, 200, 0.5)
    assert found.ratio == 2.0
    assert found.is_more
    new = sampled_change(0, 0.5, 20, 0.5)
    assert new.ratio == math.inf
    assert new.ratio_interval is not None
    assert new.ratio_interval[1] == math.inf
    assert new.is_more
    assert not sampled_change(0, 0.5, 0, 0.5).is_changed
