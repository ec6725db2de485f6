from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.samples import EMPTY_HISTOGRAM
from tests.builders import histogram
from tui.model.latency import mean, merge, quantile, upper_bound

values = st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=60)
GROWTH = 2 ** (1 / 8)


@given(values, st.floats(0.01, 1.0))
def test_a_quantile_is_within_a_bucket_of_the_exact_one(sample: list[float], q: float) -> None:
    """The error is bounded by the width of one bucket."""
    ordered = sorted(sample)
    exact = ordered[max(0, min(len(ordered) - 1, -(-len(ordered) * q // 1).__int__() - 1))]
    found = quantile(histogram(sample), q)
    assert found is not None
    assert exact / GROWTH * 0.999 <= found <= exact * GROWTH * 1.001


@given(values, values)
def test_merging_is_counting_together(one: list[float], other: list[float]) -> None:
    """The histogram of all is the merge of the parts, in either order."""
    merged = merge([histogram(one), histogram(other)])
    assert merged.buckets == histogram(one + other).buckets
    assert merged.count == len(one) + len(other)
    assert merged.sum == pytest.approx(sum(one) + sum(other))
    assert merge([histogram(other), histogram(one)]).buckets == merged.buckets


@given(values, values)
def test_of_two_resolutions_the_coarser_wins(fine: list[float], coarse: list[float]) -> None:
    """A finer histogram folds exactly into the buckets of a coarser one."""
    merged = merge([histogram(fine, schema=3), histogram(coarse, schema=1)])
    assert merged.schema == 1
    assert merged.buckets == histogram(fine + coarse, schema=1).buckets


def test_of_nothing_nothing_is_known() -> None:
    """None, not zero."""
    assert quantile(EMPTY_HISTOGRAM, 0.5) is None
    assert mean(EMPTY_HISTOGRAM) is None
    assert upper_bound(EMPTY_HISTOGRAM) is None
    assert merge([]) == EMPTY_HISTOGRAM


@given(values)
def test_the_maximum_is_not_above_the_bound(sample: list[float]) -> None:
    """And not far below it."""
    bound = upper_bound(histogram(sample))
    assert bound is not None
    assert max(sample) <= bound * 1.001 <= max(sample) * GROWTH * 1.01
