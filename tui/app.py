"""The Textual application: turns keys into commands and shows the session twice a second."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from textual.app import App

from collectors.samples import MarkKind, SourceState
from themes import load_themes
from tui.driver import SteadyDriver
from tui.model.phase import Phase
from tui.model.ramp import describe, parse_ramp
from tui.model.rate import parse_rate
from tui.screens.ask import AskScreen
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
STEPS: Final = {
    "load.more": 1,
    "load.less": -1,
    "load.moreten": 10,
    "load.lessten": -10,
}
"""Commands that change the load by steps."""
STEERING: Final = (*STEPS, "load.pause", "load.ramp", "load.rate", "load.hold")
"""Commands that need an operator."""
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
        if not self.is_running or not self._monitor.is_attached or not self._monitor.children:
            return  # on its way in or out
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
        session = self.session
        off = ["load.start"] if session.phase.loading else ["load.stop"]
        if session.operator is None or session.phase not in (Phase.STARTING, Phase.RUNNING):
            off += STEERING
        return off

    def action_command(self, command_id: str) -> None:
        """Carry out a command of the table."""
        if command_id in self._disabled():
            self.bell()
            if command_id in STEERING and self.session.no_control_reason:
                self.notify(self.session.no_control_reason, severity="warning", markup=False)
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
            case _ if command_id in STEERING:
                self._steer(command_id)
            case _ if group == "panel":
                monitor.go_to(name)
            case _ if group == "flame":
                self._move_in_flame(name)
        self.refresh_view()

    def _steer(self, command_id: str) -> None:
        """Move the load."""
        operator = self.session.operator
        if operator is None:
            return
        match command_id:
            case "load.ramp":
                self._ask_for_load(
                    "VUs", "200, 200 in 30s, +50/10s, x2/1m", read_ramp, operator.ramp
                )
            case "load.rate":
                self._ask_for_load(
                    "A second", "500, 500 in 10s, x2/1m, 20 iterations", read_rate, operator.rate
                )
            case "load.hold":
                self._say(operator.hold())
            case "load.pause":
                self._say(operator.pause_or_resume())
            case _:
                self._say(operator.step(STEPS[command_id]))

    def _ask_for_load(
        self,
        question: str,
        example: str,
        read: Callable[[str], tuple[tuple[Any, ...], str]],
        ask: Callable[..., str],
    ) -> None:
        def answered(text: str | None) -> None:
            # The load may have ended while the question was open.
            if text is not None and "load.ramp" not in self._disabled():
                self._say(ask(*read(text)[0]))
                self.refresh_view()

        self.push_screen(AskScreen(question, example, lambda text: read(text)[1]), answered)

    def _say(self, message: str) -> None:
        if message:
            self.notify(message, severity="warning", markup=False)

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


def read_ramp(text: str) -> tuple[tuple[Any, ...], str]:
    """Return what a text says about VUs, and how it was understood."""
    steps = parse_ramp(text)
    return (steps,), f"→ {describe(steps)} · VUs"


def read_rate(text: str) -> tuple[tuple[Any, ...], str]:
    """Return what a text says about a rate, and how it was understood."""
    unit, steps = parse_rate(text)
    return (unit, steps), f"→ {describe(steps)} · {unit.value}/s"
