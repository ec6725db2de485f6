"""Gives frames and stacks their ids, the same ones for the whole session.

One interner outlives every restart of the profiler, so an id never changes its meaning. What is new
is handed out once, with the next batch, whoever asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from collectors.perf.frames import caller_lost
from collectors.samples import Frame, FrameKind, Stack

MAX_FRAMES: Final = 100_000
MAX_STACKS: Final = 100_000
MAX_REFERENCES: Final = 4_000_000
"""Frames of all stacks together: eight bytes each."""
MAX_NODES: Final = 200_000
"""Of the tree of all stacks: a few hundred bytes each, wherever it is built."""

OTHER_FUNCTIONS: Final = Frame("(other functions)", "", FrameKind.USER)
"""Stands for every function beyond the limit."""
OTHER_STACKS: Final = Frame("(other stacks)", "", FrameKind.USER)
"""Stands for all that is beyond the limit: of a stack below its known callers, or all of it."""
_PRUNED_SHARE: Final = 4
"""One node in so many is kept for those that stand for what is beyond the limit."""

_FRAME_BITS: Final = 32


class Interner:
    """Frames and stacks in, ids out.

    Args:
        max_frames: Beyond it, functions are counted as `(other functions)`.
        max_stacks: Beyond it, stacks are counted as `(other stacks)`.
        max_references: The same limit for the frames of all stacks together.
        max_nodes: And for the nodes of the tree that all stacks make: beyond it a stack ends as
            `(other stacks)` where its known callers end.
    """

    def __init__(
        self,
        max_frames: int = MAX_FRAMES,
        max_stacks: int = MAX_STACKS,
        max_references: int = MAX_REFERENCES,
        max_nodes: int = MAX_NODES,
    ) -> None:
        self._max_frames = max_frames
        self._max_stacks = max_stacks
        self._references_left = max_references
        self._max_nodes = max_nodes
        self._nodes: dict[int, int] = {}
        """Node and frame below it, in one number → node."""
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
        key = (process, thread, self._grown(key[2]))
        if key not in self._stack_ids and (
            len(self._stack_ids) >= self._max_stacks or len(key[2]) > self._references_left
        ):
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

    def _grown(self, path: tuple[int, ...]) -> tuple[int, ...]:
        """Return a stack that is in the tree now: the given one, or what there is room for."""
        node = depth = 0
        for frame in path:
            below = self._nodes.get(node << _FRAME_BITS | frame)
            if below is None:
                break
            node, depth = below, depth + 1
        new = len(path) - depth
        if not new:
            return path
        if len(self._nodes) + new > self._max_nodes - self._max_nodes // _PRUNED_SHARE:
            other = self.frame_id(OTHER_STACKS)
            if len(self._nodes) >= self._max_nodes:
                has_other = node << _FRAME_BITS | other in self._nodes
                return (*path[:depth], other) if has_other else (other,)
            path = (*path[:depth], other)
        for frame in path[depth:]:
            node = self._nodes.setdefault(node << _FRAME_BITS | frame, len(self._nodes) + 1)
        return path

    def take_new(self) -> tuple[dict[int, Stack], dict[int, Frame]]:
        """Return the stacks and frames that came since the last call, by id."""
        new = self._new_stacks, self._new_frames
        self._new_stacks, self._new_frames = {}, {}
        return new
