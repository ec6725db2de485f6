"""What a widget needs to know of functions in rows, whatever is said about each."""

from __future__ import annotations

from typing import Protocol

from collectors.samples import Frame
from tui.views.trend import Segment


class FunctionList(Protocol):
    """Functions in an order; drawn as many rows at a time as are in sight."""

    @property
    def header(self) -> str:
        """The line above."""

    @property
    def size(self) -> int:
        """How many rows there are."""

    def function(self, row: int) -> tuple[Frame, bool]:
        """Return what a row is about, and whether only of stacks whose callers were lost."""

    def find(self, frame: Frame, *, caller_lost: bool = False) -> int | None:
        """Return where a function stands; None: nowhere."""

    def draw(
        self, width: int, height: int, *, first: int, selected: int | None
    ) -> list[list[Segment]]:
        """Draw the titles and the rows from `first` on, into `height` rows of `width` columns."""

    def about(self, row: int, width: int) -> str:
        """Return the line that tells more of a row."""
