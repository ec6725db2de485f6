"""What changed between two ranges: the CPU cost of frames per request, and how sure that is.

A frame's samples are a count and its requests an exposure, so what a request costs is a rate, and
two ranges can be compared whatever the load was. Which frames changed is decided for all of them
together (Holm over the exact test, frames with few samples left out), so that one wrong among them
is a rare event; the interval that is shown with a frame is for that frame alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from collectors.samples import Frame
from tui.model.calltree import CallNode, CallTree, FunctionTotal, Path, top_table
from tui.model.poisson import (
    CONFIDENCE,
    difference_interval,
    equal_rates_p,
    holm,
    is_near,
    most_p,
    ratio_interval,
)
from tui.model.stacks import ROOT_FRAME

ENOUGH_SAMPLES: Final = 10
"""In both ranges together; frames with less are not tested, and are no change."""

# A comparison asks three times: own costs, total costs, nodes. Each has a third of the 5 %, so that
# one wrong among all that is shown stays a rare event.
_LEVEL: Final = (1 - CONFIDENCE) / 3

_BEYOND_DOUBT: Final = 1e-9
"""Below what Holm asks of the smallest value in a family of ten million."""

_BUILD_HASH = re.compile(r"::h[0-9a-f]{16}\b|\[[0-9a-f]{5,16}\]|\.llvm\.\d+\b")


def comparable(frame: Frame) -> Frame:
    """Return the frame under a name that two builds of one program have in common.

    Rust's legacy symbols end in a hash (`::h` and 16 digits), its v0 ones name each crate with one
    (`core[1f3a…]`), and LLVM numbers what it makes global (`.llvm.123…`). All change with the
    build.
    """
    symbol = _BUILD_HASH.sub("", frame.symbol)
    return frame if symbol == frame.symbol else replace(frame, symbol=symbol)


@dataclass(frozen=True, slots=True, eq=False)
class DiffSide:
    """The stacks of one range, and the requests that caused them."""

    tree: CallTree
    requests: int
    """Above 0."""

    @property
    def mean_weight_us(self) -> float:
        """What a sample stands for in µs; 1 where samples have no period."""
        return _weight_us(self.tree.samples, self.tree.period_ns)


class Cost(NamedTuple):
    """What a frame cost in one range."""

    samples: int
    scale_us: float
    """What one sample adds to the cost of a request, µs."""

    @property
    def us(self) -> float:
        """µs per request."""
        return self.samples * self.scale_us


@dataclass(frozen=True, slots=True)
class CostChange:
    """What a request cost in a frame before and after: µs, or samples that have no period."""

    before: Cost
    after: Cost
    p_value: float = 1.0
    """How likely a difference as great as this is without any change, or more than that where it
    is plain: 1 where there is hardly any, a bound where there is no doubt."""
    is_changed: bool = False
    """By the family-wise test and by its own interval."""

    @property
    def delta_us(self) -> float:
        """After less before, per request."""
        return self.after.us - self.before.us

    @property
    def interval_us(self) -> tuple[float, float]:
        """The 95 % interval of the difference, for this frame alone."""
        before, after = self.before, self.after
        return difference_interval(before.samples, before.scale_us, after.samples, after.scale_us)

    @property
    def ratio(self) -> float | None:
        """After divided by before; None where there was nothing before."""
        return self.after.us / self.before.us if self.before.samples else None

    @property
    def ratio_interval(self) -> tuple[float, float]:
        """The 95 % interval of the ratio, for this frame alone."""
        before, after = self.before, self.after
        return ratio_interval(
            before.samples, 1 / before.scale_us, after.samples, 1 / after.scale_us
        )


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
    _costs: Mapping[int, tuple[Cost, Cost, float]]
    """`id` of a node → what it cost before and after, and the p-value."""

    def change_of(self, node: CallNode) -> CostChange | None:
        """Return what changed in a node of the tree after; None: too few samples to tell."""
        found = self.changed.get(id(node))
        if found is None and id(node) in self._costs:
            found = CostChange(*self._costs[id(node)])
        return found


def diff_functions(before: DiffSide, after: DiffSide) -> tuple[FunctionChange, ...]:
    """Compare functions by their own cost: what changed, then the rest, the greatest first."""
    rows: dict[Frame, tuple[list[FunctionTotal], list[FunctionTotal]]] = {}
    for side, found in enumerate((top_table(before.tree), top_table(after.tree))):
        for row in found:
            rows.setdefault(comparable(row.frame), ([], []))[side].append(row)
    own = _all_changes([_own(*both, before, after) for both in rows.values()])
    total = _all_changes([_total(*both, before, after) for both in rows.values()])
    changes = [
        FunctionChange((both[1] or both[0])[0].frame, own_change, total_change)
        for both, own_change, total_change in zip(rows.values(), own, total, strict=True)
    ]
    changes.sort(key=lambda c: (not c.own.is_changed, -abs(c.own.delta_us), c.frame.symbol))
    return tuple(changes)


def _own(
    rows: Sequence[FunctionTotal],
    later: Sequence[FunctionTotal],
    before: DiffSide,
    after: DiffSide,
) -> tuple[Cost, Cost]:
    return (
        _cost(((r.self_samples, r.self_period_ns) for r in rows), before),
        _cost(((r.self_samples, r.self_period_ns) for r in later), after),
    )


def _total(
    rows: Sequence[FunctionTotal],
    later: Sequence[FunctionTotal],
    before: DiffSide,
    after: DiffSide,
) -> tuple[Cost, Cost]:
    kept = [[r for r in each if not r.caller_lost] for each in (rows, later)]
    return (
        _cost(((r.total_samples, r.total_period_ns) for r in kept[0]), before),
        _cost(((r.total_samples, r.total_period_ns) for r in kept[1]), after),
    )


def diff_trees(before: DiffSide, after: DiffSide) -> TreeDiff:
    """Compare nodes by their total cost; nodes that have one name in both builds are one."""
    named = _Names()
    groups = [_Group(None, ROOT_FRAME, ([before.tree.root], [after.tree.root]))]
    for group in groups:  # grows while it is gone through: callers before their callees
        below: dict[int, _Group] = {}
        for side, nodes in enumerate(group.sides):
            for node in nodes:
                for child in node.children:
                    frame = named(child.frame)
                    found = below.get(id(frame))
                    if found is None:
                        found = below[id(frame)] = _Group(group, frame, ([], []))
                    found.sides[side].append(child)
        # What has too few samples calls nothing that has more.
        groups.extend(each for each in below.values() if each.samples >= ENOUGH_SAMPLES)
    costs = [(_total_of(g.sides[0], before), _total_of(g.sides[1], after)) for g in groups]
    p_values, changes = _decide(costs)
    by_node = {
        id(node): (*cost, p_values.get(index, 1.0))
        for index, (group, cost) in enumerate(zip(groups, costs, strict=True))
        for node in group.sides[1]
    }
    vanished = [
        (group.path, changes.get(index) or CostChange(*costs[index], p_values.get(index, 1.0)))
        for index, group in enumerate(groups)
        if not group.sides[1]
    ]
    vanished.sort(key=lambda each: each[1].delta_us)
    return TreeDiff(
        compared=len(groups) - 1,
        changed={id(node): c for index, c in changes.items() for node in groups[index].sides[1]},
        vanished=tuple(vanished),
        _costs=by_node,
    )


@dataclass(slots=True, eq=False)
class _Group:
    """The nodes of both trees that are one node under comparable names."""

    above: _Group | None
    frame: Frame
    sides: tuple[list[CallNode], list[CallNode]]
    """Before, and after."""

    @property
    def samples(self) -> int:
        """In both ranges."""
        return sum(node.total_samples for nodes in self.sides for node in nodes)

    @property
    def path(self) -> Path:
        """From below the root to here."""
        frames = []
        group = self
        while group.above is not None:
            frames.append(group.frame)
            group = group.above
        return tuple(reversed(frames))


class _Names:
    """Comparable frames, each looked at once; equal ones are the same object."""

    def __init__(self) -> None:
        self._known: dict[int, Frame] = {}
        self._interned: dict[Frame, Frame] = {}

    def __call__(self, frame: Frame) -> Frame:
        # The trees hold their frames for as long as they are compared, so identity is a safe key.
        found = self._known.get(id(frame))
        if found is None:
            found = comparable(frame)
            found = self._known[id(frame)] = self._interned.setdefault(found, found)
        return found


def _total_of(nodes: Sequence[CallNode], side: DiffSide) -> Cost:
    if len(nodes) == 1:
        node = nodes[0]
        return _cost_of(node.total_samples, node.total_period_ns, side)
    return _cost(((n.total_samples, n.total_period_ns) for n in nodes), side)


def _cost(parts: Iterable[tuple[int, int]], side: DiffSide) -> Cost:
    samples = period_ns = 0
    for part_samples, part_period_ns in parts:
        samples += part_samples
        period_ns += part_period_ns
    return _cost_of(samples, period_ns, side)


def _cost_of(samples: int, period_ns: int, side: DiffSide) -> Cost:
    weight_us = _weight_us(samples, period_ns) if samples else side.mean_weight_us
    return Cost(samples, weight_us / side.requests)


def _weight_us(samples: int, period_ns: int) -> float:
    return period_ns / samples / 1000 if samples and period_ns else 1.0


def _decide(
    costs: Sequence[tuple[Cost, Cost]],
) -> tuple[Mapping[int, float], Mapping[int, CostChange]]:
    """Test all pairs of costs with enough samples together.

    Returns:
        Place → p-value of those that were tested, and place → change of those that changed.
    """
    p_values = {
        place: _p_value(before, after)
        for place, (before, after) in enumerate(costs)
        if before.samples + after.samples >= ENOUGH_SAMPLES
    }
    changed = {}
    holding = holm(list(p_values.values()), _LEVEL)
    for (place, p_value), holds in zip(p_values.items(), holding, strict=True):
        if holds:
            change = CostChange(*costs[place], p_value, is_changed=True)
            low, high = change.interval_us
            if not low <= 0 <= high:
                changed[place] = change
    return p_values, changed


def _all_changes(costs: Sequence[tuple[Cost, Cost]]) -> list[CostChange]:
    p_values, changed = _decide(costs)
    return [
        changed.get(place) or CostChange(*both, p_values.get(place, 1.0))
        for place, both in enumerate(costs)
    ]


def _p_value(before: Cost, after: Cost) -> float:
    sides = (before.samples, 1 / before.scale_us, after.samples, 1 / after.scale_us)
    # Most frames are as they were, and what is quite another is that whatever the family: no need
    # to work out how much so.
    if is_near(*sides):
        return 1.0
    most = most_p(*sides)
    return most if most < _BEYOND_DOUBT else equal_rates_p(*sides)
