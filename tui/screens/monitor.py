"""The monitor: load, machine, flamegraph and status on one window of time."""

from __future__ import annotations

from itertools import zip_longest
from typing import ClassVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

from tui.commands import COMMANDS, LIVE, REPLAY, key_name
from tui.views.figures import FiguresView, draw_figures
from tui.views.keys import KeysView, draw_keys
from tui.views.log import LogView, draw_log
from tui.views.monitor import MonitorView
from tui.views.status import LineView, draw_line
from tui.views.table import TableView, draw_table
from tui.widgets.flamegraph import FlameGraph
from tui.widgets.flamepane import FlamePane
from tui.widgets.rows import Rows
from tui.widgets.trend import TrendChart

PANELS = ("load", "machine", "flame", "log")
_TOP_PANELS = ("load", "machine")


def bindings(usable: frozenset[str]) -> list[BindingType]:
    """Return the keys of commands."""
    return [
        Binding(
            ",".join(each.keys),
            f"app.command('{each.id}')",
            each.title,
            tooltip=each.help,
            id=each.id,
            priority=each.id in ("panel.next", "panel.previous"),
        )
        for each in COMMANDS
        if each.id in usable
    ]


class Panel(Vertical, can_focus=True):
    """A bordered part of the screen that can have the focus."""


class MonitorScreen(Screen[None]):
    """Lays the panes out and hands each its part of the view."""

    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - Textual's own way of declaring it
        (0, "-narrow"),
        (120, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-tiny"),
        (10, "-short"),
        (40, "-tall"),
    ]

    BINDINGS: ClassVar[list[BindingType]] = bindings(LIVE)

    pane = getters.query_one("#flame", FlamePane)
    flame = getters.query_one("#graph", FlameGraph)

    def compose(self) -> ComposeResult:
        """Status, the two upper panes, flamegraph and log, status, keys."""
        yield Rows[LineView](draw_line, id="headline")
        with Horizontal(id="top"):
            with Panel(id="load", classes="panel"):
                yield Rows[FiguresView](draw_figures, id="figures")
                yield TrendChart(id="rate")
                yield TrendChart(id="latency")
                yield TrendChart(id="errors")
                yield TrendChart(id="vus")
                yield Rows[TableView](draw_table, id="endpoints")
                yield Rows[TableView](draw_table, id="metrics")
            with Panel(id="machine", classes="panel"):
                yield TrendChart(id="cpu")
                yield TrendChart(id="memory")
                yield TrendChart(id="disk")
                yield Rows[TableView](draw_table, id="roles")
                yield Rows[TableView](draw_table, id="details")
        with Horizontal(id="bottom"):
            yield FlamePane(id="flame", classes="panel")
            with Panel(id="log", classes="panel"):
                yield Rows[LogView](draw_log, id="log-lines")
        yield Rows[LineView](draw_line, id="health")
        yield Rows[KeysView](draw_keys, id="keys")

    def on_mount(self) -> None:
        """Name the panels after their keys and start in the flamegraph."""
        for panel in PANELS:
            key = next(each.keys[0] for each in COMMANDS if each.id == f"panel.{panel}")
            self._panel(panel).border_title = Content(f"{key_name(key)} {panel}")
        self.pane.focus()

    def show(self, view: MonitorView, keys: KeysView) -> None:
        """Show a view; only what differs from the one before is drawn."""
        self.set_class(view.is_interactive, "-interactive")
        # Before the load begins there is no target, and nothing to draw in its place.
        for name, trend in zip_longest(("rate", "latency", "errors", "vus"), view.load.trends):
            self.query_one(f"#{name}", TrendChart).view = trend
        for name, trend in zip(("cpu", "memory", "disk"), view.host.trends, strict=True):
            self.query_one(f"#{name}", TrendChart).view = trend
        rows: tuple[tuple[str, object], ...] = (
            ("headline", view.status.headline),
            ("health", view.status.health),
            ("figures", view.load.figures),
            ("endpoints", view.load.endpoints),
            ("metrics", view.load.metrics),
            ("roles", view.host.roles),
            ("details", view.host.details),
            ("log-lines", view.log),
            ("keys", keys),
        )
        for name, part in rows:
            self.query_one(f"#{name}", Rows).view = part
        self.pane.view = view.flame

    def go_to(self, panel: str) -> None:
        """Give a panel the focus; the log opens and closes."""
        if panel == "log":
            self.toggle_class("-logs")
            if not self.has_class("-logs"):
                self._restore()
                self.set_focus(self.pane)
                return
        self._focus_only(panel)

    def maximise(self) -> None:
        """Give the panel with the focus the whole screen, or take it back."""
        if self.has_class("-maximised"):
            self._restore()
        else:
            self._maximise(self.focused_panel())

    def focused_panel(self) -> str:
        """Return which panel has the focus."""
        focused = self.focused
        return focused.id if focused is not None and focused.id in PANELS else "flame"

    def next_panel(self, step: int) -> None:
        """Move on by one panel."""
        open_panels = [p for p in PANELS if p != "log" or self.has_class("-logs")]
        place = open_panels.index(self.focused_panel()) + step
        self._focus_only(open_panels[place % len(open_panels)])

    def _focus_only(self, panel: str) -> None:
        if self.has_class("-maximised"):
            self._restore()
            self._maximise(panel)
        self.set_focus(self._panel(panel))

    def _panel(self, panel: str) -> Widget:
        return self.query_one(f"#{panel}", Widget)

    def _maximise(self, panel: str) -> None:
        # The screen's own class has everything in it styled anew: once is enough.
        self._panel(panel).add_class("-maximised", update=False)
        self.add_class("-maximised", "-max-top" if panel in _TOP_PANELS else "-max-bottom")

    def _restore(self) -> None:
        for panel in PANELS:
            self._panel(panel).remove_class("-maximised", update=False)
        self.remove_class("-maximised", "-max-top", "-max-bottom")


class ReplayScreen(MonitorScreen, inherit_bindings=False):
    """The monitor with the keys of a replay."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(REPLAY)
