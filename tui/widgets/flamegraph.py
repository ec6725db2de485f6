"""A flamegraph one can walk through; where its cells stand is decided by `tui.views.flame`.

The cursor and the zoom are paths of frames, so they survive every refresh: while a path is not in
the newest tree, its nearest caller stands in for it. The first line is the header, the last one
tells about the frame under the cursor; only what is between them scrolls.
"""

from __future__ import annotations

from typing import ClassVar

from rich.cells import set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive, var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from collectors.samples import FrameKind
from tui.model.calltree import Path
from tui.views.flame import (
    HUES,
    CellRole,
    Direction,
    FlameCell,
    FlameLayout,
    FlameView,
    header_text,
    lay_out,
)
from tui.views.format import fit
from tui.views.framecost import detail, detail_line

_SHADES = tuple(f"{kind}-{hue}" for kind in FrameKind for hue in range(HUES[kind]))
_ROLES = ("root", "lost", "small", "selected", "hover", "dim")
_DIFFS = ("more", "less", "same")
_TURNED: dict[Direction, Direction] = {"up": "down", "down": "up"}
_CHROME_ROWS = 2
"""The header and the line about the selected frame."""


class FlameGraph(ScrollView, can_focus=True):
    """Shows a `FlameView`; keys and mouse select frames and zoom to them."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "flamegraph--blank",
        "flamegraph--header",
        "flamegraph--detail",
        "flamegraph--detail-name",
        "flamegraph--empty",
        *(f"flamegraph--{name}" for name in (*_SHADES, *_ROLES)),
        *(f"flamegraph--diff-{name}" for name in _DIFFS),
    }

    DEFAULT_CSS = (
        """
    FlameGraph {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
        scrollbar-color: $panel;
        scrollbar-background: $background;
        & > .flamegraph--header { color: $trend-axis; }
        & > .flamegraph--detail { color: $foreground; }
        & > .flamegraph--detail-name { color: $foreground; text-style: bold; }
        & > .flamegraph--empty { color: $trend-axis; }
    """
        + "\n".join(
            f"& > .flamegraph--{name} {{ background: $flame-{name}; color: $flame-text; }}"
            for name in _SHADES
        )
        + "\n".join(
            f"& > .flamegraph--{name} {{ background: $flame-{name}; color: $flame-{name}-text; }}"
            for name in _ROLES
        )
        + "\n".join(
            f"& > .flamegraph--diff-{n} {{ background: $diff-{n}; color: $diff-{n}-text; }}"
            for n in _DIFFS
        )
        + "& > .flamegraph--selected { text-style: bold; } }"
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move('up')", "Caller", show=False, id="flame.up"),
        Binding("down,j", "move('down')", "Callee", show=False, id="flame.down"),
        Binding("left,h", "move('left')", "Left", show=False, id="flame.left"),
        Binding("right,l", "move('right')", "Right", show=False, id="flame.right"),
        Binding("enter", "zoom", "Zoom", show=False, id="flame.zoom"),
        Binding("escape", "unzoom", "Zoom out", show=False, id="flame.unzoom"),
    ]

    view: reactive[FlameView | None] = reactive(None)
    cursor: var[Path] = var(())
    """The frame that was selected last; it may be missing from the newest tree."""
    zoom: var[Path] = var(())
    """The frame that was zoomed to last; it may be missing from the newest tree."""
    hover: var[Path | None] = var(None)

    class FrameSelected(Message):
        """The cursor went to a frame."""

        def __init__(self, path: Path) -> None:
            super().__init__()
            self.path = path

    class Zoomed(Message):
        """A frame got the full width; the root's path is ()."""

        def __init__(self, path: Path) -> None:
            super().__init__()
            self.path = path

    def __init__(
        self,
        view: FlameView | None = None,
        *,
        id: str | None = None,  # noqa: A002 - the name that all widgets use
    ) -> None:
        super().__init__(id=id)
        self.set_reactive(FlameGraph.view, view)
        self._layout_made: tuple[FlameView, int, Path, FlameLayout] | None = None
        self._zoomed_before: list[Path] = []
        self._cell_styles: dict[str, Style] = {}

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
        layout, path = self.flame_layout(), self.cursor
        if layout is None:
            return ()
        while path and layout.find(path) is None:
            path = path[:-1]
        return path

    def notify_style_update(self) -> None:
        """Forget the old colours."""
        self._cell_styles.clear()
        super().notify_style_update()

    def watch_view(self, before: FlameView | None, now: FlameView | None) -> None:
        """Tell the scroll bar how deep the new tree is; roots stay in sight when they turn."""
        self._measure()
        turned = before is None or now is None or before.roots_at_bottom != now.roots_at_bottom
        if turned or (self._is_upright and not self.cursor):
            self._scroll_to_zoomed()

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
        self.refresh()

    def on_resize(self) -> None:
        """Lay out anew: another width may show deeper frames."""
        self._measure()

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
            return Strip.blank(width, self._style("blank"))
        layout = self.flame_layout()
        if y == 0:
            return self._text_line([(fit(header_text(view, layout), width), "header")], width)
        if layout is None:
            text = view.empty_text.center(width) if y == self.size.height // 2 else ""
            return self._text_line([(text, "empty")], width)
        if y == self.size.height - 1:
            return self._text_line(self._detail(view, width), width)
        return self._cells(layout, self._line_of(y - 1 + self.scroll_offset.y), width)

    def _cells(self, layout: FlameLayout, row: int, width: int) -> Strip:
        selected, blank = self.selected, self._style("blank")
        segments: list[Segment] = []
        x = 0
        for cell in layout.row(row):
            if cell.x > x:
                segments.append(Segment(" " * (cell.x - x), blank))
            marked = len(selected) == row and cell.path == selected
            segments.extend(self._cell(cell, selected=marked and cell.role is not CellRole.SMALL))
            x = cell.x + cell.width
        segments.append(Segment(" " * (width - x), blank))
        return Strip(segments, width)

    def _cell(self, cell: FlameCell, *, selected: bool) -> list[Segment]:
        name, text = self._look(cell)
        if selected:
            name = "selected"
        elif cell.path == self.hover and cell.role is not CellRole.SMALL:
            name = "hover"
        style = self._style(name)
        if self._matches(cell):
            style += Style(bold=True, underline=True)
        seam = Segment("▶", self._style(name)) if selected else self._seam(name)
        # Textual measures emoji in its own way: what it is told must fit its own measure.
        return [seam, Segment(set_cell_size(text, cell.width - 1), style)]

    def _look(self, cell: FlameCell) -> tuple[str, str]:
        """Return the name of a cell's colours, and its text."""
        name, view = cell.style_key.removeprefix("flame-"), self.view
        if view is None or cell.role is CellRole.SMALL:
            return name, cell.label
        if view.tints is not None:
            tint = view.tints.get(id(cell.node))
            if tint is not None:
                return tint.style_key, f"{tint.sign}{cell.label}"
        if view.pattern and not self._matches(cell):
            return "dim", cell.label
        return name, cell.label

    def _matches(self, cell: FlameCell) -> bool:
        return self.view is not None and id(cell.node) in self.view.matches

    def _detail(self, view: FlameView, width: int) -> list[tuple[str, str]]:
        if view.tree is None:
            return []
        path = self.selected if self.hover is None else self.hover
        frame = detail(view.tree, path, view.requests, view.seconds)
        node = view.tree.find(path)
        if frame is None or node is None:
            return []
        about = view.about(node) if view.about is not None else ""
        name, numbers = detail_line(frame, view.request_noun, width, about)
        return [(name, "detail-name"), (numbers, "detail")]

    def _text_line(self, parts: list[tuple[str, str]], width: int) -> Strip:
        segments = [Segment(text, self._style(name)) for text, name in parts]
        return Strip(segments).adjust_cell_length(width, self._style("blank"))

    def _style(self, name: str) -> Style:
        style = self._cell_styles.get(name)
        if style is None:
            style = self._cell_styles[name] = self.get_component_rich_style(f"flamegraph--{name}")
        return style

    def _seam(self, name: str) -> Segment:
        """A thin line in the colour of the pane, so that neighbours of one shade stay apart."""
        key = f"{name} seam"
        style = self._cell_styles.get(key)
        if style is None:
            style = self._style(name) + Style(color=self.background_colors[1].rich_color)
            self._cell_styles[key] = style
        return Segment("▏", style)

    def action_move(self, direction: Direction) -> None:
        """Go to what is drawn above, below (the greatest callee), or beside the selected frame."""
        layout = self.flame_layout()
        if layout is None:
            return
        if self._is_upright:
            direction = _TURNED.get(direction, direction)
        self.select(layout.step(self.selected, direction))

    def action_zoom(self) -> None:
        """Give the selected frame the full width."""
        layout, path = self.flame_layout(), self.selected
        if layout is not None and path != layout.zoom:
            self._zoomed_before.append(self.zoom)
            self.zoom = path
            self.post_message(self.Zoomed(path))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave Escape to others while there is nothing to zoom out of."""
        return action != "unzoom" or bool(self._zoomed_before)

    def action_unzoom(self) -> None:
        """Go back to what was zoomed to before, at last to the root."""
        if self._zoomed_before:
            self.zoom = self._zoomed_before.pop()
            self.post_message(self.Zoomed(self.zoom))

    def forget_zoom(self) -> None:
        """Show the whole tree."""
        self._zoomed_before.clear()
        self.zoom = ()

    def select(self, path: Path) -> None:
        """Put the cursor on a frame."""
        if path != self.cursor:
            self.cursor = path
            self.post_message(self.FrameSelected(path))

    def _cell_at(self, event: events.MouseEvent) -> FlameCell | None:
        layout, offset = self.flame_layout(), event.get_content_offset(self)
        if layout is None or offset is None or not 0 < offset.y < self.size.height - 1:
            return None
        cell = layout.at(offset.x, self._line_of(offset.y - 1 + self.scroll_offset.y))
        return None if cell is None or cell.role is CellRole.SMALL else cell

    def on_click(self, event: events.Click) -> None:
        """Select a frame; a click on the selected one zooms to it."""
        cell = self._cell_at(event)
        if cell is None:
            return
        if cell.path == self.selected:
            self.action_zoom()
        else:
            self.select(cell.path)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Light up the frame below the mouse."""
        cell = self._cell_at(event)
        self.hover = cell.path if cell else None

    def on_leave(self) -> None:
        """Put the light out."""
        self.hover = None
