"""The application over a recording: the same screen, with keys that play instead of load."""

from __future__ import annotations

from typing import Final

from tui.app import FlashpointApp
from tui.commands import REPLAY
from tui.model.rangespec import parse_moment
from tui.replay import Replay
from tui.screens.ask import AskScreen
from tui.screens.monitor import MonitorScreen, ReplayScreen

SOON_S: Final = 0.02
"""Until it is looked again whether the screen is there."""
JUMPS_S: Final = {"on": 10.0, "back": -10.0, "minute": 60.0, "ago": -60.0}
"""How far the commands of this name go."""


class ReplayApp(FlashpointApp):
    """Shows one replay.

    Args:
        replay: What is played.
        theme: Name of a theme, or None for the default one.
    """

    def __init__(self, replay: Replay, theme: str | None = None) -> None:
        super().__init__(replay, theme)
        self._replay = replay
        self._is_reading = False

    def make_screen(self) -> MonitorScreen:
        """Return the screen; its keys are those of a replay."""
        return ReplayScreen()

    @property
    def usable(self) -> frozenset[str]:
        """Commands that there are at all."""
        return REPLAY

    def refresh_view(self) -> None:
        """Show the position; once it is on the screen, begin to read what is not read yet."""
        super().refresh_view()
        if self._is_reading or not self.is_running:
            return
        if self._monitor.is_attached and self._monitor.children:
            self._is_reading = True
            # Earlier it would hold up the first screen, which takes many turns of the loop.
            self.call_after_refresh(self._begin_to_read)
        else:
            self.set_timer(SOON_S, self.refresh_view)

    def _begin_to_read(self) -> None:
        self.run_worker(self._replay.read(), exclusive=False)

    def action_command(self, command_id: str) -> None:
        """Carry out a command of the table."""
        group, _, name = command_id.partition(".")
        if group != "replay":
            super().action_command(command_id)
            return
        replay = self._replay
        if self.looking.choice.is_held:
            # What is picked stands still; whoever plays on wants to see it go.
            self.looking.choice = self.looking.choice.live()
        match name:
            case "play":
                replay.play_or_pause()
            case "faster" | "slower":
                replay.faster(1 if name == "faster" else -1)
            case "start":
                replay.go_to_start()
            case "end":
                replay.go_to_end()
            case "jump":
                self.push_screen(AskScreen("Go to", "1:30 or 90s", self._read_time), self._go_to)
                return
            case _:
                replay.jump(JUMPS_S[name])
        self.refresh_view()

    def _read_time(self, text: str) -> str:
        return f"→ {parse_moment(text):g} s after the load began"

    def _go_to(self, text: str | None) -> None:
        if text is not None:
            self._replay.go_to(self._replay.zero + parse_moment(text))
            self.refresh_view()
