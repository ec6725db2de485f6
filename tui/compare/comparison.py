"""Two ranges, of one run or of two, compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from collectors.samples import EMPTY_HISTOGRAM, Histogram, RequestKind
from tui.compare.figures import compare_figures
from tui.export.about import About
from tui.export.series.measured import Measured, measure
from tui.export.series.measured import compare as compare_functions
from tui.model.calldiff import FunctionChange
from tui.model.change import Change
from tui.model.metric import Metric
from tui.model.timeline import Timeline, TimeRange


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """A range of a run."""

    timeline: Timeline
    range: TimeRange
    about: About
    name: str
    """How it is called in the comparison; sanitised."""


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """A side, and what the model says of it."""

    side: Side
    found: Measured

    @property
    def latency(self) -> Histogram:
        """Seconds; empty without requests."""
        return EMPTY_HISTOGRAM if self.found.load is None else self.found.load.latency

    @property
    def cores(self) -> int | None:
        """Of the machine, None where nothing told."""
        return self.found.host.cores or None if self.found.host is not None else None

    @property
    def has_sampled_time(self) -> bool:
        """Whether its samples stand for time, and requests are there to divide it by."""
        return self.found.cpu_us_per_request is not None


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """What changed from one side to the other."""

    before: Compared
    after: Compared
    figures: Mapping[Metric, Change]
    """All of them, in the order in which they are told."""
    functions: tuple[FunctionChange, ...]
    """By their own cost per request: what changed, then the rest; none where a side has none."""

    @property
    def kind(self) -> RequestKind:
        """What one request is after."""
        return self.after.found.kind

    @property
    def is_same_kind(self) -> bool:
        """Whether a request is the same thing on both sides."""
        return self.before.found.kind is self.after.found.kind

    @property
    def is_time(self) -> bool:
        """Whether costs of functions are µs; else they are samples."""
        return self.before.has_sampled_time and self.after.has_sampled_time


def compare(before: Side, after: Side) -> Comparison:
    """Compare two ranges.

    Costs and percentiles are of what `kind_of` calls a request in each run; where that differs,
    `is_same_kind` tells.
    """
    old = Compared(before, measure(before.timeline, before.range))
    new = Compared(after, measure(after.timeline, after.range))
    return Comparison(
        before=old,
        after=new,
        figures=compare_figures((before.timeline, old.found), (after.timeline, new.found)),
        functions=compare_functions(old.found, new.found),
    )
