"""A batch of stacks as it is written down: columns of small numbers, which pack well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from typing import Final

from collectors.recording.limits import MAX_COUNT
from collectors.samples import Frame, Stack, StackBatch, StackCount, StackMeasure

MAX_STACKS: Final = 250_000
"""In one batch, a second at most; there are no more samples in it, nor functions in a session."""

_SHARED_SAMPLES: Final = 64


@lru_cache(maxsize=4096)
def _shared(samples: int, unit_ns: int) -> StackCount:
    """Return the count of so many samples; the same object each time, since most are alike."""
    return StackCount(samples, samples * unit_ns)


@dataclass(frozen=True, slots=True)
class CountColumns:
    """Counts by id in columns, one place an id, in order."""

    steps: list[int]
    """Each id less the one before."""
    samples: list[int]
    odd_ns: list[int]
    """The period of each less what its samples are worth in the unit."""

    @classmethod
    def of(cls, counts: Mapping[int, StackCount], unit_ns: int) -> CountColumns:
        """Return the columns of some counts."""
        ids = sorted(counts)
        in_order = [counts[each] for each in ids]
        return cls(
            steps=[each - before for each, before in zip(ids, [0, *ids], strict=False)],
            samples=[count.samples for count in in_order],
            odd_ns=[count.period_ns - count.samples * unit_ns for count in in_order],
        )

    def counts(self, unit_ns: int) -> dict[int, StackCount]:
        """Return the counts of the columns.

        Raises:
            ValueError: the columns do not fit each other, or count what can't be.
        """
        if len(self.steps) > MAX_STACKS:
            raise ValueError("too many stacks")
        counts = {
            number: _count(samples, unit_ns, odd_ns)
            for number, samples, odd_ns in zip(
                accumulate(self.steps), self.samples, self.odd_ns, strict=True
            )
        }
        if any(c.samples < 0 or not 0 <= c.period_ns < MAX_COUNT for c in counts.values()):
            raise ValueError("counts that can't be")
        return counts


def _count(samples: int, unit_ns: int, odd_ns: int) -> StackCount:
    if samples < _SHARED_SAMPLES and not odd_ns:
        return _shared(samples, unit_ns)
    return StackCount(samples, samples * unit_ns + odd_ns)


@dataclass(frozen=True, slots=True)
class StackRow:
    """A `StackBatch` in columns, one place a stack, in order of their ids."""

    start: float
    end: float
    steps: list[int]
    """Id of each stack less that of the one before."""
    samples: list[int]
    unit_ns: int
    """What most samples stand for."""
    odd_ns: list[int]
    """The period of each less what its samples are worth in `unit_ns`."""
    stacks: dict[int, Stack] = field(default_factory=dict)
    frames: dict[int, Frame] = field(default_factory=dict)
    lost: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    measure: StackMeasure = StackMeasure.ON_CPU
    cut: CountColumns | None = None
    """Of functions that stacks lack, by frame id; None where they lack none."""

    @classmethod
    def of(cls, batch: StackBatch) -> StackRow:
        """Return the row of a batch."""
        counts = batch.counts.values()
        worth = Counter(c.period_ns // c.samples for c in counts if c.samples)
        unit_ns = worth.most_common(1)[0][0] if worth else 0
        if max((each.samples for each in (*counts, *batch.cut.values())), default=0) * unit_ns >= (
            MAX_COUNT
        ):
            unit_ns = 0  # what is left would be no number of 64 bits
        columns = CountColumns.of(batch.counts, unit_ns)
        return cls(
            start=batch.start,
            end=batch.end,
            steps=columns.steps,
            samples=columns.samples,
            unit_ns=unit_ns,
            odd_ns=columns.odd_ns,
            stacks=dict(batch.stacks),
            frames=dict(batch.frames),
            lost=batch.lost,
            rejected=dict(batch.rejected),
            measure=batch.measure,
            cut=CountColumns.of(batch.cut, unit_ns) if batch.cut else None,
        )

    def batch(self) -> StackBatch:
        """Return the batch of a row.

        Raises:
            ValueError: the columns do not fit each other, or count what can't be.
        """
        if abs(self.unit_ns) >= MAX_COUNT or self.lost < 0:
            raise ValueError("counts that can't be")
        columns = CountColumns(self.steps, self.samples, self.odd_ns)
        return StackBatch(
            start=self.start,
            end=self.end,
            counts=columns.counts(self.unit_ns),
            stacks=self.stacks,
            frames=self.frames,
            lost=self.lost,
            rejected=self.rejected,
            measure=self.measure,
            cut=self.cut.counts(self.unit_ns) if self.cut is not None else {},
        )
