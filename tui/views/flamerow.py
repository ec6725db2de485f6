"""How a row of a flamegraph becomes columns: whole ones, and ones with an edge inside.

Nothing of the terminal is known here: a drawn row is a list of runs and edges, and what these look
like is a style key and a text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, TypeAlias

from tui.model.calltree import CallNode
from tui.views.flame import UNCHANGED, FlameView
from tui.views.flamecells import EIGHTHS, FlameCell, label_columns
from tui.views.format import fit


class Look(NamedTuple):
    """How a cell is shown."""

    style_key: str
    """Like `flame-user-3`, `flame-selected`, `flame-match`, `diff-more`."""
    text: str
    is_match: bool = False
    is_selected: bool = False


NOTHING: Final = Look("blank", "")
"""How it looks where no cell is."""


class Run(NamedTuple):
    """Whole columns of one cell."""

    look: Look
    columns: int
    has_start: bool
    """Whether the first of them is where the cell begins, and not its label yet."""


class Edge(NamedTuple):
    """One column that two cells share."""

    left: Look
    right: Look
    eighths: int
    """What the left one has of it: 1 to 7."""


Drawn: TypeAlias = list[Run | Edge]
_Share: TypeAlias = tuple[int, Look]
"""Eighths of a column, and whose they are."""


def draw_row(row: Iterable[tuple[FlameCell, Look]], columns: int) -> Drawn:
    """Turn cells into exactly `columns` columns.

    A column has two colours at most: where more meet, the two that have most of it share it, and
    cells come before what is empty. So each frame that has a cell can be seen.
    """
    drawn: Drawn = []
    shares: list[_Share] = []
    free = 0  # eighths left of the column that is shared
    for width, look in _filled(row, columns * EIGHTHS):
        begins_inside = free > 0
        if begins_inside:
            shares.append((min(width, free), look))
            free -= width
            if free > 0:
                continue
            drawn.append(_edge(shares))
            shares = []
            width = -free
        whole, rest = divmod(width, EIGHTHS)
        if whole:
            drawn.append(Run(look, whole, not begins_inside))
        free = 0
        if rest:
            shares.append((rest, look))
            free = EIGHTHS - rest
    return drawn


def _filled(row: Iterable[tuple[FlameCell, Look]], end_eighths: int) -> Iterator[_Share]:
    """Yield the width and look of the cells, and of what is empty between them."""
    at = 0
    for cell, look in row:
        start, end = cell.start_eighths, cell.end_eighths
        if start > at:
            yield start - at, NOTHING
        yield end - start, look
        at = end
    if at < end_eighths:
        yield end_eighths - at, NOTHING


def _edge(shares: list[_Share]) -> Edge:
    """Give a column to the two that have most of it; what others had goes to both alike."""
    if len(shares) > 2:
        order = sorted(range(len(shares)), key=lambda i: (shares[i][1] is NOTHING, -shares[i][0]))
        shares = [shares[i] for i in sorted(order[:2])]
    (one, left), (other, right) = shares
    spare = EIGHTHS - one - other
    return Edge(left, right, one + spare // 2)


def with_marker(row: tuple[FlameCell, ...], marked: FlameCell) -> tuple[FlameCell, ...]:
    """The row with a whole column for the beginning of one cell, at the cost of its neighbours."""
    start = marked.start_eighths // EIGHTHS * EIGHTHS
    end = max(marked.end_eighths, start + EIGHTHS)
    cells = []
    for cell in row:
        if cell is marked:
            low, high = start, end
        elif cell.start_eighths < marked.start_eighths:
            low, high = cell.start_eighths, min(cell.end_eighths, start)
        else:
            low, high = max(cell.start_eighths, end), cell.end_eighths
        if low < high:
            cells.append(cell._replace(start_eighths=low, end_eighths=high))
    return tuple(cells)


def look_of(
    cell: FlameCell, view: FlameView, selected: CallNode | None, hover: CallNode | None
) -> Look:
    """What a cell says, and in which colours.

    Selection and mouse go before what changed, that before what was searched for.
    """
    node = cell.node
    if node is None:
        return Look(cell.style_key, cell.label)
    is_match = id(node) in view.matches
    style_key, text = cell.style_key, cell.label
    tint = view.tints.get(id(node), UNCHANGED) if view.tints is not None else None
    if tint is not None:
        style_key = tint.style_key
        if tint.sign:
            room = label_columns(cell.start_eighths, cell.end_eighths)
            text = fit(f"{tint.sign}{text}", room)
    elif view.pattern:
        style_key = "flame-match" if is_match else "flame-dim"
    if node is selected:
        return Look("flame-selected", text, is_match, is_selected=True)
    return Look("flame-hover" if node is hover else style_key, text, is_match)
