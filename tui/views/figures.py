"""Labelled numbers in one row."""

from __future__ import annotations

from dataclasses import dataclass

from tui.views.format import cell_width
from tui.views.trend import Segment


@dataclass(frozen=True, slots=True)
class Figure:
    """One labelled number; `style_key` is empty or `figure-good`, `-warn`, `-bad`."""

    label: str
    value: str
    style_key: str = ""


@dataclass(frozen=True, slots=True)
class FiguresView:
    """Numbers in order of importance: the last ones give way on a narrow pane."""

    figures: tuple[Figure, ...]


def draw_figures(view: FiguresView, width: int, height: int) -> list[list[Segment]]:
    """Draw as many whole figures as fit, evenly spread so that they stand still."""
    shown: list[Figure] = []
    used = 0
    for figure in view.figures:
        size = _slot(figure)
        if used + size > width:
            break
        shown.append(figure)
        used += size
    row: list[Segment] = []
    spare = (width - used) // len(shown) if shown else 0
    for figure in shown:
        room = _slot(figure) + spare - cell_width(f"{figure.label} ")
        value = f"{figure.value:<{room}}"
        row.append((f"{figure.label} ", "figure-label"))
        row.append((value, figure.style_key or "figure-value"))
    return [row][:height]


def _slot(figure: Figure) -> int:
    # As wide as the widest number, so that the neighbours do not jump.
    return cell_width(figure.label) + 1 + max(8, cell_width(figure.value) + 1)
