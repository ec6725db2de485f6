from __future__ import annotations

from dataclasses import replace

import pytest

from collectors.samples import (
    CheckRatio,
    CustomMetric,
    LoadSample,
    Mark,
    MarkKind,
    MetricType,
    RequestKind,
)
from tests.builders import endpoint, histogram, load, texts
from tui.model.timeline import Timeline
from tui.views.figures import draw_figures
from tui.views.format import Unit
from tui.views.load import ENDPOINT_ROWS, LATENCY_TITLES, NOUNS, RATE_TITLES, build_load
from tui.views.table import draw_table
from tui.views.window import TREND_COLUMNS, Window

HTTP = RequestKind.HTTP
# The upper ends of two buckets, so that quantile 1 of each is a round number.
FAST, SLOW = 2**-10, 2**-3
NONE = histogram([])


def recorded(*samples: LoadSample) -> Timeline:
    """Return a timeline begun at 100 s with these pushes."""
    timeline = Timeline(100.0)
    for sample in samples:
        timeline.append(sample)
    return timeline


def pushes(first: int, last: int) -> list[LoadSample]:
    """Return seconds of a hundred requests, of which one fails slowly."""
    latency = histogram([FAST] * 90 + [SLOW] * 10)
    parts = (
        endpoint("/", 90, latency=histogram([FAST] * 90)),
        endpoint("/slow", 10, failed=1, status="500", latency=histogram([SLOW] * 10)),
    )
    return [
        load(float(at), 100, failed=1, latency=latency, endpoints=parts, dropped=2)
        for at in range(first, last + 1)
    ]


def test_the_figures_are_of_the_window() -> None:
    """Dropped and total are of the whole run up to its end."""
    view = build_load(recorded(*pushes(101, 120)), Window(115.0, 10.0), HTTP)
    found = [(each.label, each.value, each.style_key) for each in view.figures.figures]
    # Half of 1000 lies 500/900 into the fast bucket, 95 % half into the slow one.
    assert found == [
        ("req/s", "100", ""),
        ("p50", "940 µs", ""),
        ("p95", "120 ms", ""),
        ("p99", "124 ms", ""),
        ("failed", "1.0%", "figure-bad"),
        ("dropped", "30", "figure-warn"),
        ("total", "1500", ""),
    ]
    assert texts(draw_figures(view.figures, 41, 1)) == ["req/s 100     p95 120 ms  failed 1.0%    "]


def test_before_the_first_push_nothing_is_known() -> None:
    """No zeros where nothing was measured."""
    view = build_load(recorded(), Window(110.0), HTTP)
    values = [each.value for each in view.figures.figures]
    assert values == ["–", "–", "–", "–", "–", "0", "0"]
    assert {each.style_key for each in view.figures.figures} == {""}
    assert texts(draw_table(view.endpoints, 30, 2))[1].rstrip() == "no requests in this window"
    assert texts(draw_table(view.metrics, 30, 2))[1].rstrip() == "no checks, no own metrics"


@pytest.mark.parametrize("kind", list(RequestKind))
def test_every_kind_has_its_own_words(kind: RequestKind) -> None:
    """What one request is stands in the figures and in the trends."""
    view = build_load(recorded(load(101.0, 10, kind=kind)), Window(101.0), kind)
    titles = [trend.title for trend in view.trends]
    assert titles == [RATE_TITLES[kind], LATENCY_TITLES[kind], "failed/s"]
    label = view.figures.figures[0].label
    assert label == ("req/s" if kind is HTTP else f"{NOUNS[kind]}/s")
    assert view.figures.figures[0].value == "10.0"


def test_trends_are_columns_of_the_clock() -> None:
    """The newest second is the last column; before the run there are gaps."""
    timeline = recorded(*pushes(101, 103))
    timeline.append(Mark(101.5, MarkKind.NOTE, "x"))
    timeline.append(Mark(104.5, MarkKind.NOTE, "later"))
    requests, latency, failed = build_load(timeline, Window(103.2), HTTP).trends
    assert requests.series[0].values == (None,) * (TREND_COLUMNS - 4) + (100.0,) * 3 + (None,)
    assert (requests.unit, requests.series[0].newest) == (Unit.RATE, "100")
    assert failed.series[0].values[-4:] == (1.0, 1.0, 1.0, None)
    assert [each.name for each in latency.series] == ["p50", "p95", "p99"]
    p95 = latency.series[1].values
    assert p95[-2] == pytest.approx(SLOW * 2 ** (-1 / 16))
    assert (p95[-1], p95[-5]) == (None, None)
    assert requests.marks == latency.marks == failed.marks == (TREND_COLUMNS - 3,)


def test_a_push_after_the_end_is_not_shown() -> None:
    """What is frozen does not go on."""
    view = build_load(recorded(*pushes(101, 110)), Window(103.5, frozen=True), HTTP)
    assert view.trends[0].series[0].values[-5:] == (None, 100.0, 100.0, 100.0, None)
    assert view.trends[1].series[0].values[-1] is None
    assert view.figures.figures[-1].value == "300"


def test_endpoints_are_the_busiest_of_the_window() -> None:
    """Rates and percentiles of the window, failures in their colour."""
    view = build_load(recorded(*pushes(101, 104)), Window(104.0), HTTP)
    assert texts(draw_table(view.endpoints, 59, 4)) == [
        "endpoint           status   req/s      p50      p95  failed",
        "GET /              200       90.0   935 µs   972 µs       0",
        "GET /slow          500       10.0   120 ms   124 ms       4",
        " " * 59,
    ]
    assert [row[-1].style_key for row in view.endpoints.rows] == ["", "figure-bad"]


def test_thousands_of_endpoints_are_no_thousands_of_rows() -> None:
    """The busiest are enough for a pane."""
    many = tuple(endpoint(f"/{n}", n + 1) for n in range(ENDPOINT_ROWS + 10))
    rows = build_load(recorded(load(101.0, endpoints=many)), Window(101.0), HTTP).endpoints.rows
    assert (len(rows), rows[0][0].text) == (ENDPOINT_ROWS, f"GET /{ENDPOINT_ROWS + 9}")


def test_checks_and_metrics_are_told_by_their_type() -> None:
    """Ratios of checks since the start, the script's own metrics over the window."""
    trend = histogram([SLOW] * 10)

    def metric(name: str, kind: MetricType, value: float, unit: str = "") -> CustomMetric:
        return CustomMetric(name, kind, value, trend if kind is MetricType.TREND else NONE, unit)

    metrics = (
        metric("bytes", MetricType.COUNTER, 2048.0, "B"),
        metric("count", MetricType.COUNTER, 4.0),
        metric("level", MetricType.GAUGE, 7.5),
        metric("ratio", MetricType.RATE, 0.25),
        metric("size", MetricType.TREND, 0.0),
        metric("time", MetricType.TREND, 0.0, "s"),
    )
    checks = (CheckRatio("ok [/]", "", "s", 1.0), CheckRatio("nearly", "", "s", 0.99999))
    old = load(80.0, checks=(CheckRatio("early", "", "s", 0.0),))
    new = replace(load(101.0, interval_s=2.0, checks=checks), metrics=metrics)
    timeline = Timeline(70.0)
    for sample in (old, new):
        timeline.append(sample)
    view = build_load(timeline, Window(101.0), HTTP)
    assert [(row[0].text, row[1].text, row[1].style_key) for row in view.metrics.rows] == [
        ("✗ early", "0%", "figure-bad"),
        ("✗ nearly", "99.9%", "figure-bad"),
        ("✓ ok [/]", "100%", "figure-good"),
        ("bytes", "1.0 KiB/s", ""),
        ("count", "2.00/s", ""),
        ("level", "7.50", ""),
        ("ratio", "25.0%", ""),
        ("size", "p95 0.12", ""),
        ("time", "p95 124 ms", ""),
    ]


def test_equal_timelines_give_equal_views() -> None:
    """An equal view repaints nothing."""
    window = Window(104.0)
    assert build_load(recorded(*pushes(101, 104)), window, HTTP) == build_load(
        recorded(*pushes(101, 104)), window, HTTP
    )
