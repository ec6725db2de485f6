"""Headers of `perf script` that differ in nothing but time and period, read once for all of them.

Where events are sampled at a frequency, every sample has a period of its own. So a header is known
by what stands around its numbers: what is before the second and what is behind the period.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from collectors.stackfile.perf_header import (
    ADDRESS_WIDTH,
    EVENT,
    LATEST_SECOND,
    PERIOD_WIDTH,
    TIME,
    Header,
    is_no_sample,
    parse_header,
)
from collectors.stackfile.tally import weight

MOST_SECONDS: Final = 100_000

_KIND_BYTES: Final = 700
"""Of a kind, beside its text."""
_PERIOD = re.compile(rb": +(\d{1,15})(?= )")


@dataclass(slots=True, eq=False)
class HeaderKind:
    """What headers of one thread and event share."""

    header: Header
    """Of the first one: its period is not that of the others."""
    is_sample: bool
    """Whether it is a header at all, and no frame, comment or record of another kind."""
    samples: int = 0
    """How many were counted."""


Reading: TypeAlias = tuple[HeaderKind, int, int]
"""The kind of a header, its second, and what one sample of it weighs."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """The newest header that began in a certain way."""

    kind: HeaderKind
    weight: int
    fraction: int
    """Digits of the fraction of its time, and the point in front of them."""
    tail: bytes
    """Everything behind."""
    rest: bytes
    """Everything behind the period; empty where there may be no other period."""


class HeaderKinds:
    """Lines in, kinds out.

    Args:
        remember: Told how many bytes are about to be kept; it may call `clear`.
    """

    def __init__(self, remember: Callable[[int], None]) -> None:
        self._remember = remember
        self._kinds: dict[tuple[bytes, bytes | None], HeaderKind] = {}
        self._periodic: dict[tuple[bytes, bytes], HeaderKind | None] = {}
        self._seen: dict[bytes, _Seen] = {}
        self._seconds: dict[bytes, int] = {}

    def clear(self) -> None:
        """Forget all lines."""
        self._kinds.clear()
        self._periodic.clear()
        self._seen.clear()
        self._seconds.clear()

    def known(self, data: bytes, start: int, end: int) -> Reading | None:
        """Read a header within a text, at little cost where one like it was read before.

        Returns:
            None where it was not, or where its numbers are anything but numbers.
        """
        point = data.rfind(b".", start, end)
        time = data.rfind(b" ", start, point) + 1 if point >= 0 else 0
        if time <= start:
            return None
        seen = self._seen.get(data[start:time])
        second = self._seconds.get(data[time:point])
        if seen is None or second is None:
            return None
        colon = point + seen.fraction
        if not data[point + 1 : colon].isdigit():
            return None
        tail = data[colon:end]
        if tail == seen.tail:
            return seen.kind, second, seen.weight
        if not seen.rest or not tail.endswith(seen.rest) or not tail.startswith(b": "):
            return None
        number = tail[1 : -len(seen.rest)]
        digits = number.lstrip(b" ")
        if not digits.isdigit() or not _is_period(len(number), len(digits), seen.rest):
            return None
        return seen.kind, second, weight(1, int(digits))

    def read(self, line: bytes) -> Reading:
        """Read any line that may be a header."""
        time = TIME.search(line)
        if time is None:
            timeless = self._kind(line, None, line)
            return timeless, 0, weight(1, timeless.header.period or 0)
        before, tail = line[: time.start(1)], line[time.end() - 1 :]
        kind: HeaderKind | None = None
        rest, period = b"", 0
        number = _PERIOD.match(tail)
        if number is not None:
            rest, period = tail[number.end() :], int(number[1])
            if _is_period(number.end() - 1, len(number[1]), rest):
                kind = self._kind_of_any_period(before, rest, line, period)
        if kind is None:
            kind, rest = self._kind(before, tail, line), b""
            period = kind.header.period or 0
        second, point = min(int(time[1]), LATEST_SECOND), time.end(1)
        each = weight(1, period)
        if line.rfind(b".") == point:
            if len(self._seconds) > MOST_SECONDS:
                self._seconds.clear()
            self._seen[before] = _Seen(kind, each, time.end() - 1 - point, tail, rest)
            self._seconds[time[1]] = second
        return kind, second, each

    def _kind(self, before: bytes, tail: bytes | None, line: bytes) -> HeaderKind:
        key = (before, tail)
        kind = self._kinds.get(key)
        if kind is None:
            self._remember(len(line) + _KIND_BYTES)
            kind = self._kinds[key] = HeaderKind(parse_header(line), is_sample=_is_sample(line))
        return kind

    def _kind_of_any_period(
        self, before: bytes, rest: bytes, line: bytes, period: int
    ) -> HeaderKind | None:
        """Return the kind of a header whatever its period is; None where that is not known."""
        key = (before, rest)
        if key not in self._periodic:
            kind = HeaderKind(parse_header(line), is_sample=_is_sample(line))
            header = kind.header
            # The number is a period if the event follows it at once, or nothing else does.
            is_sure = header.period == period and (EVENT.match(rest) or not rest.strip())
            self._remember(len(line) + _KIND_BYTES)
            self._periodic[key] = kind if is_sure else None
        return self._periodic[key]


def _is_sample(line: bytes) -> bool:
    return not line.startswith(b"\t") and not is_no_sample(line)


def _is_period(width: int, digits: int, rest: bytes) -> bool:
    """Tell whether a number behind the time may be a period, and surely no address.

    Args:
        width: Columns of the number and the blanks in front of it.
        digits: Columns of the number.
        rest: What follows the number.
    """
    if not digits < width <= ADDRESS_WIDTH:
        return False
    return not rest.isspace() or width - max(digits, PERIOD_WIDTH) in (0, 1)
