"""`flashpoint flame FILE`: the pane of stacks over a file, without a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Final

from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen

from tui.commands import COMMANDS, LOOKING
from tui.looking import Looking
from tui.model.ranges import RangeChoice, RangeKind
from tui.model.timeline import Timeline
from tui.screens.ask import AskScreen
from tui.screens.help import HelpScreen
from tui.steering import read_pattern, say
from tui.themed import ThemedApp
from tui.views.flamepane import Subject, build_flame_pane
from tui.views.keys import KeysView, draw_keys
from tui.views.window import Window
from tui.widgets.flamepane import FlamePane
from tui.widgets.rows import Rows

USABLE: Final = frozenset(
    each.id
    for each in COMMANDS
    if each.group in ("Flamegraph", "Shape") or each.id in ("app.help", "app.quit", "app.palette")
) - {"view.offcpu"} | {"display.theme"}
"""Commands that make sense without a run."""


class FileScreen(Screen[None]):
    """The pane and the line of keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(",".join(each.keys), f"app.command('{each.id}')", each.title, tooltip=each.help)
        for each in COMMANDS
        if each.id in USABLE
    ]

    pane = getters.query_one(FlamePane)

    def compose(self) -> ComposeResult:
        """The pane takes what the keys leave."""
        yield FlamePane(id="flame", classes="panel")
        yield Rows[KeysView](draw_keys, id="keys")


class FlameFileApp(ThemedApp):
    """Shows the stacks of a file.

    Args:
        timeline: Has them.
        name: Of the file, sanitised.
        subject: What they are of.
        notes: What the reader should know, a line each.
        theme: Name of a theme, or None for the default one.
    """

    def __init__(
        self,
        timeline: Timeline,
        name: str,
        subject: Subject,
        notes: Sequence[str] = (),
        theme: str | None = None,
    ) -> None:
        super().__init__(theme)
        self._timeline = timeline
        self._file_name = name
        self._subject = subject
        self._notes = notes
        stacked = timeline.stacked()
        self._end = stacked.end + 1.0 if stacked is not None else timeline.origin + 1.0
        choice = RangeChoice(RangeKind.PICKED).pick(timeline.origin, self._end, self._end)
        self.looking = Looking(timeline, lambda: self._end, timeline.append, choice)
        self._monitor = FileScreen()

    def on_mount(self) -> None:
        """Open the pane, and say what is to be known of the file."""
        self.push_screen(self._monitor)
        self.call_after_refresh(self._open)

    def _open(self) -> None:
        self._monitor.pane.border_title = Content(self._file_name)
        self.refresh_view()
        self._monitor.set_focus(self._monitor.pane.active)
        for note in self._notes:
            self.notify(note, markup=False)

    def refresh_view(self) -> None:
        """Show the stacks as they are looked at."""
        range_ = self.looking.range()
        window = Window(range_.end, range_.duration_s, name="whole file")
        view = build_flame_pane(self._timeline, window, self.looking.lens, self._subject)
        with self.batch_update():
            self._monitor.pane.view = view
            self._monitor.query_one("#keys", Rows).view = KeysView(frozenset(), USABLE)

    def action_command(self, command_id: str) -> None:
        """Carry out a command of the table."""
        if command_id not in USABLE:
            self.bell()
            return
        group, _, name = command_id.partition(".")
        pane = self._monitor.pane
        if command_id in LOOKING:
            say(self, self.looking.command(command_id, pane.selected), "information")
        elif group == "flame":
            self._move(name)
        elif name == "search":
            self.push_screen(
                AskScreen("Search names", "a regular expression", read_pattern), self._search
            )
        elif name in ("next", "previous"):
            pane.select_match(1 if name == "next" else -1)
        elif name == "theme":
            self.next_theme()
        elif name == "help":
            self.push_screen(HelpScreen())
        elif name == "palette":
            self.action_command_palette()
        else:
            self.exit()
        self.refresh_view()

    def _move(self, name: str) -> None:
        """Move in the pane; where there is nothing to zoom, into a sandwich and out of it."""
        pane = self._monitor.pane
        if pane.move(name):
            return
        if name == "zoom":
            say(self, self.looking.command("view.sandwich", pane.selected), "information")
        elif name == "unzoom":
            self.looking.step_back()

    def _search(self, pattern: str | None) -> None:
        self.looking.lens = replace(self.looking.lens, pattern=(pattern or "").strip())
        self.refresh_view()
        self._monitor.pane.select_match(1)

    async def action_quit(self) -> None:
        """Nothing runs: leave."""
        self.exit()
