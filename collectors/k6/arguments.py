"""Reads the options that the user passes on to `k6 run`, without changing their meaning.

Source: `k6 run --help` of 1.1 and 2.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

VALUE_OPTIONS: Final = frozenset(
    {
        "address", "batch", "batch-per-host", "blacklist-ip", "block-hostnames",
        "compatibility-mode", "config", "console-output", "dns", "duration", "env",
        "execution-segment", "execution-segment-sequence", "features", "iterations",
        "local-ips", "log-format", "log-output", "max-redirects", "min-iteration-duration",
        "out", "rps", "secret-source", "stage", "summary-export", "summary-mode",
        "summary-time-unit", "summary-trend-stats", "system-tags", "tag", "traces-output",
        "type", "user-agent", "vus",
    }
)  # fmt: skip
"""Options of `k6 run` that need a value."""

SHORT_OPTIONS: Final = {
    "a": "address", "c": "config", "d": "duration", "e": "env", "h": "help", "i": "iterations",
    "l": "linger", "o": "out", "p": "paused", "q": "quiet", "s": "stage", "t": "type",
    "u": "vus", "v": "verbose", "w": "throw",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class K6Option:
    """One option as the user wrote it."""

    name: str
    """Long name without dashes; empty for an argument that is no option."""
    value: str | None
    words: tuple[str, ...]
    """The words of the command line it came from; none for a flag that shares another's word."""


def read_options(arguments: Sequence[str]) -> list[K6Option]:
    """Split arguments into options, the way k6's own parser (pflag) does."""
    return list(_options(list(arguments)))


def _options(words: list[str]) -> Iterator[K6Option]:
    position = 0
    while position < len(words):
        word = words[position]
        following = words[position + 1] if position + 1 < len(words) else None
        name, value = _split(word)
        used = 1
        if value is None and name in VALUE_OPTIONS and following is not None:
            value = following
            used = 2
        yield K6Option(name, value, tuple(words[position : position + used]))
        yield from (K6Option(other, None, ()) for other in _joined(word) if other != name)
        position += used


def _joined(word: str) -> Iterator[str]:
    """Return the flags that share a word like `-qp`, up to the first option with a value."""
    if word.startswith("--") or not word.startswith("-"):
        return
    for letter in word[1:]:
        name = SHORT_OPTIONS.get(letter, letter)
        if name in VALUE_OPTIONS:
            return
        yield name


def _split(word: str) -> tuple[str, str | None]:
    """Return the long name of an option, and the value if it is in the same word."""
    if word.startswith("--"):
        name, equals, value = word[2:].partition("=")
        return name, value if equals else None
    if len(word) < 2 or word[0] != "-":
        return "", None
    # Short options may be joined: `-qo csv` and `-ocsv` both name an output.
    for index, letter in enumerate(word[1:], 2):
        name = SHORT_OPTIONS.get(letter, letter)
        if name in VALUE_OPTIONS:
            value = word[index:].removeprefix("=")
            return name, value or None
    return SHORT_OPTIONS.get(word[1], word[1:]), None


def values_of(options: Sequence[K6Option], name: str) -> list[str]:
    """Return all values given to one option, in order."""
    return [option.value for option in options if option.name == name and option.value is not None]
