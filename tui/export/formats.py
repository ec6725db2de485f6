"""Every format that a range of a run can be written in, by name and by the ending of a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from collectors.samples import Baseline, StackMeasure
from tui.export.about import About
from tui.export.stacks.formats import StackFormat, write_stacks
from tui.model.timeline import Timeline, TimeRange


class ExportFormat(StrEnum):
    """A format, by its name on the command line."""

    HTML = "html"
    MARKDOWN = "md"
    CSV = "csv"
    JSON = "json"
    OPENMETRICS = "openmetrics"
    FOLDED = "folded"
    SPEEDSCOPE = "speedscope"
    PPROF = "pprof"
    SVG = "svg"


ENDINGS: Final[Mapping[str, ExportFormat]] = {
    ".html": ExportFormat.HTML,
    ".htm": ExportFormat.HTML,
    ".md": ExportFormat.MARKDOWN,
    ".csv": ExportFormat.CSV,
    ".speedscope.json": ExportFormat.SPEEDSCOPE,
    ".json": ExportFormat.JSON,
    ".openmetrics": ExportFormat.OPENMETRICS,
    ".om": ExportFormat.OPENMETRICS,
    ".prom": ExportFormat.OPENMETRICS,
    ".folded": ExportFormat.FOLDED,
    ".pb.gz": ExportFormat.PPROF,
    ".pprof": ExportFormat.PPROF,
    ".svg": ExportFormat.SVG,
}
"""Ending of a name → format; the first one that fits."""
TITLES: Final[Mapping[ExportFormat, str]] = {
    ExportFormat.HTML: "report for people, one file",
    ExportFormat.MARKDOWN: "summary for a pull request or a wiki",
    ExportFormat.CSV: "a row a second, for a spreadsheet",
    ExportFormat.JSON: "everything, for programs",
    ExportFormat.OPENMETRICS: "totals, for Prometheus",
    ExportFormat.FOLDED: "stacks, a line each",
    ExportFormat.SPEEDSCOPE: "stacks, for speedscope.app",
    ExportFormat.PPROF: "stacks, for go tool pprof",
    ExportFormat.SVG: "interactive flamegraph",
}

STACKS: Final = {
    ExportFormat.FOLDED: StackFormat.FOLDED,
    ExportFormat.SPEEDSCOPE: StackFormat.SPEEDSCOPE,
    ExportFormat.PPROF: StackFormat.PPROF,
    ExportFormat.SVG: StackFormat.SVG,
}
"""Formats that hold stacks and nothing else."""
_NOT_ALLOWED: Final = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Scope:
    """What is exported."""

    timeline: Timeline
    range: TimeRange
    about: About
    baseline: Baseline | None = None
    """What the range is compared with."""
    measure: StackMeasure = StackMeasure.ON_CPU


def export_format_of(name: str) -> ExportFormat | None:
    """Return the format that a file's name asks for; None where it does not."""
    lower = name.lower()
    return next((found for ending, found in ENDINGS.items() if lower.endswith(ending)), None)


def export(asked: ExportFormat, scope: Scope) -> bytes:
    """Return a range of a run in a format."""
    timeline, range_, about, baseline = scope.timeline, scope.range, scope.about, scope.baseline
    # Each is imported when it is asked for: together they take longer than a small export.
    match asked:
        case ExportFormat.HTML:
            from tui.export.report.html import html_report

            return html_report(timeline, range_, about, baseline)
        case ExportFormat.MARKDOWN:
            from tui.export.report.markdown import markdown

            return markdown(timeline, range_, about, baseline)
        case ExportFormat.CSV:
            from tui.export.series.comma_separated import series_csv

            return series_csv(timeline, range_, about, baseline)
        case ExportFormat.JSON:
            from tui.export.series.json_series import series_json

            return series_json(timeline, range_, about, baseline)
        case ExportFormat.OPENMETRICS:
            from tui.export.series.openmetrics import openmetrics

            return openmetrics(timeline, range_, about, baseline)
        case _:
            return write_stacks(
                STACKS[asked],
                timeline.stacks,
                timeline.stacks_in(range_, scope.measure),
                f"{about.script} {about.target}".strip() or about.name,
                f"flashpoint {about.flashpoint_version}",
            )


def default_name(script: str, at: datetime, ending: str) -> str:
    """Return a name for an export that is safe in any folder.

    Args:
        script: Of the run; only letters, digits, `.`, `_` and `-` of it are taken.
        at: Local time of the end of the range.
        ending: Like `.html`.
    """
    name = _NOT_ALLOWED.sub("-", script.rpartition("/")[2].removesuffix(".js"))
    stem = name.strip(".-")[:60] or "run"
    return f"{stem}-{at:%Y%m%d-%H%M%S}{ending}"
