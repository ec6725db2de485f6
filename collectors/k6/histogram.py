"""Native histograms: from their wire form, and their arithmetic.

Source: the Prometheus native histogram specification (spans, deltas, schema).
"""

from __future__ import annotations

import math
from typing import Any, Final

from collectors.samples import EMPTY_HISTOGRAM, Histogram

MAX_BUCKETS: Final = 20_000
MAX_INDEX: Final = 1 << 20
MAX_COUNT: Final = 1 << 63
MIN_SCHEMA: Final = -4
MAX_SCHEMA: Final = 8


class BadSeries(Exception):
    """One series of a push can't be used; `reason` is stable and short."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def from_message(message: Any) -> Histogram:
    """Decode a `Histogram` message of remote write.

    Raises:
        BadSeries: it has negative values, float counts, or numbers that contradict each other.
    """
    if message.negative_deltas or message.negative_spans or message.negative_counts:
        raise BadSeries("histogram_negative_values")
    if message.positive_counts or message.count_float or message.zero_count_float:
        raise BadSeries("histogram_float_counts")
    schema = message.schema
    if not MIN_SCHEMA <= schema <= MAX_SCHEMA:
        raise BadSeries("histogram_schema")
    total = message.sum
    if not math.isfinite(total):
        raise BadSeries("value_not_finite")
    zero_count = message.zero_count_int
    count = message.count_int
    buckets = _buckets(message.positive_spans, message.positive_deltas)
    if count >= MAX_COUNT or sum(buckets.values()) + zero_count != count:
        raise BadSeries("histogram_count")
    return Histogram(schema, buckets, zero_count, count, total)


def _buckets(spans: Any, deltas: Any) -> dict[int, int]:
    if len(deltas) > MAX_BUCKETS or len(spans) > MAX_BUCKETS:
        raise BadSeries("histogram_too_large")
    values = list(deltas)
    buckets: dict[int, int] = {}
    index = count = used = 0
    for span in spans:
        index += span.offset
        end = used + span.length
        if end > len(values) or not -MAX_INDEX <= index <= MAX_INDEX:
            raise BadSeries("histogram_spans")
        for delta in values[used:end]:
            count += delta
            if count > 0:
                if index in buckets:  # a later span reaching back
                    raise BadSeries("histogram_spans")
                buckets[index] = count
            elif count < 0:
                raise BadSeries("histogram_count")
            index += 1
        used = end
    if used != len(values):
        raise BadSeries("histogram_spans")
    return buckets


def subtract(newer: Histogram, older: Histogram) -> Histogram:
    """Return what was observed after `older`, both counted since the same start.

    If any number fell, the series began anew and all of `newer` is new.
    """
    if newer.schema != older.schema or newer.zero_count < older.zero_count:
        return newer
    if not older.count:
        return newer
    before = older.buckets
    buckets = {}
    seen = 0
    for index, count in newer.buckets.items():
        earlier = before.get(index)
        if earlier is not None:
            seen += 1
            if count < earlier:
                return newer
            count -= earlier
            if not count:
                continue
        buckets[index] = count
    if seen != len(before):
        return newer
    count = newer.count - older.count
    # A sum of thousands of floats that did not change may differ in its last digits.
    difference = max(0.0, newer.sum - older.sum) if count else 0.0
    return Histogram(newer.schema, buckets, newer.zero_count - older.zero_count, count, difference)


def merge(first: Histogram, second: Histogram) -> Histogram:
    """Return both together, in the coarser of their resolutions."""
    if not first.count:
        return second
    if not second.count:
        return first
    total = HistogramSum()
    total.add(first)
    total.add(second)
    return total.build()


class HistogramSum:
    """Many histograms added up in place."""

    __slots__ = ("_buckets", "_count", "_schema", "_sum", "_zero_count")

    def __init__(self) -> None:
        self._schema: int | None = None
        self._buckets: dict[int, int] = {}
        self._zero_count = 0
        self._count = 0
        self._sum = 0.0

    def add(self, histogram: Histogram) -> None:
        """Add one; its schema may differ, the coarser one stays."""
        if not histogram.count:
            return
        if self._schema is None:
            self._schema = histogram.schema
        elif histogram.schema < self._schema:
            self._buckets = _coarser(self._buckets, self._schema - histogram.schema)
            self._schema = histogram.schema
        source = histogram.buckets
        if histogram.schema > self._schema:
            source = _coarser(dict(source), histogram.schema - self._schema)
        buckets = self._buckets
        for index, count in source.items():
            buckets[index] = buckets.get(index, 0) + count
        self._zero_count += histogram.zero_count
        self._count += histogram.count
        self._sum += histogram.sum

    def build(self) -> Histogram:
        """Return the sum so far."""
        if self._schema is None:
            return EMPTY_HISTOGRAM
        return Histogram(
            self._schema, dict(self._buckets), self._zero_count, self._count, self._sum
        )


def _coarser(buckets: dict[int, int], steps: int) -> dict[int, int]:
    out: dict[int, int] = {}
    for index, count in buckets.items():
        merged = -(-index >> steps)  # rounded up: buckets close at their upper bound
        out[merged] = out.get(merged, 0) + count
    return out
