"""A histogram that grows value by value, in the very buckets that k6 streams.

Source: the Prometheus native histogram specification; k6 asks for a growth of at most 1.1, which
is schema 3, and leaves the zero bucket as wide as the Prometheus client makes it.
"""

from __future__ import annotations

from bisect import bisect_left
from math import frexp
from typing import Final

from collectors.k6.resultfile.points import BadPoint
from collectors.samples import EMPTY_HISTOGRAM, Histogram

SCHEMA: Final = 3
ZERO_THRESHOLD: Final = 2.0**-128
"""Values up to it are zero."""

_BUCKETS_A_DOUBLING: Final = 1 << SCHEMA
_FRACTIONS: Final = tuple(
    2.0 ** (step / _BUCKETS_A_DOUBLING - 1) for step in range(_BUCKETS_A_DOUBLING)
)
"""Upper bounds of the buckets within a doubling, as fractions of `frexp`: 0.5 up to 1."""


def bucket_of(value: float) -> int:
    """Return the index of the bucket that holds a value above zero."""
    fraction, exponent = frexp(value)
    return bisect_left(_FRACTIONS, fraction) + (exponent - 1) * _BUCKETS_A_DOUBLING


class GrowingHistogram:
    """Values added one by one."""

    __slots__ = ("_buckets", "_sum", "_zero_count")

    def __init__(self) -> None:
        self._buckets: dict[int, int] = {}
        self._zero_count = 0
        self._sum = 0.0

    def add(self, value: float) -> None:
        """Add one value.

        Raises:
            BadPoint: it is negative; k6's stream of such a metric can't be used either.
        """
        if value > ZERO_THRESHOLD:
            bucket = bucket_of(value)
            buckets = self._buckets
            buckets[bucket] = buckets.get(bucket, 0) + 1
        elif value < -ZERO_THRESHOLD:
            raise BadPoint("negative_values")
        else:
            self._zero_count += 1
        self._sum += value

    def build(self) -> Histogram:
        """Return what was added; nothing may be added afterwards, the buckets are not copied."""
        count = self._zero_count + sum(self._buckets.values())
        if not count:
            return EMPTY_HISTOGRAM
        return Histogram(SCHEMA, self._buckets, self._zero_count, count, self._sum)
