from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tui.model.series import Buckets, Series, grouped, newest, rates
from tui.model.timeline import TimeRange


@dataclass(frozen=True, slots=True)
class Push:
    """An interval in which an amount happened."""

    at: float
    interval_s: float = 1.0
    amount: float = 10.0


def per_second(push: Push) -> float:
    """Return the rate over its interval."""
    return push.amount / push.interval_s


def pushes(intervals: list[float], start: float = 50.0) -> list[Push]:
    """Return pushes that follow each other without a gap."""
    made, at = [], start
    for number, interval_s in enumerate(intervals):
        at += interval_s
        made.append(Push(at, interval_s, 10.0 + number))
    return made


intervals = st.lists(st.floats(0.2, 3.0), min_size=1, max_size=20)
widths = st.sampled_from([0.25, 0.5, 1.0, 2.0, 5.0])


def test_buckets_are_whole_multiples_of_their_width() -> None:
    """The last one holds the end; a bucket has its end and not its start, like a range."""
    buckets = Buckets.ending_at(14.0, 4, 1.0)
    assert (buckets.first, buckets.range) == (10, TimeRange(10.0, 14.0))
    assert Buckets.ending_at(14.1, 4, 1.0).range == TimeRange(11.0, 15.0)
    assert Buckets.ending_at(14.1, 2, 5.0).range == TimeRange(5.0, 15.0)
    columns = [buckets.column(at) for at in (10.0, 10.1, 11.0, 11.1, 14.0, 14.1)]
    assert columns == [None, 0, 0, 1, 3, None]


@given(st.floats(1, 1e6), widths, st.integers(1, 50))
def test_the_end_is_in_the_last_bucket(end: float, width_s: float, count: int) -> None:
    """And nowhere else."""
    assert Buckets.ending_at(end, count, width_s).column(end) == count - 1


def test_rates_are_spread_by_overlap() -> None:
    """An interval across two buckets counts in both; where nothing was measured is a gap."""
    buckets = Buckets.ending_at(14.0, 4, 1.0)
    samples = [Push(11.5, amount=10), Push(13.0, amount=30)]
    assert rates(samples, buckets, per_second) == (10.0, 10.0, 30.0, None)
    halves = [Push(10.5, 0.5, amount=10), Push(11.0, 0.5, amount=20)]
    assert rates(halves, buckets, per_second) == (30.0, None, None, None)


def test_a_value_that_is_not_known_is_left_out() -> None:
    """It is a gap, not a zero."""
    buckets = Buckets.ending_at(12.0, 2, 1.0)
    samples = [Push(11.0), Push(12.0)]
    known = rates(samples, buckets, lambda push: None if push.at < 12 else 1.0)
    assert known == (None, 1.0)


def test_a_rounding_error_into_the_next_bucket_is_no_value_there() -> None:
    """A push a hair after the full second does not open a column."""
    buckets = Buckets.ending_at(12.0, 2, 1.0)
    assert rates([Push(11.0000001)], buckets, per_second) == (10.0, None)


@given(intervals, widths)
def test_spreading_conserves_the_amount(lengths: list[float], width_s: float) -> None:
    """Over the buckets that are covered as a whole, rate × width sums up to what happened."""
    samples = pushes(lengths)
    start, end = 50.0, samples[-1].at
    buckets = Buckets.ending_at(end, 300, width_s)
    values = rates(samples, buckets, per_second)
    whole = [
        (buckets.first + column) * width_s
        for column in range(buckets.count)
        if (buckets.first + column) * width_s >= start
        and (buckets.first + column + 1) * width_s <= end
    ]
    assume(whole)
    window = TimeRange(whole[0], whole[-1] + width_s)
    happened = sum(
        per_second(push) * max(0.0, min(push.at, window.end) - max(begin, window.start))
        for push in samples
        for begin in [push.at - push.interval_s]
    )
    spread = sum(
        (value or 0.0) * width_s
        for column, value in enumerate(values)
        if window.start <= (buckets.first + column) * width_s < window.end
    )
    assert spread == pytest.approx(happened, rel=1e-2)


@given(intervals, widths, st.floats(0, 1, exclude_max=True))
def test_the_past_does_not_change_shape(lengths: list[float], width_s: float, shift: float) -> None:
    """Moving the end moves the picture by whole columns, less than one by none or one."""
    samples = pushes(lengths)
    end = samples[-1].at
    before = Buckets.ending_at(end, 100, width_s)
    after = Buckets.ending_at(end + shift * width_s, 100, width_s)
    moved = after.first - before.first
    assert moved in (0, 1)
    old, new = (rates(samples, buckets, per_second) for buckets in (before, after))
    assert new[: 100 - moved] == old[moved:]
    old_groups, new_groups = (grouped(samples, buckets) for buckets in (before, after))
    assert new_groups[: 100 - moved] == old_groups[moved:]


def test_a_bucket_shows_what_ended_in_it() -> None:
    """Or what covers it, where nothing ended."""
    buckets = Buckets.ending_at(13.0, 3, 1.0)
    one, long = Push(10.9), Push(13.0, interval_s=2.1)
    assert grouped([one, long], buckets) == [[one], [long], [long]]
    first, second = Push(11.3, interval_s=0.3), Push(11.8, interval_s=0.5)
    assert grouped([first, second], buckets) == [[], [first, second], []]


@given(intervals)
def test_every_push_is_shown_where_it_ended(lengths: list[float]) -> None:
    """No percentile of a push is lost between two columns."""
    samples = pushes(lengths)
    buckets = Buckets.ending_at(samples[-1].at, 100, 1.0)
    groups = grouped(samples, buckets)
    for sample in samples:
        column = buckets.column(sample.at)
        assert column is not None
        assert sample in groups[column]


@pytest.mark.parametrize(
    ("series", "value"),
    [
        ((1.0, 2.0, None), 2.0),
        ((1.0, None, None), 1.0),
        ((1.0, None, None, None), None),
        ((0.0,), 0.0),
        ((), None),
    ],
)
def test_the_newest_value_is_not_an_old_one(series: Series, value: float | None) -> None:
    """The last column may not be filled yet; three empty ones are silence."""
    assert newest(series) == value
