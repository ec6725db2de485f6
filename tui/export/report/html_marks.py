"""The strip above the trends that says what the marks in them are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from collectors.samples import Mark
from tui.export.report.html_axes import LEFT, RIGHT, WIDTH, TimeAxis
from tui.export.report.html_chart import upright
from tui.export.report.html_markup import Markup, element, pixels
from tui.views.format import cell_width, fit

_LANE: Final = 16.0
_MOST_LANES: Final = 5
_CHAR: Final = 6.4
"""Width of a column of text, wider than most fonts have it."""
_MOST_CHARS: Final = 42


def mark_text(mark: Mark) -> str:
    """Return what a mark says: its text, else what was done."""
    return mark.text or mark.kind.value.replace("_", " ")


def mark_strip(
    marks: Sequence[Mark], axis: TimeAxis, band: tuple[float, float] | None, band_name: str
) -> Markup:
    """Return the labels of marks, each beside its line, and the name of the baseline's band.

    Where marks stand too close for all to be named, some have their number alone: the table of
    marks has all of them.
    """
    labels: list[tuple[float, str, str]] = [
        (axis.x(mark.at), f"{number} {mark_text(mark)}", str(number))
        for number, mark in enumerate(marks, start=1)
    ]
    ends = [LEFT - 8.0] * _MOST_LANES
    placed: list[tuple[float, int, str, str]] = []
    if band is not None:
        text = fit(f"baseline {band_name}", _MOST_CHARS)
        left = min(axis.x(band[0]), RIGHT - cell_width(text) * _CHAR)
        placed.append((left, 0, text, "band-name"))
        ends[0] = left + cell_width(text) * _CHAR + 10
    for x, full, number in labels:
        place = _place(x, fit(full, _MOST_CHARS), ends) or _place(x, number, ends)
        if place is not None:
            placed.append((*place, "mark-name"))
    if not placed:
        return Markup("")
    lanes = 1 + max(lane for _, lane, _, _ in placed)
    height = lanes * _LANE + 2
    lines = [upright("mark", x, 0, height) for x, _, _ in labels]
    texts = [
        element("text", text, class_=style, x=x, y=lane * _LANE + 12)
        for x, lane, text, style in placed
    ]
    return element(
        "svg",
        *lines,
        *texts,
        class_="strip",
        viewBox=f"0 0 {pixels(WIDTH)} {pixels(height)}",
        role="img",
        aria_label="marks",
    )


def _place(x: float, text: str, ends: list[float]) -> tuple[float, int, str] | None:
    """Find the first lane with room for a text right of its line, else left of it."""
    width = cell_width(text) * _CHAR
    left = x + 4 if x + 4 + width <= RIGHT else x - 4 - width
    for lane, end in enumerate(ends):
        if left >= end:
            ends[lane] = left + width + 10
            return left, lane, text
    return None
