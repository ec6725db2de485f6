"""Reads what k6 logs: logfmt when it has no terminal, JSON or raw text when asked for.

Lines are redacted, sanitised, bounded in length and number; the first error is remembered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from collectors.lines import LineSplitter
from collectors.redact import Redactor
from collectors.samples import LogLine
from collectors.text import sanitise

MAX_LINES_PER_SECOND: Final = 200
MAX_TEXT: Final = 4096
MAX_READ: Final = 2 * MAX_TEXT
"""Of a text: enough to fill `MAX_TEXT` with what redaction leaves of it."""

_PAIR = re.compile(r'([A-Za-z_][\w.-]*)=("(?:[^"\\]|\\.)*"|\S*)(?:\s+|$)')
_LEVELS: Final = {
    "trace": "debug",
    "debug": "debug",
    "info": "info",
    "warning": "warning",
    "warn": "warning",
    "error": "error",
    "fatal": "error",
    "panic": "error",
}
_SCRIPTS_OWN: Final = ("console", "stacktrace")
"""Sources of errors that don't end a run: `console.error` and iterations that threw."""


class LogReader:
    """Bytes of k6's stderr in, log lines out.

    Args:
        redactor: Applied to every text.
        max_lines_per_second: Beyond it lines are counted instead of kept.
    """

    def __init__(
        self, redactor: Redactor, max_lines_per_second: int = MAX_LINES_PER_SECOND
    ) -> None:
        self._redactor = redactor
        self._max_lines = max_lines_per_second
        self._splitter = LineSplitter()
        self._second = 0
        self._lines_in_second = 0
        self._over_limit = 0
        self._ending_error: str | None = None
        self._script_error: str | None = None
        self._raw_error: str | None = None

    @property
    def first_error(self) -> str | None:
        """The first error of k6 itself; else of the script; else the first raw line with one."""
        return self._ending_error or self._script_error or self._raw_error

    def take_over_limit(self) -> int:
        """Return how many lines were left out since the last call."""
        count, self._over_limit = self._over_limit, 0
        return count

    def feed(self, chunk: bytes, at: float) -> list[LogLine]:
        """Take a chunk and return the lines it completes."""
        return self._read(self._splitter.feed(chunk), at)

    def close(self, at: float) -> list[LogLine]:
        """Return the last line if it had no line end."""
        return self._read(self._splitter.close(), at)

    def _read(self, lines: list[bytes], at: float) -> list[LogLine]:
        out = []
        for raw in lines:
            if int(at) != self._second:
                self._second, self._lines_in_second = int(at), 0
            is_over = self._lines_in_second >= self._max_lines
            # Over the limit only a line that may hold the first error is worth reading.
            if is_over and (self._ending_error or b"error" not in raw):
                self._over_limit += 1
                continue
            line = self._line(raw, at)
            if line is None:
                continue
            if is_over:
                self._over_limit += 1
            else:
                self._lines_in_second += 1
                out.append(line)
        return out

    def _line(self, raw: bytes, at: float) -> LogLine | None:
        text = raw.decode("utf-8", "backslashreplace").strip()
        if not text:
            return None
        fields = parse_fields(text)
        level = _LEVELS.get(fields.get("level", ""), "")
        shown = self._clean(_message(fields) if fields else text)
        if level == "error":
            if fields.get("source") in _SCRIPTS_OWN:
                if fields.get("source") != "console":
                    self._script_error = self._script_error or shown
            else:
                self._ending_error = self._ending_error or shown
        elif not fields and "error" in text.lower():
            self._raw_error = self._raw_error or shown
        return LogLine(at, "k6", level, shown)

    def _clean(self, text: str) -> str:
        text = text.strip()
        if len(text) > MAX_READ:
            # No half of a word: it may be a half of a secret.
            text = text[:MAX_READ].rpartition(" ")[0] or text[:MAX_TEXT]
        return sanitise(self._redactor.text(" ".join(_joined(text.splitlines()))), MAX_TEXT)


def _joined(lines: Sequence[str]) -> list[str]:
    """Return lines, of which those of a stack stand without what is blank in front of them."""
    found: list[str] = []
    for line in lines:
        shown = line.lstrip()
        if shown.startswith("at") and shown[2:3].isspace():
            while found and not found[-1].strip():
                found.pop()
            if found:
                found[-1] = found[-1].rstrip()
            found.append(shown)
        else:
            found.append(line)
    return found


def parse_fields(line: str) -> dict[str, str]:
    """Return the fields of a logfmt or JSON line, or nothing if it is neither."""
    if line.startswith("{"):
        try:
            document = msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
            return {}
        if not isinstance(document, dict) or "msg" not in document:
            return {}
        return {
            key: value if isinstance(value, str) else str(value) for key, value in document.items()
        }
    if not line.startswith(("time=", "level=")):
        return {}
    fields: dict[str, str] = {}
    position = 0
    while (match := _PAIR.match(line, position)) is not None:
        fields.setdefault(match[1], _unquote(match[2]))
        position = match.end()
        if position == len(line):
            break
    return fields if "level" in fields else {}


def _unquote(value: str) -> str:
    if not value.startswith('"'):
        return value
    try:
        text = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return value.strip('"')  # Go quotes a few characters in ways that JSON doesn't know
    return text if isinstance(text, str) else value


def _message(fields: Mapping[str, str]) -> str:
    text = fields.get("msg", "").strip()
    if error := fields.get("error", ""):
        text = f"{text}: {error}" if text else error
    if hint := fields.get("hint", ""):
        text = f"{text} ({hint})"
    return text
