"""Inverted call trees: where time is spent at the root, and below it who called that.

An inverted tree is several times as large as the tree it is made from, since stacks that shared
their callers are apart in it, and most of it is too thin to be drawn. So the callers of a node are
worked out when they are asked for first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from collectors.samples import Frame, StackCount
from tui.model.calltree import CallNode, CallTree, node_order
from tui.model.stacks import ROOT_FRAME, ROOT_NODE

_Costs: TypeAlias = dict[int, tuple[int, int]]
"""Node of the upright tree → samples and period in ns of the stacks that came up to it."""


def invert(
    parents: Sequence[int],
    frames: Sequence[Frame],
    leaves: Iterable[tuple[int, StackCount]],
    threads: Collection[int] = (),
) -> CallTree:
    """Build the tree in which each leaf's callers hang below it.

    What is unknown in it, and whose callers were lost, is not told: that says nothing here.

    Args:
        parents: Parent of each node of a prefix tree; its number is below the node's own.
        frames: Frame of each node; equal ones are the same object.
        leaves: Nodes at which stacks end, and their counts; a node may come more than once.
        threads: Nodes that stand for threads, below the root: they stay there.
    """
    costs: _Costs = {}
    for leaf, count in leaves:
        samples, period_ns = costs.get(leaf, (0, 0))
        costs[leaf] = samples + count.samples, period_ns + count.period_ns
    upright = _Upright(parents, frames, frozenset({ROOT_NODE, *threads}))
    tops = {ROOT_NODE: CallNode(ROOT_FRAME)}
    for thread, below in _by_thread(costs, parents, upright.ends).items():
        top = tops.setdefault(thread, CallNode(frames[thread]))
        top.self_samples, top.self_period_ns = below.pop(thread, (0, 0))
        top.children.extend(upright.nodes(below))
    root = tops.pop(ROOT_NODE)
    for top in (*tops.values(), root):
        if top is root:
            root.children += tops.values()
            root.children.sort(key=node_order)
        top.total_samples = top.self_samples + sum(n.total_samples for n in top.children)
        top.total_period_ns = top.self_period_ns + sum(n.total_period_ns for n in top.children)
    return CallTree(root=root, unknown_samples=0, caller_lost_samples=0)


def _by_thread(costs: _Costs, parents: Sequence[int], ends: frozenset[int]) -> dict[int, _Costs]:
    """Sort leaves by the node of their thread; where there is none, by the root."""
    found: dict[int, _Costs] = {}
    for leaf, cost in costs.items():
        node = leaf if len(ends) > 1 else ROOT_NODE
        while node not in ends:
            node = parents[node]
        found.setdefault(node, {})[leaf] = cost
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Upright:
    """The tree that is turned around."""

    parents: Sequence[int]
    frames: Sequence[Frame]
    ends: frozenset[int]
    """Where the way to the outermost caller ends: the root, and threads."""

    def nodes(self, costs: _Costs) -> list[CallNode]:
        """Return a node for each function that some stacks have come to."""
        by_frame: dict[int, _Costs] = {}
        for number, cost in costs.items():
            by_frame.setdefault(id(self.frames[number]), {})[number] = cost
        found: list[CallNode] = [_Callee(self, below) for below in by_frame.values()]
        if len(found) > 1:
            found.sort(key=node_order)
        return found


class _Callee(CallNode):
    """A function, and the nodes of the upright tree that are it on the way to its callers."""

    __slots__ = ("_costs", "_upright")

    def __init__(self, upright: _Upright, costs: _Costs) -> None:
        self.frame = upright.frames[next(iter(costs))]
        self.self_samples = self.self_period_ns = 0
        self.total_samples = self.total_period_ns = 0
        self._upright = upright
        self._costs = costs
        parents, ends = upright.parents, upright.ends
        for number, (samples, period_ns) in costs.items():
            self.total_samples += samples
            self.total_period_ns += period_ns
            if parents[number] in ends:
                self.self_samples += samples
                self.self_period_ns += period_ns

    def __getattr__(self, name: str) -> Any:
        # Only called for what has no value yet: the callers, until somebody asks for them.
        if name != "children":
            raise AttributeError(name)
        upright, above = self._upright, dict[int, tuple[int, int]]()
        for number, (samples, period_ns) in self._costs.items():
            parent = upright.parents[number]
            if parent not in upright.ends:
                before = above.get(parent, (0, 0))
                above[parent] = before[0] + samples, before[1] + period_ns
        self.children = upright.nodes(above)
        self._costs = {}
        return self.children
