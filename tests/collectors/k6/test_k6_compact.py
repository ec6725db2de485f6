"""What is kept small is what was given, whatever its shape, and stays within its room."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collectors.k6.compact import WIDE_ENTRY_BYTES, CompactSeries
from collectors.k6.messages import TimeSeries
from collectors.samples import Histogram
from tests.collectors.k6.conftest import add_histogram


def raw_of(value: float | Histogram) -> bytes:
    """Return the bytes that such a value comes in."""
    series = TimeSeries()
    if isinstance(value, Histogram):
        add_histogram(series, value)
    else:
        series.samples.add(value=value)
    raw: bytes = series.SerializeToString()
    return raw


@st.composite
def histograms(draw: st.DrawFn) -> Histogram:
    indexes = st.integers(-(1 << 19), 1 << 19)
    buckets = draw(st.dictionaries(indexes, st.integers(1, 1 << 33), max_size=3))
    zeros = draw(st.sampled_from([0, 0, 0, 1, 1 << 33]))
    schema, total = draw(st.integers(-4, 8)), draw(st.floats(0, 1e9))
    return Histogram(schema, buckets, zeros, zeros + sum(buckets.values()), total)


numbers = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.tuples(st.integers(-(1 << 63), (1 << 63) - 1), numbers | histograms())))
def test_it_is_a_mapping(entries: list[tuple[int, float | Histogram]]) -> None:
    """The newest value of each key comes back as it was."""
    kept, expected = CompactSeries(1000), dict[int, float | Histogram]()
    for key, value in [*entries, *entries[::-1]]:
        raw = raw_of(value)
        assert kept.has_room(key, value, raw)
        kept.keep(key, value, raw)
        expected[key] = value
    assert len(kept) == len(expected)
    assert {key: kept.get(key) for key in expected} == expected
    assert kept.get(0) == expected.get(0)


def test_room_is_bounded() -> None:
    """Beyond the number of series a new one has no room; a known one has."""
    kept = CompactSeries(2)
    for key in (1, 2):
        kept.keep(key, 1.0, b"")
    assert not kept.has_room(3, 1.0, b"")
    assert kept.has_room(2, 2.0, b"")


def test_room_for_wide_ones_is_bounded_and_given_back() -> None:
    """A wide value takes its bytes; a narrow one in its place frees them."""
    wide = Histogram(3, {1: 1, 5: 2}, 0, 3, 0.5)
    raw = raw_of(wide)
    kept = CompactSeries(10, len(raw) + WIDE_ENTRY_BYTES)
    kept.keep(1, wide, raw)
    assert not kept.has_room(2, wide, raw)
    assert kept.has_room(1, wide, raw)
    kept.keep(1, 1.0, b"")
    assert kept.has_room(2, wide, raw)
