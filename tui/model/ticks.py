"""How often each stack was seen, or each function that stacks lack, by whole seconds of the clock.

A copy shares the counts of seconds with what it is a copy of, until either of both adds to one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from collectors.samples import StackCount
from tui.model.footprint import counts_bytes


class Ticks:
    """What is counted by one kind of ids, for one measure.

    Attributes:
        held_bytes: Estimate of the memory that all take.
    """

    def __init__(self) -> None:
        self.held_bytes = 0
        self._counts: dict[int, dict[int, StackCount]] = {}
        self._sizes: dict[int, int] = {}
        self._shared: set[int] = set()
        """Seconds whose counts another one has, too."""

    def copy(self) -> Ticks:
        """Return the same counts; what is added to either of both is not seen by the other."""
        other = Ticks()
        # Seconds that are over are not changed any more, except by what comes late.
        other._counts = dict(self._counts)
        other._sizes, other.held_bytes = dict(self._sizes), self.held_bytes
        other._shared = set(self._counts)
        self._shared = set(self._counts)
        return other

    def add(self, second: int, counts: Mapping[int, StackCount]) -> None:
        """Add what was seen in a second."""
        if second in self._shared:
            self._shared.discard(second)
            self._counts[second] = dict(self._counts[second])
        tick = self._counts.setdefault(second, {})
        add_counts(tick, counts)
        self._measure(second, tick)

    def sum(self, start: float, end: float) -> Mapping[int, StackCount]:
        """Return the sum of the seconds that begin at `start` or later, before `end`."""
        sums: dict[int, list[int]] = {}
        for second in seconds_within(self._counts, start, end):
            for stack, (samples, period_ns) in self._counts[second].items():
                found = sums.get(stack)
                if found is None:
                    sums[stack] = [samples, period_ns]
                else:  # lists are added to in half the time that counts are made in
                    found[0] += samples
                    found[1] += period_ns
        return {stack: StackCount(*found) for stack, found in sums.items()}

    def within(self, start: float, end: float) -> list[Mapping[int, StackCount]]:
        """Return the counts of each second of `sum`; to read only."""
        return [self._counts[each] for each in seconds_within(self._counts, start, end)]

    def bytes_within(self, start: float, end: float) -> int:
        """Return the estimate for the seconds of `sum`."""
        return sum(self._sizes[each] for each in seconds_within(self._counts, start, end))

    def replace(self, start: float, end: float, counts: dict[int, StackCount]) -> None:
        """Put counts into the first of the seconds of `sum`, and nothing into the others."""
        for second in list(seconds_within(self._counts, start, end)):
            # Another one may go on with it.
            del self._counts[second]
            self._shared.discard(second)
            self.held_bytes -= self._sizes.pop(second)
        if counts:
            second = math.ceil(start)
            self._counts[second] = counts
            self._measure(second, counts)

    def _measure(self, second: int, tick: dict[int, StackCount]) -> None:
        size = counts_bytes(tick)
        self.held_bytes += size - self._sizes.get(second, 0)
        self._sizes[second] = size


def add_counts(sums: dict[int, StackCount], counts: Mapping[int, StackCount]) -> None:
    """Add counts of stacks to sums."""
    for stack, count in counts.items():
        old = sums.get(stack)
        sums[stack] = (
            count
            if old is None
            else StackCount(old.samples + count.samples, old.period_ns + count.period_ns)
        )


def seconds_within(known: Mapping[int, object], start: float, end: float) -> Iterable[int]:
    """Return the known seconds from `start` to before `end`, going through the shorter of both."""
    seconds = range(math.ceil(start), math.ceil(end))
    if len(seconds) < len(known):
        return [second for second in seconds if second in known]
    return [second for second in known if second in seconds]
