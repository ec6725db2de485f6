"""Everything that is known of a run, in order of time.

Only the session appends. Whatever is shown is computed from here for a `TimeRange`; 'live' is the
range that ends now. Nothing in here is derived from anything else in here, but for peaks, which
old history does not tell once it is in steps (`tui.model.thinning`).
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
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
    MarkKind,
    RequestKind,
    Sample,
    SourceStatus,
    StackBatch,
    StackCount,
    StackMeasure,
)
from tui.model.history import History
from tui.model.stacks import StackTable
from tui.model.thinning import Thinner

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
        budget_bytes: How much memory the load, the machine and the stacks may take: beyond it old
            history is kept in steps. None: everything is kept as it came.
    """

    def __init__(self, origin: float, budget_bytes: int | None = None) -> None:
        self.origin = origin
        self.also: Callable[[Sample], None] | None = None
        """Is given every sample too: a recorder."""
        self.revision = 0
        """Grows with each sample: equal revisions mean equal contents."""
        self.stacks = StackTable()
        self.peaks: dict[RequestKind, float] = {}
        """Most requests per second of one push, by kind."""
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
        self._stacked: dict[StackMeasure, TimeRange] = {}
        """From the first stack to the newest one."""
        self._history = History(origin)
        self._thinner = Thinner(budget_bytes) if budget_bytes is not None else None
        self._newest = origin
        """When the newest of the history was."""

    @property
    def loads(self) -> list[LoadSample]:
        """What k6 told, in order of time; to read only."""
        return self._history.loads.samples

    @property
    def hosts(self) -> list[HostSample]:
        """How the machine was, in order of time; to read only."""
        return self._history.hosts.samples

    @property
    def held_bytes(self) -> int:
        """Estimate of the memory that the load, the machine and the stacks take."""
        return self._history.held_bytes

    def append(self, sample: Sample) -> None:
        """Take one sample from a source."""
        self.revision += 1
        if self.also is not None:
            self.also(sample)
        match sample:
            case LoadSample():
                self._add_load(sample)
            case HostSample():
                self._history.hosts.append(sample)
                self._thin(sample.at)
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
                if sample.kind in (MarkKind.START, MarkKind.WARM_UP_END):
                    self.keep_border(sample.at)
            case LoadTarget():
                self.targets.append(sample)
            case Baseline():
                self.baselines.pop(sample.name, None)
                self.baselines[sample.name] = sample
                self.keep_border(sample.start)
                self.keep_border(sample.end)
            case RunState():
                self.states.append(sample)
            case RunEnd():
                self.ends.append(sample)
            case _:
                assert_never(sample)

    def thin(self) -> bool:
        """Merge a little of old history where much has come; tell whether there is more to do."""
        if self._thinner is None:
            return False
        held_bytes = self.held_bytes
        is_more = self._thinner.thin(self._history, self._newest)
        self.revision += held_bytes != self.held_bytes
        return is_more

    def copy(self) -> Timeline:
        """Return a timeline of the same samples that later ones do not reach."""
        budget_bytes = self._thinner.budget_bytes if self._thinner is not None else None
        other = Timeline(self.origin, budget_bytes)
        other.become(self)
        return other

    def become(self, other: Timeline) -> None:
        """Hold the samples of another timeline instead; ids of its stacks mean the same here.

        What was looked up in `stacks` stays valid: both share it, and it only grows.
        """
        self.origin = other.origin
        self.revision = max(self.revision, other.revision) + 1
        self.stacks = other.stacks
        self.peaks = dict(other.peaks)
        self.marks = list(other.marks)
        self.targets = list(other.targets)
        self.states = list(other.states)
        self.ends = list(other.ends)
        self.baselines = dict(other.baselines)
        self.logs = deque(other.logs, maxlen=LOG_LINES_KEPT)
        self.statuses = dict(other.statuses)
        self.drops = Counter(other.drops)
        self.samples_lost = other.samples_lost
        self._stacked = dict(other._stacked)
        self._history = other._history.copy()
        self._newest = other._newest
        if self._thinner is not None:
            self._thinner.forget()

    def keep_border(self, at: float) -> None:
        """Let ranges that begin or end at a moment stay exact, however long ago it is."""
        if self._history.steps.keep(at) and self._thinner is not None:
            self._thinner.disturb(at)

    def _add_load(self, sample: LoadSample) -> None:
        if not self.loads or self.loads[-1].instance != sample.instance:
            begun_at = sample.at - sample.interval_s
            self.keep_border(begun_at)
            self.keep_border(math.floor(begun_at))
        for traffic in sample.traffic:
            if sample.interval_s > 0:
                rate = traffic.requests / sample.interval_s
                self.peaks[traffic.kind] = max(rate, self.peaks.get(traffic.kind, 0.0))
        self._history.loads.append(sample)
        self._thin(sample.at, len(sample.endpoints))

    def _add_stacks(self, batch: StackBatch) -> None:
        self.stacks.add(batch)
        if batch.measure is StackMeasure.ON_CPU and batch.lost:
            self.samples_lost += batch.lost
            self._history.lost[self._history.second_of(batch.start)] += batch.lost
        elif batch.lost:
            self.drops["off_cpu_lost"] += batch.lost
        for reason, rejected in batch.rejected.items():
            self.drops[reason] += rejected
        if batch.counts:
            seen = self._stacked.get(batch.measure, TimeRange(batch.start, batch.end))
            self._stacked[batch.measure] = TimeRange(
                min(seen.start, batch.start), max(seen.end, batch.end)
            )
        if batch.counts:
            second = self._history.second_of(batch.start)
            if self._thinner is not None:
                self._thinner.disturb(second)
            self._history.ticks[batch.measure].add(second, batch.counts)
            if batch.cut:
                self._history.cut[batch.measure].add(second, batch.cut)
            self._thin(batch.end)

    def _thin(self, at: float, endpoints: int = 0) -> None:
        self._newest = max(self._newest, at)
        if self._thinner is not None:
            self._thinner.add(self._history, self._newest, endpoints)

    def stacked(self, measure: StackMeasure = StackMeasure.ON_CPU) -> TimeRange | None:
        """Return from when to when there are stacks; None without any."""
        return self._stacked.get(measure)

    def in_detail_since(self) -> float | None:
        """Return where the history in steps ends; None while all of it is as it came."""
        return self._history.steps.until

    def step_s(self, at: float) -> float:
        """Return how long the steps are at a moment, none after it being longer; 0 in detail."""
        return self._history.steps.step_s(at)

    def counted(self, window: TimeRange) -> TimeRange:
        """Return the range that is counted for a range: an edge in a step is its beginning.

        Adjoining ranges still adjoin. Whatever is divided by time has to be divided by this one's.
        """
        down = self._history.steps.down
        return TimeRange(down(window.start), down(window.end))

    def widened(self, window: TimeRange) -> TimeRange:
        """Return the shortest range around a range that has whole steps only."""
        steps = self._history.steps
        return TimeRange(steps.down(window.start), steps.up(window.end))

    def range_of(self, loads: Sequence[LoadSample]) -> TimeRange:
        """Return the range that some load samples, which follow each other, are counted in."""
        steps, until = self._history.steps, self._history.steps.until
        start = loads[0].at - loads[0].interval_s
        if until is None or loads[0].at > until:
            return TimeRange(start if until is None else max(start, until), steps.up(loads[-1].at))
        # A sample belongs to the step in which it ends, also where it began before.
        return TimeRange(steps.before(loads[0].at), steps.up(loads[-1].at))

    def loads_in(self, window: TimeRange) -> Sequence[LoadSample]:
        """Return the load samples whose interval ends within the range."""
        return self._history.loads_in(window.start, window.end)

    def hosts_in(self, window: TimeRange) -> Sequence[HostSample]:
        """Return the host samples whose interval ends within the range."""
        return self._history.hosts_in(window.start, window.end)

    def stacks_in(
        self, window: TimeRange, measure: StackMeasure = StackMeasure.ON_CPU
    ) -> Mapping[int, StackCount]:
        """Sum the stacks of the whole seconds that begin at its start or later, before its end.

        Adjoining ranges therefore never count a sample twice and never lose one, and a range of
        whole seconds has what was sampled within it.
        """
        return self._history.stacks_in(window.start, window.end, measure)

    def cut_in(
        self, window: TimeRange, measure: StackMeasure = StackMeasure.ON_CPU
    ) -> Mapping[int, StackCount]:
        """Sum the functions that the stacks of `stacks_in` lack, by frame id; mostly none.

        A sample counts once for each function that it had and its stack has not.
        """
        return self._history.cut_in(window.start, window.end, measure)

    def lost_in(self, window: TimeRange) -> int:
        """Return how many samples the profiler says it lost in the seconds of `stacks_in`."""
        return self._history.lost_in(window.start, window.end)

    def drop_counts(self) -> Mapping[str, int]:
        """Return everything dropped so far, by reason."""
        return dict(self.drops)
