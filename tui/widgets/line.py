"""A line to type in, into which nothing can be pasted that is no text."""

from __future__ import annotations

from textual.widgets import Input

from collectors.text import sanitise

MAX_CHARS = 1000
"""Of a path or an expression; what is pasted beyond it is cut."""


class Line(Input):
    """An `Input` whose value is sanitised: Textual would hand escape sequences to the terminal."""

    def validate_value(self, value: str) -> str:
        """Return what is typed or pasted, made visible where it is not."""
        return sanitise(value, MAX_CHARS)
