"""A trend chart; the picture is made by `tui.views.trend`, here it gets its colours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive, var
from textual.strip import Strip
from textual.widget import Widget

from tui.views.trend import TrendView, draw_trend, first_column
from tui.widgets.ink import Ink, color_of, style_of

_SERIES = ("1", "2", "3", "4", "good", "warn", "bad")
INKS: Final[Mapping[str, Ink]] = {
    "blank": Ink(),
    "title": Ink("foreground", is_bold=True),
    "name": Ink("trend-axis"),
    "axis": Ink("trend-axis"),
    "zero": Ink("trend-axis"),
    "mark": Ink("trend-mark"),
    "cursor": Ink("trend-cursor", is_bold=True),
    **{name: Ink(f"trend-{name}") for name in _SERIES},
}
_FADE: Final = 0.82
"""How much of its colour an area keeps with each step below its curve."""


class TrendChart(Widget):
    """Draws one `TrendView`, as large as the widget is; the mouse picks a range of columns."""

    DEFAULT_CSS = "TrendChart { height: 1fr; }"

    view: reactive[TrendView | None] = reactive(None)
    dragged: var[tuple[int, int] | None] = var(None)
    """The columns that the mouse is dragged over, from where it was pressed to where it is."""

    class RangePicked(Message):
        """The mouse was dragged over columns, counted like the view's values; or clicked on one."""

        def __init__(self, first: int, last: int) -> None:
            super().__init__()
            self.first = first
            self.last = last

    def __init__(
        self,
        view: TrendView | None = None,
        *,
        id: str | None = None,  # noqa: A002 - the name that all widgets use
    ) -> None:
        super().__init__(id=id)
        self.set_reactive(TrendChart.view, view)
        self._drawn: tuple[TrendView, Size, list[Strip]] | None = None
        self._styles: dict[str, Style] = {}

    def notify_style_update(self) -> None:
        """Forget what was drawn in the old colours."""
        self._drawn = None
        self._styles.clear()
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        """One row of the chart."""
        view, size = self._shown, self.size
        if view is None:
            return Strip.blank(size.width, self.rich_style)
        if self._drawn is None or self._drawn[:2] != (view, size):
            rows = draw_trend(view, size.width, size.height)
            strips = [
                Strip([Segment(text, self._style(key)) for text, key in row])
                # Textual measures emoji in its own way.
                .adjust_cell_length(size.width, self._style("trend-blank"))
                for row in rows
            ]
            self._drawn = view, size, strips
        strips = self._drawn[2]
        return strips[y] if y < len(strips) else Strip.blank(size.width, self.rich_style)

    @property
    def _shown(self) -> TrendView | None:
        """The view, with what is being picked instead of what was."""
        if self.view is None or self.dragged is None:
            return self.view
        first, last = sorted(self.dragged)
        return replace(self.view, selected=(first, last))

    def _column(self, event: events.MouseEvent) -> int | None:
        if self.view is None:
            return None
        return event.x + first_column(self.view, self.size.width)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begin to pick a range."""
        column = self._column(event)
        if column is not None and event.button == 1:
            self.dragged = (column, column)
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Widen what is being picked."""
        column = self._column(event)
        if self.dragged is not None and column is not None:
            self.dragged = (self.dragged[0], column)

    def on_mouse_up(self) -> None:
        """Tell what was picked."""
        if self.dragged is not None:
            first, last = sorted(self.dragged)
            self.dragged = None
            self.release_mouse()
            self.post_message(self.RangePicked(first, last))

    def watch_dragged(self) -> None:
        """Show what is being picked."""
        self.refresh()

    def _style(self, key: str) -> Style:
        style = self._styles.get(key)
        if style is None:
            style = self._styles[key] = self._make_style(key)
        return style

    def _make_style(self, key: str) -> Style:
        if key.endswith("@range"):
            band = style_of(self, Ink(ground="range-band"))
            return self._style(key.removesuffix("@range")) + Style(bgcolor=band.bgcolor)
        name, _, part = key.removeprefix("trend-").partition("-")
        style = style_of(self, INKS[name])
        if part.startswith("fill"):
            kept = _FADE ** int(part.removeprefix("fill-"))
            _, ground = self.background_colors
            return style + Style(
                color=ground.blend(color_of(self, f"trend-{name}"), kept).rich_color
            )
        return style + Style(bold=True) if part == "value" else style
