"""Reads the lines that `k6 run --out json=FILE` writes: metrics as they are met, and points.

Source: k6's JSON output. `{"type":"Metric","metric":…,"data":{"type":…,"contains":…}}` stands
before the first `{"type":"Point","metric":…,"data":{"time":…,"value":…,"tags":{…}}}` of a metric.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from collectors.k6.resultfile.metric_types import Declared, declared
from collectors.k6.resultfile.points import CUT_OFF, MAX_VALUE, BadPoint, Point
from collectors.k6.resultfile.seconds import SecondReader

MAX_TYPES: Final = 10_000

_BROKEN: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_NOT_FINITE: Final = (b'"value":+Inf', b'"value":-Inf', b'"value":NaN')
"""Go's spelling, which is no JSON."""


class _Data(msgspec.Struct, gc=False):
    time: str = ""
    value: float = 0.0
    # Most points share their tags with others, so these are read once a spelling.
    tags: msgspec.Raw = msgspec.Raw(b"")
    type: str = ""
    contains: str = ""


class _Line(msgspec.Struct, gc=False):
    type: str
    metric: str
    data: _Data


_decode = msgspec.json.Decoder(_Line).decode
_decode_tags = msgspec.json.Decoder(dict[str, str] | None).decode


def is_json_line(line: bytes) -> bool:
    """Tell whether a line is one of k6's."""
    try:
        return _decode(line).type in ("Metric", "Point")
    except _BROKEN:
        return False


def read_json_tags(spelling: str) -> Mapping[str, str]:
    """Read the tags of a point.

    Raises:
        BadPoint: they are no tags.
    """
    try:
        return _decode_tags(spelling) or {} if spelling else {}
    except _BROKEN:
        raise BadPoint("tags_unreadable") from None


class JsonLines:
    """Lines in, points out; what can't be used is counted by reason in `skipped`."""

    def __init__(self, skipped: Counter[str]) -> None:
        self._skipped = skipped
        self._seconds = SecondReader()
        self.types: dict[str, Declared] = {}
        """What the file tells of its metrics."""

    def feed(self, lines: Iterable[bytes]) -> list[Point]:
        """Take whole lines and return their points."""
        points = []
        for line in lines:
            try:
                point = self._take(line)
            except BadPoint as bad:
                self._skipped[bad.reason] += 1
                continue
            if point is not None:
                points.append(point)
        return points

    def close(self, lines: Iterable[bytes]) -> list[Point]:
        """Take the last line if it has no line end; one that is broken was cut off."""
        try:
            return [point for line in lines if (point := self._take(line)) is not None]
        except BadPoint:
            self._skipped[CUT_OFF] += 1
            return []

    def _take(self, line: bytes) -> Point | None:
        try:
            read = _decode(line)
        except _BROKEN as error:
            if not line.strip():
                return None
            raise BadPoint(_why(line, error)) from None
        data = read.data
        if read.type == "Point":
            if not -MAX_VALUE < data.value < MAX_VALUE:
                raise BadPoint("values_not_finite")
            second = self._seconds.read(data.time)
            return read.metric, second, data.value, str(data.tags, "utf-8")
        if read.type != "Metric":
            raise BadPoint("lines_not_of_k6")
        if len(self.types) < MAX_TYPES and (told := declared(data.type, data.contains)):
            self.types.setdefault(read.metric, told)
        return None


def _why(line: bytes, error: Exception) -> str:
    if not line.lstrip().startswith(b"{"):
        return "lines_of_text"
    if any(spelling in line for spelling in _NOT_FINITE):
        return "values_not_finite"
    if isinstance(error, msgspec.ValidationError):
        return "lines_not_of_k6"
    return "lines_of_broken_json"
