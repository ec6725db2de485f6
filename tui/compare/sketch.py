"""Two histograms over each other in plain characters, told apart by shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from tui.model.overlay import OverlayRow
from tui.views.format import milliseconds, percent

LEGEND: Final = "▀ before  ▄ after  █ both"
_UPPER: Final = "▀"
_LOWER: Final = "▄"
_BOTH: Final = "█"
_LEAST_BAR: Final = 10
_MOST_BAR: Final = 100
_SHARE_WIDTH: Final = 6


def sketch(rows: Sequence[OverlayRow], width: int) -> list[str]:
    """Draw one line a bucket: its upper bound, a bar of two halves, and both shares.

    Args:
        rows: The buckets, in order.
        width: Columns; less than 40 are taken as 40.
    """
    if not rows:
        return []
    labels = [_label(row) for row in rows]
    label_width = max(map(len, labels))
    room = max(width, 40) - label_width - 2 * _SHARE_WIDTH - 4
    size = max(_LEAST_BAR, min(_MOST_BAR, room))
    largest = max(max(row.before_ratio, row.after_ratio) for row in rows)
    heads = f"{'before':>{_SHARE_WIDTH}} {'after':>{_SHARE_WIDTH}}"
    lines = [f"{'up to':>{label_width}} {'':<{size}} {heads}"]
    for row, label in zip(rows, labels, strict=True):
        bar = _bar(row.before_ratio / largest * size, row.after_ratio / largest * size)
        shares = f"{percent(row.before_ratio):>{_SHARE_WIDTH}}"
        shares += f" {percent(row.after_ratio):>{_SHARE_WIDTH}}"
        lines.append(f"{label:>{label_width}} {bar:<{size}} {shares}")
    return lines


def _bar(before: float, after: float) -> str:
    upper, lower = _cells(before), _cells(after)
    longer = _UPPER if upper > lower else _LOWER
    return _BOTH * min(upper, lower) + longer * abs(upper - lower)


def _cells(length: float) -> int:
    """Return whole cells; what is there at all is never drawn as nothing."""
    return max(1, round(length)) if length > 0 else 0


def _label(row: OverlayRow) -> str:
    return milliseconds(row.upper_ms / 1000) if math.isfinite(row.upper_ms) else "∞"
