"""Axes and the heatmap of the report: everything is in them, and within them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.samples import Histogram, RequestKind
from tests.builders import load
from tests.tui.export.known_run import ABOUT
from tests.tui.export.parsed_page import Page
from tui.export.report.html import html_report
from tui.export.report.html_axes import LEFT, RIGHT, PowerAxis, TimeAxis, ValueAxis, columns_of
from tui.export.report.html_heatmap import LEVELS, MOST_ROWS, heat_grid, level_of
from tui.model.timeline import Timeline, TimeRange
from tui.views.format import Unit

histograms = st.builds(
    lambda schema, buckets, zero: Histogram(
        schema, buckets, zero, sum(buckets.values()) + zero, 1.0
    ),
    st.integers(-4, 8),
    st.dictionaries(st.integers(-3_000, 3_000), st.integers(1, 10**6), max_size=20),
    st.integers(0, 5),
)


@given(st.lists(histograms, min_size=1, max_size=8))
def test_every_request_is_in_one_cell(found: list[Histogram]) -> None:
    """Of buckets of any resolution, in no more rows than can be told apart."""
    line = Timeline(0.0)
    for second, each in enumerate(found):
        line.append(load(second + 1.0, each.count, latency=each))
    range_ = TimeRange(0.0, float(len(found)))
    grid = heat_grid(line, range_, columns_of(range_, 240), RequestKind.HTTP)
    if grid is None:
        assert not any(each.count for each in found)
        return
    assert [sum(column.values()) for column in grid.columns] == [each.count for each in found]
    assert grid.rows <= MOST_ROWS
    for column in grid.columns:
        assert all(grid.low - grid.has_zero <= n < grid.low + grid.rows for n in column)
    Page(html_report(line, range_, ABOUT, None))


@given(st.integers(1, 10**9))
def test_colours_rise_with_counts(most: int) -> None:
    """From the first step for one request to the last for the fullest cell."""
    steps = [level_of(n, most) for n in sorted({1, most // 7 or 1, most // 2 or 1, most})]
    assert steps == sorted(steps)
    assert steps[-1] == LEVELS
    assert all(1 <= step <= LEVELS for step in steps)


@given(st.lists(st.floats(0, 1e13), min_size=1), st.sampled_from(list(Unit)))
def test_values_are_within_their_axis(values: list[float], unit: Unit) -> None:
    """From 0 to a round value above the highest, with a handful of labels."""
    axis = ValueAxis.up_to(values, unit, 10.0, 110.0)
    ticks = axis.ticks()
    assert 2 <= len(ticks) <= 7
    assert (ticks[0][0], ticks[-1][0]) == (110.0, 10.0)
    assert axis.step * axis.steps >= max(values) * (1 - 1e-6)
    assert len({label for _, label in ticks}) == len(ticks)
    powers = PowerAxis.around(values, unit, 10.0, 110.0)
    if powers is not None:
        assert powers.low <= min(v for v in values if v >= 1e-15) * (1 + 1e-6)
        assert powers.high >= max(values) * (1 - 1e-6)
        assert all(10.0 <= powers.y(value) <= 110.0 for value in values)
        assert all(b - a >= 15.9 for a, b in pairwise(sorted(y for y, _ in powers.ticks())))


@given(st.floats(0, 1e6), st.floats(0.5, 1e7))
def test_times_are_within_their_axis(start: float, length_s: float) -> None:
    """Round ones, in order; and no more columns than asked for."""
    range_ = TimeRange(start, start + length_s)
    axis = TimeAxis(range_, start - 3.0)
    ticks = axis.ticks()
    assert len(ticks) <= 15
    assert [x for x, _ in ticks] == sorted(x for x, _ in ticks)
    assert all(LEFT <= x <= RIGHT for x, _ in ticks)
    buckets = columns_of(range_, 240)
    assert buckets.count <= 241
    assert buckets.range.start <= start
    assert buckets.range.end >= range_.end - 1e-6
    assert axis.centres(buckets) == sorted(axis.centres(buckets))


@pytest.mark.parametrize(
    ("highest", "labels"),
    [
        (900.0, ["0 B", "256 B", "512 B", "768 B", "1 KiB"]),
        (3.1 * 1024**2, ["0 B", "1 MiB", "2 MiB", "3 MiB", "4 MiB"]),
        (1.2 * 1024**3, ["0 B", "512 MiB", "1 GiB", "1.5 GiB"]),
    ],
)
def test_bytes_have_round_steps(highest: float, labels: list[str]) -> None:
    """In powers of two: no axis says 3.9 MiB."""
    axis = ValueAxis.up_to([highest], Unit.BYTES, 0.0, 100.0)
    assert [label for _, label in axis.ticks()] == labels
