"""Adds up the stacks of a file, bounded like those of a live profile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from collectors.perf.interner import Interner
from collectors.samples import Frame, FrameKind, StackBatch, StackCount

MAX_DEPTH: Final = 256
MAX_WEIGHT: Final = 1 << 62
"""Of one sample; what is above it is no weight."""
STACK_CUT: Final = Frame("(stack cut)", "", FrameKind.USER)
"""Stands for the middle of a stack that is deeper than `MAX_DEPTH`."""


class Tally:
    """Stacks in, batches out.

    Attributes:
        rejected: What could not be read, by reason.
    """

    def __init__(self) -> None:
        self.rejected: Counter[str] = Counter()
        self._interner = Interner()
        self._seconds: dict[int, dict[int, list[int]]] = {}

    def frame(self, frame: Frame) -> int:
        """Return the id of a frame."""
        return self._interner.frame_id(frame)

    def stack(self, frames: Sequence[int], process: str = "", thread: str = "") -> int:
        """Return the id of a stack of frames by their ids, the outermost caller first."""
        if len(frames) > MAX_DEPTH:
            half = MAX_DEPTH // 2
            cut = self.frame(STACK_CUT)
            frames = (*frames[: half - 1], cut, *frames[len(frames) - half :])
        return self._interner.stack_id(process, thread, frames)

    def add(self, stack: int, samples: int, period_ns: int, second: int = 0) -> None:
        """Count a stack.

        Args:
            stack: Its id.
            samples: How often it was seen.
            period_ns: What that stands for; 0 where nothing tells.
            second: Of the clock of the file.
        """
        counts = self._seconds.setdefault(second, {})
        count = counts.get(stack)
        if count is None:
            counts[stack] = [samples, period_ns]
        else:
            count[0] += samples
            count[1] += period_ns

    def batches(self) -> tuple[StackBatch, ...]:
        """Return a batch a second, in order of time; the first one has all names."""
        stacks, frames = self._interner.take_new()
        found = []
        for second in sorted(self._seconds):
            counts = {stack: StackCount(*count) for stack, count in self._seconds[second].items()}
            at = float(second)
            found.append(StackBatch(at, at, counts, stacks, frames))
            stacks, frames = {}, {}
        return tuple(found)
