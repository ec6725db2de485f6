"""Two recordings as one, the earlier before the later: so one screen compares them.

What was measured of the first is moved by whole seconds to end shortly before the second begins,
and a baseline is laid over it. Everything that a screen does with ranges then works for both.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from collectors.course import Course
from collectors.recording.about import Header
from collectors.recording.codec import Arrival
from collectors.recording.reader import Chunk
from collectors.samples import (
    Baseline,
    HostSample,
    LoadSample,
    LoadTarget,
    Mark,
    Sample,
    Stack,
    StackBatch,
)
from tui.model.timeline import TimeRange
from tui.tape import Tape

GAP_S: Final = 5
"""Between the two; a gap on the trends."""
A_CHUNK: Final = 200
"""Arrivals that are taken at once; the screen waits for them."""


class JoinedTape:
    """The measurements of one tape, then all of another.

    Args:
        before: Which is compared with.
        range_: Of it.
        after: Which is looked at.
        name: What the baseline over the range is called.
    """

    def __init__(self, before: Tape, range_: TimeRange, after: Tape, name: str) -> None:
        self._after = after
        self.name = f"{before.name} and {after.name}"
        first = [each for chunk in before.chunks() for each in chunk.arrivals]
        rest = [each for chunk in after.chunks() for each in chunk.arrivals]
        start = after.header.started_at
        ends = [each.at for each in first]
        shift_s = float(math.floor(start) - GAP_S - math.ceil(max(ends, default=start)))
        ids = _most_ids(rest)
        moved = (_moved(each.sample, shift_s, *ids) for each in first)
        samples = [
            Arrival(each.at + shift_s, sample)
            for each, sample in zip(first, moved, strict=True)
            if sample is not None
        ]
        begin = math.floor(min((each.at for each in samples), default=start))
        baseline = Baseline(start, name, range_.start + shift_s, range_.end + shift_s)
        self._arrivals = [*samples, Arrival(start, baseline), *rest]
        self.header: Header = replace(after.header, started_at=min(start, float(begin)))

    @property
    def is_live(self) -> bool:
        """Nothing more comes."""
        return False

    @property
    def is_unclean(self) -> bool:
        """Whether the later one ended without being closed."""
        return self._after.is_unclean

    def chunks(self, after: int = 0) -> Iterator[Chunk]:
        """Yield everything, from the chunk after a number."""
        for number, first in enumerate(range(0, len(self._arrivals), A_CHUNK), 1):
            if number > after:
                yield Chunk(number, tuple(self._arrivals[first : first + A_CHUNK]))

    def rejected(self) -> Mapping[str, int]:
        """Return what of the later one could not be read."""
        return self._after.rejected()

    def close(self) -> None:
        """Let the later file go."""
        self._after.close()


def _most_ids(arrivals: list[Arrival]) -> tuple[int, int]:
    """Return the least numbers that no stack and no frame has."""
    batches = [each.sample for each in arrivals if isinstance(each.sample, StackBatch)]
    stacks = max((max(each.stacks, default=-1) for each in batches), default=-1)
    counted = max((max(each.counts, default=-1) for each in batches), default=-1)
    frames = max((max((*each.frames, *each.cut), default=-1) for each in batches), default=-1)
    return max(stacks, counted) + 1, frames + 1


def _moved(sample: Sample, by_s: float, stack_id: int, frame_id: int) -> Sample | None:
    """Return a measurement at another time, its stacks by other numbers; None for what is none."""
    match sample:
        case LoadSample() | HostSample():
            return replace(sample, at=sample.at + by_s)
        case Mark():
            return replace(sample, at=sample.at + by_s)
        case LoadTarget():
            points = tuple((at + by_s, level) for at, level in sample.course.points)
            course = Course(sample.course.unit, points)
            return replace(sample, at=sample.at + by_s, course=course)
        case StackBatch():
            return _renumbered(sample, by_s, stack_id, frame_id)
        case _:
            return None


def _renumbered(batch: StackBatch, by_s: float, stack_id: int, frame_id: int) -> StackBatch:
    def stack(found: Stack) -> Stack:
        return replace(found, frames=tuple(each + frame_id for each in found.frames))

    return replace(
        batch,
        start=batch.start + by_s,
        end=batch.end + by_s,
        counts={number + stack_id: count for number, count in batch.counts.items()},
        stacks={number + stack_id: stack(found) for number, found in batch.stacks.items()},
        frames={number + frame_id: found for number, found in batch.frames.items()},
        cut={number + frame_id: count for number, count in batch.cut.items()},
    )
