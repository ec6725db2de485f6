"""Endpoints, checks and the script's own metrics, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from collectors.samples import CustomMetric, MetricType
from tui.export.report.html_markup import Markup, element, exact
from tui.export.report.html_tables import Column, section, table
from tui.export.series.measured import Measured
from tui.model.latency import quantile
from tui.model.load import EndpointTotal, LoadRange
from tui.views.format import bytes_, count, milliseconds, percent, rate
from tui.views.load import NOUNS, QUANTILES, RATE_TITLES

MOST_ENDPOINTS: Final = 200


def endpoints_section(measured: Measured) -> Markup:
    """Return the endpoints of the run's kind, most requests first, with their sum."""
    load = measured.load
    if load is None:
        return Markup("")
    columns = (
        Column("endpoint", is_name=True),
        Column("status"),
        Column(f"{NOUNS[measured.kind]}s", is_number=True),
        Column("share", is_number=True),
        Column(RATE_TITLES[measured.kind], is_number=True),
        *(Column(name, is_number=True) for name, _, _ in QUANTILES),
        Column("failed", is_number=True),
    )
    shown = measured.endpoints[:MOST_ENDPOINTS]
    total = EndpointTotal("all", "", "", load.requests, load.failed, load.latency)
    left = len(measured.endpoints) - len(shown)
    note = f"{left} with fewer {NOUNS[measured.kind]}s are left out" if left else ""
    return section(
        "endpoints",
        "Endpoints",
        table(columns, [_endpoint(each, load) for each in shown], total=_endpoint(total, load)),
        note=note,
    )


def metrics_section(measured: Measured) -> Markup:
    """Return checks and the script's own metrics; nothing where there are none."""
    rows: list[Sequence[str]] = [
        (
            f"{'✓' if check.passed_ratio >= 1 else '✗'} {check.name}",
            "check, since the start",
            exact(check.passed_ratio, percent(check.passed_ratio)),
        )
        for check in measured.checks
    ]
    rows += [(each.name, each.type.value, _metric(each)) for each in measured.metrics.values()]
    if not rows:
        return Markup("")
    columns = (
        Column("check or metric", is_name=True),
        Column("type"),
        Column("value", is_number=True),
    )
    return section("metrics", "Checks and metrics", table(columns, rows))


def _endpoint(each: EndpointTotal, load: LoadRange) -> Sequence[str]:
    per_s = each.requests / load.covered_s if load.covered_s > 0 else None
    failed = exact(each.failed, count(each.failed))
    return (
        f"{each.method} {each.name}".strip() or "(without a name)",
        each.status,
        exact(each.requests, count(each.requests)),
        percent(each.requests / load.requests if load.requests else None),
        exact(per_s, rate(per_s)),
        *(
            exact(value, milliseconds(value))
            for value in (quantile(each.latency, q) for _, q, _ in QUANTILES)
        ),
        element("b", failed, class_="bad") if each.failed else failed,
    )


def _metric(metric: CustomMetric) -> str:
    match metric.type:
        case MetricType.COUNTER:
            return bytes_(metric.value) if metric.unit == "B" else rate(metric.value)
        case MetricType.RATE:
            return percent(metric.value)
        case MetricType.GAUGE:
            return rate(metric.value)
        case MetricType.TREND:
            write = milliseconds if metric.unit == "s" else rate
            return " · ".join(
                f"{name} {write(quantile(metric.trend, q))}" for name, q, _ in QUANTILES
            )
