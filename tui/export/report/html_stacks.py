"""The stacks of a report: how far they can be trusted, the flamegraph, the costliest functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tui.export.report.html_markup import Markup, element, exact, joined
from tui.export.report.html_tables import Column, section, table
from tui.export.series.measured import Measured
from tui.export.stacks.svg import flame_drawing
from tui.model.calltree import FunctionTotal
from tui.model.stackquality import stack_quality
from tui.model.timeline import Timeline
from tui.views.format import count, milliseconds, percent
from tui.views.load import NOUNS
from tui.views.names import readable_name
from tui.views.quality import quality_text, remedy_text

MOST_FUNCTIONS: Final = 25


def stacks_section(timeline: Timeline, measured: Measured, profiler: str) -> Markup:
    """Return the flamegraph and the table of functions; a sentence where nothing was sampled."""
    if measured.tree is None:
        said = "No stack was sampled in this range."
        return section("stacks", "CPU flamegraph", element("p", said, class_="note"))
    counts = timeline.stacks_in(measured.range)
    quality = stack_quality(timeline.stacks, counts, measured.lost or 0)
    samples = f"{count(measured.tree.samples)} samples"
    title = " · ".join(filter(None, (samples, profiler, quality_text(quality))))
    remedy = remedy_text(quality)
    return section(
        "stacks",
        "CPU flamegraph",
        element("p", remedy, class_="warn") if remedy else None,
        # Drawn and escaped by the writer of SVG files.
        element("figure", Markup("".join(flame_drawing(timeline.stacks, counts, title)))),
        _functions(measured),
        note="click: zoom · click “all”, or Esc: back",
    )


def _functions(measured: Measured) -> Markup:
    noun = NOUNS[measured.kind]
    columns = (
        Column("function", is_name=True),
        Column("module", is_name=True),
        Column("self", is_number=True),
        Column(f"self per {noun}", is_number=True),
        Column("total", is_number=True),
        Column(f"total per {noun}", is_number=True),
    )
    shown = measured.functions[:MOST_FUNCTIONS]
    heading = f"Functions by own time, {len(shown)} of {len(measured.functions)}"
    return joined(
        [element("h3", heading), table(columns, [_function(each, measured) for each in shown])]
    )


def _function(row: FunctionTotal, measured: Measured) -> Sequence[str]:
    name = readable_name(row.symbol) + (" (caller lost)" if row.caller_lost else "")
    return (
        element("span", name, title=row.symbol),
        row.module,
        _share(measured.ratio(row)),
        _cost(measured.us_per_request(row.self_period_ns)),
        _share(measured.ratio(row, is_total=True)),
        _cost(measured.us_per_request(row.total_period_ns)),
    )


def _share(ratio: float) -> Markup:
    return exact(ratio, percent(ratio))


def _cost(us: float | None) -> Markup:
    return exact(us, milliseconds(None if us is None else us / 1e6))
