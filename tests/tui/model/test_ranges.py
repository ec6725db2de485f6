"""Which range of time is looked at."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.course import Course, CourseUnit
from collectors.samples import LoadTarget, Mark, MarkKind
from tests.builders import load
from tui.model.ranges import (
    LENGTHS_S,
    RangeChoice,
    RangeKind,
    load_began_at,
    load_changed_at,
)
from tui.model.timeline import Timeline, TimeRange

NOW = 160.6


@pytest.fixture
def timeline() -> Timeline:
    """A run whose load began at 102, and was ramped from 130 to 140."""
    timeline = Timeline(100.2)
    timeline.append(Mark(101.0, MarkKind.START, "start"))
    timeline.append(LoadTarget(102.0, Course.constant(CourseUnit.VUS, 5.0, 102.0)))
    for second in range(103, 161):
        timeline.append(load(float(second)))
    timeline.append(LoadTarget(130.0, Course(CourseUnit.VUS, ((130.0, 5.0), (140.0, 50.0)))))
    return timeline


def test_live_is_the_newest_seconds(timeline: Timeline) -> None:
    """Ten of them, unless somebody says so; the trends end where the range does."""
    choice = RangeChoice()
    assert choice.range(timeline, NOW) == TimeRange(150.6, 160.6)
    assert choice.end(NOW) == NOW
    assert not choice.is_held


def test_the_usual_ranges_come_in_turn(timeline: Timeline) -> None:
    """5, 10, 30, 60 seconds, since the start, since the last change, and again."""
    choice = RangeChoice()
    seen = []
    for _ in range(6):
        choice = choice.next()
        seen.append((choice.kind, choice.range(timeline, NOW)))
    assert seen == [
        (RangeKind.LAST, TimeRange(130.6, 160.6)),
        (RangeKind.LAST, TimeRange(100.6, 160.6)),
        (RangeKind.START, TimeRange(102.0, 160.6)),
        (RangeKind.CHANGE, TimeRange(140.0, 160.6)),
        (RangeKind.LAST, TimeRange(155.6, 160.6)),
        (RangeKind.LAST, TimeRange(150.6, 160.6)),
    ]


def test_a_length_between_the_usual_ones_goes_on_to_the_longer(timeline: Timeline) -> None:
    """15 s are followed by 30; the longest by the whole load."""
    assert RangeChoice(length_s=15.0).next().length_s == 30.0
    assert RangeChoice(length_s=90.0).next().kind is RangeKind.START


def test_a_frozen_display_stands_at_the_newest_whole_second(timeline: Timeline) -> None:
    """What comes later changes nothing; live again, the range ends now."""
    choice = RangeChoice().frozen(NOW)
    for later in (NOW, NOW + 30):
        assert choice.range(timeline, later) == TimeRange(150.0, 160.0)
        assert choice.end(later) == 160.0
    assert choice.frozen(NOW + 9) == choice
    assert choice.live() == RangeChoice()


def test_a_picked_range_is_of_whole_seconds_in_either_order(timeline: Timeline) -> None:
    """All that was touched, at least one, nothing of the future."""
    choice = RangeChoice()
    assert choice.pick(120.4, 110.6, NOW).range(timeline, NOW) == TimeRange(110.0, 121.0)
    assert choice.pick(120.0, 120.0, NOW).range(timeline, NOW) == TimeRange(119.0, 120.0)
    assert choice.pick(150.0, 999.0, NOW).range(timeline, NOW) == TimeRange(150.0, 160.0)
    assert choice.pick(999.0, 998.0, NOW).range(timeline, NOW) == TimeRange(159.0, 160.0)


def test_the_cursor_moves_by_whole_seconds_and_back_to_live(timeline: Timeline) -> None:
    """The range keeps its length; past the newest second it is live again."""
    choice = RangeChoice().moved(-1, timeline, NOW)
    assert choice.range(timeline, NOW) == TimeRange(149.0, 159.0)
    assert choice.is_held
    choice = choice.moved(-9, timeline, NOW + 5)
    assert choice.range(timeline, NOW + 5) == TimeRange(140.0, 150.0)
    choice = choice.moved(10, timeline, NOW + 5)
    assert choice.range(timeline, NOW + 5) == TimeRange(150.0, 160.0)
    assert choice.moved(1, timeline, NOW + 5) == RangeChoice()


def test_the_cursor_stops_at_the_start_of_the_session(timeline: Timeline) -> None:
    """There is nothing before it."""
    choice = RangeChoice().moved(-5_000, timeline, NOW)
    assert choice.range(timeline, NOW).end == 101.0


def test_widening_keeps_the_end(timeline: Timeline) -> None:
    """A live range stays live, a picked one picked, any other becomes picked."""
    assert RangeChoice().widened(1, timeline, NOW) == RangeChoice(length_s=15.0)
    assert RangeChoice().widened(-1, timeline, NOW) == RangeChoice(length_s=5.0)
    picked = RangeChoice().pick(140.0, 150.0, NOW)
    assert picked.widened(2, timeline, NOW).range(timeline, NOW) == TimeRange(130.0, 150.0)
    assert picked.widened(-99, timeline, NOW).range(timeline, NOW) == TimeRange(149.0, 150.0)
    since = RangeChoice(RangeKind.START).widened(-1, timeline, NOW)
    assert since.range(timeline, NOW) == TimeRange(115.0, 160.0)


@given(
    st.lists(st.integers(-20, 20), max_size=20),
    st.floats(100.5, 2_000.0),
    st.sampled_from(list(RangeKind)[:3]),
)
def test_every_way_leads_to_a_range_of_the_session(
    moves: list[int], now: float, kind: RangeKind
) -> None:
    """Not empty, not of the future, its picked ends on whole seconds."""
    timeline = Timeline(100.2)
    choice = RangeChoice(kind)
    for number, move in enumerate(moves):
        if number % 2:
            choice = choice.moved(move, timeline, now)
        else:
            choice = choice.widened(move, timeline, now)
        found = choice.range(timeline, now)
        assert found.duration_s > 0
        assert found.end <= now
        if choice.kind is RangeKind.PICKED:
            assert (found.start % 1, found.end % 1) == (0, 0)
        assert choice.length_s in LENGTHS_S


def test_a_load_begins_with_its_first_push(timeline: Timeline) -> None:
    """After the newest start: what an earlier run did is another load."""
    assert load_began_at(timeline, NOW) == 102.0
    timeline.append(Mark(160.0, MarkKind.START, "start"))
    assert load_began_at(timeline, 159.0) == 102.0
    assert load_began_at(timeline, NOW) == 160.0
    assert load_began_at(Timeline(100.2), NOW) == 100.2


def test_a_load_changes_at_each_corner_of_its_course(timeline: Timeline) -> None:
    """During a ramp it changed at its begin, after it at its end."""
    assert load_changed_at(timeline, 120.0) == 102.0
    assert load_changed_at(timeline, 135.0) == 130.0
    assert load_changed_at(timeline, 155.0) == 140.0
    as_written = Timeline(100.2)
    as_written.append(load(105.0))
    assert load_changed_at(as_written, 110.0) == 104.0
