"""The Textual application: turns keys into commands and shows the session twice a second."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from textual import on

from collectors.samples import Baseline, Frame, MarkKind, SourceState, StackMeasure
from tui.commands import LIVE, LOOKING
from tui.keeping import keep
from tui.looking import Looking
from tui.model.lens import Lens
from tui.model.phase import Phase
from tui.model.ranges import RangeChoice
from tui.screens.ask import AskScreen
from tui.screens.confirm import ConfirmScreen
from tui.screens.help import HelpScreen
from tui.screens.monitor import MonitorScreen
from tui.steering import STEERING, can_steer, read_pattern, say, steer
from tui.themed import ThemedApp
from tui.views.flamepane import FlamePaneView
from tui.views.keys import KeysView
from tui.views.monitor import build_monitor
from tui.views.window import Window, window_of
from tui.watched import Offer, Watched
from tui.widgets.trend import TrendChart

REFRESH_S: Final = 0.5
LOOK_S: Final = 0.25
"""Between two looks at whether it is time."""
WHOLE_S: Final = 0.75
"""So much more of stacks is a profiler's second that came at once: py-spy's is old enough then."""
_SEVERITY: Final = {SourceState.FAILED: "error", SourceState.DEGRADED: "warning"}


class FlashpointApp(ThemedApp):
    """Shows one session.

    Args:
        session: What runs, or ran; the app only reads it and passes commands on.
        theme: Name of a theme, or None for the default one.
    """

    def __init__(self, session: Watched, theme: str | None = None) -> None:
        super().__init__(theme)
        self.session = session
        self.looking = Looking(session.timeline, session.clock, session.append)
        self._monitor = self.make_screen()
        self._refreshed_at = 0.0
        self._shown_until = 0.0
        """The newest stacks that were shown."""
        self._flame: FlamePaneView | None = None
        self._looked_at: tuple[int, Lens, RangeChoice, Baseline | None] | None = None
        self._told: dict[str, tuple[SourceState, str]] = {}
        self._marks_told = 0

    @property
    def offers(self) -> Sequence[Offer]:
        """What the palette has beside the command table."""
        return self.session.offers

    def make_screen(self) -> MonitorScreen:
        """Return the screen; its keys are those of a run."""
        return MonitorScreen()

    @property
    def usable(self) -> frozenset[str]:
        """Commands that there are at all."""
        return LIVE

    def on_mount(self) -> None:
        """Open the monitor and keep it fresh."""
        self.push_screen(self._monitor)
        self.set_interval(LOOK_S, self._refresh_in_time)
        self.call_after_refresh(self.refresh_view)

    def _refresh_in_time(self) -> None:
        """Show the newest, unless a key has just done so: the next key should not wait for it."""
        is_due = time.monotonic() - self._refreshed_at >= REFRESH_S - LOOK_S / 2
        if is_due or self._stacked_until() - self._shown_until >= WHOLE_S:
            self.refresh_view()

    def _stacked_until(self) -> float:
        stacked = self.session.timeline.stacked()
        return 0.0 if stacked is None else stacked.end

    def refresh_view(self) -> None:
        """Show the newest state of the session, or leave when it is over."""
        session = self.session
        if session.aborted or (session.leaving and not session.phase.loading):
            self.exit()
            return
        if not self.is_running or not self._monitor.is_attached or not self._monitor.children:
            return  # on its way in or out
        self._shown_until = self._stacked_until()
        window, lens = self._window(), self.looking.lens
        kept = self._kept_flame(window)
        view = build_monitor(session.timeline, session.facts(), window, lens, kept)
        self._flame = view.flame
        with self.batch_update():
            self._monitor.show(view, KeysView(frozenset(self._disabled()), self.usable))
        self._tell_news()
        self._refreshed_at = time.monotonic()

    def _kept_flame(self, window: Window) -> FlamePaneView | None:
        """Return the pane of stacks as it was, where it compares what it compared this second.

        A comparison takes longer than all the rest, and a key should not have to wait for it.
        """
        baseline = self.looking.baseline()
        looked_at = int(window.end), self.looking.lens, self.looking.choice, baseline
        is_same = looked_at == self._looked_at and baseline is not None
        self._looked_at = looked_at
        return self._flame if is_same else None

    def _window(self) -> Window:
        return window_of(self.looking.choice, self.session.timeline, self.session.clock())

    def _tell_news(self) -> None:
        marks = self.session.timeline.marks
        for mark in marks[self._marks_told :]:
            if mark.kind in (MarkKind.NOTE, MarkKind.SERVER):
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
        if not can_steer(session):
            off += STEERING
        return off

    def action_command(self, command_id: str) -> None:
        """Carry out a command of the table."""
        if command_id not in self.usable or command_id in self._disabled():
            self.bell()
            if command_id in STEERING:
                say(self, self.session.no_control_reason)
            return
        group, _, name = command_id.partition(".")
        if command_id in LOOKING:
            said = self.looking.command(command_id, self._selected)
            say(self, said, "information")
        elif command_id in STEERING:
            steer(self, self.session, command_id)
        elif group == "flame":
            self._move_in_flame(name)
            return
        elif group == "view":
            self._look(name)
        elif group == "keep":
            keep(self, self.session, self.looking, name)
        else:
            self._do(command_id)
        self.refresh_view()

    def _do(self, command_id: str) -> None:
        """Carry out what is about the run, the screen or the program."""
        monitor = self._monitor
        match command_id:
            case "load.start":
                self.looking.choice = self.looking.choice.live()
                self.session.start_load()
            case "load.stop":
                self.session.stop_load()
            case "display.theme":
                self.next_theme()
            case "panel.next":
                monitor.next_panel(1)
            case "panel.previous":
                monitor.next_panel(-1)
            case "panel.maximise":
                monitor.maximise()
            case "app.palette":
                self.action_command_palette()
            case "app.help":
                self.push_screen(HelpScreen(self.usable))
            case "app.quit":
                self._ask_to_quit()
            case _:
                monitor.go_to(command_id.partition(".")[2])

    def _look(self, name: str) -> None:
        """Carry out what needs a question, the session or the pane of stacks."""
        looking = self.looking
        match name:
            case "search":
                self.push_screen(
                    AskScreen("Search names", "a regular expression", read_pattern),
                    self._search,
                )
            case "next" | "previous":
                if not self._monitor.pane.select_match(1 if name == "next" else -1):
                    self.bell()
            case "baselines":
                names = ", ".join(self.session.timeline.baselines) or "none yet"
                self.push_screen(
                    AskScreen("Compare with, or keep this range as", names, str), self._compare
                )
            case "rebuild":
                run = self.session.run_name
                message = self.session.rebuild()
                say(self, message)
                if not message:
                    looking.choice = looking.choice.live()
                    looking.lens = replace(looking.lens, compared_with=run)
            case "offcpu":
                message = self.session.toggle_off_cpu()
                say(self, message)
                is_on = self.session.off_cpu
                measure = StackMeasure.OFF_CPU if is_on else StackMeasure.ON_CPU
                looking.lens = replace(looking.lens, measure=measure)

    def _search(self, pattern: str | None) -> None:
        """Search for what was typed; nothing typed ends the search."""
        self.looking.lens = replace(self.looking.lens, pattern=(pattern or "").strip())
        self.refresh_view()
        self._monitor.pane.select_match(1)

    def _compare(self, name: str | None) -> None:
        if name is not None:
            say(self, self.looking.compare_with(name.strip()), "information")
            self.refresh_view()

    @property
    def _selected(self) -> Frame | None:
        return self._monitor.pane.selected

    @on(TrendChart.RangePicked)
    def pick_range(self, message: TrendChart.RangePicked) -> None:
        """Look at what the mouse was dragged over; a click moves the end of the range."""
        buckets = self._window().buckets
        first, last = (buckets.first + each for each in (message.first, message.last))
        is_click = message.first == message.last
        start = (last + 1 if is_click else first) * buckets.width_s
        self.looking.pick(start, (last + 1) * buckets.width_s)
        self.refresh_view()

    def _move_in_flame(self, name: str) -> None:
        """Move in what has the keys; mostly that needs no new view."""
        pane = self._monitor.pane
        if pane.move(name):
            return
        if name == "zoom":
            say(self, self.looking.command("view.sandwich", pane.selected), "information")
            self.refresh_view()
        elif name == "unzoom" and self.looking.step_back():
            self.refresh_view()

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
