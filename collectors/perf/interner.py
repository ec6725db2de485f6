"""Gives frames and stacks their ids, the same ones for the whole session.

One interner outlives every restart of the profiler, so an id never changes its meaning. What is new
is handed out once, with the next batch, whoever asks.

An id is for ever, so its room has to be given out well. Whoever comes first gets some until half of
it is taken; then a stack has to be seen again and again first, the more often the less is left, so
that what becomes hot late still comes in. Meanwhile it is cut: for that there is room apart, for
known callers with `(other stacks)` below them, and for the leaf below that if it is a frequent one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias
from zlib import crc32

from collectors.perf.frames import caller_lost
from collectors.perf.frequent import Frequent
from collectors.perf.room import Room
from collectors.perf.sketch import MOST, CountSketch
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
"""Stands for what is beyond the limit: callers in the middle of a stack, or all of it."""

_FRAME_BITS: Final = 32
_FREE_RATIO: Final = 0.5
"""Of all room, for those that come first; half of the rest is for stacks that are cut."""
_SMALLEST: Final = 64
"""Room for fewer stacks is not divided: whoever comes first gets it."""
_CUT_FREE_RATIOS: Final = (0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.96)
"""Of the room for cut stacks, for those that keep all known callers, half of them, a quarter … and
come first."""
_LEAST_TRODDEN: Final = 16
"""So many stacks that are cut have to begin with the same callers for one more to be kept; more
when there is less room."""

_NO_FRAMES: Final[frozenset[int]] = frozenset()

_Key: TypeAlias = tuple[str, str, tuple[int, ...]]
"""Names of process and thread, and the frames."""


class Interner:
    """Frames and stacks in, ids out.

    Args:
        max_frames: Beyond it, functions are counted as `(other functions)`.
        max_stacks: Beyond it, stacks are counted as `(other stacks)`.
        max_references: The same limit for the frames of all stacks together.
        max_nodes: And for the nodes of the tree that all stacks make.
        free_ratio: Of these limits, for the stacks that come first.
    """

    def __init__(
        self,
        max_frames: int = MAX_FRAMES,
        max_stacks: int = MAX_STACKS,
        max_references: int = MAX_REFERENCES,
        max_nodes: int = MAX_NODES,
        free_ratio: float = _FREE_RATIO,
    ) -> None:
        self._max_frames = max_frames
        limits = max_stacks, max_nodes, max_references
        cut_ratio = (1.0 - free_ratio) / 2 if max_stacks >= _SMALLEST else 0.0
        spare = [int(limit * cut_ratio) for limit in limits]
        # Fewer of them: samples that go round among many cut stacks make the history long.
        self._cut_room = Room(spare[0] * 2 // 5, *spare[1:])
        self._room = Room(*(most - less for most, less in zip(limits, spare, strict=True)))
        self._free_ratio = free_ratio / (1.0 - cut_ratio) if cut_ratio else 1.0
        self._nodes: dict[int, int] = {}
        """Node and frame below it, in one number → node."""
        self._frame_ids: dict[Frame, int] = {}
        self._frames: list[Frame] = []
        self._stack_ids: dict[_Key, int] = {}
        self._cut_ids: dict[tuple[_Key, bool], int] = {}
        """Cut stacks, and whether their callers are lost."""
        self._cut: dict[int, tuple[int, ...]] = {}
        """What is left of them, by id."""
        self._stacks = 0
        self._seen = CountSketch()
        self._leaves = Frequent()
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

    def is_cut(self, stack: int) -> bool:
        """Tell whether frames are missing in the stack with this id.

        Whoever has been given it should ask again the next time: there may be a better one.
        """
        return stack in self._cut

    def left_out(
        self, stack: int, frames: tuple[int, ...], deeper: frozenset[int] = _NO_FRAMES
    ) -> frozenset[int]:
        """Return which frames of a sample its stack lacks.

        Those of one whose callers were lost are left out nowhere: no function's total has them.

        Args:
            stack: The id that was returned for the frames.
            frames: Frame ids, the outermost caller first.
            deeper: Others of the same sample, cut off before that.
        """
        kept = self._cut.get(stack)
        if kept is None and not deeper:
            return deeper
        missing = deeper.difference(frames) if kept is None else deeper.union(frames) - {*kept}
        return _NO_FRAMES if self._is_caller_lost(frames) else missing

    def stack_id(self, process: str, thread: str, frames: Sequence[int]) -> int:
        """Return the id of a stack, or of one that is left of it.

        Args:
            process: Name of the process, sanitised.
            thread: Name of the thread, sanitised.
            frames: Frame ids of this interner, the outermost caller first.
        """
        key = (process, thread, tuple(frames))
        known = self._stack_ids.get(key)
        if known is not None:
            return known
        path = key[2]
        if not path:
            return self._add_whole(key, self._room) if self._room.fits(0, 0) else self._other_id()
        self._leaves.note(path[-1])
        known_callers = self._known_callers(path)
        if self._is_admitted(self._room, self._free_ratio, key, len(path) - known_callers):
            return self._add_whole(key, self._room)
        return self._cut_id(key, known_callers)

    def _is_admitted(self, room: Room, free_ratio: float, key: _Key, new_nodes: int) -> bool:
        process, thread, path = key
        if not room.fits(new_nodes, len(path)):
            return False
        least = room.least_seen(free_ratio)
        if least == 1:
            return True
        names = crc32(f"{process}\0{thread}".encode())
        return self._seen.note(hash((names, path))) >= least

    def _cut_id(self, key: _Key, known_callers: int) -> int:
        """Return the id of what is left of a stack: the most of it that there is room for."""
        process, thread, path = key
        end: tuple[int, ...] = (self.frame_id(OTHER_STACKS),)
        if path[-1] in self._leaves.things:
            end = (*end, path[-1])
        is_lost = self._is_caller_lost(path)
        callers = min(known_callers, len(path) - 1)
        if callers < len(path) - 1 and self._is_trodden(path[: callers + 1]):
            callers += 1
        for free_ratio in _CUT_FREE_RATIOS:
            cut = (process, thread, path[:callers] + end)
            known = self._cut_ids.get((cut, is_lost))
            if known is not None:
                return known
            if self._is_admitted(self._cut_room, free_ratio, cut, len(end) + 1):
                return self._add_cut(cut, is_lost, self._cut_room)
            if not callers:
                break
            callers //= 2
        return self._other_id()

    def _is_trodden(self, callers: tuple[int, ...]) -> bool:
        """Tell whether so many stacks begin with these callers that the tree should have them."""
        least = _LEAST_TRODDEN * self._cut_room.least_seen(_CUT_FREE_RATIOS[0])
        return self._seen.note(hash(callers)) >= min(least, MOST)

    def _is_caller_lost(self, path: tuple[int, ...]) -> bool:
        # The outermost frame alone tells of most stacks that their callers are not lost.
        return caller_lost([self._frames[frame] for frame in path[:1]]) and caller_lost(
            [self._frames[frame] for frame in path]
        )

    def _other_id(self) -> int:
        """Return the id of all stacks of which nothing is left; there is always room for it."""
        key = ("", "", (self.frame_id(OTHER_STACKS),))
        known = self._cut_ids.get((key, False))
        return self._add_cut(key, False, self._cut_room) if known is None else known

    def _add_whole(self, key: _Key, room: Room) -> int:
        number = self._stack_ids[key] = self._add(key, self._is_caller_lost(key[2]), room)
        return number

    def _add_cut(self, cut: _Key, is_lost: bool, room: Room) -> int:
        number = self._cut_ids[cut, is_lost] = self._add(cut, is_lost, room)
        self._cut[number] = cut[2]
        return number

    def _add(self, key: _Key, is_lost: bool, room: Room) -> int:
        process, thread, path = key
        before = len(self._nodes)
        node = 0
        for frame in path:
            node = self._nodes.setdefault(node << _FRAME_BITS | frame, len(self._nodes) + 1)
        room.take(len(self._nodes) - before, len(path))
        number = self._stacks
        self._stacks += 1
        self._new_stacks[number] = Stack(process, thread, path, is_lost)
        return number

    def _known_callers(self, path: tuple[int, ...]) -> int:
        """Return how many of the outermost frames of a stack are in the tree."""
        node = depth = 0
        for frame in path:
            below = self._nodes.get(node << _FRAME_BITS | frame)
            if below is None:
                break
            node, depth = below, depth + 1
        return depth

    def take_new(self) -> tuple[dict[int, Stack], dict[int, Frame]]:
        """Return the stacks and frames that came since the last call, by id."""
        new = self._new_stacks, self._new_frames
        self._new_stacks, self._new_frames = {}, {}
        return new
