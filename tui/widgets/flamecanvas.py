"""The drawing of a flamegraph; how one walks through it is in `tui.widgets.flamegraph`.

The cursor and the zoom are paths of frames, so they survive every refresh: while a path is not in
the newest tree, its nearest caller stands in for it. The first line is the header, the last one
tells about the frame under the mouse or the cursor; only what is between them scrolls.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rich.segment import Segment
from textual.geometry import Offset, Region, Size
from textual.reactive import reactive, var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from collectors.samples import FrameKind
from tui.model.calltree import CallNode, Path
from tui.views.flame import FlameLayout, FlameView, header_text, lay_out
from tui.views.flamecells import HUES, CellRole, FlameCell
from tui.views.flamerow import draw_row, look_of, with_marker
from tui.views.format import fit
from tui.views.framecost import detail, detail_line
from tui.widgets.flamepaint import FlamePaint
from tui.widgets.ink import Ink, style_of

_SHADES = tuple(f"{kind}-{hue}" for kind in FrameKind for hue in range(HUES[kind]))
_ROLES = ("root", "lost", "small", "selected", "hover", "match", "dim")
_DIFFS = ("more", "less", "same")
_CHROME_ROWS = 2
"""The header and the line about the selected frame."""
INKS: Final[Mapping[str, Ink]] = {
    "blank": Ink(),
    "header": Ink("trend-axis"),
    "detail": Ink("foreground"),
    "detail-name": Ink("foreground", is_bold=True),
    "empty": Ink("trend-axis"),
    **{name: Ink("flame-text", f"flame-{name}") for name in _SHADES},
    **{name: Ink(f"flame-{name}-text", f"flame-{name}") for name in _ROLES},
    **{f"diff-{name}": Ink(f"diff-{name}-text", f"diff-{name}") for name in _DIFFS},
    "selected": Ink("flame-selected-text", "flame-selected", is_bold=True),
}


class FlameCanvas(ScrollView):
    """Draws a `FlameView`: around the cursor, zoomed, with the frame under the mouse lit up."""

    DEFAULT_CSS = """
    FlameCanvas {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
        scrollbar-color: $panel;
        scrollbar-background: $background;
    }
    """

    view: reactive[FlameView | None] = reactive(None)
    cursor: var[Path] = var(())
    """The frame that was selected last; it may be missing from the newest tree."""
    zoom: var[Path] = var(())
    """The frame that was zoomed to last; it may be missing from the newest tree."""
    hover: var[Path | None] = var(None)

    def __init__(
        self,
        view: FlameView | None = None,
        *,
        id: str | None = None,  # noqa: A002 - the name that all widgets use
    ) -> None:
        super().__init__(id=id)
        self.set_reactive(FlameCanvas.view, view)
        self._layout_made: tuple[FlameView, int, Path, FlameLayout] | None = None
        self._found: tuple[FlameLayout, Path, FlameCell | None] | None = None
        self._mouse_at: Offset | None = None
        self._paint_made: FlamePaint | None = None

    def flame_layout(self) -> FlameLayout | None:
        """The cells as they stand now; None while there is nothing to show."""
        view, width = self.view, self.scrollable_content_region.width
        if view is None or view.tree is None or not view.tree.samples or width <= 0:
            return None
        made = self._layout_made
        if made is None or made[0] is not view or made[1:3] != (width, self.zoom):
            made = view, width, self.zoom, lay_out(view.tree, width, zoom=self.zoom)
            self._layout_made = made
        return made[3]

    @property
    def selected(self) -> Path:
        """The path under the cursor: of the frame selected last, or what is drawn of it."""
        cell = self._selected_cell()
        return cell.path if cell is not None else ()

    @property
    def selected_node(self) -> CallNode | None:
        """The node under the cursor; None while there is nothing to show."""
        cell = self._selected_cell()
        return cell.node if cell is not None else None

    def _selected_cell(self) -> FlameCell | None:
        layout, path = self.flame_layout(), self.cursor
        if layout is None:
            return None
        found = self._found
        if found is None or found[0] is not layout or found[1] != path:
            cell = layout.find(path)
            while cell is None and path:
                path = path[:-1]
                cell = layout.find(path)
            found = self._found = layout, self.cursor, cell
        return found[2]

    @property
    def _paint(self) -> FlamePaint:
        if self._paint_made is None:
            self._paint_made = FlamePaint(
                lambda key: style_of(self, INKS[key.removeprefix("flame-")]),
                self.background_colors[1],
            )
        return self._paint_made

    def notify_style_update(self) -> None:
        """Forget the old colours."""
        self._paint_made = None
        super().notify_style_update()

    def watch_view(self, before: FlameView | None, now: FlameView | None) -> None:
        """Tell the scroll bar how deep the new tree is; roots stay in sight when they turn."""
        self._measure()
        turned = before is None or now is None or before.roots_at_bottom != now.roots_at_bottom
        if turned or (self._is_upright and not self.cursor):
            self._scroll_to_zoomed()
        self._look_under_mouse()

    def watch_cursor(self) -> None:
        """Bring the selected frame into sight."""
        row, top = self._line_of(len(self.selected)), self.scroll_offset.y
        height = self.size.height - _CHROME_ROWS
        if row < top:
            self.scroll_to(y=row, animate=False, force=True)
        elif row + 1 >= top + height:
            # One row more, so that one sees whether it goes deeper.
            self.scroll_to(y=row + 2 - height, animate=False, force=True)
        self.refresh()

    def watch_hover(self, before: Path | None, now: Path | None) -> None:
        """Repaint the rows of the cells that the mouse left and entered, and what is told."""
        self.refresh(Region(0, self.size.height - 1, self.size.width, 1))
        for path in (before, now):
            if path is not None:
                y = self._line_of(len(path)) - self.scroll_offset.y + 1
                self.refresh(Region(0, y, self.size.width, 1))

    def watch_zoom(self) -> None:
        """Lay out anew, and bring the zoomed frame to the top, below its caller."""
        self._measure()
        self._scroll_to_zoomed()
        self._look_under_mouse()
        self.refresh()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Another frame may be under the mouse now."""
        super().watch_scroll_y(old_value, new_value)
        self._look_under_mouse()

    def on_resize(self) -> None:
        """Lay out anew: another width may show deeper frames."""
        self._measure()
        self._look_under_mouse()

    def _measure(self) -> None:
        layout = self.flame_layout()
        depth = len(layout.rows) if layout else 0
        self.virtual_size = Size(self.scrollable_content_region.width, depth + _CHROME_ROWS)

    def _scroll_to_zoomed(self) -> None:
        """Show the zoomed frame next to the edge that roots are at, behind its caller."""
        line = self._line_of(max(0, len(self.zoom) - 1))
        if self._is_upright:
            line -= self.size.height - _CHROME_ROWS - 1
        self.scroll_to(y=max(0, line), animate=False, force=True)

    @property
    def _is_upright(self) -> bool:
        return self.view is not None and self.view.roots_at_bottom

    def _line_of(self, row: int) -> int:
        """Return where a row of the layout is drawn, and the row that is drawn at a line."""
        if not self._is_upright:
            return row
        layout = self.flame_layout()
        depth = len(layout.rows) if layout else 0
        return max(depth, self.size.height - _CHROME_ROWS) - 1 - row

    def render_line(self, y: int) -> Strip:
        """The header, a row of cells, or the line about the selected frame."""
        width, view = self.scrollable_content_region.width, self.view
        if view is None:
            return Strip.blank(width, self._paint.style("blank"))
        layout = self.flame_layout()
        if y == 0:
            return self._text_line([(fit(header_text(view, layout), width), "header")], width)
        if layout is None:
            text = view.empty_text.center(width) if y == self.size.height // 2 else ""
            return self._text_line([(text, "empty")], width)
        if y == self.size.height - 1:
            return self._text_line(self._detail(view, width), width)
        return self._cells(view, layout, self._line_of(y - 1 + self.scroll_offset.y))

    def _cells(self, view: FlameView, layout: FlameLayout, number: int) -> Strip:
        row, selected = layout.row(number), self._selected_cell()
        hover = None
        if self.hover is not None and len(self.hover) == number:
            hover = layout.find(self.hover)
        if selected is not None and len(selected.path) == number:
            row = with_marker(row, selected)
        nodes = selected and selected.node, hover and hover.node
        drawn = draw_row([(cell, look_of(cell, view, *nodes)) for cell in row], layout.columns)
        return self._paint.row(drawn, layout.columns)

    def _detail(self, view: FlameView, width: int) -> list[tuple[str, str]]:
        if view.tree is None:
            return []
        path = self.selected if self.hover is None else self.hover
        frame = detail(
            view.tree,
            path,
            view.requests,
            view.seconds,
            is_sampled=view.is_sampled,
            counted=view.counted,
        )
        node = view.tree.find(path)
        if frame is None or node is None:
            return []
        about = view.about(node) if view.about is not None else ""
        name, numbers = detail_line(frame, view.request_noun, width, about)
        return [(name, "detail-name"), (numbers, "detail")]

    def _text_line(self, parts: list[tuple[str, str]], width: int) -> Strip:
        segments = [Segment(text, self._paint.style(name)) for text, name in parts]
        return Strip(segments).adjust_cell_length(width, self._paint.style("blank"))

    def _cell_at(self, offset: Offset | None) -> FlameCell | None:
        layout = self.flame_layout()
        if layout is None or offset is None or not 0 < offset.y < self.size.height - 1:
            return None
        cell = layout.at(offset.x, self._line_of(offset.y - 1 + self.scroll_offset.y))
        return None if cell is None or cell.role is CellRole.SMALL else cell

    def _look_under_mouse(self) -> None:
        """Light up the frame below the mouse; it moves with every refresh."""
        cell = self._cell_at(self._mouse_at)
        self.hover = cell.path if cell else None
