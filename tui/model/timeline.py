"""Everything that is known of a run, in order of time.

Only the session appends. Whatever is shown is computed from here for a `TimeRange`; 'live' is the
range that ends now. Nothing in here is derived from anything else in here.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from collectors.runstate import RunEnd, RunState
from collectors.samples import (
    Baseline,
    Drop,
    HostSample,
    LoadSample,
    LoadTarget,
    LogLine,
    Mark,
    Sample,
    SourceStatus,
    StackBatch,
    StackCount,
    StackMeasure,
)
from tui.model.stacks import StackTable

LOG_LINES_KEPT = 2_000


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From `start` (left out) to `end` (included), seconds on the session's clock."""

    start: float
    end: float

    @property
    def duration_s(self) -> float:
        """Length in seconds, never negative."""
        return max(0.0, self.end - self.start)


class Timeline:
    """The samples of one session.

    Args:
        origin: The session's start on its clock; elapsed times count from here.
    """

    def __init__(self, origin: float) -> None:
        self.origin = origin
        self.also: Callable[[Sample], None] | None = None
        """Is given every sample too: a recorder."""
        self.revision = 0
        """Grows with each sample: equal revisions mean equal contents."""
        self.stacks = StackTable()
        self.loads: list[LoadSample] = []
        self.hosts: list[HostSample] = []
        self.marks: list[Mark] = []
        self.targets: list[LoadTarget] = []
        self.baselines: dict[str, Baseline] = {}
        """By name, the newest last."""
        self.states: list[RunState] = []
        self.ends: list[RunEnd] = []
        """Of the runs of k6, in order."""
        self.logs: deque[LogLine] = deque(maxlen=LOG_LINES_KEPT)
        self.statuses: dict[str, SourceStatus] = {}
        self.drops: Counter[str] = Counter()
        self.samples_lost = 0
        """Stack samples that the profiler says it lost."""
        self._lost: Counter[int] = Counter()
        self._stacked: dict[StackMeasure, TimeRange] = {}
        """From the first stack to the newest one."""
        self._ticks: dict[StackMeasure, dict[int, dict[int, StackCount]]] = {
            measure: {} for measure in StackMeasure
        }
        self._shared: dict[StackMeasure, set[int]] = {measure: set() for measure in StackMeasure}
        """Seconds whose counts another timeline has, too."""
        self._load_ends: list[float] = []
        self._host_ends: list[float] = []

    def append(self, sample: Sample) -> None:
        """Take one sample from a source."""
        self.revision += 1
        if self.also is not None:
            self.also(sample)
        match sample:
            case LoadSample():
                self.loads.append(sample)
                self._load_ends.append(sample.at)
            case HostSample():
                self.hosts.append(sample)
                self._host_ends.append(sample.at)
            case StackBatch():
                self._add_stacks(sample)
            case SourceStatus():
                self.statuses[sample.source] = sample
            case LogLine():
                self.logs.append(sample)
            case Drop():
                self.drops[sample.reason] += sample.count
            case Mark():
                self.marks.append(sample)
            case LoadTarget():
                self.targets.append(sample)
            case Baseline():
                self.baselines.pop(sample.name, None)
                self.baselines[sample.name] = sample
            case RunState():
                self.states.append(sample)
            case RunEnd():
                self.ends.append(sample)
            case _:
                assert_never(sample)

    def copy(self) -> Timeline:
        """Return a timeline of the same samples that later ones do not reach."""
        other = Timeline(self.origin)
        other.become(self)
        return other

    def become(self, other: Timeline) -> None:
        """Hold the samples of another timeline instead; ids of its stacks mean the same here.

        What was looked up in `stacks` stays valid: both share it, and it only grows.
        """
        self.origin = other.origin
        self.revision = max(self.revision, other.revision) + 1
        self.stacks = other.stacks
        self.loads = list(other.loads)
        self.hosts = list(other.hosts)
        self.marks = list(other.marks)
        self.targets = list(other.targets)
        self.states = list(other.states)
        self.ends = list(other.ends)
        self.baselines = dict(other.baselines)
        self.logs = deque(other.logs, maxlen=LOG_LINES_KEPT)
        self.statuses = dict(other.statuses)
        self.drops = Counter(other.drops)
        self.samples_lost = other.samples_lost
        self._lost = Counter(other._lost)
        self._stacked = dict(other._stacked)
        self._load_ends = list(other._load_ends)
        self._host_ends = list(other._host_ends)
        # Seconds that are over are not changed any more, except by what comes late.
        self._ticks = {measure: dict(ticks) for measure, ticks in other._ticks.items()}
        self._shared = {measure: set(ticks) for measure, ticks in other._ticks.items()}
        other._shared = {measure: set(ticks) for measure, ticks in other._ticks.items()}

    def _add_stacks(self, batch: StackBatch) -> None:
        self.stacks.add(batch)
        if batch.measure is StackMeasure.ON_CPU and batch.lost:
            self.samples_lost += batch.lost
            self._lost[math.floor(batch.start)] += batch.lost
        elif batch.lost:
            self.drops["off_cpu_lost"] += batch.lost
        for reason, rejected in batch.rejected.items():
            self.drops[reason] += rejected
        if batch.counts:
            seen = self._stacked.get(batch.measure, TimeRange(batch.start, batch.end))
            self._stacked[batch.measure] = TimeRange(
                min(seen.start, batch.start), max(seen.end, batch.end)
            )
        tick = self._tick(batch.measure, math.floor(batch.start))
        for stack, count in batch.counts.items():
            old = tick.get(stack)
            tick[stack] = count if old is None else _add(old, count)

    def _tick(self, measure: StackMeasure, second: int) -> dict[int, StackCount]:
        """Return the counts of a second to add to; one of our own, where a copy has it too."""
        ticks, shared = self._ticks[measure], self._shared[measure]
        if second in shared:
            shared.discard(second)
            ticks[second] = dict(ticks[second])
        return ticks.setdefault(second, {})

    def stacked(self, measure: StackMeasure = StackMeasure.ON_CPU) -> TimeRange | None:
        """Return from when to when there are stacks; None without any."""
        return self._stacked.get(measure)

    def loads_in(self, window: TimeRange) -> Sequence[LoadSample]:
        """Return the load samples whose interval ends within the range."""
        first, last = _span(self._load_ends, window)
        return self.loads[first:last]

    def hosts_in(self, window: TimeRange) -> Sequence[HostSample]:
        """Return the host samples whose interval ends within the range."""
        first, last = _span(self._host_ends, window)
        return self.hosts[first:last]

    def stacks_in(
        self, window: TimeRange, measure: StackMeasure = StackMeasure.ON_CPU
    ) -> Mapping[int, StackCount]:
        """Sum the stacks of the whole seconds that begin at its start or later, before its end.

        Adjoining ranges therefore never count a sample twice and never lose one, and a range of
        whole seconds has what was sampled within it.
        """
        counts: dict[int, StackCount] = {}
        ticks = self._ticks[measure]
        for second in _seconds(ticks, window):
            for stack, count in ticks[second].items():
                old = counts.get(stack)
                counts[stack] = count if old is None else _add(old, count)
        return counts

    def lost_in(self, window: TimeRange) -> int:
        """Return how many samples the profiler says it lost in the seconds of `stacks_in`."""
        return sum(self._lost[second] for second in _seconds(self._lost, window))

    def drop_counts(self) -> Mapping[str, int]:
        """Return everything dropped so far, by reason."""
        return dict(self.drops)


def _seconds(known: Mapping[int, object], window: TimeRange) -> Iterable[int]:
    """Return the known seconds of a window, going through the shorter of both."""
    seconds = range(math.ceil(window.start), math.ceil(window.end))
    if len(seconds) < len(known):
        return [second for second in seconds if second in known]
    return [second for second in known if second in seconds]


def _add(one: StackCount, other: StackCount) -> StackCount:
    return StackCount(one.samples + other.samples, one.period_ns + other.period_ns)


def _span(ends: list[float], window: TimeRange) -> tuple[int, int]:
    return bisect_right(ends, window.start), bisect_right(ends, window.end)
