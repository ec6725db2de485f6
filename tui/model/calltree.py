"""The call tree of a time range: who called whom, and what it cost.

Built anew from counts whenever the range moves, never changed afterwards. The invariant everywhere
is conservation: what a node used itself plus the totals of its children is its total. Stacks whose
callers the unwinder lost hang under one node at the root, so that no other frame's total contains
a guess; `caller_lost_ratio` says how much they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from collectors.samples import Frame, FrameKind, StackCount
from tui.model.stacks import CALLER_LOST_FRAME, ROOT_FRAME, ROOT_NODE, StackTable

Path: TypeAlias = tuple[Frame, ...]
"""Identity of a node across rebuilds: the frames from below the root to the node; root: ()."""


@dataclass(slots=True, eq=False)
class CallNode:
    """One frame with all its callers; not to be changed once its tree is built."""

    frame: Frame
    self_samples: int = 0
    self_period_ns: int = 0
    total_samples: int = 0
    total_period_ns: int = 0
    children: list[CallNode] = field(default_factory=list)
    """By name, so that neighbours keep their place from one rebuild to the next."""


@dataclass(frozen=True, slots=True, eq=False)
class CallTree:
    """A call tree and what is known about its quality; two trees are equal if they are the same."""

    root: CallNode
    unknown_samples: int
    """Samples whose leaf has no symbol."""
    caller_lost_samples: int
    """Samples whose callers the unwinder lost."""

    @property
    def nodes(self) -> int:
        """How many nodes it has, without the root; counted each time."""
        return sum(1 for _ in self.walk()) - 1

    @property
    def samples(self) -> int:
        """All samples."""
        return self.root.total_samples

    @property
    def period_ns(self) -> int:
        """The time that all samples stand for."""
        return self.root.total_period_ns

    @property
    def unknown_ratio(self) -> float:
        """Share of the samples whose leaf has no symbol; 0 without samples."""
        return self.unknown_samples / self.samples if self.samples else 0.0

    @property
    def caller_lost_ratio(self) -> float:
        """Share of the samples whose callers were lost; 0 without samples."""
        return self.caller_lost_samples / self.samples if self.samples else 0.0

    def find(self, path: Path) -> CallNode | None:
        """The node at a path, or None."""
        node: CallNode | None = self.root
        for frame in path:
            if node is None:
                break
            node = next((child for child in node.children if child.frame == frame), None)
        return node

    def nearest(self, path: Path) -> Path:
        """The longest beginning of a path that this tree has."""
        node = self.root
        for depth, frame in enumerate(path):
            child = next((child for child in node.children if child.frame == frame), None)
            if child is None:
                return path[:depth]
            node = child
        return path

    def walk(self) -> Iterator[tuple[int, CallNode]]:
        """Every node with its depth, parents before children, children in their order."""
        stack = [(0, self.root)]
        while stack:
            depth, node = stack.pop()
            yield depth, node
            stack.extend((depth + 1, child) for child in reversed(node.children))

    def check(self) -> None:
        """Verify conservation.

        Raises:
            ValueError: a node's total is not its own share plus its children's totals.
        """
        for _, node in self.walk():
            samples = node.self_samples + sum(c.total_samples for c in node.children)
            period_ns = node.self_period_ns + sum(c.total_period_ns for c in node.children)
            if (samples, period_ns) != (node.total_samples, node.total_period_ns):
                raise ValueError(f"totals of {node.frame.symbol} do not add up")


class PrefixTree:
    """Paths of frames as numbers, each beginning once; a parent's number is below its children's.

    Equal frames have to be the same object.
    """

    def __init__(self, root: Frame = ROOT_FRAME) -> None:
        self.parents = [ROOT_NODE]
        self.frames = [root]
        self._children: dict[tuple[int, int], int] = {}

    def child(self, parent: int, frame: Frame) -> int:
        """The node of a frame below a node, grown where it is missing."""
        # Frames stay in the list, so their identity is a cheap, safe key.
        key = (parent, id(frame))
        node = self._children.get(key)
        if node is None:
            node = self._children[key] = len(self.parents)
            self.parents.append(parent)
            self.frames.append(frame)
        return node

    def path(self, node: int) -> Path:
        """The frames from below the root to a node."""
        frames = []
        while node != ROOT_NODE:
            frames.append(self.frames[node])
            node = self.parents[node]
        return tuple(reversed(frames))

    def assemble(self, leaves: Iterable[tuple[int, StackCount]]) -> CallTree:
        """Build the call tree of counted nodes."""
        return assemble(self.parents, self.frames, leaves)


def build_tree(table: StackTable, counts: Mapping[int, StackCount]) -> CallTree:
    """Build the call tree of a range.

    Args:
        table: Knows the stacks.
        counts: Stack id → count, summed over the range.
    """
    leaves = [(table.leaf(stack_id), count) for stack_id, count in counts.items()]
    return assemble(table.parents, table.node_frames, leaves)


def assemble(
    parents: Sequence[int], frames: Sequence[Frame], leaves: Iterable[tuple[int, StackCount]]
) -> CallTree:
    """Build the call tree of a prefix tree whose leaves were counted.

    Args:
        parents: Parent of each node; its number is below the node's own. The root is `ROOT_NODE`.
        frames: Frame of each node.
        leaves: Nodes at which stacks end, and their counts; a node may come more than once.
    """
    built = _count_leaves(frames, leaves)
    order = ancestry(parents, built)
    for number in order:
        if number not in built:
            built[number] = CallNode(frames[number])
    root = built[ROOT_NODE]
    # A parent's number is below its children's: going down, every node is whole when it is added.
    for number in order[:0:-1]:
        node, parent = built[number], built[parents[number]]
        parent.total_samples += node.total_samples
        parent.total_period_ns += node.total_period_ns
        parent.children.append(node)
    for node in built.values():
        if len(node.children) > 1:
            node.children.sort(key=node_order)
    unknown = (n for n in built.values() if n.frame.kind is FrameKind.UNKNOWN and n.self_samples)
    lost = next((n for n in root.children if n.frame is CALLER_LOST_FRAME), None)
    return CallTree(
        root=root,
        unknown_samples=sum(node.self_samples for node in unknown),
        caller_lost_samples=lost.total_samples if lost else 0,
    )


def ancestry(parents: Sequence[int], leaves: Iterable[int]) -> list[int]:
    """Return the nodes of a prefix tree that lead to some leaves, parents before children."""
    found = {ROOT_NODE}
    for leaf in leaves:
        number = leaf
        while number not in found:
            found.add(number)
            number = parents[number]
    return sorted(found)


def _count_leaves(
    frames: Sequence[Frame], leaves: Iterable[tuple[int, StackCount]]
) -> dict[int, CallNode]:
    built: dict[int, CallNode] = {}
    for leaf, count in leaves:
        node = built.get(leaf)
        if node is None:
            node = built[leaf] = CallNode(frames[leaf])
        node.self_samples += count.samples
        node.self_period_ns += count.period_ns
        node.total_samples += count.samples
        node.total_period_ns += count.period_ns
    return built


def frame_order(frame: Frame) -> tuple[bool, str, str, str]:
    """Return the key by which the children of a node stand; lost callers come last."""
    return frame is CALLER_LOST_FRAME, frame.symbol, frame.module, frame.kind


def node_order(node: CallNode) -> tuple[bool, str, str, str]:
    """Return the key by which nodes of one parent stand."""
    return frame_order(node.frame)


class FunctionTotal(NamedTuple):
    """One function over all its callers."""

    frame: Frame
    caller_lost: bool
    """This row sums the stacks whose callers were lost; the others have a row of their own."""
    self_samples: int
    self_period_ns: int
    total_samples: int
    """A stack in which the function calls itself counts once."""
    total_period_ns: int

    @property
    def symbol(self) -> str:
        """The function's symbol."""
        return self.frame.symbol

    @property
    def module(self) -> str:
        """The module that has the function."""
        return self.frame.module

    @property
    def kind(self) -> FrameKind:
        """Where the function belongs."""
        return self.frame.kind


@dataclass(slots=True)
class _Sums:
    self_samples: int = 0
    self_period_ns: int = 0
    total_samples: int = 0
    total_period_ns: int = 0
    open: int = 0
    """How often the function is on the path being walked."""


def top_table(tree: CallTree) -> list[FunctionTotal]:
    """Sum up functions over all callers, the greatest own time first.

    The own shares of all rows add up to the whole tree. Stacks with lost callers are summed apart,
    so that they are in no other row's total.
    """
    rows: dict[tuple[Frame, bool], _Sums] = {}
    # Frames are mostly the same objects, and to hash one takes longer than all the rest.
    known: dict[tuple[int, bool], _Sums] = {}
    # The second visit to a node (leaving) is None: it takes the function off the path.
    stack: list[tuple[CallNode | None, _Sums | None, bool]] = [
        (child, None, False) for child in tree.root.children
    ]
    while stack:
        node, sums, lost = stack.pop()
        if node is None:
            if sums is not None:
                sums.open -= 1
            continue
        frame = node.frame
        if frame is CALLER_LOST_FRAME:
            stack.extend([(child, None, True) for child in node.children])
            continue
        sums = known.get((id(frame), lost))
        if sums is None:
            sums = known[id(frame), lost] = rows.setdefault((frame, lost), _Sums())
        sums.self_samples += node.self_samples
        sums.self_period_ns += node.self_period_ns
        if not sums.open:
            sums.total_samples += node.total_samples
            sums.total_period_ns += node.total_period_ns
        if node.children:
            sums.open += 1
            stack.append((None, sums, lost))
            stack.extend([(child, None, lost) for child in node.children])
    table = [
        FunctionTotal(
            frame,
            lost,
            sums.self_samples,
            sums.self_period_ns,
            sums.total_samples,
            sums.total_period_ns,
        )
        for (frame, lost), sums in rows.items()
    ]
    table.sort(key=lambda row: (-row.self_period_ns, -row.self_samples, row.symbol, row.module))
    return table
