from __future__ import annotations

import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.samples import EMPTY_HISTOGRAM, Histogram
from tests.builders import histogram
from tui.model.latency import mean, merge, quantile, upper_bound

values = st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=60)
histograms = st.builds(
    lambda sample, schema, zeros: Histogram(
        schema,
        histogram(sample, schema).buckets,
        zeros,
        len(sample) + zeros,
        math.fsum(sample),
    ),
    st.lists(st.floats(1e-6, 1e3), max_size=20),
    st.integers(-2, 4),
    st.integers(0, 3),
)
GROWTH = 2 ** (1 / 8)


def counted(merged: Histogram) -> tuple[int, dict[int, int], int, int]:
    """Return all of a histogram that is counted exactly."""
    return merged.schema, dict(merged.buckets), merged.zero_count, merged.count


@given(values, st.floats(0.0, 1.0))
def test_a_quantile_is_within_a_bucket_of_the_exact_one(sample: list[float], q: float) -> None:
    """The error is bounded by the width of one bucket."""
    ordered = sorted(sample)
    exact = ordered[max(0, math.ceil(q * len(ordered)) - 1)]
    found = quantile(histogram(sample), q)
    assert found is not None
    assert exact / GROWTH * 0.999 <= found <= exact * GROWTH * 1.001


@given(histograms, st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_quantiles_do_not_fall(sample: Histogram, one: float, other: float) -> None:
    """A greater share of the values reaches at least as high, and never above the bound."""
    low, high = (quantile(sample, q) for q in sorted((one, other)))
    bound = upper_bound(sample)
    if low is None or high is None or bound is None:
        assert low is high is bound is None
        assert sample.count == 0
    else:
        assert 0 <= low <= high <= bound * (1 + 1e-12)


@given(histograms, histograms, histograms)
def test_merging_does_not_depend_on_the_order(a: Histogram, b: Histogram, c: Histogram) -> None:
    """Neither on which two come first nor on which side; count and sum are conserved."""
    merged = merge([a, b, c])
    assert counted(merge([merge([a, b]), c])) == counted(merged)
    assert counted(merge([a, merge([b, c])])) == counted(merged)
    assert counted(merge([c, b, a])) == counted(merged)
    assert merged.count == a.count + b.count + c.count
    assert merged.count == sum(merged.buckets.values()) + merged.zero_count
    assert merged.sum == pytest.approx(a.sum + b.sum + c.sum)


@given(values, values)
def test_merging_is_counting_together(one: list[float], other: list[float]) -> None:
    """The histogram of all is the merge of the parts."""
    merged = merge([histogram(one), histogram(other)])
    assert counted(merged) == counted(histogram(one + other))
    assert merged.sum == pytest.approx(sum(one) + sum(other))


@given(values, values)
def test_of_two_resolutions_the_coarser_wins(fine: list[float], coarse: list[float]) -> None:
    """A finer histogram folds exactly into the buckets of a coarser one."""
    merged = merge([histogram(fine, schema=3), histogram(coarse, schema=1)])
    assert counted(merged) == counted(histogram(fine + coarse, schema=1))


def test_merging_nothing_changes_nothing() -> None:
    """Whatever the resolution of the nothing."""
    one = histogram([0.010, 0.020], schema=5)
    assert merge([EMPTY_HISTOGRAM, one, EMPTY_HISTOGRAM]) == one


def test_values_lie_evenly_on_the_logarithm_of_their_bucket() -> None:
    """Bucket 0 of schema 0 is (0.5, 1], bucket 2 is (2, 4]; zeros come first."""
    four = Histogram(schema=0, buckets={0: 2, 2: 1}, zero_count=1, count=4, sum=5.0)
    quantiles = [quantile(four, q) for q in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert quantiles == pytest.approx([0.0, 0.0, 2**-0.5, 1.0, 4.0])
    assert (mean(four), upper_bound(four)) == (1.25, 4.0)


def test_of_nothing_nothing_is_known() -> None:
    """None, not zero."""
    assert quantile(EMPTY_HISTOGRAM, 0.5) is None
    assert mean(EMPTY_HISTOGRAM) is None
    assert upper_bound(EMPTY_HISTOGRAM) is None
    assert merge([]) == EMPTY_HISTOGRAM


def test_zeros_alone_are_zero() -> None:
    """Their own bucket is no other."""
    zeros = Histogram(schema=3, buckets={}, zero_count=5, count=5, sum=0.0)
    assert (quantile(zeros, 0.0), quantile(zeros, 1.0), upper_bound(zeros)) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("schema", [-4, 0, 3, 8])
def test_the_greatest_numbers_are_no_overflow(schema: int) -> None:
    """A script's own metric may hold any number."""
    greatest = sys.float_info.max
    sample = Histogram(schema, {math.ceil(1024 * 2.0**schema): 1}, 0, 1, greatest)
    assert (quantile(sample, 1.0), upper_bound(sample)) == (greatest, greatest)


@given(values)
def test_the_maximum_is_not_above_the_bound(sample: list[float]) -> None:
    """And not far below it."""
    bound = upper_bound(histogram(sample))
    assert bound is not None
    assert max(sample) <= bound * 1.001 <= max(sample) * GROWTH * 1.01
