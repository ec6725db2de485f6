"""Markdown that says what it is given and nothing else: texts from outside, and tables.

A text from outside stands in code spans, where neither Markdown nor GitHub reads anything into it:
no HTML, links, images, mentions, references to issues, formulas. The two characters that could end
a span or a table's cell stand between the spans, as character references.

Formats: CommonMark 0.31 and GitHub Flavored Markdown 0.29 (tables).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from collectors.text import sanitise
from tui.views.format import ABSENT, fit

UNKNOWN: Final = "—"
"""What stands where nothing is known."""

_BREAKERS: Final = re.compile("([|`])")


def code(text: str, width: int | None = None) -> str:
    """Return a text from outside, on one line and inert; `—` for an empty one.

    Args:
        text: Anything.
        width: Longest text in columns; what is cut is its beginning, shown as `…`.
    """
    text = sanitise(text)
    if width is not None:
        text = fit(text, width, keep="end")
    parts = (
        f"&#{ord(part)};" if _BREAKERS.fullmatch(part) else _span(part)
        for part in _BREAKERS.split(text)
        if part
    )
    return "".join(parts) or UNKNOWN


def _span(text: str) -> str:
    # A span loses a blank at each end, if it has them at both.
    if text.startswith(" ") and text.endswith(" ") and text.strip(" "):
        text = f" {text} "
    return f"`{text}`"


def figure(text: str) -> str:
    """Return a number or a word of our own as it stands in a cell."""
    return UNKNOWN if text in ("", ABSENT) else html.escape(text, quote=False)


@dataclass(frozen=True, slots=True)
class Heading:
    """The head of a column."""

    text: str
    """As Markdown."""
    is_right: bool = False


def table(headings: Sequence[Heading], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table; its cells are Markdown already."""
    rules = ["---:" if heading.is_right else ":---" for heading in headings]
    return [_row([heading.text for heading in headings]), _row(rules), *map(_row, rows)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
