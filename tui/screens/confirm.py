"""A question with yes and no."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static


class ConfirmScreen(ModalScreen[bool]):
    """Asks a question; answers True or False."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "answer(True)", "Yes"),
        Binding("n,escape,q", "answer(False)", "No"),
    ]

    def __init__(self, question: str, yes: str, no: str) -> None:
        super().__init__()
        self._text = f"{question}\n\n  y  {yes}\n  n  {no}"

    def compose(self) -> ComposeResult:
        """One box in the middle."""
        with Vertical(classes="dialog"):
            yield Static(Content(self._text))

    def action_answer(self, answer: bool) -> None:
        """Close with an answer; a second one, of keys that came too fast, is none."""
        if self.is_current:
            self.dismiss(answer)
