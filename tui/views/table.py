"""Tables as rows of styled text: fixed columns, and one that takes what is left."""

from __future__ import annotations

from dataclasses import dataclass

from tui.views.format import pad
from tui.views.trend import Segment


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    title: str
    width: int = 8
    """In terminal columns; the least one for a flexible column."""
    right: bool = False
    flexible: bool = False
    """Takes the room that the others leave; one column a table."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One value."""

    text: str
    style_key: str = ""


@dataclass(frozen=True, slots=True)
class TableView:
    """What a table shows."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    empty_text: str = ""


def draw_table(view: TableView, width: int, height: int) -> list[list[Segment]]:
    """Draw a table into exactly `height` rows of `width` columns.

    Columns that do not fit are left out, the rightmost first; rows that do not fit are counted in
    the last line.
    """
    if width <= 0 or height <= 0:
        return []
    columns = _fitting(view.columns, width)
    rows = [[(pad(_line(columns, [Cell(c.title) for c, _ in columns]), width), "table-title")]]
    if not view.rows:
        rows.append([(pad(view.empty_text, width), "table-empty")])
    room = height - 1
    shown = view.rows if len(view.rows) <= room else view.rows[: max(0, room - 1)]
    rows.extend(_row(columns, row, width) for row in shown)
    if len(shown) < len(view.rows) and room > 0:
        rest = f"and {len(view.rows) - len(shown)} more"
        rows.append([(pad(rest, width), "table-empty")])
    rows.extend([[(" " * width, "table-cell")] for _ in range(height - len(rows))])
    return rows[:height]


def _fitting(columns: tuple[Column, ...], width: int) -> list[tuple[Column, int]]:
    kept = list(columns)
    while len(kept) > 1 and sum(c.width for c in kept) + len(kept) - 1 > width:
        kept.pop()
    spare = width - sum(c.width for c in kept) - (len(kept) - 1)
    return [(c, c.width + max(0, spare) if c.flexible else c.width) for c in kept]


def _line(columns: list[tuple[Column, int]], cells: list[Cell]) -> str:
    return " ".join(
        pad(cell.text, width, align="right" if column.right else "left")
        for (column, width), cell in zip(columns, cells, strict=False)
    )


def _row(columns: list[tuple[Column, int]], cells: tuple[Cell, ...], width: int) -> list[Segment]:
    segments: list[Segment] = []
    used = 0
    for place, ((column, room), cell) in enumerate(zip(columns, cells, strict=False)):
        gap = " " if place else ""
        text = gap + pad(cell.text, room, align="right" if column.right else "left")
        size = min(room + len(gap), width - used)
        segments.append((pad(text, size), cell.style_key or "table-cell"))
        used += room + len(gap)
    if used < width:
        segments.append((" " * (width - used), "table-cell"))
    return segments
