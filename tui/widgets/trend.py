"""A trend chart; the picture is made by `tui.views.trend`, here it gets its colours."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from tui.views.trend import TrendView, draw_trend

_SERIES = ("1", "2", "3", "4", "good", "warn", "bad")
_FADE = 0.82
"""How much of its colour an area keeps with each step below its curve."""


class TrendChart(Widget):
    """Draws one `TrendView`, as large as the widget is."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "trendchart--blank",
        "trendchart--title",
        "trendchart--name",
        "trendchart--axis",
        "trendchart--zero",
        "trendchart--mark",
        "trendchart--cursor",
        *(f"trendchart--{name}" for name in _SERIES),
    }

    DEFAULT_CSS = (
        """
    TrendChart {
        height: 1fr;
        & > .trendchart--title { color: $foreground; text-style: bold; }
        & > .trendchart--name { color: $trend-axis; }
        & > .trendchart--axis { color: $trend-axis; }
        & > .trendchart--zero { color: $trend-axis; }
        & > .trendchart--mark { color: $trend-mark; }
        & > .trendchart--cursor { color: $trend-cursor; text-style: bold; }
    """
        + "\n".join(f"& > .trendchart--{name} {{ color: $trend-{name}; }}" for name in _SERIES)
        + "}"
    )

    view: reactive[TrendView | None] = reactive(None)

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
        view, size = self.view, self.size
        if view is None:
            return Strip.blank(size.width, self.rich_style)
        if self._drawn is None or self._drawn[0] is not view or self._drawn[1] != size:
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

    def _style(self, key: str) -> Style:
        style = self._styles.get(key)
        if style is None:
            name, _, part = key.removeprefix("trend-").partition("-")
            component = f"trendchart--{name}"
            style = self.get_component_rich_style(component)
            if part.startswith("fill"):
                color = self.get_component_styles(component).color
                kept = _FADE ** int(part.removeprefix("fill-"))
                _, background = self.background_colors
                style += Style(color=background.blend(color, kept).rich_color)
            elif part == "value":
                style += Style(bold=True)
            self._styles[key] = style
        return style
