"""The range of time that the panes share, and its name."""

from __future__ import annotations

import pytest

from collectors.samples import Mark, MarkKind
from tests.builders import host, load
from tui.model.load import kind_of
from tui.model.ranges import RangeChoice, RangeKind
from tui.model.timeline import Timeline, TimeRange
from tui.views.host import build_host
from tui.views.load import build_load
from tui.views.window import TREND_COLUMNS, Window, mark_columns, window_of

NOW = 700.6


@pytest.fixture
def timeline() -> Timeline:
    """Ten minutes of load that began at 102."""
    timeline = Timeline(100.0)
    timeline.append(Mark(101.0, MarkKind.START, "start"))
    for second in range(103, 701):
        timeline.append(load(float(second), second))
        timeline.append(host(float(second)))
    return timeline


@pytest.mark.parametrize(
    ("choice", "text"),
    [
        (RangeChoice(), "last 10 s"),
        (RangeChoice(length_s=60.0).frozen(NOW), "last 60 s · frozen"),
        (RangeChoice(RangeKind.START), "since the start, 9:58"),
        (RangeChoice(RangeKind.CHANGE), "since the change, 9:58"),
        (RangeChoice().pick(152.0, 162.0, NOW), "0:50 to 1:00"),
    ],
)
def test_a_range_has_a_name(choice: RangeChoice, text: str, timeline: Timeline) -> None:
    """Picked ones by the clock of the run, that begins with its load."""
    assert window_of(choice, timeline, NOW).text == text


def test_trends_go_on_to_where_the_display_was_held(timeline: Timeline) -> None:
    """The range lies on them; marks and values after the hold are not shown."""
    window = window_of(RangeChoice().pick(600.0, 650.0, NOW), timeline, NOW + 9)
    assert window.range == TimeRange(600.0, 650.0)
    assert window.buckets.range.end == 700.0
    timeline.append(Mark(640.0, MarkKind.LOAD, "more"))
    timeline.append(Mark(705.0, MarkKind.LOAD, "later"))
    assert mark_columns(timeline, window) == (TREND_COLUMNS - 61,)


def test_trends_follow_a_range_that_is_far_back(timeline: Timeline) -> None:
    """With some columns after it."""
    window = window_of(RangeChoice().pick(200.0, 210.0, NOW), timeline, NOW)
    assert window.buckets.range == TimeRange(10.0, 250.0)
    assert window.known_until == 250.0


def test_a_picked_range_is_seen_on_every_trend(timeline: Timeline) -> None:
    """Its columns, and the cursor at its end, whose values the headers tell; live has neither."""
    window = window_of(RangeChoice().pick(640.0, 650.0, NOW), timeline, NOW)
    kind = kind_of(timeline.loads)
    trends = build_load(timeline, window, kind).trends + build_host(timeline, window).trends
    last = TREND_COLUMNS - 51
    assert {(each.selected, each.cursor) for each in trends} == {((last - 9, last), last)}
    requests = trends[0].series[0].values
    assert requests[last - 9 : last + 1] == tuple(float(n) for n in range(641, 651))
    live = build_load(timeline, Window(NOW), kind).trends
    assert {(each.selected, each.cursor) for each in live} == {(None, None)}


def test_every_pane_covers_the_picked_range(timeline: Timeline) -> None:
    """Figures and endpoints are of its requests only."""
    window = window_of(RangeChoice().pick(200.0, 210.0, NOW), timeline, NOW)
    figures = {
        each.label: each.value
        for each in build_load(timeline, window, kind_of(timeline.loads)).figures.figures
    }
    assert figures["req/s"] == "206"


def test_the_last_second_of_a_held_range_has_its_machine(timeline: Timeline) -> None:
    """What the machine did in a second is read a moment after it."""
    late = Timeline(100.0)
    for second in range(690, 701):
        late.append(host(second + 0.0004))
    window = window_of(RangeChoice().pick(690.0, 700.0, NOW), late, NOW)
    cpu = build_host(late, window).trends[0]
    assert cpu.cursor is not None
    assert cpu.series[-1].values[cpu.cursor] is not None
