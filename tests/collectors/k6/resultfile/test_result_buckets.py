"""Values go into the very buckets that k6 streams."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.k6.resultfile.buckets import GrowingHistogram, bucket_of
from collectors.k6.resultfile.points import BadPoint
from collectors.samples import EMPTY_HISTOGRAM


@pytest.mark.parametrize(
    ("value", "bucket"),
    [
        (1.0, 0),  # a bucket holds its upper bound
        (math.nextafter(1.0, 2.0), 1),
        (math.nextafter(1.0, 0.0), 0),
        (0.5, -8),
        (2.0, 8),
        (2 ** (1 / 8), 1),
        (0.001, -79),
        (5e-324, -8592),
    ],
)
def test_known_buckets(value: float, bucket: int) -> None:
    assert bucket_of(value) == bucket


@given(st.floats(1e-30, 1e15))
def test_a_bucket_holds_its_values(value: float) -> None:
    """Between its bounds, but for the last digit of a logarithm."""
    assert math.log2(value) * 8 == pytest.approx(bucket_of(value) - 0.5, abs=0.5 + 1e-9)


def test_what_is_almost_zero_is_zero_and_what_is_below_is_refused() -> None:
    histogram = GrowingHistogram()
    assert histogram.build() == EMPTY_HISTOGRAM
    for value in (0.0, -0.0, 2.0**-128, 1.0, 1.0, 3.0):
        histogram.add(value)
    with pytest.raises(BadPoint, match="negative_values"):
        histogram.add(-1.0)
    built = histogram.build()
    assert (built.schema, built.zero_count, built.count, built.sum) == (3, 3, 6, 5.0)
    assert built.buckets == {0: 2, bucket_of(3.0): 1}
