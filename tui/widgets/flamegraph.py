"""A flamegraph one can walk through with keys and mouse; `FlameCanvas` draws it."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from tui.model.calltree import Path
from tui.views.flame import Direction, FlameView
from tui.widgets.flamecanvas import FlameCanvas

_TURNED: dict[Direction, Direction] = {"up": "down", "down": "up"}


class FlameGraph(FlameCanvas, can_focus=True):
    """Shows a `FlameView`; keys and mouse select frames and zoom to them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move('up')", "Caller", show=False, id="flame.up"),
        Binding("down,j", "move('down')", "Callee", show=False, id="flame.down"),
        Binding("left,h", "move('left')", "Left", show=False, id="flame.left"),
        Binding("right,l", "move('right')", "Right", show=False, id="flame.right"),
        Binding("enter", "zoom", "Zoom", show=False, id="flame.zoom"),
        Binding("escape", "unzoom", "Zoom out", show=False, id="flame.unzoom"),
    ]

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
        super().__init__(view, id=id)
        self._zoomed_before: list[Path] = []

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
        self.zoom_to(self.selected)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave Escape to others while there is nothing to zoom out of."""
        return action != "unzoom" or bool(self._zoomed_before)

    def action_unzoom(self) -> None:
        """Go back to what was zoomed to before, at last to the root."""
        self.unzoom()

    def zoom_to(self, path: Path) -> None:
        """Give a frame the full width."""
        layout = self.flame_layout()
        if layout is not None and path != layout.zoom:
            self._zoomed_before.append(self.zoom)
            self.zoom = path
            self.post_message(self.Zoomed(path))

    def unzoom(self) -> None:
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

    def on_click(self, event: events.Click) -> None:
        """Select a frame; a click on the selected one zooms to it."""
        cell = self._cell_at(event.get_content_offset(self))
        if cell is None:
            return
        if cell.path == self.selected:
            self.action_zoom()
        else:
            self.select(cell.path)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Light up the frame below the mouse."""
        self._mouse_at = event.get_content_offset(self)
        self._look_under_mouse()

    def on_leave(self) -> None:
        """Put the light out."""
        self._mouse_at = None
        self._look_under_mouse()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Zoom a step towards the frame below the mouse, where the wheel does not scroll."""
        if event.ctrl or not self.max_scroll_y:
            cell, layout = self._cell_at(event.get_content_offset(self)), self.flame_layout()
            if cell is not None and layout is not None:
                self.zoom_to(layout.inwards(cell.path))
            event.prevent_default().stop()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Zoom a step out, where the wheel does not scroll."""
        if event.ctrl or not self.max_scroll_y:
            self.unzoom()
            event.prevent_default().stop()
