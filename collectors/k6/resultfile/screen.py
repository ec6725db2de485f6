"""Cuts the bytes of a result file into lines, and keeps back what can be no line of k6's."""

from __future__ import annotations

import codecs
from collections import Counter
from typing import Final

from collectors.lines import LineSplitter

MAX_LINE_BYTES: Final = 1 << 20


class LineScreen:
    """Bytes in, lines of UTF-8 out; the others are counted by reason in `skipped`."""

    def __init__(self, skipped: Counter[str]) -> None:
        # One byte more, so that a line of just the limit is told from one that was cut.
        self._splitter = LineSplitter(MAX_LINE_BYTES + 1)
        self._skipped = skipped
        self._is_begin = True

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take a chunk and return the lines it completes, without their line ends."""
        return self._good(self._splitter.feed(chunk))

    def close(self) -> list[bytes]:
        """Return the last line if it had no line end: it may be cut off."""
        return self._good(self._splitter.close())

    def _good(self, lines: list[bytes]) -> list[bytes]:
        if self._is_begin and lines:
            self._is_begin = False
            lines[0] = lines[0].removeprefix(codecs.BOM_UTF8)
        return [line for line in lines if self._is_good(line)]

    def _is_good(self, line: bytes) -> bool:
        if len(line) > MAX_LINE_BYTES:
            self._skipped["lines_too_long"] += 1
        elif b"\0" in line:
            self._skipped["lines_with_zero_bytes"] += 1
        elif line.isascii() or _is_utf8(line):
            return True
        else:
            self._skipped["lines_not_utf8"] += 1
        return False


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
