"""Latency over time as a heatmap: a row a histogram bucket, a colour the number of requests.

Rows are the buckets of k6's native histograms as they are, on a scale of powers. Where there are
more than can be told apart, two neighbours become one, as in histograms of a coarser schema, so
that a cell's count is always exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from collectors.samples import Histogram, RequestKind
from tui.export.report.html_axes import power_ticks
from tui.export.report.html_chart import Ground, plot, value_grid
from tui.export.report.html_markup import Markup, element, joined
from tui.model.latency import merge, upper_bound
from tui.model.load import kind_of, traffic_of
from tui.model.series import Buckets
from tui.model.timeline import Timeline, TimeRange
from tui.views.format import Unit, count, milliseconds
from tui.views.load import LATENCY_TITLES, NOUNS

MOST_COLUMNS: Final = 240
MOST_ROWS: Final = 64
LEVELS: Final = 8
_POWER: Final = 0.4

_TOP: Final = 8.0
_PLOT: Final = 256.0
_TIMES: Final = 20.0


@dataclass(frozen=True, slots=True)
class HeatGrid:
    """How many requests took how long in each column of the clock."""

    schema: int
    """Of the rows; below -4 where values are spread over more powers than any schema has rows."""
    low: int
    """Number of the lowest row's bucket; one below it for the requests of (almost) no time."""
    rows: int
    has_zero: bool
    columns: tuple[dict[int, int], ...]
    """Bucket → count, for each column; `low - 1` holds those of no time."""

    @property
    def most(self) -> int:
        """The greatest count of a cell."""
        return max((n for column in self.columns for n in column.values()), default=0)

    def bounds_s(self, bucket: int) -> tuple[float, float]:
        """Return from which latency to which one a row reaches, seconds."""
        if self.has_zero and bucket < self.low:
            return 0.0, 0.0
        return _bound_s(bucket - 1, self.schema), _bound_s(bucket, self.schema)


def heat_grid(
    timeline: Timeline, range_: TimeRange, buckets: Buckets, kind: RequestKind
) -> HeatGrid | None:
    """Sort the requests of a range by time and latency; None where no latency was measured.

    Each push of k6 counts once, in the column in which it ends, so that all cells together are the
    requests of the range.
    """
    parts: list[list[Histogram]] = [[] for _ in range(buckets.count)]
    for sample in timeline.loads_in(range_):
        column = buckets.column(sample.at)
        if column is not None:
            parts[column].append(traffic_of(sample, kind).latency)
    merged = [merge(part) for part in parts]
    whole = merge(merged)
    if not whole.count:
        return None
    indices = list(whole.buckets) or [0]
    low, high, shift = min(indices), max(indices), 0
    while _coarse(high, shift) - _coarse(low, shift) >= MOST_ROWS:
        shift += 1
    low, high = _coarse(low, shift), _coarse(high, shift)
    schema = whole.schema - shift
    return HeatGrid(
        schema=schema,
        low=low,
        rows=high - low + 1,
        has_zero=whole.zero_count > 0,
        columns=tuple(_column(each, schema, low) for each in merged),
    )


def heatmap(timeline: Timeline, range_: TimeRange, buckets: Buckets, ground: Ground) -> Markup:
    """Return the heatmap with its legend, empty where no latency was measured."""
    kind = kind_of(timeline.loads)
    grid = heat_grid(timeline, range_, buckets, kind)
    if grid is None:
        return Markup("")
    bottom = _TOP + _PLOT
    rows = grid.rows + grid.has_zero
    height = _PLOT / rows
    cells = [
        _column_cells(grid, column, buckets, ground, height) for column in range(buckets.count)
    ]
    ticks = value_grid(_ticks(grid, height))
    said = f"{LATENCY_TITLES[kind]} over time, as a heatmap of counts"
    picture = plot(
        said, bottom + _TIMES, ground.drawn(_TOP, bottom), ticks, *cells, name="plot heat"
    )
    growth = 2.0 ** (2.0**-grid.schema) if grid.schema > -4 else math.inf
    width = f"a row is {growth - 1:.0%} wide" if growth < 3 else f"a row is ×{growth:.3g} wide"
    caption = element(
        "figcaption",
        element("b", f"{LATENCY_TITLES[kind]} of every {NOUNS[kind]}"),
        element("span", f"{NOUNS[kind]}s per cell", *_legend(grid.most), class_="legend"),
        element("span", f"{width}, a column {buckets.width_s:g} s", class_="legend"),
    )
    return element("figure", caption, picture, class_="chart", id="chart-heatmap")


def level_of(number: int, most: int) -> int:
    """Return the step of the colours for a count, from 1 to `LEVELS` for the fullest cell.

    Steps are equal in a power of the count that lets single requests be seen beside thousands, and
    still tells thousands apart, which a logarithm does not.
    """
    return 1 + min(LEVELS - 1, int(LEVELS * (number / most) ** _POWER))


def _legend(most: int) -> list[Markup]:
    swatches = [element("i", class_=f"swatch h{n + 1}") for n in range(LEVELS)]
    return [Markup(" 1 "), *swatches, Markup(f" {count(most)}")]


def _column_cells(
    grid: HeatGrid, column: int, buckets: Buckets, ground: Ground, height: float
) -> Markup:
    left, right = ground.axis.edges(buckets, column)
    # Neighbours that only touch would let the ground shine through.
    width = max(0.5, right - left)
    when = ground.axis.label((buckets.first + column) * buckets.width_s)
    cells = []
    for bucket, number in sorted(grid.columns[column].items()):
        low, high = (milliseconds(bound) for bound in grid.bounds_s(bucket))
        latency = high if low == high else f"{low} to {high}"
        cells.append(
            element(
                "rect",
                element("title", f"{when} · {latency} · {number}"),
                class_=f"h{level_of(number, grid.most)}",
                x=left,
                y=_y(grid, bucket, height),
                width=width,
                height=height,
            )
        )
    return joined(cells)


def _y(grid: HeatGrid, bucket: int, height: float) -> float:
    """Return where the upper edge of a bucket is."""
    return _TOP + (grid.low + grid.rows - 1 - bucket) * height


def _ticks(grid: HeatGrid, height: float) -> Sequence[tuple[float, str]]:
    """Return round latencies within the rows, and where they are."""
    lowest, highest = grid.bounds_s(grid.low)[0], grid.bounds_s(grid.low + grid.rows - 1)[1]
    bottom = _y(grid, grid.low - 1, height)

    def y(latency_s: float) -> float:
        return bottom - (math.log2(latency_s) * 2.0**grid.schema - (grid.low - 1)) * height

    ticks = power_ticks(lowest, highest, y, Unit.SECONDS) if lowest > 0 else []
    return [*ticks, (_TOP + _PLOT - height / 2, "0")] if grid.has_zero else ticks


def _column(histogram: Histogram, schema: int, low: int) -> dict[int, int]:
    cells: dict[int, int] = {}
    for index, number in histogram.buckets.items():
        bucket = _coarse(index, histogram.schema - schema)
        cells[bucket] = cells.get(bucket, 0) + number
    if histogram.zero_count:
        cells[low - 1] = histogram.zero_count
    return cells


def _coarse(index: int, shift: int) -> int:
    """Return the bucket of a coarser schema: buckets close at their upper bound."""
    return -(-index >> shift)


def _bound_s(bucket: int, schema: int) -> float:
    return upper_bound(Histogram(schema, {bucket: 1}, 0, 1, 0.0)) or 0.0
