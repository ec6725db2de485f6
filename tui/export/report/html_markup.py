"""HTML that is put together escaped: what is no `Markup` is text, whatever it holds."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable
from typing import Any, Final

_VOID: Final = frozenset({"meta", "link", "br", "input"})
# Neither HTML nor XML has a way to write these.
_UNWRITABLE: Final = str.maketrans({"\ufffe": "\ufffd", "\uffff": "\ufffd"})
_NO_MARKUP: Final = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def escaped(text: str) -> Markup:
    """Return a text for an element or a quoted attribute; markup stays as it is."""
    if isinstance(text, Markup):
        return text
    return Markup(html.escape(text.translate(_UNWRITABLE)))


def joined(parts: Iterable[str]) -> Markup:
    """Return texts and markup one after another."""
    return Markup("".join(map(escaped, parts)))


def element(name: str, /, *children: str | None, **attributes: str | float | None) -> Markup:
    """Return an element.

    Args:
        name: Its tag.
        children: Markup and texts, in order; None is left out.
        attributes: `class_` is `class`, other underscores become hyphens; None is left out.
    """
    named = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{named}>")
    inside = joined(child for child in children if child is not None)
    return Markup(f"<{name}{named}>{inside}</{name}>")


def pixels(value: float) -> str:
    """Return a length as short as two decimals make it: `12`, `12.5`."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def exact(value: float | None, text: str) -> Markup:
    """Return a figure as it is read, with the number behind it for programs."""
    return element("data", text, value=repr(value) if value is not None else "")


def data_block(name: str, content: Any) -> Markup:
    r"""Return values for our script as JSON in which nothing can end the element.

    `<`, `>` (and so `]]>`), `&` and all that is not ASCII (and so U+2028) are written as `\uXXXX`.
    """
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":")).translate(_NO_MARKUP)
    return element("script", Markup(text), type="application/json", id=name)


def _value(value: str | float) -> Markup:
    return escaped(value if isinstance(value, str) else pixels(value))
