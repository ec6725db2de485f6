from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.k6.histogram import BadSeries, HistogramSum, from_message, merge, subtract
from collectors.k6.messages import TimeSeries
from collectors.samples import EMPTY_HISTOGRAM, Histogram


def histogram(buckets: Mapping[int, int], zero_count: int = 0, schema: int = 3) -> Histogram:
    count = sum(buckets.values()) + zero_count
    return Histogram(schema, buckets, zero_count, count, float(count))


histograms = st.builds(
    histogram,
    st.dictionaries(st.integers(-300, 300), st.integers(1, 10**6), max_size=20),
    st.integers(0, 1000),
)


@given(histograms, histograms)
def test_what_came_later_is_what_was_added(older: Histogram, gained: Histogram) -> None:
    """Subtracting the older state gives back exactly what was added to it."""
    newer = merge(older, gained)
    difference = subtract(newer, older)
    assert difference.buckets == gained.buckets
    assert (difference.zero_count, difference.count) == (gained.zero_count, gained.count)
    assert difference.sum == pytest.approx(gained.sum)


@given(histograms, histograms, histograms)
def test_merge_is_associative_and_commutative(a: Histogram, b: Histogram, c: Histogram) -> None:
    """The order of merging does not matter."""
    assert merge(merge(a, b), c) == merge(a, merge(c, b))


@given(histograms)
def test_nothing_is_neutral(some: Histogram) -> None:
    """Merging with nothing changes nothing, and nothing comes of no change."""
    assert merge(some, EMPTY_HISTOGRAM) == some
    assert subtract(some, some).count == 0
    assert subtract(some, EMPTY_HISTOGRAM) == some


@pytest.mark.parametrize(
    "newer",
    [
        histogram({1: 4}),
        histogram({1: 5}, zero_count=0, schema=2),
        histogram({2: 50}),
        histogram({1: 5, 2: 1}, zero_count=1),
    ],
)
def test_a_reset_makes_everything_new(newer: Histogram) -> None:
    """If any number fell, or the resolution changed, the series began anew."""
    assert subtract(newer, histogram({1: 5, 2: 1}, zero_count=2)) is newer


def test_a_coarser_histogram_lowers_the_resolution() -> None:
    """Buckets of different schemas are merged in the coarser one, by their upper bounds."""
    fine = histogram({-3: 1, -2: 1, 0: 1, 1: 1, 2: 1, 3: 1}, schema=3)
    coarse = histogram({1: 10}, schema=2)
    expected = {-1: 2, 0: 1, 1: 12, 2: 1}
    for order in ((fine, coarse), (coarse, fine)):
        assert merge(*order).buckets == expected
        assert merge(*order).schema == 2


def test_an_empty_sum_is_the_empty_histogram() -> None:
    """A sum of nothing is nothing."""
    assert HistogramSum().build() == EMPTY_HISTOGRAM


def test_spans_and_deltas_become_buckets() -> None:
    """The example of a span with a gap and falling counts."""
    message = TimeSeries().histograms.add(count_int=8, sum=1.5, schema=3, zero_count_int=2)
    message.positive_spans.add(offset=-4, length=2)
    message.positive_spans.add(offset=3, length=2)
    message.positive_deltas.extend([3, -1, -1, -1])
    assert from_message(message) == Histogram(3, {-4: 3, -3: 2, 1: 1}, 2, 8, 1.5)


@pytest.mark.parametrize(
    ("spans", "deltas", "fields", "reason"),
    [
        ([(0, 2)], [1], {}, "histogram_spans"),
        ([(0, 1)], [1, 1], {}, "histogram_spans"),
        ([(0, 1), (-1, 1)], [1, 0], {"count_int": 2}, "histogram_spans"),
        ([(2**30, 1)], [1], {}, "histogram_spans"),
        ([(0, 4_000_000_000)], [1], {}, "histogram_spans"),
        ([(0, 1)], [-1], {}, "histogram_count"),
        ([(0, 1)], [1], {"count_int": 7}, "histogram_count"),
        ([(0, 1)], [2**62], {"count_int": 2**63}, "histogram_count"),
        ([(0, 1)], [1], {"schema": 20}, "histogram_schema"),
        ([(0, 1)], [1], {"sum": float("nan")}, "value_not_finite"),
        ([(0, 1)], [1], {"sum": float("inf")}, "value_not_finite"),
        ([(0, 1)], [1], {"negative_deltas": [1]}, "histogram_negative_values"),
        ([(0, 1)], [1], {"positive_counts": [1.0]}, "histogram_float_counts"),
        ([(0, 30_000)], [0] * 30_000, {}, "histogram_too_large"),
    ],
)
def test_a_contradictory_histogram_is_rejected(
    spans: list[tuple[int, int]], deltas: list[int], fields: dict[str, object], reason: str
) -> None:
    """Nothing is guessed: the first contradiction names the reason."""
    message = TimeSeries().histograms.add(**{"count_int": 1, "schema": 3, **fields})
    for offset, length in spans:
        message.positive_spans.add(offset=offset, length=length)
    message.positive_deltas.extend(deltas)
    with pytest.raises(BadSeries) as caught:
        from_message(message)
    assert caught.value.reason == reason
