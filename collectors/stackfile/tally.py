"""Adds up the stacks of a file, bounded like those of a live profile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, TypeAlias

from collectors.perf.interner import OTHER_FUNCTIONS, OTHER_STACKS, Interner
from collectors.samples import Frame, FrameKind, Stack, StackBatch, StackCount

MAX_DEPTH: Final = 256
MAX_FRAMES: Final = 200_000
MAX_STACKS: Final = 200_000
MAX_REFERENCES: Final = 10_000_000
MAX_NODES: Final = 1_000_000
"""These are larger than those of a live profile, which runs beside the load."""
FREE_RATIO: Final = 0.9
"""Most stacks of a file come once only: to wait for them to come again would lose them."""
MAX_WEIGHT: Final = 1 << 62
"""Of one sample; what is above it is no weight."""
STACK_CUT: Final = Frame("(stack cut)", "", FrameKind.USER)
"""Stands for the middle of a stack that is deeper than `MAX_DEPTH`."""

Packed: TypeAlias = tuple[
    list[tuple[str, str, str]],
    list[tuple[str, str, tuple[int, ...]]],
    dict[int, dict[int, int]],
    dict[int, int],
    dict[str, int],
]
"""A tally as plain values: frames and stacks by their ids, seconds, what was lost and rejected."""

_PERIOD_BIT: Final = 96
"""Above it a weight has its period, below it samples: one sum is faster than two."""


def weight(samples: int, period_ns: int) -> int:
    """Return samples and the period that they stand for, both in one number that can be added."""
    return period_ns << _PERIOD_BIT | samples


class Tally:
    """Stacks in, batches out.

    Attributes:
        rejected: What could not be read, by reason.
        lost: Samples that the profiler says it lost, by the second that it says so.
    """

    def __init__(self) -> None:
        self.rejected: Counter[str] = Counter()
        self.lost: Counter[int] = Counter()
        self._interner = Interner(MAX_FRAMES, MAX_STACKS, MAX_REFERENCES, MAX_NODES, FREE_RATIO)
        self._seconds: dict[int, dict[int, int]] = {}

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
        weights = self.second(second)
        weights[stack] = weights.get(stack, 0) + weight(samples, period_ns)

    def second(self, second: int) -> dict[int, int]:
        """Return the weights of a second by stack, to be added to: a look-up for many samples."""
        weights = self._seconds.get(second)
        if weights is None:
            weights = self._seconds[second] = {}
        return weights

    def packed(self) -> Packed | None:
        """Return everything that was counted; None beyond the limits of what one tally holds.

        Nothing can be counted after it.
        """
        stacks, frames = self._interner.take_new()
        if OTHER_FUNCTIONS in frames.values() or OTHER_STACKS in frames.values():
            return None
        return (
            [(frame.symbol, frame.module, frame.kind.value) for frame in frames.values()],
            [(stack.process, stack.thread, stack.frames) for stack in stacks.values()],
            self._seconds,
            dict(self.lost),
            dict(self.rejected),
        )

    def merge(self, packed: Packed) -> None:
        """Count what another tally counted of a later part; ids are given as if it were here."""
        frames, stacks, seconds, lost, rejected = packed
        frame_ids = [self.frame(Frame(name, file, FrameKind(kind))) for name, file, kind in frames]
        stack_ids = [
            self._interner.stack_id(process, thread, [frame_ids[frame] for frame in path])
            for process, thread, path in stacks
        ]
        for second, weights in seconds.items():
            known = self.second(second)
            for stack, added in weights.items():
                number = stack_ids[stack]
                known[number] = known.get(number, 0) + added
        self.lost.update(lost)
        self.rejected.update(rejected)

    def batches(self) -> tuple[StackBatch, ...]:
        """Return a batch a second, in order of time; the first one has all names."""
        stacks: dict[int, Stack]
        frames: dict[int, Frame]
        stacks, frames = self._interner.take_new()
        seconds = sorted(second for second, weights in self._seconds.items() if weights)
        lost = self._lost_in(seconds)
        found = []
        for second in seconds:
            counts = {
                stack: StackCount(each & (1 << _PERIOD_BIT) - 1, each >> _PERIOD_BIT)
                for stack, each in self._seconds[second].items()
            }
            at = float(second)
            found.append(StackBatch(at, at, counts, stacks, frames, lost[second]))
            stacks, frames = {}, {}
        return tuple(found)

    def _lost_in(self, seconds: Sequence[int]) -> Counter[int]:
        """Return what was lost by seconds that have samples: no other second is shown."""
        found: Counter[int] = Counter()
        for at, lost in self.lost.items():
            if seconds:
                found[min(seconds, key=lambda second: abs(second - at))] += lost
        return found
