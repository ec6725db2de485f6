"""Which range of time the panes show, and how it is named."""

from __future__ import annotations

from dataclasses import dataclass

from tui.model.series import Buckets, Series, newest
from tui.model.timeline import Timeline, TimeRange
from tui.views.format import Unit, quantity
from tui.views.trend import TrendSeries

FLAME_WINDOW_S = 10.0
TREND_COLUMNS = 240
"""More than the widest pane draws; a chart shows the newest ones that fit."""
COLUMN_S = 1.0


@dataclass(frozen=True, slots=True)
class Window:
    """The end that all panes share, and how far back each looks."""

    end: float
    length_s: float = FLAME_WINDOW_S
    frozen: bool = False

    @property
    def range(self) -> TimeRange:
        """What figures, tables and the flamegraph cover."""
        return TimeRange(self.end - self.length_s, self.end)

    @property
    def buckets(self) -> Buckets:
        """The columns of all trends."""
        return Buckets.ending_at(self.end, TREND_COLUMNS, COLUMN_S)

    @property
    def text(self) -> str:
        """How the range is called on the screen."""
        return f"last {self.length_s:g} s" + (" · frozen" if self.frozen else "")


def trend_series(name: str, style_key: str, values: Series, unit: Unit) -> TrendSeries:
    """Make one line of a chart whose header tells the newest value that is known."""
    return TrendSeries(name, style_key, values, newest=quantity(newest(values), unit))


def mark_columns(timeline: Timeline, window: Window) -> tuple[int, ...]:
    """Return the columns of the trends in which something was done to the run."""
    buckets = window.buckets
    columns = (buckets.column(mark.at) for mark in timeline.marks if mark.at <= window.end)
    return tuple(column for column in columns if column is not None)
