"""Other shapes of the same stacks: inverted, folded, split, without what is not looked for.

Every stack ends somewhere in the tree or is counted as left out, so that both together are always
what was counted. Stacks whose callers were lost keep hanging under one node of their own, at the
root or under their thread. In an inverted tree that node is their outermost caller: what a leaf
used itself is known, only who called it is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from collectors.samples import Frame, FrameKind, StackCount
from tui.model.calltree import CallTree, PrefixTree, ancestry, assemble, build_tree
from tui.model.idle import ends_waiting
from tui.model.inverted import invert
from tui.model.stacks import CALLER_LOST_FRAME, ROOT_FRAME, ROOT_NODE, StackTable

KERNEL_ONLY_FRAME: Final = Frame("(kernel only)", "", FrameKind.KERNEL)
"""Takes the time of stacks without a user frame where kernel frames are hidden."""

_UNKNOWN_MODULE: Final = "[unknown]"
_THREAD_MODULE: Final = "thread of "
_NUMBER = re.compile(r"[\W_]*\d+$")


@dataclass(frozen=True, slots=True)
class Shape:
    """Which form a call tree takes; the default is the tree as it was sampled.

    What is hidden or in focus may also be the frame of a module or of a thread.
    """

    inverted: bool = False
    """Leaves at the root, their callers below; a node's own time is that of stacks ending there."""
    by_module: bool = False
    """Neighbouring frames of one module become one, named like it; frames without one stay."""
    by_thread: bool = False
    """A frame for each name of threads stands below the root."""
    collapse_recursion: bool = False
    """What repeats at once is there once: a a a is a, a b a b is a b; no function gets lost."""
    hide_kernel: bool = False
    """Kernel frames vanish unless in focus; their time is their caller's."""
    hide_idle: bool = False
    """Stacks that only wait are left out."""
    hidden: frozenset[Frame] = frozenset()
    """Stacks through one of these are left out."""
    focus: Frame | None = None
    """Only stacks through this frame, from its outermost occurrence on."""


@dataclass(frozen=True, slots=True, eq=False)
class Shaped:
    """A call tree in some shape, and what is not in it."""

    tree: CallTree
    left_out_samples: int
    left_out_period_ns: int


def module_frame(frame: Frame) -> Frame:
    """Return the frame that stands for a frame's module; itself where it has none."""
    if not frame.module or is_thread_frame(frame):
        return frame
    kind = frame.kind
    if kind is FrameKind.UNKNOWN and frame.module != _UNKNOWN_MODULE:
        kind = FrameKind.USER
    return Frame(frame.module, frame.module, kind)


def thread_frame(process: str, thread: str) -> Frame:
    """Return the frame that stands for all threads of this name, whatever their numbers."""
    name = _NUMBER.sub("", thread) or thread or "(unnamed thread)"
    return Frame(name, f"{_THREAD_MODULE}{process}", FrameKind.USER)


def is_thread_frame(frame: Frame) -> bool:
    """Tell whether a frame stands for threads."""
    return frame.module.startswith(_THREAD_MODULE)


def shape_tree(table: StackTable, counts: Mapping[int, StackCount], shape: Shape) -> Shaped:
    """Build the call tree of a range in a shape.

    Args:
        table: Knows the stacks.
        counts: Stack id → count, summed over the range.
        shape: What the tree shall look like.
    """
    if shape == Shape():
        return Shaped(build_tree(table, counts), 0, 0)
    grown = grow(table, counts, shape)
    tree = _turned(grown) if shape.inverted else assemble(grown.parents, grown.frames, grown.leaves)
    return Shaped(
        tree=replace(
            tree,
            unknown_samples=grown.unknown_samples,
            caller_lost_samples=grown.caller_lost_samples,
        ),
        left_out_samples=grown.left_out_samples,
        left_out_period_ns=grown.left_out_period_ns,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Grown:
    """The prefix tree of a shape, not turned around, and where stacks end in it."""

    parents: Sequence[int]
    frames: Sequence[Frame]
    leaves: Sequence[tuple[int, StackCount]]
    unknown_samples: int
    """What a shape hides or turns around says nothing about how good the stacks are: as sampled."""
    caller_lost_samples: int
    left_out_samples: int = 0
    left_out_period_ns: int = 0


def grow(table: StackTable, counts: Mapping[int, StackCount], shape: Shape) -> Grown:
    """Lead the stacks of a range through a shape, whichever way up it is.

    Args:
        table: Knows the stacks.
        counts: Stack id → count, summed over the range.
        shape: What becomes of their frames.
    """
    groups = _by_thread(table, counts, shape)
    shaper = Shaper(shape)
    leaves: list[tuple[int, StackCount]] = []
    left_out_samples = left_out_period_ns = unknown = caller_lost = 0
    for thread, endings in groups.items():
        nodes = shaper.grow(table, thread, {ending.leaf for ending in endings})
        for ending in endings:
            node, cost = nodes[ending.leaf], ending.cost
            if node is None:
                left_out_samples += cost.samples
                left_out_period_ns += cost.period_ns
                continue
            leaves.append((node, cost))
            caller_lost += cost.samples * ending.caller_lost
            if table.node_frames[ending.leaf].kind is FrameKind.UNKNOWN:
                unknown += cost.samples
    return Grown(
        shaper.tree.parents,
        shaper.tree.frames,
        leaves,
        unknown,
        caller_lost,
        left_out_samples,
        left_out_period_ns,
    )


class _Ending(NamedTuple):
    """Where stacks end in the table's prefix tree."""

    leaf: int
    cost: StackCount
    caller_lost: bool


def _by_thread(
    table: StackTable, counts: Mapping[int, StackCount], shape: Shape
) -> dict[Frame | None, list[_Ending]]:
    """Sort stacks by their threads, where the shape asks for these; else under None."""
    named = shape.hidden | {shape.focus}
    is_split = shape.by_thread or any(frame and is_thread_frame(frame) for frame in named)
    threads: dict[tuple[str, str], Frame] = {}
    groups: dict[Frame | None, list[_Ending]] = {}
    for stack_id, count in counts.items():
        stack = table.stack(stack_id)
        ending = _Ending(table.leaf(stack_id), count, stack is not None and stack.caller_lost)
        thread = None
        if is_split:
            names = (stack.process, stack.thread) if stack else ("", "")
            thread = threads.get(names)
            if thread is None:
                thread = threads[names] = thread_frame(*names)
        groups.setdefault(thread, []).append(ending)
    return groups


class _Step(NamedTuple):
    """What becomes of a frame."""

    shown: Frame
    is_hidden: bool
    is_focus: bool
    vanishes: bool
    merges: bool
    """With the same frame right above it."""


class Shaper:
    """Grows the prefix tree of a shape that is not inverted.

    It goes from caller to callee with a state: the node that a stack has come to; while it has not
    come to the focus, `~node` of the node that the focus will hang under; None once it is left out.
    A state depends on what is outside of a frame only, so stacks share it as they share callers.
    """

    def __init__(self, shape: Shape) -> None:
        self.tree = PrefixTree()
        self._shape = shape
        self._steps: dict[int, _Step] = {}
        self._interned: dict[Frame, Frame] = {}
        self._folds: dict[tuple[int, int], int] = {}

    def grow(
        self, table: StackTable, thread: Frame | None, leaves: Iterable[int]
    ) -> dict[int, int | None]:
        """Take the stacks of a thread, and tell where each leaf stands; None: it is left out."""
        ends: dict[int, int | None] = dict.fromkeys(leaves)
        if self._shape.hide_idle:
            leaves = [leaf for leaf in ends if not ends_waiting(outwards(table, leaf))]
        else:
            leaves = list(ends)
        parents, frames = table.parents, table.node_frames
        states, follow = {ROOT_NODE: self._begin(thread)}, self.follow
        for number in ancestry(parents, leaves)[1:]:
            state = states[parents[number]]
            states[number] = None if state is None else follow(state, frames[number])
        ends.update((leaf, self._end(states[leaf])) for leaf in leaves)
        return ends

    def _begin(self, thread: Frame | None) -> int | None:
        if thread in self._shape.hidden:
            return None
        base = ROOT_NODE
        if thread is not None and self._shape.by_thread:
            base = self.tree.child(ROOT_NODE, thread)
        return base if self._shape.focus in (None, thread) else ~base

    def follow(self, state: int, frame: Frame) -> int | None:
        """Return the state after one frame more."""
        step = self._steps.get(id(frame))
        if step is None:
            step = self._steps[id(frame)] = self._learn(frame)
        if step.is_hidden:
            return None
        if state < 0:
            if step.is_focus:
                return self.tree.child(~state, step.shown)
            return ~self.tree.child(~state, frame) if frame is CALLER_LOST_FRAME else state
        if step.vanishes or (step.merges and self.tree.frames[state] is step.shown):
            return state
        if not self._shape.collapse_recursion:
            return self.tree.child(state, step.shown)
        key = (state, id(step.shown))
        folded = self._folds.get(key)
        if folded is None:
            folded = self._folds[key] = self._fold(state, step.shown)
        return folded

    def _learn(self, frame: Frame) -> _Step:
        shape, module = self._shape, module_frame(frame)
        shown = module if shape.by_module else frame
        is_focus = shape.focus in (frame, module)
        return _Step(
            shown=self._interned.setdefault(shown, shown),
            is_hidden=not shape.hidden.isdisjoint((frame, module)),
            is_focus=is_focus,
            vanishes=shape.hide_kernel and frame.kind is FrameKind.KERNEL and not is_focus,
            merges=shape.collapse_recursion or (shape.by_module and bool(frame.module)),
        )

    def _fold(self, node: int, frame: Frame) -> int:
        """Return the node of a frame below a node; a path ending twice in the same loses one."""
        parents, frames = self.tree.parents, self.tree.frames
        above: list[int] = []
        number = node
        while number != ROOT_NODE:
            above.append(number)
            number = parents[number]
        for length in range(2, (len(above) + 1) // 2 + 1):
            if frames[above[length - 1]] is frame and all(
                frames[above[i]] is frames[above[i + length]] for i in range(length - 1)
            ):
                return above[length - 1]
        return self.tree.child(node, frame)

    def _end(self, state: int | None) -> int | None:
        if state is None or state < 0:
            return None
        if self._shape.hide_kernel:
            frame = self.tree.frames[state]
            if frame in (ROOT_FRAME, CALLER_LOST_FRAME) or is_thread_frame(frame):
                return self.tree.child(state, KERNEL_ONLY_FRAME)
        return state


def outwards(table: StackTable, leaf: int) -> Iterator[Frame]:
    """Walk from a node of a table's prefix tree to the outermost caller, its own frame first."""
    while leaf != ROOT_NODE:
        yield table.node_frames[leaf]
        leaf = table.parents[leaf]


def _turned(grown: Grown) -> CallTree:
    """Build the tree in which each leaf's callers hang below it; threads stay at the root."""
    threads = [
        number
        for number, (parent, frame) in enumerate(zip(grown.parents, grown.frames, strict=True))
        if parent == ROOT_NODE and number != ROOT_NODE and is_thread_frame(frame)
    ]
    return invert(grown.parents, grown.frames, grown.leaves, threads)
