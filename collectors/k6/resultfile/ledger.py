"""Adds up the points of a file by the seconds of its own clock, in whatever order they come.

k6 writes in batches, and a request counts where it ended; so every second stays open until the
end of the file. Memory is bounded: beyond the limits detail is shed and counted, requests and
their latency stay exact.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from collectors.k6.resultfile.meters import Meter, UntypedMeter, meter_of
from collectors.k6.resultfile.metric_types import Declared
from collectors.k6.resultfile.names import MAX_ENDPOINTS, Names, ReadTags
from collectors.k6.resultfile.points import BadPoint, Point
from collectors.k6.resultfile.sums import MAX_CELLS, Room, SecondSums
from collectors.k6.series import CustomKey
from collectors.redact import Redactor

MAX_SECONDS: Final = 3 * 24 * 3600
"""Longest run that is read."""


class Ledger:
    """Points in; sums by second out.

    Args:
        read_tags: Reads the tags as the file spells them.
        types: Types of metrics as the file tells them; it may grow while points come.
        skipped: Counts what can't be used, by reason.
        redactor: Applied to names before they are kept.
        max_endpoints: Further ones are one, called `(other)`, for each kind.
        max_cells: Details of all seconds together.
    """

    def __init__(
        self,
        read_tags: ReadTags,
        types: Mapping[str, Declared],
        skipped: Counter[str],
        redactor: Redactor,
        *,
        max_endpoints: int = MAX_ENDPOINTS,
        max_cells: int = MAX_CELLS,
    ) -> None:
        self._types = types
        self._skipped = skipped
        self._room = Room(max_cells)
        self._meters: dict[str, Meter] = {}
        self.names = Names(read_tags, redactor, max_endpoints)
        """What the numbers in the sums stand for."""
        self.seconds: dict[int, SecondSums] = {}
        """Sums by second of Unix time."""

    def add(self, points: Iterable[Point]) -> None:
        """Add points, each to its second."""
        meters, seconds = self._meters, self.seconds
        for metric, second, value, tags in points:
            try:
                meter = meters.get(metric) or self._meter(metric)
                sums = seconds.get(second) or self._second(second)
                meter.take(sums, value, tags)
                sums.points += 1
            except BadPoint as bad:
                self._skipped[bad.reason] += 1

    def _meter(self, metric: str) -> Meter:
        meter = meter_of(metric, self._types.get(metric), self.names, self._room)
        self._meters[metric] = meter
        return meter

    def _second(self, second: int) -> SecondSums:
        if len(self.seconds) >= MAX_SECONDS:
            raise BadPoint("seconds_over_limit")
        sums = self.seconds[second] = SecondSums()
        return sums

    def customs(self) -> list[CustomKey]:
        """Return the custom metrics by their number, those of unknown type as they seem to be."""
        keys = list(self.names.customs.keys)
        for metric, meter in self._untyped():
            told = self._types.get(metric)
            kind = told.type if told is not None else meter.seen.guess()
            keys[meter.number] = self.names.custom_key(metric, Declared(kind))
        return keys

    def guessed(self) -> list[CustomKey]:
        """Return those whose type is a guess."""
        keys = self.customs()
        return [keys[m.number] for metric, m in self._untyped() if metric not in self._types]

    def _untyped(self) -> list[tuple[str, UntypedMeter]]:
        return [(name, m) for name, m in self._meters.items() if isinstance(m, UntypedMeter)]
