"""What is kept of the load, the machine and the stacks over time: newest in detail, old in steps.

An edge of a range counts everywhere as `Steps` has it, so everything that is told of one range is
of the same time.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from collectors.samples import HostSample, LoadSample, StackCount, StackMeasure
from tui.model.footprint import host_bytes, load_bytes
from tui.model.intervals import Intervals
from tui.model.steps import Steps
from tui.model.ticks import Ticks, seconds_within


class History:
    """Samples of the load and the machine, counts of stacks and of lost ones.

    Args:
        origin: When it begins.
    """

    def __init__(self, origin: float) -> None:
        self.steps = Steps(origin)
        self.loads = Intervals(load_bytes)
        self.hosts = Intervals(host_bytes)
        self.ticks = {measure: Ticks() for measure in StackMeasure}
        self.cut = {measure: Ticks() for measure in StackMeasure}
        """Functions that stacks lack, by frame id."""
        self.lost: Counter[int] = Counter()
        """Stack samples that were lost, by second."""

    def copy(self) -> History:
        """Return the same history; what comes to either of both is not seen by the other."""
        other = History(0.0)
        other.steps = self.steps.copy()
        other.loads, other.hosts = self.loads.copy(), self.hosts.copy()
        other.ticks = {measure: ticks.copy() for measure, ticks in self.ticks.items()}
        other.cut = {measure: ticks.copy() for measure, ticks in self.cut.items()}
        other.lost = Counter(self.lost)
        return other

    @property
    def all_ticks(self) -> Sequence[Ticks]:
        """All counts by seconds, always in the same order."""
        return (*self.ticks.values(), *self.cut.values())

    @property
    def held_bytes(self) -> int:
        """Estimate of the memory that all of it takes."""
        ticks = sum(ticks.held_bytes for ticks in self.all_ticks)
        return self.loads.held_bytes + self.hosts.held_bytes + ticks

    def bytes_within(self, start: float, end: float) -> int:
        """Return the estimate for what lies between two borders."""
        ticks = sum(ticks.bytes_within(start, end) for ticks in self.all_ticks)
        loads, hosts = (each.bytes_within(start, end) for each in (self.loads, self.hosts))
        return loads + hosts + ticks

    def second_of(self, at: float) -> int:
        """Return under which second stacks of a moment are kept: in a step its first one."""
        second = math.floor(at)
        return math.ceil(self.steps.down(second))

    def loads_in(self, start: float, end: float) -> Sequence[LoadSample]:
        """Return the load samples whose interval ends within a range."""
        return self.loads.within(self.steps.down(start), self.steps.down(end))

    def hosts_in(self, start: float, end: float) -> Sequence[HostSample]:
        """Return the host samples whose interval ends within a range."""
        return self.hosts.within(self.steps.down(start), self.steps.down(end))

    def stacks_in(
        self, start: float, end: float, measure: StackMeasure
    ) -> Mapping[int, StackCount]:
        """Sum the stacks of the seconds that begin within a range."""
        return self.ticks[measure].sum(self.steps.down(start), self.steps.down(end))

    def cut_in(self, start: float, end: float, measure: StackMeasure) -> Mapping[int, StackCount]:
        """Sum the functions that the stacks of `stacks_in` lack, by frame id."""
        return self.cut[measure].sum(self.steps.down(start), self.steps.down(end))

    def lost_in(self, start: float, end: float) -> int:
        """Return how many samples were lost in the seconds of `stacks_in`."""
        seconds = seconds_within(self.lost, self.steps.down(start), self.steps.down(end))
        return sum(self.lost[second] for second in seconds)
