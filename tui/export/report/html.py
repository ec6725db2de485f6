"""A range of a run as one HTML file for people: it needs no network, and nothing beside it.

A policy of its own allows the two scripts and the style sheet that are in it, by their hashes, and
nothing else: whatever a name in it says, it can't run, load or send anything.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from typing import Final

from collectors.samples import Baseline, Mark
from tui.export.about import About
from tui.export.report.html_axes import LEFT, RIGHT, WIDTH, TimeAxis, columns_of
from tui.export.report.html_changes import changes_section
from tui.export.report.html_chart import Ground, draw, told
from tui.export.report.html_figures import cards
from tui.export.report.html_heatmap import MOST_COLUMNS, heatmap
from tui.export.report.html_load import endpoints_section, metrics_section
from tui.export.report.html_marks import mark_strip
from tui.export.report.html_markup import Markup, data_block, element, joined
from tui.export.report.html_run import (
    baselines_section,
    machine_section,
    marks_section,
    run_section,
    wall_time,
)
from tui.export.report.html_stacks import stacks_section
from tui.export.report.html_tables import section
from tui.export.report.html_trends import trends
from tui.export.series.measured import Measured, marks_in, measure, measure_baseline
from tui.export.stacks.svg import FLAME_STYLE, flame_script
from tui.model.ranges import load_began_at
from tui.model.timeline import Timeline, TimeRange
from tui.model.verdict import Severity
from tui.views.format import clock

_SIGNS: Final = {Severity.GOOD: "✓", Severity.WARN: "!", Severity.BAD: "✗"}


def html_report(
    timeline: Timeline, range_: TimeRange, about: About, baseline: Baseline | None
) -> bytes:
    """Return the report of a range; equal arguments give equal bytes.

    Args:
        timeline: What was measured.
        range_: Seconds on the session's clock.
        about: What the run was.
        baseline: What the range is compared with; None: nothing.
    """
    measured = measure(timeline, range_)
    before = measure_baseline(timeline, baseline)
    marks = marks_in(timeline, range_)
    axis = TimeAxis(range_, load_began_at(timeline, range_.end))
    compared = None
    if before is not None and baseline is not None:
        compared = changes_section(before, measured, baseline.name)
    body = joined(
        part
        for part in (
            _header(measured, about, axis),
            cards(measured),
            compared,
            _over_time(timeline, axis, marks, baseline),
            endpoints_section(measured),
            stacks_section(timeline, measured, about.profiler),
            machine_section(measured),
            metrics_section(measured),
            marks_section(marks, axis, about),
            baselines_section(timeline, baseline, axis, about),
            run_section(timeline, measured, about),
        )
        if part is not None
    )
    return _page(f"{about.script or about.target or about.name} · flashpoint", body).encode()


def _page(title: str, body: Markup) -> str:
    asset = files("tui.export.report").joinpath
    style = FLAME_STYLE + asset("report.css").read_text(encoding="utf-8")
    scripts = [flame_script(), asset("report.js").read_text(encoding="utf-8")]
    policy = "; ".join(
        (
            "default-src 'none'",
            f"style-src {_hash(style)}",
            f"script-src {' '.join(map(_hash, scripts))}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        # Without one, a browser asks for /favicon.ico.
        element("link", rel="icon", href="data:,"),
        element("style", Markup(style)),
    )
    code = joined(element("script", Markup(script)) for script in scripts)
    whole = element("html", head, element("body", element("main", body), code), lang="en")
    return f"<!DOCTYPE html>\n{whole}\n"


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _header(measured: Measured, about: About, axis: TimeAxis) -> Markup:
    range_ = measured.range
    parts = (
        f"→ {about.target}" if about.target else "",
        wall_time(about, range_.start),
        f"{clock(range_.duration_s)} long",
        f"{axis.label(range_.start)} to {axis.label(range_.end)} of the load",
        about.control,
    )
    verdict = measured.verdict
    badge = None
    if verdict is not None:
        said = f"{_SIGNS[verdict.severity]} {verdict.text}"
        badge = element("p", said, class_=f"verdict {verdict.severity.value}")
    brand = f"flashpoint · {about.name}" if about.name else "flashpoint"
    return element(
        "header",
        element("p", brand, class_="brand"),
        element("h1", about.script or about.target or "a run without a name"),
        element("p", " · ".join(filter(None, parts)), class_="when"),
        badge,
    )


def _over_time(
    timeline: Timeline, axis: TimeAxis, marks: Sequence[Mark], baseline: Baseline | None
) -> Markup:
    """Return the trends and the heatmap over one axis, and what our script needs to read them."""
    range_ = axis.range
    buckets = columns_of(range_, MOST_COLUMNS)
    band = None
    if baseline is not None and baseline.start < range_.end and baseline.end > range_.start:
        band = (max(baseline.start, range_.start), min(baseline.end, range_.end))
    ground = Ground(axis, buckets, tuple(mark.at for mark in marks), band)
    charts = list(trends(timeline, range_, buckets)) if range_.duration_s else []
    if not charts:
        return Markup("")
    texts: dict[str, list[str]] = {}
    for chart in charts:
        texts |= told(chart)
    data = {
        "left": LEFT,
        "right": RIGHT,
        "width": WIDTH,
        "centres": [round(x, 2) for x in axis.centres(buckets)],
        "times": [axis.label((buckets.first + n) * buckets.width_s) for n in range(buckets.count)],
        "texts": texts,
    }
    load_charts = [draw(chart, ground) for chart in charts]
    return section(
        "trends",
        "Over time",
        mark_strip(marks, axis, band, baseline.name if baseline is not None else ""),
        *load_charts,
        heatmap(timeline, range_, buckets, ground),
        data_block("trend-data", data),
        note=f"one column is {buckets.width_s:g} s; lines end where nothing was measured",
    )
