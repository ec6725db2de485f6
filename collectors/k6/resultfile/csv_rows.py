"""Reads the rows that `k6 run --out csv=FILE` writes.

Source: k6's CSV output, RFC 4180. The columns are `metric_name`, `timestamp`, `metric_value`, one
for each system tag that is on, `extra_tags` (`name=value&…`, nothing in it escaped) and, since
k6 0.41, `metadata`. A value in quotes may hold line ends. Types of metrics are not written.
"""

from __future__ import annotations

import csv
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from collectors.k6.resultfile.points import CUT_OFF, MAX_VALUE, BadPoint, Point
from collectors.k6.resultfile.screen import MAX_LINE_BYTES
from collectors.k6.resultfile.seconds import SecondReader

HEADER: Final = b"metric_name,timestamp,metric_value"
MAX_COLUMNS: Final = 100

_LEADING: Final = HEADER.count(b",") + 1
_EXTRA: Final = "extra_tags"
_NO_TAGS: Final = frozenset(("metadata", ""))


def is_csv_header(line: bytes) -> bool:
    """Tell whether a line names k6's columns."""
    return line.startswith(HEADER) and line[len(HEADER) :][:1] in (b"", b",")


class CsvRows:
    """Lines in, points out; what can't be used is counted by reason in `skipped`."""

    def __init__(self, skipped: Counter[str]) -> None:
        self._skipped = skipped
        self._seconds = SecondReader()
        self._tags: list[str] | None = None
        self._open: list[bytes] = []  # lines of a row whose quotes are not closed yet
        self._open_bytes = 0

    def feed(self, lines: Iterable[bytes]) -> list[Point]:
        """Take whole lines and return the points of the rows they complete."""
        points = []
        for row in self._rows(deque(lines)):
            try:
                point = self._take(row.decode())
            except BadPoint as bad:
                self._skipped[bad.reason] += 1
                continue
            if point is not None:
                points.append(point)
        return points

    def close(self, lines: Iterable[bytes]) -> list[Point]:
        """Take the last line if it has no line end; one that lacks columns was cut off."""
        points = []
        for line in lines:
            if self._open or line.count(b'"') & 1:
                points += self.feed([line])
                continue
            try:
                if (point := self._take(line.decode())) is not None:
                    self.read_tags(point[3])
                    points.append(point)
            except BadPoint:
                self._skipped[CUT_OFF] += 1
        while self._open:
            points += self.feed(self._give_up())
        return points

    def read_tags(self, spelling: str) -> Mapping[str, str]:
        """Read what stands behind the value of a row.

        Raises:
            BadPoint: it has not the columns of the header.
        """
        names = self._tags or []
        try:
            (values,) = csv.reader([spelling], strict=True)
        except (csv.Error, ValueError):
            raise BadPoint("rows_of_other_columns") from None
        if len(values) != len(names):
            raise BadPoint("rows_of_other_columns")
        tags = dict(zip(names, values, strict=True))
        extra = _extra_tags(tags.pop(_EXTRA, ""))
        return {**extra, **{name: tags[name] for name in tags if name not in _NO_TAGS}}

    def _rows(self, lines: deque[bytes]) -> Iterator[bytes]:
        """Yield rows, those with line ends in quotes put together again."""
        while lines:
            line = lines.popleft()
            has_odd_quotes = line.count(b'"') & 1
            if not self._open:
                if not has_odd_quotes:
                    yield line
                    continue
                self._open, self._open_bytes = [line], len(line)
                continue
            self._open.append(line)
            self._open_bytes += len(line) + 1
            if self._is_row(line):
                pass
            elif has_odd_quotes:
                row = b"\n".join(self._open)
                if self._fits(row):
                    self._open = []
                    yield row
                    continue
            elif self._open_bytes <= MAX_LINE_BYTES:
                continue
            # The quote was none, or its end is missing: the lines after it are not in it.
            lines.extendleft(reversed(self._give_up()))

    def _give_up(self) -> list[bytes]:
        """Drop the line that opened a quote; return those after it."""
        self._skipped["lines_with_open_quotes"] += 1
        lines, self._open = self._open[1:], []
        return lines

    def _fits(self, row: bytes) -> bool:
        try:
            self.read_tags(_split(row.decode())[3])
        except BadPoint:
            return False
        return True

    def _is_row(self, line: bytes) -> bool:
        try:
            return self._tags is not None and self._take(line.decode()) is not None
        except BadPoint:
            return False

    def _take(self, row: str) -> Point | None:
        if self._tags is None:
            self._begin(row)
            return None
        try:
            metric, time, number, tags = row.split(",", _LEADING)
            second = self._seconds.read(time)
            value = float(number)
        except ValueError:
            if not row.strip():
                return None
            raise BadPoint("lines_of_text") from None
        if not -MAX_VALUE < value < MAX_VALUE:
            raise BadPoint("values_not_finite")
        return metric, second, value, tags

    def _begin(self, row: str) -> None:
        if is_csv_header(row.encode()) and row.count(",") < MAX_COLUMNS:
            self._tags = row.split(",")[_LEADING:]
        elif row.strip():
            raise BadPoint("lines_of_text")


def _split(row: str) -> list[str]:
    parts = row.split(",", _LEADING)
    if len(parts) <= _LEADING:
        raise BadPoint("lines_of_text")
    return parts


def _extra_tags(text: str) -> dict[str, str]:
    """Read `name=value&…`; what has no name of its own goes on with the value before."""
    tags: dict[str, str] = {}
    last = ""
    for part in text.split("&") if text else ():
        name, equals, value = part.partition("=")
        if equals and name:
            last = name
            tags[name] = value
        elif last:
            tags[last] += f"&{part}"
    return tags
