"""What arrived in a run, in order, and its timeline as it was at any moment of it.

A second timeline runs ahead with what is read, and a copy of it is kept every minute: to be at any
moment takes the copy before it and less than a minute of samples, whichever way one goes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Final

from collectors.recording.codec import Arrival
from collectors.samples import Baseline, LoadSample, Sample, SourceStatus
from tui.model.timeline import Timeline

CHECKPOINT_S: Final = 60.0
"""Recorded time between two copies of the timeline."""
NEAR: Final = 400
"""So many samples are rather taken one by one than by a copy."""


class Reel:
    """Arrivals, and a timeline that is brought to any moment of them.

    Args:
        origin: When the session began, on its clock.

    Attributes:
        timeline: What had arrived at the moment, and what whoever watches has added.
        zero: When the first load began, as far as is known; None without one.
    """

    def __init__(self, origin: float) -> None:
        self.timeline = Timeline(origin)
        self.zero: float | None = None
        self._arrivals: list[Arrival] = []
        self._moments: list[float] = []
        self._fed = 0
        """Of the arrivals on the timeline."""
        self._own: list[Sample] = []
        self._ahead = Timeline(origin)
        # What was looked up once stays valid: all copies mean the same by an id.
        self._ahead.stacks = self.timeline.stacks
        self._copies = [self._ahead.copy()]
        self._counts = [0]
        """Of the arrivals in each copy."""
        self._copied_at = origin

    @property
    def begin(self) -> float | None:
        """When the first of all arrived; None without any."""
        return self._moments[0] if self._moments else None

    @property
    def end(self) -> float | None:
        """When the newest of all arrived; None without any."""
        return self._moments[-1] if self._moments else None

    def add(self, arrivals: Iterable[Arrival]) -> None:
        """Take what arrived next; the timeline is not moved by it."""
        for arrival in arrivals:
            sample = arrival.sample
            # Times that go back are no order: such a sample comes with the one before it.
            at = max(arrival.at, self._moments[-1]) if self._moments else arrival.at
            if at - self._copied_at >= CHECKPOINT_S:
                self._copied_at = at
                self._copies.append(self._ahead.copy())
                self._counts.append(len(self._arrivals))
            self._arrivals.append(arrival)
            self._moments.append(at)
            self._ahead.append(sample)
            if self.zero is None and isinstance(sample, LoadSample):
                self.zero = sample.at - sample.interval_s

    def keep(self, sample: Sample) -> None:
        """Take something of whoever watches: it is on the timeline wherever that goes."""
        if isinstance(sample, SourceStatus):
            self._own = [
                each
                for each in self._own
                if not (isinstance(each, SourceStatus) and each.source == sample.source)
            ]
        self._own.append(sample)
        self.timeline.append(sample)

    def go_to(self, position: float) -> None:
        """Have on the timeline what had arrived at a moment, and no more."""
        count = bisect_right(self._moments, position)
        place = bisect_right(self._counts, count) - 1
        if count < self._fed or self._counts[place] > self._fed + NEAR:
            self._fed = self._counts[place]
            self.timeline.become(self._copies[place])
            for sample in self._own:
                self.timeline.append(sample)
        has_baseline = False
        for arrival in self._arrivals[self._fed : count]:
            self.timeline.append(arrival.sample)
            has_baseline = has_baseline or isinstance(arrival.sample, Baseline)
        self._fed = count
        if has_baseline:
            # Of two with one name, that of whoever watches counts.
            for sample in self._own:
                if isinstance(sample, Baseline):
                    self.timeline.append(sample)
