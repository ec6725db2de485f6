"""What changed between two ranges: the functions and the nodes of two call trees, side by side."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from collectors.samples import Frame
from tui.model.calltree import CallNode, FunctionTotal, Path
from tui.model.costchange import (
    ENOUGH_SAMPLES,
    SURELY_UNCHANGED,
    CostChange,
    Costs,
    DiffSide,
    Scale,
    all_changes,
    change_of,
    decide,
)
from tui.model.cuttotals import function_totals

_BUILD_HASH = re.compile(r"::h[0-9a-f]{16}\b|\[[0-9a-f]{5,16}\]|\.llvm\.\d+\b")


def comparable(frame: Frame) -> Frame:
    """Return the frame under a name that two builds of one program have in common.

    Rust's legacy symbols end in a hash (`::h` and 16 digits), its v0 ones name each crate with one
    (`core[1f3a…]`), and LLVM numbers what it makes global (`.llvm.123…`). All change with the
    build.
    """
    symbol = _BUILD_HASH.sub("", frame.symbol)
    return frame if symbol == frame.symbol else replace(frame, symbol=symbol)


@dataclass(frozen=True, slots=True)
class FunctionChange:
    """What changed in one function over all its callers."""

    frame: Frame
    """As it is called in the range after, else in that before."""
    own: CostChange
    """Of the function itself; what it was decided by."""
    total: CostChange
    """With all it calls; without stacks whose callers were lost."""


@dataclass(frozen=True, slots=True, eq=False)
class TreeDiff:
    """What changed in the total cost of each node that has enough samples to tell."""

    compared: int
    """Frames that were compared, without the root; those of the tree before, too."""
    changed: Mapping[int, CostChange]
    """`id` of a node of the tree after → its change, where there is one."""
    vanished: tuple[tuple[Path, CostChange], ...]
    """Paths that only the tree before has, the costliest first."""
    _costs: Mapping[int, Costs]
    """`id` of a node → what it cost before and after."""

    def change_of(self, node: CallNode) -> CostChange | None:
        """Return what changed in a node of the tree after; None: too few samples to tell."""
        found = self.changed.get(id(node))
        if found is None and id(node) in self._costs:
            found = change_of(self._costs[id(node)])
        return found


def diff_functions(before: DiffSide, after: DiffSide) -> tuple[FunctionChange, ...]:
    """Compare functions by their own cost: what changed, then the rest, the greatest first."""
    rows: dict[Frame, tuple[list[FunctionTotal], list[FunctionTotal]]] = {}
    for side, each in enumerate((before, after)):
        for row in function_totals(each.tree, each.cut):
            rows.setdefault(comparable(row.frame), ([], []))[side].append(row)
    scales = Scale(before), Scale(after)
    own = all_changes([_own(both, scales) for both in rows.values()])
    total = all_changes([_total(both, scales) for both in rows.values()])
    changes = [
        FunctionChange((both[1] or both[0])[0].frame, own_change, total_change)
        for both, own_change, total_change in zip(rows.values(), own, total, strict=True)
    ]
    changes.sort(key=lambda c: (not c.own.is_changed, -abs(c.own.delta_us), c.frame.symbol))
    return tuple(changes)


_Rows: TypeAlias = tuple[Sequence[FunctionTotal], Sequence[FunctionTotal]]


def _own(rows: _Rows, scales: tuple[Scale, Scale]) -> Costs:
    before, after = (_sum((r.self_samples, r.self_period_ns) for r in each) for each in rows)
    return before[0], scales[0](*before), after[0], scales[1](*after)


def _total(rows: _Rows, scales: tuple[Scale, Scale]) -> Costs:
    before, after = (
        _sum((r.total_samples, r.total_period_ns) for r in each if not r.caller_lost)
        for each in rows
    )
    return before[0], scales[0](*before), after[0], scales[1](*after)


def _sum(parts: Iterable[tuple[int, int]]) -> tuple[int, int]:
    samples = period_ns = 0
    for part_samples, part_period_ns in parts:
        samples += part_samples
        period_ns += part_period_ns
    return samples, period_ns


def diff_trees(before: DiffSide, after: DiffSide) -> TreeDiff:
    """Compare nodes by their total cost; nodes that have one name in both builds are one."""
    pairs, members = _paired(before.tree.root, after.tree.root)
    costs = _total_costs(pairs, Scale(before), Scale(after))
    # That a frame is unchanged is all that is said of it: no need for how sure that is.
    p_values, changes = decide(costs, SURELY_UNCHANGED)
    costs_by_node: dict[int, Costs] = {}
    changed: dict[int, CostChange] = {}
    for place, (_, _, now) in enumerate(pairs):
        if now is not None:
            for node in members.get(id(now), (now,)):
                costs_by_node[id(node)] = costs[place]
                if place in changes:
                    changed[id(node)] = changes[place]
    vanished = [
        (_path(pairs, place), changes.get(place) or change_of(costs[place], p_values[place]))
        for place, (_, _, now) in enumerate(pairs)
        if now is None
    ]
    vanished.sort(key=lambda each: each[1].delta_us)
    return TreeDiff(
        compared=len(pairs) - 1,
        changed=changed,
        vanished=tuple(vanished),
        _costs=costs_by_node,
    )


_Pair: TypeAlias = tuple[int, CallNode | None, CallNode | None]
"""The place of the pair above, and what is one node under comparable names before and after."""
_Members: TypeAlias = dict[int, Sequence[CallNode]]
"""`id` of a node that stands for several of one name → these."""


def _paired(before: CallNode, after: CallNode) -> tuple[list[_Pair], _Members]:
    """Return the pairs of two trees with enough samples to tell, callers before their callees."""
    named, members = _Names(), _Members()
    pairs: list[_Pair] = [(0, before, after)]
    for place, (_, was, now) in enumerate(pairs):  # grows while it is gone through
        left = named.children(was, members) if was is not None and was.children else {}
        if now is not None and now.children:
            for name, child in named.children(now, members).items():
                match = left.pop(name, None)
                samples = child.total_samples + (match.total_samples if match is not None else 0)
                # What has too few samples calls nothing that has more.
                if samples >= ENOUGH_SAMPLES:
                    pairs.append((place, match, child))
        gone = [each for each in left.values() if each.total_samples >= ENOUGH_SAMPLES]
        pairs.extend((place, each, None) for each in gone)
    return pairs, members


def _total_costs(pairs: Sequence[_Pair], before: Scale, after: Scale) -> list[Costs]:
    costs = []
    none_before, none_after = before(0, 0), after(0, 0)
    for _, was, now in pairs:
        samples, us = 0, none_before
        if was is not None:
            samples = was.total_samples
            us = before(samples, was.total_period_ns)
        if now is None:
            costs.append((samples, us, 0, none_after))
        else:
            later = now.total_samples
            costs.append((samples, us, later, after(later, now.total_period_ns)))
    return costs


def _path(pairs: Sequence[_Pair], place: int) -> Path:
    """Return the frames from below the root to a pair, named as in both builds."""
    frames = []
    while place:
        place, was, now = pairs[place]
        node = now if now is not None else was
        if node is not None:  # it is one of both
            frames.append(comparable(node.frame))
    return tuple(reversed(frames))


class _Names:
    """Comparable frames, each looked at once; equal ones are the same object."""

    def __init__(self) -> None:
        self._known: dict[int, Frame] = {}
        self._interned: dict[Frame, Frame] = {}

    def children(self, node: CallNode, members: _Members) -> dict[int, CallNode]:
        """Return what a node calls by the `id` of its comparable frame.

        Args:
            node: The caller.
            members: Takes the nodes that one of the result stands for where they are several.
        """
        found: dict[int, CallNode] = {}
        known = self._known
        for child in node.children:
            # The trees hold their frames for as long as they are compared: a safe key.
            frame = known.get(id(child.frame)) or self._name(child.frame)
            other = found.get(id(frame))
            if other is not None:
                child = _joined(other, child, members)
            found[id(frame)] = child
        return found

    def _name(self, frame: Frame) -> Frame:
        found = comparable(frame)
        found = self._known[id(frame)] = self._interned.setdefault(found, found)
        return found


def _joined(one: CallNode, other: CallNode, members: _Members) -> CallNode:
    """Return a node that stands for two; for all of them, where one stands for several."""
    joined = CallNode(
        one.frame,
        one.self_samples + other.self_samples,
        one.self_period_ns + other.self_period_ns,
        one.total_samples + other.total_samples,
        one.total_period_ns + other.total_period_ns,
        [*one.children, *other.children],
    )
    members[id(joined)] = (*members.pop(id(one), (one,)), other)
    return joined
