"""All commands and their keys, from the command table."""

from __future__ import annotations

from itertools import groupby
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.commands import COMMANDS, key_name


def help_text() -> str:
    """Return the help: commands by group, in the order of the table."""
    lines: list[str] = []
    groups = list(dict.fromkeys(each.group for each in COMMANDS))
    ordered = sorted(COMMANDS, key=lambda each: groups.index(each.group))
    for group, commands in groupby(ordered, key=lambda each: each.group):
        lines += ["", group] if lines else [group]
        for each in commands:
            keys = " ".join(key_name(key) for key in each.keys)
            lines.append(f"  {keys:<10} {each.help}")
    return "\n".join(lines)


class HelpScreen(ModalScreen[None]):
    """Shows the help until a key closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter", "dismiss(None)", "Close"),
    ]

    def compose(self) -> ComposeResult:
        """One box that scrolls where it must."""
        with VerticalScroll(classes="dialog"):
            yield Static(Content(help_text()))
