"""The one sanitiser: text from outside becomes harmless, visible and bounded.

Symbols, URLs, process names, log lines and file contents pass through here where they enter, so
that nothing after this point has to think about escape sequences.
"""

from __future__ import annotations

import re
from typing import Final

MAX_SYMBOL_BYTES: Final = 512

# Bidirectional controls, zero-width characters, variation selectors, line separators, tag
# characters, and the byte-order mark: all of them can make a line read differently from what it
# holds. They are the default ignorable code points of Unicode, and U+2028 and U+2029.
_FORMAT = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_HOSTILE = re.compile(f"[\x00-\x1f\x7f-\x9f{_FORMAT}\ud800-\udfff]")


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)  # Unicode control pictures
    if code == 0x7F:
        return "\u2421"
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was no UTF-8, kept by surrogateescape
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def sanitise(text: str | bytes, limit: int = 4096) -> str:
    r"""Make foreign text safe to show on one line.

    Args:
        text: Anything; bytes are read as UTF-8, bad ones shown as `\xNN`.
        limit: Longest result in characters; what is cut is shown as `…`.

    Returns:
        Text without control, bidirectional, zero-width or tag characters. Sanitising it again
        changes nothing.
    """
    if isinstance(text, bytes):
        text = text[: 4 * limit + 4].decode("utf-8", "backslashreplace")
    if len(text) > limit:
        text = text[: limit + 1]
    if not text.isascii() or not text.isprintable():
        text = _HOSTILE.sub(_visible, text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def sanitise_lines(text: str, limit: int = 1 << 20) -> str:
    """Make foreign text of several lines safe to print; tabs become spaces."""
    return "\n".join(sanitise(line.expandtabs(4)) for line in text[:limit].splitlines())
