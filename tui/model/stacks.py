"""Remembers every stack and frame once, as a prefix tree that all call trees are cut from.

Batches bring stacks under ids; here a stack becomes one leaf in a tree of shared callers. A call
tree of any time range is then a sum over leaves and their ancestors, however deep the stacks are.
The table holds what it was given: the collector that makes the ids bounds them.
"""

from __future__ import annotations

from typing import Final

from collectors.samples import Frame, FrameKind, Stack, StackBatch

ROOT_FRAME: Final = Frame("all", "", FrameKind.USER)
"""The frame of the root: everything that was sampled."""
CALLER_LOST_FRAME: Final = Frame("(caller lost in libc)", "", FrameKind.UNKNOWN)
"""Parent of all stacks whose callers the unwinder lost."""
NO_STACK_FRAME: Final = Frame("(no stack)", "", FrameKind.UNKNOWN)
"""Leaf of samples that came without any frame."""
MISSING_FRAME: Final = Frame("(not recorded)", "", FrameKind.UNKNOWN)
"""Stands for a frame or a stack whose id was never announced."""

_OWN_FRAMES: Final = (CALLER_LOST_FRAME, NO_STACK_FRAME, MISSING_FRAME)

ROOT_NODE: Final = 0
"""The prefix tree's root; a parent's number is always below its children's."""


class StackTable:
    """Frames and stacks by id, and the prefix tree of all stacks."""

    def __init__(self) -> None:
        self.unknown_ids = 0
        """Look-ups of an id that no batch announced."""
        self._frames: dict[int, Frame] = {}
        self._interned = {frame: frame for frame in _OWN_FRAMES}
        self._stacks: dict[int, Stack] = {}
        self._parents: list[int] = [ROOT_NODE]
        self._node_frames: list[Frame] = [ROOT_FRAME]
        self._children: dict[tuple[int, int], int] = {}
        self._leaves: dict[int, int] = {}

    def __len__(self) -> int:
        """Stacks known."""
        return len(self._stacks)

    @property
    def parents(self) -> list[int]:
        """Parent of each node of the prefix tree; to read only."""
        return self._parents

    @property
    def node_frames(self) -> list[Frame]:
        """Frame of each node of the prefix tree; to read only."""
        return self._node_frames

    def add(self, batch: StackBatch) -> None:
        """Take the stacks and frames first seen in a batch; known ids keep their meaning."""
        for frame_id, frame in batch.frames.items():
            self._frames.setdefault(frame_id, self._interned.setdefault(frame, frame))
        for stack_id, stack in batch.stacks.items():
            if stack_id not in self._stacks:
                self._stacks[stack_id] = stack
                self._leaves[stack_id] = self._grow(stack)

    def frame(self, frame_id: int) -> Frame:
        """The frame with this id, or `MISSING_FRAME`, which is counted."""
        frame = self._frames.get(frame_id)
        if frame is None:
            self.unknown_ids += 1
            return MISSING_FRAME
        return frame

    def stack(self, stack_id: int) -> Stack | None:
        """The stack with this id; None, which is counted, if no batch announced it."""
        stack = self._stacks.get(stack_id)
        if stack is None:
            self.unknown_ids += 1
        return stack

    def frames_of(self, stack_id: int) -> tuple[Frame, ...]:
        """The frames of a stack, the outermost caller first, with the nodes that stand for gaps."""
        frames = []
        node = self.leaf(stack_id)
        while node != ROOT_NODE:
            frames.append(self._node_frames[node])
            node = self._parents[node]
        return tuple(reversed(frames))

    def leaf(self, stack_id: int) -> int:
        """The prefix tree's node at which a stack ends; `MISSING_FRAME`'s if it is unknown."""
        leaf = self._leaves.get(stack_id)
        if leaf is None:
            self.unknown_ids += 1
            return self._child(ROOT_NODE, MISSING_FRAME)
        return leaf

    def _grow(self, stack: Stack) -> int:
        node = ROOT_NODE
        if stack.caller_lost:
            node = self._child(node, CALLER_LOST_FRAME)
        for frame_id in stack.frames:
            node = self._child(node, self.frame(frame_id))
        return node if stack.frames else self._child(node, NO_STACK_FRAME)

    def _child(self, parent: int, frame: Frame) -> int:
        # Interned frames live as long as the table, so their identity is a cheap, safe key.
        key = (parent, id(frame))
        node = self._children.get(key)
        if node is None:
            node = self._children[key] = len(self._parents)
            self._parents.append(parent)
            self._node_frames.append(frame)
        return node
