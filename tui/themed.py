"""What every application of the program has: its themes, its driver, its palette of commands."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from typing import Final

from textual.app import App

from themes import load_themes
from tui.driver import SteadyDriver
from tui.screens.palette import CommandProvider
from tui.watched import Offer
from tui.widgets.palette import DEFAULT_VARIABLES, to_textual_theme

GC_THRESHOLDS: Final = (250_000, 10, 50)
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

    @property
    def offers(self) -> Sequence[Offer]:
        """What the palette has beside the command table."""
        return ()

    def next_theme(self) -> None:
        """Go from dark to light, or back."""
        place = self._themes.index(self.theme) if self.theme in self._themes else -1
        self.theme = self._themes[(place + 1) % len(self._themes)]
