"""Trend charts: a few series over time, one column a time bucket, drawn as rows of styled text.

The scale starts at zero and ends at a fixed or a round ceiling, so a flat series looks flat and
1 % of jitter looks like 1 %. One series is a filled area in eighth blocks, several are lines in
braille. What is not known is a gap, and zero is a line on the floor.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final, TypeAlias

from tui.views.format import Unit, cell_width, fit, quantity

Segment: TypeAlias = tuple[str, str]
"""A run of text and the key of its style."""

FILL_DEPTHS: Final = 4
"""Steps in which an area fades below its curve."""

_EIGHTHS: Final = " ▁▂▃▄▅▆▇█"
_TRAILING_ZEROS: Final = re.compile(r"\.0+(?!\d)|(?<=\.\d)0(?!\d)")
_BLANK: Final = (" ", "trend-blank")
# Bits of a braille cell from the top dot down, left and right column (Unicode 2800).
_DOTS: Final = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_DOTS_A_CELL: Final = 4


@dataclass(frozen=True, slots=True)
class TrendSeries:
    """One line of a chart."""

    name: str
    """For the legend; empty where the title says it."""
    style_key: str
    """`trend-1` to `trend-4`, `trend-good`, `trend-warn`, `trend-bad`."""
    values: tuple[float | None, ...]
    """One value a column, the newest last; None is a gap."""
    newest: str = ""
    """What the header says instead of the newest value, like a value with its target."""


@dataclass(frozen=True, slots=True)
class TrendView:
    """A chart, whatever its size will be."""

    title: str
    unit: Unit
    series: tuple[TrendSeries, ...]
    ceiling: float | None = None
    """Top of the scale in the unit of the values; None: a round number above the greatest."""
    marks: tuple[int, ...] = ()
    """Columns, counted like `values`, in which something was done to the run."""
    cursor: int | None = None
    """Column whose values the header tells, counted like `values`; None: the newest."""
    selected: tuple[int, int] | None = None
    """First and last column of the range that was picked; None where it is the newest."""


def draw_trend(view: TrendView, width: int, height: int) -> list[list[Segment]]:
    """Draw a chart.

    Args:
        view: What to draw; of longer series the newest `width` columns are seen, or those around
            the cursor.
        width: Columns.
        height: Rows, the header included.

    Returns:
        `height` rows, each exactly `width` columns wide. Besides the series' own keys (with
        `-value` in the header and `-fill-1` to `-fill-4` ever further below a curve) the style
        keys are `trend-title`, `trend-name`, `trend-axis`, `trend-zero`, `trend-mark`,
        `trend-cursor` and `trend-blank`; in columns that are selected `@range` follows the key.
    """
    if width <= 0 or height <= 0:
        return []
    first = first_column(view, width)
    columns = [_window(series.values, first, width) for series in view.series]
    ceiling = view.ceiling or nice_ceiling(columns, view.unit)
    rows = [_header(view, ceiling, width)]
    if height > 1:
        if len(view.series) == 1:
            grid = _area(columns[0], ceiling, height - 1, view.series[0].style_key)
        else:
            grid = _lines(view.series, columns, ceiling, width, height - 1)
        _overlay(grid, view, first)
        rows.extend(_merge(row) for row in grid)
    return rows


def first_column(view: TrendView, width: int) -> int:
    """Return which column, counted like the values, is drawn first; negative: what is blank.

    The newest one is drawn last, unless the cursor is further back: then it is in sight.
    """
    length = max((len(series.values) for series in view.series), default=0)
    newest = length - width
    if view.cursor is None or view.cursor >= newest:
        return newest
    return max(0, view.cursor - width * 3 // 4)


def nice_ceiling(columns: list[list[float | None]], unit: Unit = Unit.RATE) -> float:
    """The least of 1, 2, 5 times a power of ten that is not below any value; 1 for nothing.

    Sizes in bytes take steps of 1024 instead of 1000. It depends on the values alone, so that two
    screens over the same range have the same scale.
    """
    top = max((v for column in columns for v in column if v is not None), default=0.0)
    if not 1e-300 < top < math.inf:
        return 1.0
    base = 1.0
    if unit in (Unit.BYTES, Unit.BYTES_RATE):
        while top / base >= 1000:
            base *= 1024
    power = 10.0 ** math.floor(math.log10(top / base))
    for step in (1, 2, 5, 10):
        # A hair of tolerance: 0.3 / 0.1 is above 3 only in binary.
        if top <= step * power * base * (1 + 1e-9):
            return step * power * base
    return 10 * power * base


def _window(values: tuple[float | None, ...], first: int, width: int) -> list[float | None]:
    """`width` values from the first one on, with gaps on the left where there are fewer."""
    seen = values[max(0, first) : first + width]
    known = [v if v is not None and math.isfinite(v) else None for v in seen]
    return [None] * (width - len(known)) + known


def _header(view: TrendView, ceiling: float, width: int) -> list[Segment]:
    """Title, newest values with their names, and the ceiling at the right end."""
    segments: list[Segment] = []
    room = width
    label = f"{_TRAILING_ZEROS.sub('', quantity(ceiling, view.unit))}▔"
    for text, key in _legend(view):
        cut = fit(text, room)
        if cut:
            segments.append((cut, key))
            room -= cell_width(cut)
    if cell_width(label) < room:
        segments.append((" " * (room - cell_width(label)), "trend-blank"))
        segments.append((label, "trend-axis"))
    elif room:
        segments.append((" " * room, "trend-blank"))
    return [segment for segment in segments if segment[0]]


def _legend(view: TrendView) -> list[Segment]:
    legend: list[Segment] = [(view.title, "trend-title")]
    for series in view.series:
        index = -1 if view.cursor is None else view.cursor
        inside = -len(series.values) <= index < len(series.values)
        value = quantity(series.values[index] if inside else None, view.unit)
        if series.newest and view.cursor is None:
            value = series.newest
        if series.name:
            legend.extend([("  ", "trend-blank"), (series.name, "trend-name")])
        legend.extend([(" ", "trend-blank"), (value, f"{series.style_key}-value")])
    return legend


def _area(values: list[float | None], ceiling: float, height: int, key: str) -> list[list[Segment]]:
    """One series as a filled area that fades from its upper edge down."""
    grid = [[_BLANK] * len(values) for _ in range(height)]
    for x, value in enumerate(values):
        if value is None:
            continue
        if value <= 0:
            grid[-1][x] = ("▁", "trend-zero")
            continue
        eighths = max(1, min(height * 8, round(value / ceiling * height * 8)))
        full, part = divmod(eighths, 8)
        edge = full if part else full - 1
        grid[height - 1 - edge][x] = (_EIGHTHS[part or 8], key)
        for level in range(edge):
            depth = min(edge - level, FILL_DEPTHS)
            grid[height - 1 - level][x] = ("█", f"{key}-fill-{depth}")
    return grid


def _lines(
    series: tuple[TrendSeries, ...],
    columns: list[list[float | None]],
    ceiling: float,
    width: int,
    height: int,
) -> list[list[Segment]]:
    """Several series as lines; where they meet, the first one gives the colour."""
    bits = [[0] * width for _ in range(height)]
    keys = [["trend-blank"] * width for _ in range(height)]
    for line, values in reversed(list(zip(series, columns, strict=True))):
        zero = not any(values)
        for dot_x, top, bottom in _strokes(values, ceiling, height * _DOTS_A_CELL):
            for dot_y in range(top, bottom + 1):
                y, x = dot_y // _DOTS_A_CELL, dot_x // 2
                bits[y][x] |= _DOTS[dot_x % 2][dot_y % _DOTS_A_CELL]
                keys[y][x] = "trend-zero" if zero else line.style_key
    return [
        [(chr(0x2800 + bit), key) if bit else _BLANK for bit, key in zip(*row, strict=True)]
        for row in zip(bits, keys, strict=True)
    ]


def _strokes(values: list[float | None], ceiling: float, dots: int) -> list[tuple[int, int, int]]:
    """Dot column, upper and lower dot row of each stroke of a line through the values.

    A value stands in the right half of its cell; the left half is on the way from the one before.
    """
    strokes = []
    before: int | None = None
    for x, value in enumerate(values):
        if value is None:
            before = None
            continue
        here = dots - 1 - round(max(0.0, min(1.0, value / ceiling)) * (dots - 1))
        if before is None:
            strokes.append((2 * x, here, here))
            middle = here
        else:
            middle = (before + here) // 2
            strokes.append((2 * x, min(before, middle), max(before, middle)))
        strokes.append((2 * x + 1, min(middle, here), max(middle, here)))
        before = here
    return strokes


def _overlay(grid: list[list[Segment]], view: TrendView, first: int) -> None:
    """Draw marks behind the data, with a head that is always seen, the cursor, and the range."""
    width = len(grid[0])
    for x in (mark - first for mark in view.marks):
        if 0 <= x < width:
            for row in grid[1:]:
                if row[x] == _BLANK:
                    row[x] = ("┊", "trend-mark")
            grid[0][x] = ("▾", "trend-mark")
    if view.cursor is not None and 0 <= (x := view.cursor - first) < width:
        for row in grid:
            text = row[x][0]
            row[x] = ("│" if text == " " else text, "trend-cursor")
    if view.selected is not None:
        left, right = (max(0, min(width, each - first)) for each in view.selected)
        for row in grid:
            row[left : right + 1] = [(text, f"{key}@range") for text, key in row[left : right + 1]]


def _merge(row: list[Segment]) -> list[Segment]:
    """Join neighbours of one style."""
    merged: list[Segment] = []
    texts: list[str] = []
    key = row[0][1]
    for text, next_key in row:
        if next_key != key:
            merged.append(("".join(texts), key))
            texts, key = [], next_key
        texts.append(text)
    merged.append(("".join(texts), key))
    return merged
