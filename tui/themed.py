"""What every application of the program has: its themes, its driver, its palette of commands."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Sequence
from typing import Any, Final

from textual._node_list import DuplicateIds
from textual.app import App

from collectors.exception_text import root_of
from themes import load_themes
from tui.crash import EXIT_BROKEN, record_crash
from tui.driver import SteadyDriver
from tui.screens.palette import CommandProvider
from tui.unhandled import watch_loop
from tui.watched import Offer
from tui.widgets.palette import DEFAULT_VARIABLES, to_textual_theme

GC_THRESHOLDS: Final = (100_000, 10, 50)
"""Objects made before the youngest are looked at, and how often for the older ones."""


class ThemedApp(App[None]):
    """An application in the program's colours.

    Args:
        theme: Name of a theme, or None for the default one.
    """

    TITLE = "flashpoint"
    CSS_PATH = "../themes/monitor.tcss"
    ENABLE_COMMAND_PALETTE = True
    COMMANDS = {CommandProvider}  # noqa: RUF012 - Textual's own way of declaring it

    def __init__(self, theme: str | None = None) -> None:
        super().__init__(driver_class=SteadyDriver)
        for palette in load_themes():
            self.register_theme(to_textual_theme(palette))
        self._themes = [palette.name for palette in load_themes()]
        self.theme = theme if theme in self.available_themes else self._themes[0]

    async def run_async(self, **options: Any) -> None:
        """Run until it is left.

        Raises:
            Exception: what broke the program; the terminal is as it was before.
        """
        loop = asyncio.get_running_loop()
        if loop.get_exception_handler() is None:
            watch_loop(loop)
        await super().run_async(**options)
        if self._exception is not None:
            raise root_of(self._exception)

    def _handle_exception(self, error: Exception) -> None:
        """Close the screen because something broke; Textual would show it with its variables."""
        self._return_code = EXIT_BROKEN
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
            record_crash(error)
        self._close_messages_no_wait()

    def panic(self, *renderables: Any) -> None:
        """Close the screen; what Textual would show may have lines of source in it."""
        self._handle_exception(RuntimeError("the screen gave up"))

    def on_load(self) -> None:
        """Let the garbage collector stop the screen less often.

        A view is made anew at each refresh, of thousands of objects that are gone when the next one
        is: none of them are in a cycle, so looking for cycles finds nothing and takes its time.
        """
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Let the themes that come with Textual work with our widgets too."""
        return dict(DEFAULT_VARIABLES)

    def refresh_css(self, animate: bool = True) -> None:
        """Paint everything anew: what is drawn with inks may have another colour now."""
        super().refresh_css(animate=animate)
        for screen in self.screen_stack:
            for widget in screen.walk_children(with_self=True):
                widget.refresh()

    @property
    def offers(self) -> Sequence[Offer]:
        """What the palette has beside the command table."""
        return ()

    def action_command_palette(self) -> None:
        """Open the palette; keys that come while the last one is on its way out are lost."""
        with contextlib.suppress(DuplicateIds):
            super().action_command_palette()

    def next_theme(self) -> None:
        """Go from dark to light, or back."""
        place = self._themes.index(self.theme) if self.theme in self._themes else -1
        self.theme = self._themes[(place + 1) % len(self._themes)]
