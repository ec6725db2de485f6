"""The load pane: figures of the window, trends, endpoints."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from collectors.course import CourseUnit
from collectors.samples import LoadSample, MetricType, RequestKind
from tui.model.latency import merge, quantile
from tui.model.load import (
    EndpointTotal,
    LoadRange,
    custom_metrics,
    endpoint_totals,
    newest_checks,
    summarise,
    traffic_of,
)
from tui.model.series import Series, grouped, rates
from tui.model.targets import achieved_ratio, target_at, target_series
from tui.model.timeline import Timeline, TimeRange
from tui.views.figures import Figure, FiguresView
from tui.views.format import Unit, bytes_, count, milliseconds, percent, quantity, rate
from tui.views.table import Cell, Column, TableView
from tui.views.trend import TrendSeries, TrendView
from tui.views.window import Window, mark_columns, on_window, trend_series

NOUNS: Final = {
    RequestKind.HTTP: "request",
    RequestKind.GRPC: "gRPC call",
    RequestKind.WEBSOCKET: "WebSocket session",
    RequestKind.BROWSER: "browser request",
    RequestKind.ITERATION: "iteration",
}
RATE_TITLES: Final = {
    RequestKind.HTTP: "requests/s",
    RequestKind.GRPC: "gRPC calls/s",
    RequestKind.WEBSOCKET: "WebSocket sessions/s",
    RequestKind.BROWSER: "browser requests/s",
    RequestKind.ITERATION: "iterations/s",
}
LATENCY_TITLES: Final = {
    RequestKind.HTTP: "latency",
    RequestKind.GRPC: "gRPC latency",
    RequestKind.WEBSOCKET: "time to connect",
    RequestKind.BROWSER: "browser latency",
    RequestKind.ITERATION: "iteration time",
}
QUANTILES: Final = (("p50", 0.5, "trend-1"), ("p95", 0.95, "trend-2"), ("p99", 0.99, "trend-3"))
ENDPOINT_ROWS: Final = 50
SHORT_RATIO: Final = 0.05
"""How far a rate may stay below its target before that is a warning."""

_ENDPOINT_COLUMNS: Final = (
    Column("endpoint", flexible=True),
    Column("status", 6),
    Column("req/s", 7, right=True),
    Column("p50", 8, right=True),
    Column("p95", 8, right=True),
    Column("failed", 7, right=True),
)


@dataclass(frozen=True, slots=True)
class LoadView:
    """What the load pane shows."""

    figures: FiguresView
    trends: tuple[TrendView, ...]
    """Rate, latency, errors; then VUs, where the operator moves the load."""
    endpoints: TableView
    metrics: TableView
    """Checks and the script's own metrics."""


def build_load(timeline: Timeline, window: Window, kind: RequestKind) -> LoadView:
    """Build the load pane for a window."""
    samples = timeline.loads_in(window.range)
    whole = timeline.loads_in(TimeRange(timeline.origin, window.end))
    own_rate, *others = _figures(summarise(samples, kind), whole, kind)
    figures = (own_rate, *_shortfall(timeline, window, kind), *others)
    return LoadView(
        figures=FiguresView(figures),
        trends=on_window(build_trends(timeline, window, kind), window),
        endpoints=_endpoint_table(endpoint_totals(samples, kind), samples),
        metrics=_metric_table(samples, whole),
    )


def _figures(load: LoadRange, whole: Sequence[LoadSample], kind: RequestKind) -> tuple[Figure, ...]:
    noun = "req" if kind is RequestKind.HTTP else NOUNS[kind]
    dropped = sum(sample.dropped_iterations for sample in whole)
    requests = sum(traffic_of(sample, kind).requests for sample in whole)
    failed = load.failed_ratio
    return (
        Figure(f"{noun}/s", rate(load.rps), weight=9),
        *(
            Figure(name, milliseconds(quantile(load.latency, q)), weight=weight)
            for (name, q, _), weight in zip(QUANTILES, (5, 8, 6), strict=True)
        ),
        Figure("failed", percent(failed), "figure-bad" if failed else "", weight=7),
        Figure("dropped", count(dropped), "figure-warn" if dropped else "", weight=4),
        Figure("total", count(requests), weight=3),
    )


def _shortfall(timeline: Timeline, window: Window, kind: RequestKind) -> tuple[Figure, ...]:
    """Return how far the window stays below a target rate, where one holds at its end."""
    now = target_at(timeline.targets, window.end)
    if now is None or now[0] is CourseUnit.VUS:
        return ()
    unit = now[0]

    def amount(sample: LoadSample) -> int:
        iterations = unit is CourseUnit.ITERATIONS
        return sample.iterations if iterations else traffic_of(sample, kind).requests

    achieved = achieved_ratio(timeline.targets, timeline.loads_in(window.range), unit, amount)
    if achieved is None:
        return (Figure("short", percent(None), weight=10),)
    short = max(0.0, 1.0 - achieved)
    style = "figure-warn" if short > SHORT_RATIO else ""
    # In whole per cent: what is less goes up and down with every push.
    return (Figure("short", f"{-round(short * 100)}%", style, weight=10),)


def build_trends(timeline: Timeline, window: Window, kind: RequestKind) -> tuple[TrendView, ...]:
    """Build the trends of rate, latency and errors, and that of VUs where there is a target."""
    buckets = window.buckets
    wide = TimeRange(buckets.range.start, window.taken_until)
    samples = timeline.loads_in(timeline.widened(wide))
    marks = mark_columns(timeline, window)
    groups = grouped(samples, buckets)
    latencies = [_quantiles(group, kind) for group in groups]

    def per_second(sample: LoadSample) -> float | None:
        return _per_second(sample, traffic_of(sample, kind).requests)

    def failed_per_second(sample: LoadSample) -> float | None:
        return _per_second(sample, traffic_of(sample, kind).failed)

    rate_units = {CourseUnit.REQUESTS}
    if kind is RequestKind.ITERATION:
        rate_units.add(CourseUnit.ITERATIONS)
    trends = (
        TrendView(
            title=RATE_TITLES[kind],
            unit=Unit.RATE,
            series=(
                trend_series("", "trend-1", rates(samples, buckets, per_second), Unit.RATE),
                *_target(timeline, window, rate_units, Unit.RATE),
            ),
            marks=marks,
        ),
        TrendView(
            title=LATENCY_TITLES[kind],
            unit=Unit.SECONDS,
            series=tuple(
                trend_series(name, style, _column(latencies, place), Unit.SECONDS)
                for place, (name, _, style) in enumerate(QUANTILES)
            ),
            marks=marks,
        ),
        TrendView(
            title="failed/s",
            unit=Unit.RATE,
            series=(
                trend_series(
                    "", "trend-bad", rates(samples, buckets, failed_per_second), Unit.RATE
                ),
            ),
            marks=marks,
        ),
    )
    return (*trends, *_steered(timeline, window, kind, samples, marks))


def _steered(
    timeline: Timeline,
    window: Window,
    kind: RequestKind,
    samples: Sequence[LoadSample],
    marks: tuple[int, ...],
) -> tuple[TrendView, ...]:
    """Return the trend of what k6 is told: VUs, or iterations where no other trend has them."""
    if not timeline.targets:
        return ()
    now = target_at(timeline.targets, window.end)
    value: Callable[[LoadSample], float | None]
    if now is not None and now[0] is CourseUnit.ITERATIONS and kind is not RequestKind.ITERATION:
        title, name, unit, counted = "iterations/s", "", Unit.RATE, CourseUnit.ITERATIONS
        value = _iterations_per_second
    else:
        title, name, unit, counted = "VUs", "running", Unit.COUNT, CourseUnit.VUS
        value = _vus
    achieved = trend_series(name, "trend-1", rates(samples, window.buckets, value), unit)
    series = (achieved, *_target(timeline, window, {counted}, unit))
    return (TrendView(title=title, unit=unit, series=series, marks=marks),)


def _target(
    timeline: Timeline, window: Window, units: Collection[CourseUnit], unit: Unit
) -> tuple[TrendSeries, ...]:
    """Return the line of the targets in some units, none where there is nothing of it to see."""
    values = target_series(timeline.targets, window.buckets, units, window.known_until)
    if all(value is None for value in values):
        return ()
    now = target_at(timeline.targets, window.end)
    level = now[1] if now is not None and now[0] in units else None
    # What is wanted at this moment, not the mean of a second.
    return (TrendSeries("target", "trend-4", values, newest=quantity(level, unit)),)


def _vus(sample: LoadSample) -> float:
    return float(sample.vus)


def _iterations_per_second(sample: LoadSample) -> float | None:
    return _per_second(sample, sample.iterations)


def _per_second(sample: LoadSample, amount: int) -> float | None:
    return amount / sample.interval_s if sample.interval_s > 0 else None


def _quantiles(group: Sequence[LoadSample], kind: RequestKind) -> tuple[float | None, ...]:
    latency = merge(traffic_of(sample, kind).latency for sample in group)
    return tuple(quantile(latency, q) for _, q, _ in QUANTILES)


def _column(rows: list[tuple[float | None, ...]], place: int) -> Series:
    return tuple(row[place] for row in rows)


def _endpoint_table(totals: list[EndpointTotal], samples: Sequence[LoadSample]) -> TableView:
    covered_s = sum(sample.interval_s for sample in samples)
    rows = tuple(
        (
            Cell(f"{each.method} {each.name}".strip()),
            Cell(each.status),
            Cell(rate(each.requests / covered_s if covered_s else None)),
            Cell(milliseconds(quantile(each.latency, 0.5))),
            Cell(milliseconds(quantile(each.latency, 0.95))),
            Cell(count(each.failed), "figure-bad" if each.failed else ""),
        )
        for each in totals[:ENDPOINT_ROWS]
    )
    return TableView(columns=_ENDPOINT_COLUMNS, rows=rows, empty_text="no requests in this window")


def _metric_table(samples: Sequence[LoadSample], whole: Sequence[LoadSample]) -> TableView:
    rows: list[tuple[Cell, ...]] = []
    for check in newest_checks(whole):
        bad = "figure-bad" if check.passed_ratio < 1 else "figure-good"
        mark = "✓" if check.passed_ratio >= 1 else "✗"
        rows.append((Cell(f"{mark} {check.name}"), Cell(percent(check.passed_ratio), bad)))
    covered_s = sum(sample.interval_s for sample in samples)
    for metric in custom_metrics(samples).values():
        match metric.type:
            case MetricType.COUNTER:
                value = metric.value / covered_s if covered_s else None
                text = f"{bytes_(value)}/s" if metric.unit == "B" else f"{rate(value)}/s"
            case MetricType.RATE:
                text = percent(metric.value)
            case MetricType.GAUGE:
                text = rate(metric.value)
            case MetricType.TREND:
                p95 = quantile(metric.trend, 0.95)
                text = "p95 " + (milliseconds(p95) if metric.unit == "s" else rate(p95))
        rows.append((Cell(metric.name), Cell(text)))
    columns = (Column("check or metric", flexible=True), Column("window", 14, right=True))
    return TableView(columns=columns, rows=tuple(rows), empty_text="no checks, no own metrics")
