"""Gives frames and stacks their ids, the same ones for the whole session.

One interner outlives every restart of the profiler, so an id never changes its meaning. What is new
is handed out once, with the next batch, whoever asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from collectors.perf.frames import caller_lost
from collectors.samples import Frame, FrameKind, Stack

MAX_FRAMES: Final = 200_000
MAX_STACKS: Final = 200_000
MAX_REFERENCES: Final = 10_000_000
"""Frames of all stacks together: eight bytes each."""

OTHER_FUNCTIONS: Final = Frame("(other functions)", "", FrameKind.USER)
"""Stands for every function beyond the limit."""
OTHER_STACKS: Final = Frame("(other stacks)", "", FrameKind.USER)
"""The only frame of the stack that stands for every stack beyond the limit."""


class Interner:
    """Frames and stacks in, ids out.

    Args:
        max_frames: Beyond it, functions are counted as `(other functions)`.
        max_stacks: Beyond it, stacks are counted as `(other stacks)`.
        max_references: The same limit for the frames of all stacks together.
    """

    def __init__(
        self,
        max_frames: int = MAX_FRAMES,
        max_stacks: int = MAX_STACKS,
        max_references: int = MAX_REFERENCES,
    ) -> None:
        self._max_frames = max_frames
        self._max_stacks = max_stacks
        self._references_left = max_references
        self._frame_ids: dict[Frame, int] = {}
        self._frames: list[Frame] = []
        self._stack_ids: dict[tuple[str, str, tuple[int, ...]], int] = {}
        self._new_stacks: dict[int, Stack] = {}
        self._new_frames: dict[int, Frame] = {}

    def frame_id(self, frame: Frame) -> int:
        """Return the id of a frame."""
        known = self._frame_ids.get(frame)
        if known is not None:
            return known
        if len(self._frames) >= self._max_frames and frame not in (OTHER_FUNCTIONS, OTHER_STACKS):
            return self.frame_id(OTHER_FUNCTIONS)
        number = len(self._frames)
        self._frames.append(frame)
        self._frame_ids[frame] = number
        self._new_frames[number] = frame
        return number

    def stack_id(self, process: str, thread: str, frames: Sequence[int]) -> int:
        """Return the id of a stack.

        Args:
            process: Name of the process, sanitised.
            thread: Name of the thread, sanitised.
            frames: Frame ids of this interner, the outermost caller first.
        """
        key = (process, thread, tuple(frames))
        known = self._stack_ids.get(key)
        if known is not None:
            return known
        if len(self._stack_ids) >= self._max_stacks or len(frames) > self._references_left:
            key = ("", "", (self.frame_id(OTHER_STACKS),))
            known = self._stack_ids.get(key)
            if known is not None:
                return known
        number = len(self._stack_ids)
        process, thread, path = key
        lost = caller_lost([self._frames[frame] for frame in path])
        self._references_left -= len(path)
        self._stack_ids[key] = number
        self._new_stacks[number] = Stack(process, thread, path, lost)
        return number

    def take_new(self) -> tuple[dict[int, Stack], dict[int, Frame]]:
        """Return the stacks and frames that came since the last call, by id."""
        new = self._new_stacks, self._new_frames
        self._new_stacks, self._new_frames = {}, {}
        return new
