"""Samples in order of the ends of their intervals, each with an estimate of the memory it takes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar


class Ending(Protocol):
    """Anything that covers the time before `at`."""

    @property
    def at(self) -> float:
        """End of the interval."""


T = TypeVar("T", bound=Ending)


class Intervals(Generic[T]):
    """Samples by the ends of their intervals.

    Attributes:
        samples: To read only.
        held_bytes: Estimate of the memory that all take.

    Args:
        size: Estimates the bytes of one.
    """

    def __init__(self, size: Callable[[T], int]) -> None:
        self.samples: list[T] = []
        self.held_bytes = 0
        self._size = size
        self._ends: list[float] = []
        self._sizes: list[int] = []

    def copy(self) -> Intervals[T]:
        """Return the same samples in lists of their own."""
        other = Intervals(self._size)
        other.samples, other.held_bytes = list(self.samples), self.held_bytes
        other._ends, other._sizes = list(self._ends), list(self._sizes)
        return other

    def append(self, sample: T) -> None:
        """Take the newest."""
        size = self._size(sample)
        self.samples.append(sample)
        self._ends.append(sample.at)
        self._sizes.append(size)
        self.held_bytes += size

    def span(self, start: float, end: float) -> tuple[int, int]:
        """Return the places of those that end after `start` and not after `end`."""
        return bisect_right(self._ends, start), bisect_right(self._ends, end)

    def within(self, start: float, end: float) -> Sequence[T]:
        """Return those that end after `start` and not after `end`."""
        first, last = self.span(start, end)
        return self.samples[first:last]

    def bytes_within(self, start: float, end: float) -> int:
        """Return the estimate for those of `within`."""
        first, last = self.span(start, end)
        return sum(self._sizes[first:last])

    def replace(self, first: int, last: int, samples: Sequence[T]) -> None:
        """Put others in the places from `first` to before `last`."""
        sizes = [self._size(sample) for sample in samples]
        self.held_bytes += sum(sizes) - sum(self._sizes[first:last])
        self.samples[first:last] = samples
        self._ends[first:last] = [sample.at for sample in samples]
        self._sizes[first:last] = sizes
