"""Adds up what a profiler saw within one second of the clock.

What stays of a stack that is cut says nothing of the functions that went, so these are counted
apart, by function: with them the total of a function is exact whatever became of its stacks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from collectors.perf.interner import Interner
from collectors.samples import StackBatch, StackCount, StackMeasure


class Seen(NamedTuple):
    """The stack of a sample by its id, and what that lacks."""

    stack: int
    left_out: frozenset[int]
    """Frame ids that the sample had and its stack has not; empty for a stack that is whole."""


class Second:
    """What is known of one second of the clock so far.

    Args:
        at: Of what came first.
    """

    def __init__(self, at: float) -> None:
        self.start = at
        self.end = at
        self.lost = 0
        self.rejected: Counter[str] = Counter()
        self._counts: dict[int, list[int]] = {}
        self._cut: dict[int, list[int]] = {}

    def add(self, seen: Seen, samples: int, period_ns: int) -> None:
        """Count a stack, and each function that it lacks once."""
        _add(self._counts, seen.stack, samples, period_ns)
        for frame in seen.left_out:
            _add(self._cut, frame, samples, period_ns)

    def batch(self, interner: Interner, measure: StackMeasure) -> StackBatch:
        """Return all of it, with the names that are new."""
        stacks, frames = interner.take_new()
        return StackBatch(
            start=self.start,
            end=self.end,
            counts={stack: StackCount(*count) for stack, count in self._counts.items()},
            stacks=stacks,
            frames=frames,
            lost=self.lost,
            rejected=dict(self.rejected),
            measure=measure,
            cut=_shared(self._cut),
        )


def _add(counts: dict[int, list[int]], key: int, samples: int, period_ns: int) -> None:
    count = counts.get(key)
    if count is None:
        counts[key] = [samples, period_ns]
    else:
        count[0] += samples
        count[1] += period_ns


def _shared(counts: Mapping[int, list[int]]) -> dict[int, StackCount]:
    """Return counts, equal ones as one object: many functions were left out equally often."""
    known: dict[StackCount, StackCount] = {}
    found = {}
    for frame, numbers in counts.items():
        count = StackCount(*numbers)
        found[frame] = known.setdefault(count, count)
    return found
