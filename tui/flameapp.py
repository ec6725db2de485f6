"""`flashpoint flame FILE`: the pane of stacks over a file, without a run."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Final

from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen

from collectors.source import SourceError
from collectors.stackfile.reader import ImportedProfile
from tui.commands import COMMANDS, LOOKING
from tui.convert import timeline_of
from tui.looking import Looking
from tui.model.ranges import RangeChoice, RangeKind
from tui.model.timeline import Timeline, TimeRange
from tui.screens.ask import AskScreen
from tui.screens.help import HelpScreen
from tui.steering import read_pattern, say
from tui.tape import open_tape, whole
from tui.themed import ThemedApp
from tui.views.flamepane import Subject, build_flame_pane
from tui.views.format import clock
from tui.views.keys import KeysView, draw_keys
from tui.views.window import Window
from tui.widgets.flamepane import FlamePane
from tui.widgets.rows import Rows

RANGE: Final = frozenset(each.id for each in COMMANDS if each.id.startswith("range."))
"""Commands that need times."""
WHOLE: Final = "display.freeze"
"""Nothing goes on that could be frozen: its key leads back to the whole file."""
USABLE: Final = (
    frozenset(
        each.id
        for each in COMMANDS
        if each.group in ("Flamegraph", "Shape")
        or each.id in ("app.help", "app.quit", "app.palette")
    )
    - {"view.offcpu"}
    | {"display.theme"}
    | RANGE
)
"""Commands that make sense without a run."""
NO_TIMES: Final = "the file tells no times, so there are no ranges"
_WHOLE_FILE: Final = RangeChoice(RangeKind.START)


def app_of(profile: ImportedProfile, name: str, theme: str | None) -> FlameFileApp:
    """Return the program for the stacks of a file; the arguments are those of `FlameFileApp`."""
    subject = Subject(
        f"{profile.format} {profile.event}".strip(),
        "no stacks in this range",
        # How long the first and the last second were sampled is not known: no time is a quotient.
        has_clock=False,
        counted=profile.counted_event or "",
    )
    return FlameFileApp(
        timeline_of(profile), name, subject, profile.notes, theme, has_times=profile.has_times
    )


def app_of_recording(path: Path, theme: str | None) -> FlameFileApp:
    """Return the program for the stacks of a recorded run.

    Raises:
        SourceError: it can't be read, or has no stacks.
    """
    with contextlib.closing(open_tape(path)) as tape:
        timeline = whole(tape)
        rejected = tape.rejected()
        name = tape.name
    if timeline.stacked() is None:
        raise SourceError(f"{name} has no stacks", "it may have been recorded with --no-profile")
    profiler = timeline.states[-1].profiler if timeline.states else ""
    notes = [f"{count} × {reason.replace('_', ' ')}" for reason, count in rejected.items()]
    subject = Subject(profiler, "no stacks in this range")
    return FlameFileApp(timeline, name, subject, notes, theme, has_times=True)


class FileScreen(Screen[None]):
    """The pane and the line of keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(",".join(each.keys), f"app.command('{each.id}')", each.title, tooltip=each.help)
        for each in COMMANDS
        if each.id in USABLE or each.id == WHOLE
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
        has_times: Whether ranges can be cut from it.
    """

    def __init__(
        self,
        timeline: Timeline,
        name: str,
        subject: Subject,
        notes: Sequence[str] = (),
        theme: str | None = None,
        *,
        has_times: bool = False,
    ) -> None:
        super().__init__(theme)
        self._timeline = timeline
        self._file_name = name
        self._subject = subject
        self._notes = notes
        self._has_times = has_times
        stacked = timeline.stacked()
        self._end = stacked.end + 1.0 if stacked is not None else timeline.origin + 1.0
        self.looking = Looking(timeline, lambda: self._end, timeline.append, _WHOLE_FILE)
        self._monitor = FileScreen()

    @property
    def usable(self) -> frozenset[str]:
        """Commands that there are."""
        return USABLE

    def on_mount(self) -> None:
        """Open the pane, and say what is to be known of the file."""
        self.push_screen(self._monitor)
        self.call_after_refresh(self._open)

    def _open(self) -> None:
        self._monitor.pane.border_title = Content(self._file_name)
        self.refresh_view()
        self._monitor.set_focus(self._monitor.pane)
        for note in self._notes:
            self.notify(note, markup=False)

    def refresh_view(self) -> None:
        """Show the stacks as they are looked at."""
        range_ = self.looking.range()
        window = Window(range_.end, range_.duration_s, name=self._range_name(range_))
        view = build_flame_pane(self._timeline, window, self.looking.lens, self._subject)
        with self.batch_update():
            self._monitor.pane.view = view
            off = frozenset() if self._has_times else RANGE
            self._monitor.query_one("#keys", Rows).view = KeysView(off, USABLE)

    def _range_name(self, range_: TimeRange) -> str:
        if self.looking.choice == _WHOLE_FILE:
            return "whole file"
        start, end = (clock(at - self._timeline.origin) for at in (range_.start, range_.end))
        return f"{start} to {end} of the file"

    def action_command(self, command_id: str) -> None:
        """Carry out a command of the table."""
        if command_id not in USABLE and command_id != WHOLE:
            self.bell()
            return
        group, _, name = command_id.partition(".")
        pane = self._monitor.pane
        if command_id == WHOLE or command_id in RANGE:
            self._look_at(command_id)
        elif command_id in LOOKING:
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
            self.push_screen(HelpScreen(USABLE))
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
            choice = self.looking.choice
            if not self.looking.step_back() or self.looking.choice != choice:
                # Where a run is live again, a file is seen as a whole.
                self.looking.choice = _WHOLE_FILE

    def _look_at(self, command_id: str) -> None:
        """Move or widen the range within the file, or look at all of it; or tell why not."""
        looking, before = self.looking, self.looking.choice
        if command_id == WHOLE:
            looking.choice = _WHOLE_FILE
        elif not self._has_times:
            say(self, NO_TIMES)
        else:
            looking.command(command_id)
            choice = self._within_file(looking.choice)
            # Behind its end, where a run is live again, a file has nothing.
            is_past = command_id == "range.forward" and choice.kind is not RangeKind.PICKED
            looking.choice = before if is_past else choice
        if looking.choice == before:
            self.bell()

    def _within_file(self, choice: RangeChoice) -> RangeChoice:
        """Return a choice cut to the file: before it is nothing, and its load never changed."""
        if choice.kind is RangeKind.CHANGE:
            choice = choice.next()
        choice = replace(choice, held_at=None)
        whole = _WHOLE_FILE.range(self._timeline, self._end)
        range_ = choice.range(self._timeline, self._end)
        start = max(range_.start, whole.start)
        if (start, range_.end) == (whole.start, whole.end):
            return _WHOLE_FILE
        if choice.kind is RangeKind.PICKED:
            choice = replace(choice, picked=TimeRange(start, range_.end))
        return choice

    def _search(self, pattern: str | None) -> None:
        self.looking.lens = replace(self.looking.lens, pattern=(pattern or "").strip())
        self.refresh_view()
        self._monitor.pane.select_match(1)

    async def action_quit(self) -> None:
        """Nothing runs: leave."""
        self.exit()
