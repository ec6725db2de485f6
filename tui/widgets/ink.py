"""What drawn text is drawn with: colours of the theme, by what they mean.

Component classes of Textual can do the same, but at the price of a node for each of them in each
widget, made and styled anew whenever a class changes on the screen. This program has some 440 of
them: they were most of what such a change took, and tens of megabytes of garbage.
"""

from __future__ import annotations

from dataclasses import dataclass

from rich.style import Style
from textual.color import Color
from textual.widget import Widget


@dataclass(frozen=True, slots=True)
class Ink:
    """Colours as variables of the theme, without `$`; None: those that the widget has itself."""

    color: str | None = None
    ground: str | None = None
    is_bold: bool = False


def color_of(widget: Widget, variable: str) -> Color:
    """Return what a variable stands for in the theme that is shown."""
    return Color.parse(widget.app.theme_variables[variable])


def style_of(widget: Widget, ink: Ink) -> Style:
    """Return an ink's style on a widget; it holds until the widget's styles change."""
    _, ground = widget.background_colors
    if ink.ground is not None:
        ground = ground + color_of(widget, ink.ground)
    style = widget.rich_style + Style(bgcolor=ground.rich_color)
    if ink.color is not None:
        style += Style(color=(ground + color_of(widget, ink.color)).rich_color)
    return style + Style(bold=True) if ink.is_bold else style
