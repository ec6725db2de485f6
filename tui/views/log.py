"""The log pane: what k6 and the server wrote, the newest line at the bottom."""

from __future__ import annotations

from dataclasses import dataclass

from collectors.samples import LogLine
from tui.model.timeline import Timeline
from tui.views.format import cell_width, clock, pad
from tui.views.trend import Segment

SHOWN_LINES = 200


@dataclass(frozen=True, slots=True)
class LogView:
    """The newest lines up to a moment."""

    lines: tuple[LogLine, ...]
    origin: float


def build_log(timeline: Timeline, end: float) -> LogView:
    """Take the newest lines that were written before `end`."""
    lines = [line for line in timeline.logs if line.at <= end]
    return LogView(lines=tuple(lines[-SHOWN_LINES:]), origin=timeline.origin)


def draw_log(view: LogView, width: int, height: int) -> list[list[Segment]]:
    """Draw the newest lines that fit, one row each."""
    if width <= 0 or height <= 0:
        return []
    if not view.lines:
        return [[(pad("nothing logged yet", width), "table-empty")]]
    return [_row(line, view.origin, width) for line in view.lines[-height:]]


def _row(line: LogLine, origin: float, width: int) -> list[Segment]:
    head = f"{clock(line.at - origin):>7} {line.source:<7}"
    style = f"log-{line.level}" if line.level in ("warning", "error") else "log-text"
    room = width - cell_width(head)
    if room <= 0:
        return [(pad(head, width), "log-time")]
    return [(head, "log-time"), (pad(f" {line.text}", room), style)]
