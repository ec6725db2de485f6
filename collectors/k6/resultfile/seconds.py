"""Which second of Unix time a point belongs to, told from the text of its time.

Source: k6's JSON output writes RFC 3339 with nanoseconds; its CSV output, by `timeFormat`, whole
seconds (`unix`), nanoseconds (`unix_nano`) or RFC 3339 in whole seconds (`rfc3339`).
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from collectors.k6.resultfile.points import BadPoint

MAX_KNOWN: Final = 10_000

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_UNTIL_FRACTION: Final = len("2026-11-24T11:56:01")
_PARTS_A_SECOND: Final = ((11, 1), (14, 1_000), (17, 1_000_000), (20, 1_000_000_000))
"""Digits at most → parts of a second: a number of seconds has ten digits until 2286."""


class SecondReader:
    """Reads texts of times; neighbours share a second, so each is parsed once."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def read(self, text: str) -> int:
        """Return the second of Unix time in which a time lies.

        Raises:
            BadPoint: it is no time after 1970.
        """
        if text[-1:] == "Z":
            second = self._known.get(text[:_UNTIL_FRACTION])
            if second is not None:
                return second
        elif text.isdecimal() and text.isascii():
            return _second_of_number(text)
        return self._parse(text)

    def _parse(self, text: str) -> int:
        match = _TIME.fullmatch(text)
        if match is None:
            raise BadPoint("time_unreadable")
        try:
            second = int(datetime.fromisoformat(match[1] + match[2]).timestamp())
        except (ValueError, OverflowError):
            raise BadPoint("time_unreadable") from None
        if second <= 0:
            raise BadPoint("time_unreadable")
        if match[2] == "Z":
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[match[1]] = second
        return second


def _second_of_number(text: str) -> int:
    for digits, parts in _PARTS_A_SECOND:
        if len(text) <= digits:
            second = int(text) // parts
            if second:
                return second
            break
    raise BadPoint("time_unreadable")
