"""A table of functions one can walk through; what is in it is decided by a `FunctionList`.

What is selected is a function, not a row: it stays selected wherever a refresh puts it. While it is
gone, the row that took its place stands in for it. The header and the titles stay where they are,
and so does the last line with the full symbol; only the rows between them scroll.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final, Literal

from rich.cells import set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive, var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from collectors.samples import Frame
from tui.views.format import cell_width, fit
from tui.views.functionlist import FunctionList
from tui.widgets.ink import Ink, style_of

_HEAD_ROWS = 2
"""The header and the titles."""
_CHROME_ROWS = _HEAD_ROWS + 1
"""And the line about the selected function."""
INKS: Final[Mapping[str, Ink]] = {
    "header": Ink("trend-axis"),
    "title": Ink("foreground", is_bold=True),
    "cell": Ink("foreground"),
    "lost": Ink("trend-axis"),
    "empty": Ink("trend-axis"),
    "symbol": Ink("foreground", is_bold=True),
    "selected": Ink("flame-selected-text", "flame-selected", is_bold=True),
    "diff-more": Ink("diff-more", is_bold=True),
    "diff-less": Ink("diff-less", is_bold=True),
    "diff-same": Ink("foreground"),
}


class FunctionTable(ScrollView, can_focus=True):
    """Shows a `FunctionList`; keys and mouse select functions."""

    DEFAULT_CSS = """
    FunctionTable {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
        scrollbar-color: $panel;
        scrollbar-background: $background;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="table.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="table.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="table.page-up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="table.page-down"),
        Binding("home", "edge('first')", "First", show=False, id="table.first"),
        Binding("end", "edge('last')", "Last", show=False, id="table.last"),
    ]

    view: reactive[FunctionList | None] = reactive(None)
    cursor: var[tuple[Frame, bool] | None] = var(None)
    """The function that was selected last, and whether of the stacks whose callers were lost; it
    may be missing from the newest view. None: whatever comes first."""

    class FrameSelected(Message):
        """The cursor went to a function."""

        def __init__(self, frame: Frame) -> None:
            super().__init__()
            self.frame = frame

    def __init__(
        self,
        view: FunctionList | None = None,
        *,
        id: str | None = None,  # noqa: A002 - the name that all widgets use
    ) -> None:
        super().__init__(id=id)
        self.set_reactive(FunctionTable.view, view)
        self._place = 0
        """Where the selected function stood last."""
        self._drawn: tuple[FunctionList, Size, int, int | None, list[Strip]] | None = None
        self._cell_styles: dict[str, Style] = {}

    @property
    def selected_row(self) -> int | None:
        """Where the cursor is: at the function selected last, or at what took its place."""
        rows = self.view.size if self.view is not None else 0
        return min(self._place, rows - 1) if rows else None

    @property
    def selected(self) -> Frame | None:
        """The function under the cursor; None without any."""
        row, view = self.selected_row, self.view
        return None if row is None or view is None else view.function(row)[0]

    def select(self, frame: Frame | None) -> None:
        """Put the cursor on a function, wherever it is; None: on what comes first."""
        if frame is None:
            self._place = 0
        self.cursor = None if frame is None else (frame, False)

    def notify_style_update(self) -> None:
        """Forget what was drawn in the old colours."""
        self._cell_styles.clear()
        self._drawn = None
        super().notify_style_update()

    def watch_view(self, before: FunctionList | None) -> None:
        """Follow the selected function to its new place, unless one has scrolled away from it."""
        was_in_sight = before is None or self._is_in_sight(self._place)
        self._measure()
        self._find()
        if was_in_sight:
            self._bring_into_sight()

    def watch_cursor(self) -> None:
        """Bring the selected function into sight."""
        self._find()
        self._bring_into_sight()
        self.refresh()

    def _find(self) -> None:
        """Note where the selected function stands; while it is gone, where it stood."""
        if self.view is not None and self.cursor is not None:
            frame, caller_lost = self.cursor
            place = self.view.find(frame, caller_lost=caller_lost)
            self._place = self._place if place is None else place

    def on_resize(self) -> None:
        """Tell the scroll bar about the new width; what is selected is in sight of any height."""
        self._measure()
        self._bring_into_sight()

    def _measure(self) -> None:
        rows = self.view.size if self.view is not None else 0
        self.virtual_size = Size(self.scrollable_content_region.width, rows + _CHROME_ROWS)

    @property
    def _rows_in_sight(self) -> int:
        return max(0, self.size.height - _CHROME_ROWS)

    def _is_in_sight(self, row: int) -> bool:
        return 0 <= row - self.scroll_offset.y < self._rows_in_sight

    def _bring_into_sight(self) -> None:
        row, top, height = self.selected_row, self.scroll_offset.y, self._rows_in_sight
        if row is None or not height:  # it has no size before it is seen
            return
        if row < top:
            self.scroll_to(y=row, animate=False, force=True)
        elif row >= top + height:
            self.scroll_to(y=row + 1 - height, animate=False, force=True)

    def render_line(self, y: int) -> Strip:
        """The header, the titles, a row, or the line about the selected function."""
        width, view = self.scrollable_content_region.width, self.view
        if view is None:
            return Strip.blank(width, self._style("cell"))
        if y == 0:
            return self._strip([(fit(view.header, width), "header")], width)
        row = self.selected_row
        if y == self.size.height - 1:
            text = "" if row is None else view.about(row, width)
            return self._strip([(text, "symbol")], width)
        strips = self._table(view, row)
        return strips[y - 1] if y <= len(strips) else Strip.blank(width, self._style("cell"))

    def _table(self, view: FunctionList, row: int | None) -> list[Strip]:
        first, size = self.scroll_offset.y, self.size
        drawn = self._drawn
        if drawn is None or drawn[0] is not view or drawn[1:4] != (size, first, row):
            width = self.scrollable_content_region.width
            lines = view.draw(width, size.height - 2, first=first, selected=row)
            strips = [self._strip(line, width) for line in lines]
            drawn = self._drawn = view, size, first, row, strips
        return drawn[4]

    def _strip(self, parts: list[tuple[str, str]], width: int) -> Strip:
        # Textual measures emoji in its own way: what it is told must fit its own measure.
        segments = [
            Segment(set_cell_size(text, cell_width(text)), self._style(key.removeprefix("table-")))
            for text, key in parts
        ]
        return Strip(segments).adjust_cell_length(width, self._style("cell"))

    def _style(self, name: str) -> Style:
        style = self._cell_styles.get(name)
        if style is None:
            style = style_of(self, INKS[name])
            self._cell_styles[name] = style
        return style

    def action_move(self, rows: int) -> None:
        """Go some rows down, or up."""
        if self.selected_row is not None:
            self._go_to(self.selected_row + rows)

    def action_page(self, pages: int) -> None:
        """Go as many rows as are in sight down, or up."""
        self.action_move(pages * max(1, self._rows_in_sight))

    def action_edge(self, edge: Literal["first", "last"]) -> None:
        """Go to the first or the last row."""
        self._go_to(0 if edge == "first" or self.view is None else self.view.size - 1)

    def _go_to(self, row: int) -> None:
        """Select what is at a row, or at the nearest there is."""
        if self.view is None or not self.view.size:
            return
        found = self.view.function(max(0, min(row, self.view.size - 1)))
        if self.cursor != found:
            self.cursor = found
            self.post_message(self.FrameSelected(found[0]))

    def on_click(self, event: events.Click) -> None:
        """Select a function."""
        offset = event.get_content_offset(self)
        if offset is None or not _HEAD_ROWS <= offset.y < self.size.height - 1:
            return
        row = offset.y - _HEAD_ROWS + self.scroll_offset.y
        if self.view is not None and row < self.view.size:
            self._go_to(row)
