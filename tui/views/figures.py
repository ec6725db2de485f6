"""Labelled numbers in one row."""

from __future__ import annotations

from dataclasses import dataclass

from tui.views.format import cell_width, pad
from tui.views.trend import Segment


@dataclass(frozen=True, slots=True)
class Figure:
    """One labelled number."""

    label: str
    value: str
    style_key: str = ""
    """Empty, or `figure-good`, `figure-warn`, `figure-bad`."""
    weight: int = 0
    """The greater, the longer it stays when the pane gets narrow."""


@dataclass(frozen=True, slots=True)
class FiguresView:
    """Numbers from left to right."""

    figures: tuple[Figure, ...]


def draw_figures(view: FiguresView, width: int, height: int) -> list[list[Segment]]:
    """Draw one row with as many whole figures as fit, evenly spread so that they stand still."""
    shown: set[Figure] = set()
    used = 0
    for figure in sorted(view.figures, key=lambda each: -each.weight):
        if used + _slot(figure) <= width:
            shown.add(figure)
            used += _slot(figure)
    row: list[Segment] = []
    spare = (width - used) // len(shown) if shown else 0
    for figure in view.figures:
        if figure in shown:
            room = _slot(figure) + spare - cell_width(f"{figure.label} ")
            row.append((f"{figure.label} ", "figure-label"))
            row.append((pad(figure.value, room), figure.style_key or "figure-value"))
    row.append((" " * (width - sum(cell_width(text) for text, _ in row)), "figure-value"))
    return [row][:height]


def _slot(figure: Figure) -> int:
    # As wide as the widest number, so that the neighbours do not jump.
    return cell_width(figure.label) + 1 + max(8, cell_width(figure.value) + 1)
