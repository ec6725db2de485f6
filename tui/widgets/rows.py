"""A widget for anything that a view draws as rows of styled text."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Generic, TypeAlias, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

View = TypeVar("View")
Draw: TypeAlias = Callable[[View, int, int], list[list[tuple[str, str]]]]
"""(view, width, height) → at most `height` rows of (text, style key)."""

STYLE_KEYS = (
    *("table-title", "table-cell", "table-empty"),
    *("figure-label", "figure-value", "figure-good", "figure-warn", "figure-bad"),
    *("status-good", "status-warn", "status-bad", "status-idle", "status-dim", "status-text"),
    *("keys-key", "keys-title", "keys-off"),
    *("diff-more", "diff-less", "diff-same"),
    *("trend-1", "trend-2", "trend-3", "trend-4"),
    *("log-time", "log-text", "log-warning", "log-error"),
)


class Rows(Widget, Generic[View]):
    """Shows a view by its draw function; equal views repaint nothing."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"rows--{key}" for key in STYLE_KEYS}

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
            style = self._styles[key] = self.get_component_rich_style(f"rows--{key}")
        return style
