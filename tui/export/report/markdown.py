"""A run, or a part of it, as Markdown: for a pull request, an issue or a wiki.

It is made for GitHub and reads well as plain text. Unlike the files for programs it is rounded and
cut: the busiest endpoints, the hottest functions.

Format: GitHub Flavored Markdown, https://github.github.com/gfm/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from collectors.samples import Baseline, Mark, MarkKind
from tui.export.about import About
from tui.export.report.markdown_changes import changes_table
from tui.export.report.markdown_figures import figures_table
from tui.export.report.markdown_text import UNKNOWN, Heading, code, figure, table
from tui.export.series.measured import Measured, compare, marks_in, measure, measure_baseline
from tui.export.series.moments import mark_text
from tui.model.duration import format_duration
from tui.model.latency import quantile
from tui.model.timeline import Timeline, TimeRange
from tui.model.verdict import Severity
from tui.views.format import clock, count, milliseconds, percent, rate
from tui.views.load import NOUNS
from tui.views.names import readable_name

ENDPOINTS: Final = 10
FUNCTIONS: Final = 15
MARKS: Final = 100
NAME_WIDTH: Final = 100

_SIGNS: Final = {Severity.GOOD: "✅", Severity.WARN: "⚠️", Severity.BAD: "❌"}


def markdown(
    timeline: Timeline, range_: TimeRange, about: About, baseline: Baseline | None
) -> bytes:
    """Return the text.

    Args:
        timeline: Where it is cut from.
        range_: Seconds on the session's clock.
        about: What the run was.
        baseline: What the range is compared with: figures before it and changes are in the text.
    """
    found = measure(timeline, range_)
    before = measure_baseline(timeline, baseline)
    marks = marks_in(timeline, range_)
    origin = timeline.origin
    notes = [mark for mark in marks if mark.kind is MarkKind.NOTE]
    others = [mark for mark in marks if mark.kind is not MarkKind.NOTE]
    sections = [
        _headline(about, found),
        _section("Figures", figures_table(found, before, baseline)),
        _section("Endpoints", _endpoints(found)),
        _section("Hot functions", _functions(found)),
        _section("What changed", _changes(found, before, baseline)),
        _section("Marks", _marks(others, origin)),
        _section("Notes", _marks(notes, origin)),
        _section("Baselines", _baselines(timeline, about)),
        _section("Lost and dropped", _losses(timeline, found)),
    ]
    return ("\n\n".join("\n".join(lines) for lines in sections if lines) + "\n").encode()


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return [f"### {title}", "", *lines] if lines else []


def _headline(about: About, found: Measured) -> list[str]:
    start, end = (about.wall_time(at) for at in (found.range.start, found.range.end))
    until = f"{end:%H:%M:%S}" if end.date() == start.date() else f"{end:%Y-%m-%d %H:%M:%S}"
    when = f"{start:%Y-%m-%d %H:%M:%S} to {until} UTC"
    k6 = f" · k6 {code(about.k6_version)}" if about.k6_version else ""
    facts = {
        "recording": code(about.name) if about.name else "",
        "target": code(about.target),
        "when": when,
        "duration": format_duration(round(found.range.duration_s, 1)),
        "load moved by": code(about.control),
        "profiler": code(about.profiler),
        "machine": code(about.machine),
        "versions": f"flashpoint {code(about.flashpoint_version)}{k6}",
    }
    verdict = found.verdict
    said = "not enough is known for a verdict"
    if verdict is not None:
        said = f"{_SIGNS[verdict.severity]} **{figure(verdict.text)}**"
    return [
        f"## Load test: {code(about.script)}",
        "",
        said,
        "",
        *table((Heading(""), Heading("")), [(name, text) for name, text in facts.items() if text]),
    ]


def _endpoints(found: Measured) -> list[str]:
    if found.load is None or not found.endpoints:
        return []
    covered_s = found.load.covered_s
    rows = [
        (
            code(f"{each.method} {each.name}".strip(), NAME_WIDTH),
            code(each.status),
            figure(count(each.requests)),
            figure(rate(each.requests / covered_s if covered_s else None)),
            figure(count(each.failed)),
            *(figure(milliseconds(quantile(each.latency, q))) for q in (0.5, 0.95, 0.99)),
        )
        for each in found.endpoints[:ENDPOINTS]
    ]
    noun = NOUNS[found.kind]
    headings = (
        Heading("endpoint"),
        Heading("status"),
        *(Heading(t, is_right=True) for t in (f"{noun}s", "per second", "failed")),
        *(Heading(t, is_right=True) for t in ("p50", "p95", "p99")),
    )
    return [*table(headings, rows), *_more(len(found.endpoints) - len(rows), "endpoints")]


def _functions(found: Measured) -> list[str]:
    if found.tree is None:
        return []
    rows = [
        (
            code(readable_name(row.symbol), NAME_WIDTH)
            + (" (caller lost)" if row.caller_lost else ""),
            code(row.module, NAME_WIDTH),
            figure(percent(found.ratio(row))),
            figure(percent(found.ratio(row, is_total=True))),
            _us(found.us_per_request(row.self_period_ns)),
            _us(found.us_per_request(row.total_period_ns)),
        )
        for row in found.functions[:FUNCTIONS]
    ]
    noun = NOUNS[found.kind]
    headings = (
        Heading("function"),
        Heading("module"),
        *(Heading(t, is_right=True) for t in ("self", "total")),
        *(Heading(t, is_right=True) for t in (f"self per {noun}", f"total per {noun}")),
    )
    return [*table(headings, rows), *_more(len(found.functions) - len(rows), "functions")]


def _changes(found: Measured, before: Measured | None, baseline: Baseline | None) -> list[str]:
    if before is None or baseline is None:
        return []
    changes = compare(before, found)
    name = code(baseline.name, NAME_WIDTH)
    if not changes:
        return [f"Functions can't be compared with {name}: no requests or no samples in one range."]
    changed = [each for each in changes if each.own.is_changed]
    said = (
        f"Since {name}, {len(changed)} of {len(changes)} functions changed what they cost per "
        f"{NOUNS[found.kind]} themselves (exact test, 5 % for any false alarm)."
    )
    if not changed:
        return [said]
    is_time = found.tree is not None and found.tree.period_ns > 0
    shown = changed[:FUNCTIONS]
    lines = changes_table(shown, NOUNS[found.kind], NAME_WIDTH, is_time=is_time)
    return [said, "", *lines, *_more(len(changed) - len(shown), "functions")]


def _marks(marks: Sequence[Mark], origin: float) -> list[str]:
    if not marks:
        return []
    rows = [
        (figure(clock(mark.at - origin)), mark.kind.value.replace("_", " "), code(mark_text(mark)))
        for mark in marks[:MARKS]
    ]
    headings = (Heading("at", is_right=True), Heading("what"), Heading("said"))
    return [*table(headings, rows), *_more(len(marks) - len(rows), "marks")]


def _baselines(timeline: Timeline, about: About) -> list[str]:
    rows = [
        (
            code(each.name, NAME_WIDTH),
            f"{about.wall_time(each.start):%H:%M:%S} UTC",
            figure(clock(each.start - timeline.origin)),
            format_duration(max(0.0, round(each.end - each.start, 1))),
        )
        for each in timeline.baselines.values()
    ]
    headings = (
        Heading("baseline"),
        Heading("from"),
        Heading("at", is_right=True),
        Heading("duration", is_right=True),
    )
    return table(headings, rows) if rows else []


def _losses(timeline: Timeline, found: Measured) -> list[str]:
    """Say what the figures lack; what is dropped is counted for the whole session."""
    rows = list(_stack_losses(found))
    rows += [
        (f"dropped since the start: {code(reason)}", figure(count(number)))
        for reason, number in sorted(timeline.drop_counts().items())
    ]
    return table((Heading("what"), Heading("count", is_right=True)), rows)


def _stack_losses(found: Measured) -> Iterator[tuple[str, str]]:
    tree = found.tree
    lost = UNKNOWN if found.lost is None else figure(count(found.lost))
    yield "stack samples", UNKNOWN if tree is None else figure(count(tree.samples))
    yield "stack samples lost", lost
    if tree is not None:
        yield "samples without a symbol", figure(percent(tree.unknown_ratio))
        yield "samples with callers lost", figure(percent(tree.caller_lost_ratio))


def _more(number: int, noun: str) -> list[str]:
    return ["", f"… and {number} more {noun}."] if number > 0 else []


def _us(value: float | None) -> str:
    return figure(milliseconds(None if value is None else value / 1e6))
