"""The Textual application: turns keys into commands and shows the session twice a second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from textual.app import App

from collectors.samples import MarkKind, SourceState
from themes import load_themes
from tui.driver import SteadyDriver
from tui.model.phase import Phase
from tui.screens.confirm import ConfirmScreen
from tui.screens.help import HelpScreen
from tui.screens.monitor import MonitorScreen
from tui.screens.palette import CommandProvider
from tui.session import Offer, Session
from tui.views.keys import KeysView
from tui.views.monitor import MonitorView, build_monitor
from tui.views.status import build_status
from tui.views.window import Window
from tui.widgets.palette import DEFAULT_VARIABLES, to_textual_theme

REFRESH_S: Final = 0.5
_SEVERITY: Final = {SourceState.FAILED: "error", SourceState.DEGRADED: "warning"}


class FlashpointApp(App[None]):
    """Shows one session.

    Args:
        session: What runs; the app only reads it and passes commands on.
        theme: Name of a theme, or None for the default one.
    """

    TITLE = "flashpoint"
    CSS_PATH = "../themes/monitor.tcss"
    ENABLE_COMMAND_PALETTE = True
    COMMANDS = {CommandProvider}  # noqa: RUF012 - Textual's own way of declaring it

    def __init__(self, session: Session, theme: str | None = None) -> None:
        super().__init__(driver_class=SteadyDriver)
        self.session = session
        self._monitor = MonitorScreen()
        self._frozen: MonitorView | None = None
        self._told: dict[str, tuple[SourceState, str]] = {}
        self._marks_told = 0
        for palette in load_themes():
            self.register_theme(to_textual_theme(palette))
        self._themes = [palette.name for palette in load_themes()]
        self.theme = theme if theme in self.available_themes else self._themes[0]

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Let the themes that come with Textual work with our widgets too."""
        return dict(DEFAULT_VARIABLES)

    @property
    def offers(self) -> Sequence[Offer]:
        """What the palette has beside the command table."""
        return self.session.offers

    def on_mount(self) -> None:
        """Open the monitor and keep it fresh."""
        self.push_screen(self._monitor)
        self.set_interval(REFRESH_S, self.refresh_view)
        self.call_after_refresh(self.refresh_view)

    def refresh_view(self) -> None:
        """Show the newest state of the session, or leave when it is over."""
        session = self.session
        if session.aborted or (session.leaving and not session.phase.loading):
            self.exit()
            return
        frozen = self._frozen
        if frozen is None:
            view = build_monitor(session.timeline, session.facts(), Window(session.clock()))
        else:
            status = build_status(session.timeline, session.facts(), None, frozen=True)
            view = replace(frozen, status=status)
        with self.batch_update():
            self._monitor.show(view, KeysView(frozenset(self._disabled())))
        self._tell_news()

    def _tell_news(self) -> None:
        marks = self.session.timeline.marks
        for mark in marks[self._marks_told :]:
            if mark.kind is MarkKind.NOTE:
                self.notify(mark.text, markup=False)
        self._marks_told = len(marks)
        for source, status in self.session.timeline.statuses.items():
            told = (status.state, status.message)
            if self._told.get(source) != told:
                self._told[source] = told
                severity = _SEVERITY.get(status.state)
                if severity is not None:
                    text = f"{status.message}\n{status.hint}" if status.hint else status.message
                    self.notify(text, title=source, severity=severity, markup=False)  # type: ignore[arg-type]

    def _disabled(self) -> list[str]:
        loading = self.session.phase.loading
        return ["load.start"] if loading else ["load.stop"]

    def action_command(self, command_id: str) -> None:
        """Carry out a command of the table."""
        if command_id in self._disabled():
            self.bell()
            return
        monitor = self._monitor
        group, _, name = command_id.partition(".")
        match command_id:
            case "load.start":
                self._frozen = None
                self.session.start_load()
            case "load.stop":
                self.session.stop_load()
            case "display.freeze":
                self._freeze()
            case "display.theme":
                place = self._themes.index(self.theme) if self.theme in self._themes else -1
                self.theme = self._themes[(place + 1) % len(self._themes)]
            case "panel.next":
                monitor.next_panel(1)
            case "panel.previous":
                monitor.next_panel(-1)
            case "panel.maximise":
                monitor.maximise()
            case "app.palette":
                self.action_command_palette()
            case "app.help":
                self.push_screen(HelpScreen())
            case "app.quit":
                self._ask_to_quit()
            case _ if group == "panel":
                monitor.go_to(name)
            case _ if group == "flame":
                self._move_in_flame(name)
        self.refresh_view()

    def _freeze(self) -> None:
        """Keep what is shown now, or go on; the status lines always tell what is."""
        if self._frozen is not None:
            self._frozen = None
            return
        session = self.session
        window = Window(session.clock(), frozen=True)
        self._frozen = build_monitor(session.timeline, session.facts(), window)

    def _move_in_flame(self, name: str) -> None:
        flame = self._monitor.flame
        match name:
            case "zoom":
                flame.action_zoom()
            case "unzoom":
                flame.action_unzoom()
            case "up" | "down" | "left" | "right":
                flame.action_move(name)

    def _ask_to_quit(self) -> None:
        if not self.session.phase.loading:
            self.exit()
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.session.leaving = True
                if self.session.phase is not Phase.STOPPING:
                    self.session.stop_load()

        question = "The load is running. Stop it and leave?"
        self.push_screen(ConfirmScreen(question, "stop and leave", "go on"), answered)

    async def action_quit(self) -> None:
        """Ask like `q` does."""
        self._ask_to_quit()
