"""Keeps a history within a budget of memory: near it, the oldest becomes coarser, never wrong.

What lies within a step of ten seconds becomes one sample, later what lies within a minute, and so
on: deltas and counts are summed, so nothing of them is lost. Each length of steps may take as much
memory as the others, which keeps recent history in detail and old history short. A step is merged
a little at a time, between samples and with each that comes, and put in place at once: nobody ever
waits for all of it, or sees half of it.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import Final

from collectors.samples import HostSample, LoadSample, StackCount
from tui.model.history import History
from tui.model.hostmerge import merged_hosts
from tui.model.loadmerge import merging_loads
from tui.model.steps import STEPS_S
from tui.model.ticks import Ticks, add_counts, seconds_within

HISTORY_BYTES: Final = 128 << 20
"""The budget of a run that is watched."""
BEGIN_RATIO: Final = 0.75
"""Share of the budget from which on steps are merged: what comes meanwhile needs room, too."""
SETTLE_S: Final = 3.0
"""What is newer than that may still be added to."""
PARTS_A_SAMPLE: Final = 1_000
"""Endpoints, or stacks, that are merged when a sample comes: about a millisecond."""
PARTS_AN_ENDPOINT: Final = 2.5
"""And so many are owed for each endpoint of that sample, which is faster than they come."""
OWED_RATIO: Final = 0.5
"""So much of what is still owed is merged when the next sample comes, whoever waits for it."""
_CHOICE_PARTS: Final = 200
"""What it takes to choose what to merge, as if it were parts."""
_AT_A_TIME: Final = 256

_Parts = Generator[int, None, None]
"""Work that tells how many parts it has merged since it told last."""


@dataclass(slots=True)
class _Merge:
    """A step that is being merged; the history is as before until all is done."""

    level: int
    edges: list[float]
    loads: list[LoadSample] = field(default_factory=list)
    hosts: list[HostSample] = field(default_factory=list)
    ticks: list[list[dict[int, StackCount]]] = field(default_factory=list)
    """As in `History.all_ticks`, each by edge."""

    def work(self, history: History) -> _Parts:
        """Merge everything between the first and the last edge."""
        begin, end = self.edges[0], self.edges[-1]
        loads = history.loads.span(begin, end)
        hosts = history.hosts.span(begin, end)
        old = history.loads.samples[slice(*loads)]
        yield from self._merge_loads(history, old)
        yield from self._merge_hosts(history.hosts.samples[slice(*hosts)])
        for ticks in history.all_ticks:
            self.ticks.append((yield from self._merged_ticks(ticks)))
        history.loads.replace(*loads, self.loads)
        history.hosts.replace(*hosts, self.hosts)
        for left, right in pairwise(self.edges):
            _merge_lost(history, left, right)
        for ticks, merged in zip(history.all_ticks, self.ticks, strict=True):
            for (left, right), counts in zip(pairwise(self.edges), merged, strict=True):
                ticks.replace(left, right, counts)
        history.steps.merge(self.level, self.edges)
        while old:
            # To let go of all at once would take as long as to merge them.
            yield len(old.pop().endpoints) // 2

    def _merge_loads(self, history: History, samples: Sequence[LoadSample]) -> _Parts:
        # One k6 is told from the next one, and what is warming up from what is not.
        def together(sample: LoadSample) -> tuple[int, int, str]:
            begun_at = sample.at - sample.interval_s
            return self._place(sample.at), history.steps.side(begun_at), sample.instance

        for _, group in groupby(samples, together):
            self.loads.append((yield from merging_loads(list(group))))

    def _merge_hosts(self, samples: Sequence[HostSample]) -> _Parts:
        for _, group in groupby(samples, lambda sample: self._place(sample.at)):
            some = list(group)
            self.hosts += merged_hosts(some)
            yield len(some) * 20

    def _merged_ticks(self, ticks: Ticks) -> Generator[int, None, list[dict[int, StackCount]]]:
        merged = []
        for left, right in pairwise(self.edges):
            sums: dict[int, StackCount] = {}
            for counts in ticks.within(left, right):
                pairs = list(counts.items())
                for first in range(0, len(pairs), _AT_A_TIME):
                    add_counts(sums, dict(pairs[first : first + _AT_A_TIME]))
                    yield _AT_A_TIME
            merged.append(sums)
        return merged

    def _place(self, at: float) -> int:
        return bisect_left(self.edges, at)


def _merge_lost(history: History, left: float, right: float) -> None:
    seconds = list(seconds_within(history.lost, left, right))
    if seconds:
        history.lost[math.ceil(left)] = sum(history.lost.pop(second) for second in seconds)


class Thinner:
    """Merges steps of a history while that is near its budget.

    Args:
        budget_bytes: How much the history may take, by its own estimate.
    """

    def __init__(self, budget_bytes: int) -> None:
        self.budget_bytes = budget_bytes
        self._owed = 0.0
        """Parts that should be merged for the endpoints that came."""
        self._merge: _Merge | None = None
        self._work: _Parts | None = None

    def disturb(self, at: float) -> None:
        """Begin anew with a step that is being merged, where something comes late to its time."""
        if self._merge is not None and self._merge.edges[0] <= at < self._merge.edges[-1]:
            self.forget()

    def forget(self) -> None:
        """Begin anew: it is another history."""
        self._merge = self._work = None

    def add(self, history: History, newest: float, endpoints: int = 0) -> None:
        """Take notice of a sample that came, and merge a little.

        Args:
            history: Always the same one, unless it was told to `forget`.
            newest: When the newest of it was.
            endpoints: How many of them the sample has.
        """
        now = self._owed * OWED_RATIO
        self._owed += PARTS_AN_ENDPOINT * endpoints - now
        self._thin(history, newest, PARTS_A_SAMPLE + now)

    def thin(self, history: History, newest: float) -> bool:
        """Merge a little without a sample; tell whether there is more to merge."""
        self._owed = max(0.0, self._owed - PARTS_A_SAMPLE)
        self._thin(history, newest, PARTS_A_SAMPLE)
        return self._work is not None or self._owed > 0

    def _thin(self, history: History, newest: float, left: float) -> None:
        while left > 0:
            if self._work is None and not self._begin(history, newest - SETTLE_S):
                self._owed = 0.0
                return
            left -= self._go_on()

    def _begin(self, history: History, until: float) -> bool:
        """Choose what to merge; tell whether there is anything that has to be."""
        if history.held_bytes > BEGIN_RATIO * self.budget_bytes:
            self._merge = _next_merge(history, until)
            self._work = self._merge.work(history) if self._merge is not None else None
        return self._work is not None

    def _go_on(self) -> int:
        """Merge some parts; return how many."""
        done = next(self._work, None) if self._work is not None else None
        if done is None:
            self.forget()
        return _CHOICE_PARTS if done is None else done


def _next_merge(history: History, until: float) -> _Merge | None:
    """Return the oldest step of the length that takes most; None where none is over."""
    steps = history.steps
    found: tuple[int, int, tuple[float, float]] | None = None
    after = math.inf
    for level in range(len(STEPS_S)):
        span = steps.next(level, until)
        if span is not None:
            ending = after if math.isfinite(after) else until + SETTLE_S
            held = history.bytes_within(steps.reached[level], ending)
            if found is None or held > found[0]:
                found = held, level, span
        after = steps.reached[level]
    return _Merge(found[1], steps.edges(*found[2])) if found is not None else None
