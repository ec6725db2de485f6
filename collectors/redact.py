"""Takes secrets out of URLs and texts where they enter.

User information and the values of a query are masked; parameter names stay, because they tell
one request from another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

MASK: Final = "…"
MIN_SECRET_CHARS: Final = 6
"""Shorter values of `-e` are settings rather than secrets, and would blank out half a log."""

_USERINFO = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://)[^/?#]*@")
# Bounded at their beginning, and the second never over another `?`: a long word without either
# would be gone through again from each of its characters.
_URL_IN_TEXT = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,31}://[^\s\"'<>`\\]+")
_PATH_QUERY_IN_TEXT = re.compile(r"(?<=[\w/?])\?[^\s\"'<>`=?]+=[^\s\"'<>`]*")
_AUTHORIZATION = re.compile(
    r"(?i)\b(authorization|cookie|x-api-key)(\\?[\"']?\s*[:=]\s*\[?\\?[\"']?)"
    r"((?:bearer|basic|digest|token)\s+)?[^\s\"'\\,\]]+"
)


def redact_url(text: str) -> str:
    """Mask the user information and the query and fragment values of a URL or a path.

    A text that is neither comes back unchanged. Redacting again changes nothing.
    """
    if "@" in text:
        text = _USERINFO.sub(r"\1", text)
    elif "?" not in text and "#" not in text:
        return text
    head, hash_mark, fragment = text.partition("#")
    path, question_mark, query = head.partition("?")
    is_url = "://" in path or path.startswith("/")
    if question_mark and (is_url or "=" in query):
        head = f"{path}?{_mask_values(query, bare=is_url)}"
    if hash_mark and "=" in fragment:
        fragment = _mask_values(fragment, bare=False)
    return f"{head}{hash_mark}{fragment}"


def _mask_values(query: str, *, bare: bool) -> str:
    parts = []
    for part in query.split("&"):
        name, equals, value = part.partition("=")
        if equals:
            parts.append(f"{name}={MASK}" if value else part)
        else:
            parts.append(MASK if part and bare else part)
    return "&".join(parts)


class Redactor:
    """Masks secrets in texts, or in nothing if switched off.

    Args:
        enabled: Off, every text comes back as it is.
        secrets: Values to mask wherever they stand, such as those given with `-e`.
    """

    def __init__(self, *, enabled: bool = True, secrets: Iterable[str] = ()) -> None:
        self._enabled = enabled
        long_enough = sorted({s for s in secrets if len(s) >= MIN_SECRET_CHARS}, key=len)
        self._secrets = tuple(reversed(long_enough))

    def url(self, text: str) -> str:
        """Redact one URL, path or name."""
        return redact_url(text) if self._enabled else text

    def text(self, text: str) -> str:
        """Redact the URLs, authorization values and known secrets within a text."""
        if not self._enabled:
            return text
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        if "://" in text:
            text = _URL_IN_TEXT.sub(lambda match: redact_url(match[0]), text)
        if "?" in text:
            text = _PATH_QUERY_IN_TEXT.sub(
                lambda match: "?" + _mask_values(match[0][1:], bare=False), text
            )
        return _AUTHORIZATION.sub(rf"\1\2\3{MASK}", text)
