"""A widget for anything that a view draws as rows of styled text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Generic, TypeAlias, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from tui.widgets.ink import Ink, style_of

View = TypeVar("View")
Draw: TypeAlias = Callable[[View, int, int], list[list[tuple[str, str]]]]
"""(view, width, height) → at most `height` rows of (text, style key)."""

INKS: Final[Mapping[str, Ink]] = {
    "table-title": Ink("trend-axis"),
    "table-cell": Ink("foreground"),
    "table-empty": Ink("trend-axis"),
    "figure-label": Ink("trend-axis"),
    "figure-value": Ink("foreground", is_bold=True),
    "figure-good": Ink("trend-good", is_bold=True),
    "figure-warn": Ink("trend-warn", is_bold=True),
    "figure-bad": Ink("trend-bad", is_bold=True),
    "status-good": Ink("status-live"),
    "status-warn": Ink("status-degraded"),
    "status-bad": Ink("status-failed", is_bold=True),
    "status-idle": Ink("status-ended"),
    "status-dim": Ink("trend-axis"),
    "status-text": Ink("foreground"),
    "keys-key": Ink("accent", is_bold=True),
    "keys-title": Ink("foreground"),
    "keys-off": Ink("trend-axis"),
    "trend-1": Ink("trend-1"),
    "trend-2": Ink("trend-2"),
    "trend-3": Ink("trend-3"),
    "trend-4": Ink("trend-4"),
    "diff-more": Ink("diff-more", is_bold=True),
    "diff-less": Ink("diff-less", is_bold=True),
    "diff-same": Ink("trend-axis"),
    "log-time": Ink("trend-axis"),
    "log-text": Ink("foreground"),
    "log-warning": Ink("trend-warn"),
    "log-error": Ink("trend-bad"),
}
"""What each style key of the views is drawn with."""


class Rows(Widget, Generic[View]):
    """Shows a view by its draw function; equal views repaint nothing."""

    DEFAULT_CSS = "Rows { height: 1fr; }"

    view: reactive[object | None] = reactive(None)

    def __init__(
        self,
        draw: Draw[View],
        *,
        id: str | None = None,  # noqa: A002 - the name that all widgets use
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._draw = draw
        self._drawn: tuple[object, Size, list[Strip]] | None = None
        self._styles: dict[str, Style] = {}

    def notify_style_update(self) -> None:
        """Forget what was drawn in the old colours."""
        self._drawn = None
        self._styles.clear()
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        """One row of the view."""
        view, size = self.view, self.size
        if view is None:
            return Strip.blank(size.width, self.rich_style)
        if self._drawn is None or self._drawn[0] is not view or self._drawn[1] != size:
            rows = self._draw(view, size.width, size.height)  # type: ignore[arg-type]
            self._drawn = view, size, [self._strip(row, size.width) for row in rows]
        strips = self._drawn[2]
        return strips[y] if y < len(strips) else Strip.blank(size.width, self.rich_style)

    def _strip(self, row: list[tuple[str, str]], width: int) -> Strip:
        strip = Strip([Segment(text, self._style(key)) for text, key in row])
        return strip.adjust_cell_length(width, self.rich_style)

    def _style(self, key: str) -> Style:
        style = self._styles.get(key)
        if style is None:
            style = self._styles[key] = style_of(self, INKS[key])
        return style
