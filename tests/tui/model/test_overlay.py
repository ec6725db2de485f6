"""Two histograms in the same buckets."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.samples import EMPTY_HISTOGRAM, Histogram
from tests.builders import histogram
from tui.model.overlay import overlay

LATENCIES = st.lists(st.floats(1e-5, 100), max_size=60)


def test_every_bucket_between_the_ends_is_there() -> None:
    """Also those that are empty on both sides."""
    rows = overlay(histogram([1.0, 1.0, 4.0], schema=0), histogram([2.0], schema=0))
    assert [(row.lower_ms, row.upper_ms) for row in rows] == [
        (500, 1000),
        (1000, 2000),
        (2000, 4000),
    ]
    assert [row.before_ratio for row in rows] == pytest.approx([2 / 3, 0, 1 / 3])
    assert [row.after_ratio for row in rows] == [0, 1, 0]


def test_the_coarser_of_two_decides() -> None:
    """Of two sides that have values."""
    rows = overlay(histogram([1.5] * 4, schema=8), histogram([1.5], schema=0))
    assert [(row.lower_ms, row.upper_ms) for row in rows] == [(1000, 2000)]
    assert len(overlay(histogram([1.5], schema=8), EMPTY_HISTOGRAM)) == 1
    assert overlay(EMPTY_HISTOGRAM, EMPTY_HISTOGRAM) == []


def test_an_outlier_does_not_make_all_others_one_bucket() -> None:
    """It is a row of its own."""
    values = [0.010 * 1.01**n for n in range(100)] * 20
    rows = overlay(histogram([*values, 900.0]), histogram(values), 16)
    assert len(rows) <= 16
    assert sum(row.before_ratio > 0.01 for row in rows) >= 8
    assert rows[-1].upper_ms > 900_000


def test_values_of_almost_zero_come_first() -> None:
    """In a row without width."""
    rows = overlay(Histogram(3, {0: 1}, 3, 4, 1.0), histogram([1.0]))
    assert rows[0].lower_ms == rows[0].upper_ms == 0
    assert rows[0].before_ratio == 0.75


@given(LATENCIES, LATENCIES, st.sampled_from([None, 4, 10, 20]))
def test_shares_add_up(before: list[float], after: list[float], rows: int | None) -> None:
    """Whatever is folded together; rows adjoin, and are as many as may be."""
    found = overlay(histogram(before), histogram(after, schema=2), rows)
    for values, shares in (
        (before, [row.before_ratio for row in found]),
        (after, [row.after_ratio for row in found]),
    ):
        assert math.fsum(shares) == pytest.approx(1 if values else 0)
    assert all(one.upper_ms == other.lower_ms for one, other in pairwise(found))
    assert rows is None or len(found) <= rows
