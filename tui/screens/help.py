"""All commands and their keys, from the command table."""

from __future__ import annotations

import textwrap
from itertools import groupby
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.commands import COMMANDS, LIVE, key_name

KEYS_COLUMNS = 12


def help_text(width: int, usable: frozenset[str] = LIVE) -> str:
    """Return the help: usable commands by group, in the order of the table, wrapped to a width."""
    lines: list[str] = []
    there = [each for each in COMMANDS if each.id in usable]
    groups = list(dict.fromkeys(each.group for each in there))
    ordered = sorted(there, key=lambda each: groups.index(each.group))
    for group, commands in groupby(ordered, key=lambda each: each.group):
        lines += ["", group] if lines else [group]
        for each in commands:
            keys = " ".join(key_name(key) for key in each.keys)
            lines += textwrap.wrap(
                each.help,
                max(width, KEYS_COLUMNS + 10),
                initial_indent=f"  {keys:<{KEYS_COLUMNS - 2}}",
                subsequent_indent=" " * KEYS_COLUMNS,
            )
    return "\n".join(lines)


class HelpScreen(ModalScreen[None]):
    """Shows the help until a key closes it.

    Args:
        usable: The commands that there are.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter", "dismiss(None)", "Close"),
    ]

    def __init__(self, usable: frozenset[str] = LIVE) -> None:
        super().__init__()
        self._usable = usable

    def compose(self) -> ComposeResult:
        """One box that scrolls where it must."""
        with VerticalScroll(classes="dialog"):
            yield Static(Content(help_text(min(76, self.app.size.width - 12), self._usable)))
