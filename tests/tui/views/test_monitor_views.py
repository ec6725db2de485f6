from __future__ import annotations

import pytest

from collectors.samples import (
    LogLine,
    Mark,
    MarkKind,
    RequestKind,
    Role,
    SourceState,
    SourceStatus,
    StackMeasure,
)
from tests.builders import batch, facts, histogram, host, load, usage
from tui.model.lens import Lens
from tui.model.phase import RunFacts
from tui.model.timeline import Timeline, TimeRange
from tui.views.flame import FlameView
from tui.views.format import Unit
from tui.views.monitor import build_monitor
from tui.views.window import COLUMN_S, TREND_COLUMNS, Window, mark_columns, trend_series


def recorded(kind: RequestKind = RequestKind.HTTP) -> Timeline:
    """Return ten seconds of a run from 100 s on."""
    timeline = Timeline(100.0)
    timeline.append(LogLine(100.5, "k6", "info", "early"))
    for at in range(101, 111):
        timeline.append(load(at, 100, latency=histogram([0.01] * 100), kind=kind))
        timeline.append(host(at, busy_ratio=0.5, roles=(usage(Role.TARGET, 0.9),)))
        timeline.append(batch(at + 0.0, 20))
    timeline.append(LogLine(110.5, "k6", "info", "late"))
    return timeline


def build_flame(timeline: Timeline, run: RunFacts, window: Window) -> FlameView:
    """Return the flamegraph alone."""
    return build_monitor(timeline, run, window).flame.graph


def test_all_panes_show_the_same_window() -> None:
    """Figures, machine, flamegraph and verdict end where the window does."""
    view = build_monitor(recorded(), facts(), Window(105.0, 3.0))
    figures = {each.label: each.value for each in view.load.figures.figures}
    assert (figures["req/s"], figures["total"]) == ("100", "500")
    assert view.host.roles.rows[0][1].text == "0.90"
    assert view.flame.graph.header == (
        "last 3 s · 60 samples · cpu-clock 99 Hz · too few samples · depth 1"
    )
    assert [line.text for line in view.log.lines] == ["early"]
    assert view.status.health.segments[-1][0] == "room left: 1.0 of 2 cores busy"


def test_cpu_per_request_is_of_the_same_seconds() -> None:
    """Stacks from 102.0 to 105.0 belong to the 300 requests of these three seconds."""
    view = build_flame(recorded(), facts(), Window(105.0, 3.0))
    assert view.tree is not None
    assert (view.tree.samples, view.requests) == (60, 300)


@pytest.mark.parametrize(
    ("kind", "noun"),
    [(RequestKind.HTTP, "request"), (RequestKind.ITERATION, "iteration")],
)
def test_what_is_counted_as_one_is_named(kind: RequestKind, noun: str) -> None:
    """The kind is the run's own, whatever the window holds."""
    timeline = recorded(kind)
    assert build_flame(timeline, facts(), Window(105.0)).request_noun == noun
    late = build_monitor(timeline, facts(), Window(500.0))
    assert late.flame.graph.request_noun == noun
    assert late.load.trends[0].title == f"{noun}s/s"
    assert late.flame.graph.requests is None


def test_equal_moments_give_equal_views() -> None:
    """And another window another flamegraph, so that it is painted anew."""
    timeline = recorded()
    one, same, other = (build_monitor(timeline, facts(), Window(at)) for at in (105, 105, 106))
    assert one == same
    assert one.flame.graph.revision != other.flame.graph.revision


def test_a_frozen_window_says_so() -> None:
    """Its range is named in the pane, its state in the status."""
    window = Window(105.0, 2.5, frozen=True)
    view = build_monitor(recorded(), facts(), window)
    assert view.flame.graph.header.startswith("last 2.5 s · frozen · ")
    assert any("display frozen" in text for text, _ in view.status.headline.segments)
    assert window.range == TimeRange(102.5, 105.0)


def test_a_picked_range_says_which() -> None:
    """And how to get back."""
    window = Window(105.0, 2.0, picked=True, name="0:03 to 0:05")
    view = build_monitor(recorded(), facts(), window)
    assert view.flame.graph.header.startswith("0:03 to 0:05 · 40 samples")
    assert ("❄ 0:03 to 0:05, space goes on", "status-warn") in view.status.headline.segments


@pytest.mark.parametrize(
    ("run", "state", "said"),
    [
        (facts(profiler=""), None, "profiling is off"),
        (facts(), None, "waiting for the server"),
        (facts(), SourceState.LIVE, "no samples in this window: the server used no CPU"),
        (facts(), SourceState.FAILED, "perf may not — sysctl"),
    ],
)
def test_an_empty_flamegraph_says_why(run: RunFacts, state: SourceState | None, said: str) -> None:
    """And what can be done about it."""
    timeline = Timeline(100.0)
    if state is not None:
        timeline.append(SourceStatus(101.0, "perf", state, "perf may not", "sysctl"))
    assert build_flame(timeline, run, Window(110.0)).empty_text == said


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (None, "no wait has ended in this window"),
        (SourceState.LIVE, "no wait has ended in this window"),
        (SourceState.FAILED, "no tracefs — mount it"),
    ],
)
def test_where_there_are_no_waits_the_reason_is_theirs(
    state: SourceState | None, said: str
) -> None:
    """Not that of the profiler."""
    timeline = Timeline(100.0)
    if state is not None:
        timeline.append(SourceStatus(101.0, "off-cpu", state, "no tracefs", "mount it"))
    lens = Lens(measure=StackMeasure.OFF_CPU)
    view = build_monitor(timeline, facts(), Window(110.0), lens)
    assert view.flame.graph.empty_text == said


def test_a_message_without_a_hint_stands_alone() -> None:
    """No dash before nothing."""
    timeline = Timeline(100.0)
    timeline.append(SourceStatus(101.0, "perf", SourceState.ENDED, "the server has ended"))
    assert build_flame(timeline, facts(), Window(110.0)).empty_text == "the server has ended"


def test_marks_stand_in_their_columns() -> None:
    """Those within the trends, and not those after a frozen end."""
    timeline = Timeline(0.0)
    first = 1000.0 - TREND_COLUMNS * COLUMN_S
    for at in (first, first + 0.5, 999.5, 999.75, 1000.0):
        timeline.append(Mark(at, MarkKind.LOAD, "x"))
    last = TREND_COLUMNS - 1
    assert mark_columns(timeline, Window(1000.0)) == (0, last, last, last)
    assert mark_columns(timeline, Window(999.75)) == (0, last, last)


def test_a_trend_tells_its_newest_value() -> None:
    """In the way of its unit, a dash where it is silent."""
    assert trend_series("x", "trend-1", (1.0, 1500.0, None), Unit.RATE).newest == "1.50k"
    assert trend_series("x", "trend-1", (1.0, None, None, None), Unit.RATE).newest == "–"
