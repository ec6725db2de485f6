"""Targets beside what is achieved, in the load pane."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.course import Course, CourseUnit
from collectors.samples import LoadTarget, Mark, MarkKind, RequestKind
from tests.builders import facts, load, texts
from tui.model.timeline import Timeline
from tui.views.figures import draw_figures
from tui.views.format import Unit, cell_width
from tui.views.load import LoadView, build_load
from tui.views.monitor import build_monitor
from tui.views.trend import draw_trend
from tui.views.window import TREND_COLUMNS, Window

VUS, REQUESTS, ITERATIONS = CourseUnit.VUS, CourseUnit.REQUESTS, CourseUnit.ITERATIONS
HTTP = RequestKind.HTTP


def recorded(
    *targets: LoadTarget, requests: int = 100, kind: RequestKind = HTTP, vus: int = 2
) -> Timeline:
    """Return twenty seconds from 100 s on; an iteration is two requests."""
    timeline = Timeline(100.0)
    for target in targets:
        timeline.append(target)
    for at in range(101, 121):
        push = load(float(at), requests, kind=kind)
        timeline.append(replace(push, vus=vus, iterations=requests // 2))
    return timeline


def constant(unit: CourseUnit, level: float, at: float = 100.0) -> LoadTarget:
    """Return a target without a ramp."""
    return LoadTarget(at, Course.constant(unit, level, at))


def build(timeline: Timeline, end: float = 120.0, kind: RequestKind = HTTP) -> LoadView:
    """Build the load pane."""
    return build_load(timeline, Window(end), kind)


def test_a_run_as_written_has_three_trends() -> None:
    """Nobody wants anything of the load."""
    view = build(recorded())
    assert [each.title for each in view.trends] == ["requests/s", "latency", "failed/s"]
    assert [len(each.series) for each in view.trends] == [1, 3, 1]
    assert not build_monitor(recorded(), facts(), Window(120.0)).is_interactive


def test_vus_are_shown_beside_their_target() -> None:
    """A fourth trend with both newest values; the rate has no target."""
    view = build(recorded(constant(VUS, 5.0), vus=3))
    running, target = view.trends[3].series
    assert (view.trends[3].title, view.trends[3].unit) == ("VUs", Unit.COUNT)
    assert running.values[-4:] == (3.0,) * 4
    assert target.values[-21:] == (None, *(5.0,) * 20)
    assert texts(draw_trend(view.trends[3], 38, 1)) == ["VUs  running 3  target 5            5▔"]
    assert len(view.trends[0].series) == 1
    assert "short" not in {each.label for each in view.figures.figures}


def test_a_ramp_is_drawn_straight() -> None:
    """One dot row a cell, and the header tells the target of this moment."""
    course = Course(VUS, ((100.0, 0.0), (120.0, 20.0)))
    trend = build(recorded(LoadTarget(100.0, course), vus=0)).trends[3]
    assert texts(draw_trend(replace(trend, series=trend.series[::-1]), 20, 6)) == [
        "VUs  target 20  run…",
        "                ⣀⡤⠖⠋",
        "            ⣀⡤⠖⠋⠁   ",
        "        ⣀⡤⠖⠋⠁       ",
        "    ⣀⡤⠖⠋⠁           ",
        "⣀⣤⣖⣋⣁⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀",
    ]
    values = trend.series[1].values[-20:]
    assert [round(value or 0, 6) for value in values] == [n + 0.5 for n in range(20)]


def test_the_future_has_no_column() -> None:
    """Neither beyond now nor beyond a frozen end."""
    course = Course(VUS, ((100.0, 0.0), (200.0, 100.0)))
    trend = build(recorded(LoadTarget(100.0, course)), end=110.5).trends[3]
    assert [round(value or 0, 6) for value in trend.series[1].values[-2:]] == [9.5, 10.25]
    assert trend.series[1].newest == "10"


def test_a_rate_is_shown_beside_its_target() -> None:
    """In the trend of the rate; the VUs have none."""
    view = build(recorded(constant(REQUESTS, 125.0)))
    assert [each.name for each in view.trends[0].series] == ["", "target"]
    header = texts(draw_trend(view.trends[0], 38, 1))
    assert header == ["requests/s 100  target 125        200▔"]
    assert [each.name for each in view.trends[3].series] == ["running"]


def test_iterations_have_a_trend_of_their_own() -> None:
    """In the place of the VUs, unless the rate is one of iterations anyway."""
    http = build(recorded(constant(ITERATIONS, 60.0)))
    assert len(http.trends[0].series) == 1
    header = texts(draw_trend(http.trends[3], 38, 1))
    assert header == ["iterations/s 50.0  target 60.0    100▔"]
    kind = RequestKind.ITERATION
    own = build(recorded(constant(ITERATIONS, 60.0), kind=kind), kind=kind)
    assert [each.name for each in own.trends[0].series] == ["", "target"]
    assert own.trends[3].title == "VUs"


@pytest.mark.parametrize(
    ("unit", "level", "value", "style"),
    [
        (REQUESTS, 125.0, "-20%", "figure-warn"),
        (REQUESTS, 106.0, "-6%", "figure-warn"),
        (REQUESTS, 104.0, "-4%", ""),
        (REQUESTS, 100.0, "0%", ""),
        (REQUESTS, 50.0, "0%", ""),
        (REQUESTS, 0.0, "–", ""),
        (ITERATIONS, 100.0, "-50%", "figure-warn"),
    ],
)
def test_what_is_missing_is_said(unit: CourseUnit, level: float, value: str, style: str) -> None:
    """Beside the rate, a warning from 5 % on; always there, so that nothing jumps."""
    figure = build(recorded(constant(unit, level))).figures.figures[1]
    assert (figure.label, figure.value, figure.style_key) == ("short", value, style)


@pytest.mark.parametrize("width", [36, 38, 76, 96])
def test_what_is_missing_is_seen_on_small_screens(width: int) -> None:
    """At 80 columns the pane has 38."""
    (row,) = texts(draw_figures(build(recorded(constant(REQUESTS, 125.0))).figures, width, 1))
    assert "req/s 100" in row
    assert "short -20%" in row


def test_after_a_rate_nothing_is_short() -> None:
    """The target at the end of the window counts; the past keeps its line."""
    view = build(recorded(constant(REQUESTS, 125.0), constant(VUS, 5.0, 115.0)))
    assert "short" not in {each.label for each in view.figures.figures}
    target = view.trends[0].series[1]
    assert (target.values[-6:], target.newest) == ((125.0, *(None,) * 5), "–")


def test_every_change_is_marked_on_every_trend() -> None:
    """Also on that of the VUs."""
    timeline = recorded(constant(VUS, 5.0))
    kinds = (MarkKind.START, MarkKind.LOAD, MarkKind.PAUSE, MarkKind.RESUME, MarkKind.STOP)
    for at, kind in enumerate(kinds):
        timeline.append(Mark(110.5 + at, kind, "x"))
    columns = tuple(TREND_COLUMNS - 10 + at for at in range(len(kinds)))
    trends = build(timeline).trends
    assert [each.marks for each in trends] == [columns] * 4
    assert texts(draw_trend(trends[3], 20, 3))[1].count("▾") == len(kinds)


def test_the_place_is_kept_before_the_load_begins() -> None:
    """So that nothing moves when it does."""
    run = replace(facts(), control="secret gate")
    view = build_monitor(Timeline(100.0), run, Window(101.0))
    assert (view.is_interactive, len(view.load.trends)) == (True, 3)


@given(
    st.sampled_from(list(CourseUnit)),
    st.floats(0, 1e6),
    st.floats(0, 1e6),
    st.integers(0, 120),
    st.integers(0, 6),
)
def test_trends_fill_their_place(
    unit: CourseUnit, start: float, end: float, width: int, height: int
) -> None:
    """Whatever is wanted."""
    course = Course(unit, ((103.0, start), (111.7, end)))
    for trend in build(recorded(LoadTarget(103.0, course))).trends:
        rows = texts(draw_trend(trend, width, height))
        assert len(rows) == (height if width else 0)
        assert {cell_width(row) for row in rows} <= {width}
