"""Values over time for the trends: one per bucket of the clock, None where nothing was measured.

Samples cover intervals that do not match the buckets. A rate in a bucket is the mean of the rates
of the intervals that touch it, weighed by how much they overlap; a percentile comes from the merged
histograms of those that fill most of it. Buckets lie at whole multiples of their width on the
clock, so that a picture moves by whole columns and its past never changes shape.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeVar

from tui.model.timeline import TimeRange

Series: TypeAlias = tuple[float | None, ...]


class Interval(Protocol):
    """Anything that covers the `interval_s` before `at`."""

    @property
    def at(self) -> float:
        """End of the interval."""

    @property
    def interval_s(self) -> float:
        """Length of the interval."""


AnInterval = TypeVar("AnInterval", bound=Interval)


@dataclass(frozen=True, slots=True)
class Buckets:
    """Equal buckets of the clock, the last one holding the end of a range."""

    first: int
    """Number of the first bucket: it begins at `first * width_s`."""
    count: int
    width_s: float

    @classmethod
    def ending_at(cls, end: float, count: int, width_s: float) -> Buckets:
        """Return `count` buckets of which the last one contains `end`."""
        last = math.ceil(end / width_s) - 1
        return cls(last - count + 1, count, width_s)

    @property
    def range(self) -> TimeRange:
        """What the buckets cover together."""
        start = self.first * self.width_s
        return TimeRange(start, start + self.count * self.width_s)

    def column(self, at: float) -> int | None:
        """Return the bucket's position that holds a moment, None outside."""
        position = math.ceil(at / self.width_s) - 1 - self.first
        return position if 0 <= position < self.count else None


def rates(
    samples: Iterable[AnInterval], buckets: Buckets, value: Callable[[AnInterval], float | None]
) -> Series:
    """Spread a value per interval over the buckets, weighed by overlap.

    Args:
        samples: In any order; overlapping ones (of several processes) are averaged.
        buckets: Where to.
        value: A rate or level that held over the sample's interval; None leaves it out.
    """
    sums = [0.0] * buckets.count
    weights = [0.0] * buckets.count
    for sample in samples:
        amount = value(sample)
        if amount is None:
            continue
        for column, overlap_s in _overlaps(sample, buckets):
            sums[column] += amount * overlap_s
            weights[column] += overlap_s
    return tuple(
        total / weight if weight else None for total, weight in zip(sums, weights, strict=True)
    )


def grouped(samples: Iterable[AnInterval], buckets: Buckets) -> list[Sequence[AnInterval]]:
    """Return for each bucket the samples it shows: those ending in it, else the one covering it."""
    ending: list[list[AnInterval]] = [[] for _ in range(buckets.count)]
    covering: list[list[AnInterval]] = [[] for _ in range(buckets.count)]
    for sample in samples:
        column = buckets.column(sample.at)
        if column is not None:
            ending[column].append(sample)
        for touched, overlap_s in _overlaps(sample, buckets):
            if overlap_s >= buckets.width_s / 2 or sample.interval_s <= buckets.width_s:
                covering[touched] = [sample]
    return [own or around for own, around in zip(ending, covering, strict=True)]


def newest(series: Series, within: int = 3) -> float | None:
    """Return the newest value of the last few buckets: the very last may not be filled yet."""
    return next((value for value in reversed(series[-within:]) if value is not None), None)


def _overlaps(sample: Interval, buckets: Buckets) -> Iterable[tuple[int, float]]:
    width = buckets.width_s
    start, end = sample.at - sample.interval_s, sample.at
    first = max(buckets.first, math.floor(start / width))
    last = min(buckets.first + buckets.count - 1, math.ceil(end / width) - 1)
    for bucket in range(first, last + 1):
        overlap_s = min(end, (bucket + 1) * width) - max(start, bucket * width)
        # Touching a neighbour by a rounding error is not covering it.
        if overlap_s > width * 1e-3:
            yield bucket - buckets.first, overlap_s
