"""Which range of time the operator looks at: one choice, and every pane follows it.

A range is live (it ends now), held (it ends where the display was frozen) or picked by hand on
the trends. Picked ranges begin and end at whole seconds of the clock, like the columns of the
trends and the seconds in which stacks are kept: neighbours share nothing and miss nothing. Where
old history is in steps, what is shown is the whole steps that a choice reaches into.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from collectors.samples import LoadTarget, MarkKind
from tui.model.perrequest import STACK_DELAY_S
from tui.model.timeline import Timeline, TimeRange

LENGTHS_S: Final = (1.0, 2.0, 3.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0,
                    300.0, 600.0, 900.0, 1_800.0, 3_600.0)  # fmt: skip
"""Lengths that widening and narrowing go through."""


class RangeKind(StrEnum):
    """What a range is tied to."""

    LAST = "last"
    """The newest seconds."""
    START = "start"
    """From the begin of the load."""
    CHANGE = "change"
    """From the last change of the load: while a ramp is under way, from its begin."""
    PICKED = "picked"
    """Chosen by hand."""


_CYCLE: Final = (
    (RangeKind.LAST, 5.0),
    (RangeKind.LAST, 10.0),
    (RangeKind.LAST, 30.0),
    (RangeKind.LAST, 60.0),
    (RangeKind.START, 10.0),
    (RangeKind.CHANGE, 10.0),
)


@dataclass(frozen=True, slots=True)
class RangeChoice:
    """What the operator chose to look at; each operation returns another choice.

    Times are seconds on the session's clock and are passed in.
    """

    kind: RangeKind = RangeKind.LAST
    length_s: float = 10.0
    """Of a range of the newest seconds; what picking and widening begin with."""
    picked: TimeRange | None = None
    """The range, where it is picked."""
    held_at: float | None = None
    """Where the display stands still; None while it is live."""

    @property
    def is_held(self) -> bool:
        """Whether the display stands still while collection goes on."""
        return self.held_at is not None

    def end(self, now: float) -> float:
        """Return where the trends end."""
        return now if self.held_at is None else self.held_at

    def range(self, timeline: Timeline, now: float) -> TimeRange:
        """Return the range that all panes cover."""
        return timeline.widened(self._chosen(timeline, now))

    def _chosen(self, timeline: Timeline, now: float) -> TimeRange:
        """Return the range as it was chosen, whatever the steps are."""
        end = self.end(now)
        match self.kind:
            case RangeKind.PICKED if self.picked is not None:
                return self.picked
            case RangeKind.START:
                return TimeRange(min(load_began_at(timeline, end), end), end)
            case RangeKind.CHANGE:
                return TimeRange(min(load_changed_at(timeline, end), end), end)
            case _:
                return TimeRange(end - self.length_s, end)

    def next(self) -> RangeChoice:
        """Return the next usual range: 5, 10, 30, 60 s, since the start, since the change."""
        held_at = None if self.kind is RangeKind.PICKED else self.held_at
        if (self.kind, self.length_s) in _CYCLE:
            place = _CYCLE.index((self.kind, self.length_s))
            kind, length_s = _CYCLE[(place + 1) % len(_CYCLE)]
        elif self.kind is RangeKind.LAST:
            # Between two of the cycle: on to the longer one.
            longer = (each for each in _CYCLE if each[1] > self.length_s)
            kind, length_s = next(longer, (RangeKind.START, 10.0))
        else:
            kind, length_s = _CYCLE[0] if self.kind is RangeKind.CHANGE else _CYCLE[1]
        return RangeChoice(kind, length_s, None, held_at)

    def frozen(self, now: float) -> RangeChoice:
        """Return the choice that stands still at the newest second whose stacks have all come."""
        return self if self.is_held else replace(self, held_at=settled_at(now))

    def live(self) -> RangeChoice:
        """Return the choice that ends now again; what was picked is let go."""
        kind = RangeKind.LAST if self.kind is RangeKind.PICKED else self.kind
        return RangeChoice(kind, self.length_s)

    def pick(self, start: float, end: float, now: float) -> RangeChoice:
        """Return the choice of the whole seconds from one moment to another, in either order."""
        first, last = math.floor(min(start, end)), math.ceil(max(start, end))
        last = min(last, math.floor(self.end(now)))
        picked = TimeRange(float(min(first, last - 1)), float(last))
        held_at = settled_at(now) if self.held_at is None else self.held_at
        return RangeChoice(RangeKind.PICKED, self.length_s, picked, held_at)

    def moved(self, seconds: int, timeline: Timeline, now: float) -> RangeChoice:
        """Return the choice with the range's end, the time cursor, moved along the trends.

        It goes no further back than the session; moved past the newest second it is live again.
        """
        range_ = self._whole_seconds(timeline, now)
        newest = math.floor(self.end(now))
        end = range_.end + seconds
        if seconds > 0 and end > newest:
            return self.live()
        end = max(end, math.floor(timeline.origin) + 1.0)
        return self.pick(end - range_.duration_s, end, now)

    def widened(self, steps: int, timeline: Timeline, now: float) -> RangeChoice:
        """Return the choice whose range begins earlier, or later where `steps` is negative.

        A live range of the newest seconds stays live; any other becomes a picked one.
        """
        if self.kind is RangeKind.LAST:
            return replace(self, length_s=_other_length(self.length_s, steps))
        range_ = self._whole_seconds(timeline, now)
        length_s = _other_length(range_.duration_s, steps)
        return self.pick(range_.end - length_s, range_.end, now)

    def _whole_seconds(self, timeline: Timeline, now: float) -> TimeRange:
        range_ = self._chosen(timeline, now)
        if self.kind is RangeKind.PICKED:
            return range_
        end = math.floor(range_.end)
        return TimeRange(float(end - max(1, round(range_.duration_s))), float(end))


def settled_at(now: float) -> float:
    """Return the newest whole second whose stacks have all come."""
    return float(math.floor(now - STACK_DELAY_S))


def load_began_at(timeline: Timeline, until: float) -> float:
    """Return when the newest load began, as k6 tells; the session's start where none has."""
    starts = [m.at for m in timeline.marks if m.kind is MarkKind.START and m.at <= until]
    since = starts[-1] if starts else timeline.origin
    loads = timeline.loads_in(TimeRange(since, until))
    return loads[0].at - loads[0].interval_s if loads else since


def load_changed_at(timeline: Timeline, until: float) -> float:
    """Return since when the load follows one straight line; as written: since it began."""
    corner = _last_corner([each for each in timeline.targets if each.at <= until], until)
    began_at = load_began_at(timeline, until)
    return began_at if corner is None else max(corner, began_at)


def _last_corner(targets: Sequence[LoadTarget], until: float) -> float | None:
    if not targets:
        return None
    newest = targets[-1]
    return max([newest.at, *(at for at, _ in newest.course.points if at <= until)])


def _other_length(length_s: float, steps: int) -> float:
    """Return the length some steps further up or down the usual ones."""
    if steps > 0:
        longer = [each for each in LENGTHS_S if each > length_s]
        return longer[min(steps, len(longer)) - 1] if longer else length_s
    shorter = [each for each in LENGTHS_S if each < length_s]
    return shorter[max(steps, -len(shorter))] if shorter else length_s
