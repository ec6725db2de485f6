"""Paints rows of a flamegraph; what shares a column is decided by `tui.views.flamerow`."""

from __future__ import annotations

from collections.abc import Callable

from rich.cells import set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip

from tui.views.flamerow import NOTHING, Drawn, Edge, Look

_LEFT_BLOCKS = " ▏▎▍▌▋▊▉"
"""What each number of eighths fills from the left."""
_SEAMS = "▏▏▏│││▕▕"
"""The thin line that is nearest to each number of eighths."""


class FlamePaint:
    """Colours and characters of a flamegraph.

    Args:
        style_of: The style that a style key stands for.
        pane: Colour of the pane.
    """

    def __init__(self, style_of: Callable[[str], Style], pane: Color) -> None:
        self._style_of = style_of
        self._pane = pane.rich_color
        self._styles: dict[str | tuple[str, str], Style] = {}

    def style(self, key: str) -> Style:
        """The style of a style key."""
        style = self._styles.get(key)
        if style is None:
            style = self._styles[key] = self._style_of(key)
        return style

    def row(self, drawn: Drawn, columns: int) -> Strip:
        """Paint a drawn row of so many columns."""
        segments: list[Segment] = []
        before = NOTHING
        for part in drawn:
            if isinstance(part, Edge):
                segments.append(self._edge(part))
                before = part.right
                continue
            look, width = part.look, part.columns
            if look is NOTHING:
                segments.append(Segment(" " * width, self.style("blank")))
            else:
                if part.has_start:
                    segments.append(self._start(look, before))
                    width -= 1
                if width:
                    segments.append(self._label(look, width))
            before = look
        return Strip(segments, columns)

    def _edge(self, edge: Edge) -> Segment:
        left, right = edge.left.style_key, edge.right.style_key
        if left == right:
            return self._seam(left, edge.eighths)
        style = self._styles.get((left, right))
        if style is None:
            one, other = self.style(left).bgcolor, self.style(right).bgcolor
            style = self._styles[left, right] = Style(color=one, bgcolor=other)
        return Segment(_LEFT_BLOCKS[edge.eighths], style)

    def _start(self, look: Look, before: Look) -> Segment:
        """The column before a label; another colour to the left is an edge already."""
        if look.is_selected:
            return Segment("▶", self.style(look.style_key))
        if before is NOTHING or before.style_key == look.style_key:
            return self._seam(look.style_key, 0)
        return Segment(" ", self.style(look.style_key))

    def _seam(self, key: str, eighths: int) -> Segment:
        """A thin line in the colour of the pane, so that neighbours of one shade stay apart."""
        style = self._styles.get((key, "seam"))
        if style is None:
            style = self._styles[key, "seam"] = self.style(key) + Style(color=self._pane)
        return Segment(_SEAMS[eighths], style)

    def _label(self, look: Look, columns: int) -> Segment:
        style = self.style(look.style_key)
        if look.is_match:
            style += Style(bold=True, underline=True)
        # Textual measures emoji in its own way: what it is told must fit its own measure.
        return Segment(set_cell_size(look.text, columns), style)
