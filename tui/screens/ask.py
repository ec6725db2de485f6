"""A question that is answered with a line of text."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from collectors.text import sanitise
from tui.widgets.line import Line


class AskScreen(ModalScreen[str | None]):
    """Asks for a text; answers it, or None.

    Args:
        question: What is asked.
        example: Shown while nothing is typed.
        check: Returns what a text would do, for the line below; raises ValueError with what is
            wrong about it.
        suggested: What stands there to begin with.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "answer(None)", "Cancel")]

    def __init__(
        self, question: str, example: str, check: Callable[[str], str], suggested: str = ""
    ) -> None:
        super().__init__()
        self._suggested = suggested
        self._question = question
        self._example = example
        self._check = check

    def compose(self) -> ComposeResult:
        """A box with the question, the line to type in, and what would come of it."""
        with Vertical(classes="dialog"):
            yield Static(Content(self._question))
            yield Line(self._suggested, placeholder=self._example, select_on_focus=False)
            yield Static(Content(self._example), id="verdict")

    @on(Input.Changed)
    def tell(self, event: Input.Changed) -> None:
        """Say what would come of it."""
        verdict = self.query_one("#verdict", Static)
        verdict.set_class(False, "-wrong")
        if not event.value.strip():
            verdict.update(Content(self._example))
            return
        try:
            verdict.update(Content(sanitise(self._check(event.value))))
        except ValueError as error:
            verdict.set_class(True, "-wrong")
            verdict.update(Content(sanitise(str(error))))

    @on(Input.Submitted)
    def submit(self, event: Input.Submitted) -> None:
        """Close with a text that is right; nothing typed is no answer."""
        if not event.value.strip():
            self.action_answer(None)
            return
        try:
            self._check(event.value)
        except ValueError:
            self.app.bell()
            return
        self.action_answer(event.value)

    def action_answer(self, answer: str | None) -> None:
        """Close with an answer; a second one, of keys that came too fast, is none."""
        if self.is_current:
            self.dismiss(answer)
