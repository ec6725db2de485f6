"""Which range of time the panes show, and how it is named."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from tui.model.ranges import RangeChoice, RangeKind, load_began_at
from tui.model.series import Buckets, Series, newest
from tui.model.timeline import Timeline, TimeRange
from tui.views.format import Unit, clock, quantity
from tui.views.trend import TrendSeries, TrendView

FLAME_WINDOW_S: Final = 10.0
TREND_COLUMNS: Final = 240
"""More than the widest pane draws; a chart shows the newest ones that fit."""
COLUMN_S: Final = 1.0
_TAKING_S: Final = 0.25
"""Less than it takes a range to settle, so that what stands still does."""
_LEAD_COLUMNS: Final = 40
"""Columns shown after a range that is too far back for the trends to end now."""


@dataclass(frozen=True, slots=True)
class Window:
    """The end that all panes share, and how far back each looks."""

    end: float
    length_s: float = FLAME_WINDOW_S
    frozen: bool = False
    trends_end: float | None = None
    """Where the trends end; None where the range does."""
    name: str = ""
    """How the range is called; empty for the newest seconds."""
    picked: bool = False
    """Whether the range was picked on the trends, which then show it."""
    steps: str = ""
    """Which part of it is known in steps only; empty: none."""

    @property
    def range(self) -> TimeRange:
        """What figures, tables and the flamegraph cover."""
        return TimeRange(self.end - self.length_s, self.end)

    @property
    def buckets(self) -> Buckets:
        """The columns of all trends."""
        end = self.end if self.trends_end is None else self.trends_end
        if self.end <= end - (TREND_COLUMNS - _LEAD_COLUMNS) * COLUMN_S:
            end = self.end + _LEAD_COLUMNS * COLUMN_S
        return Buckets.ending_at(end, TREND_COLUMNS, COLUMN_S)

    @property
    def known_until(self) -> float:
        """The newest moment that the trends may show."""
        end = self.end if self.trends_end is None else self.trends_end
        return min(end, self.buckets.range.end)

    @property
    def taken_until(self) -> float:
        """When the newest samples of the trends were taken: a moment after their second."""
        return self.known_until + _TAKING_S

    @property
    def text(self) -> str:
        """How the range is called on the screen."""
        name = self.name or f"last {self.length_s:g} s"
        return " · ".join(each for each in (name, self.steps, "frozen" * self.frozen) if each)


def window_of(choice: RangeChoice, timeline: Timeline, now: float) -> Window:
    """Return the window of what the operator chose to look at."""
    range_ = choice.range(timeline, now)
    name = f"last {choice.length_s:g} s"
    match choice.kind:
        case RangeKind.START:
            name = f"since the start, {clock(range_.duration_s)}"
        case RangeKind.CHANGE:
            name = f"since the change, {clock(range_.duration_s)}"
        case RangeKind.PICKED:
            name = picked_name(timeline, range_)
    is_picked = choice.kind is RangeKind.PICKED
    return Window(
        range_.end,
        range_.duration_s,
        frozen=choice.is_held and not is_picked,
        trends_end=choice.end(now),
        name=name,
        picked=is_picked,
        steps=steps_text(timeline, range_),
    )


def steps_text(timeline: Timeline, range_: TimeRange) -> str:
    """Return until when a range is known in steps, and in which at most; empty: in detail."""
    until, step_s = timeline.in_detail_since(), timeline.step_s(range_.start)
    if until is None or not step_s:
        return ""
    began_at = load_began_at(timeline, range_.end)
    return f"steps of {step_s:g} s before {clock(max(0.0, min(until, range_.end) - began_at))}"


def picked_name(timeline: Timeline, range_: TimeRange) -> str:
    """Return how a range is called by the clock of the run: `0:50 to 1:00`."""
    began_at = load_began_at(timeline, range_.end)
    start, end = (max(0.0, at - began_at) for at in (range_.start, range_.end))
    return f"{clock(start)} to {clock(end)}"


def on_window(trends: Iterable[TrendView], window: Window) -> tuple[TrendView, ...]:
    """Return trends with the cursor and the range that was picked on them."""
    if not window.picked:
        return tuple(trends)
    buckets = window.buckets
    first = buckets.column(window.range.start + COLUMN_S / 2) or 0
    last = buckets.column(window.end)
    selected = None if last is None else (first, last)
    return tuple(replace(each, cursor=last, selected=selected) for each in trends)


def trend_series(name: str, style_key: str, values: Series, unit: Unit) -> TrendSeries:
    """Make one line of a chart whose header tells the newest value that is known."""
    return TrendSeries(name, style_key, values, newest=quantity(newest(values), unit))


def mark_columns(timeline: Timeline, window: Window) -> tuple[int, ...]:
    """Return the columns of the trends in which something was done to the run."""
    buckets, end = window.buckets, window.known_until
    columns = (buckets.column(mark.at) for mark in timeline.marks if mark.at <= end)
    return tuple(column for column in columns if column is not None)
