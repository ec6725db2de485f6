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
from typing import Final

from collectors.samples import Frame
from tui.model.calltree import CallNode, CallTree, FunctionTotal, Path, top_table
from tui.model.poisson import (
    CONFIDENCE,
    difference_interval,
    equal_rates_p,
    holm,
    is_near,
    ratio_interval,
)

ENOUGH_SAMPLES: Final = 10
"""In both ranges together; frames with less are not tested, and are no change."""

# A comparison asks three times: own costs, total costs, nodes. Each has a third of the 5 %, so that
# one wrong among all that is shown stays a rare event.
_LEVEL: Final = (1 - CONFIDENCE) / 3

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


@dataclass(frozen=True, slots=True)
class Cost:
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
    """How likely a difference as great as this is without any change; 1 where that is plain."""
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
    """What changed in the total cost of each node."""

    by_node: Mapping[int, CostChange]
    """`id` of each node of the tree after → its change."""
    vanished: tuple[tuple[Path, CostChange], ...]
    """Paths that only the tree before has, the costliest first."""


def diff_functions(before: DiffSide, after: DiffSide) -> tuple[FunctionChange, ...]:
    """Compare functions by their own cost: what changed, then the rest, the greatest first."""
    rows: dict[Frame, tuple[list[FunctionTotal], list[FunctionTotal]]] = {}
    for side, found in enumerate((top_table(before.tree), top_table(after.tree))):
        for row in found:
            rows.setdefault(comparable(row.frame), ([], []))[side].append(row)
    own = _decide([_own(*both, before, after) for both in rows.values()])
    total = _decide([_total(*both, before, after) for both in rows.values()])
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
) -> CostChange:
    return CostChange(
        _cost(((r.self_samples, r.self_period_ns) for r in rows), before),
        _cost(((r.self_samples, r.self_period_ns) for r in later), after),
    )


def _total(
    rows: Sequence[FunctionTotal],
    later: Sequence[FunctionTotal],
    before: DiffSide,
    after: DiffSide,
) -> CostChange:
    kept = [[r for r in each if not r.caller_lost] for each in (rows, later)]
    return CostChange(
        _cost(((r.total_samples, r.total_period_ns) for r in kept[0]), before),
        _cost(((r.total_samples, r.total_period_ns) for r in kept[1]), after),
    )


def diff_trees(before: DiffSide, after: DiffSide) -> TreeDiff:
    """Compare nodes by their total cost; nodes that have one name in both builds are one."""
    groups: list[tuple[Path, list[CallNode], list[CallNode]]] = []
    stack: list[tuple[Path, list[CallNode], list[CallNode]]] = [
        ((), [before.tree.root], [after.tree.root])
    ]
    while stack:
        group = path, old, new = stack.pop()
        groups.append(group)
        below: dict[Frame, tuple[list[CallNode], list[CallNode]]] = {}
        for side, nodes in enumerate((old, new)):
            for node in nodes:
                for child in node.children:
                    below.setdefault(comparable(child.frame), ([], []))[side].append(child)
        stack.extend(((*path, frame), *both) for frame, both in below.items())
    changes = _decide(
        [
            CostChange(
                _cost(((n.total_samples, n.total_period_ns) for n in old), before),
                _cost(((n.total_samples, n.total_period_ns) for n in new), after),
            )
            for _, old, new in groups
        ]
    )
    found = list(zip(groups, changes, strict=True))
    vanished = [(path, change) for (path, _, new), change in found if not new]
    vanished.sort(key=lambda each: each[1].delta_us)
    return TreeDiff(
        by_node={id(node): change for (_, _, new), change in found for node in new},
        vanished=tuple(vanished),
    )


def _cost(parts: Iterable[tuple[int, int]], side: DiffSide) -> Cost:
    samples = period_ns = 0
    for part_samples, part_period_ns in parts:
        samples += part_samples
        period_ns += part_period_ns
    weight_us = _weight_us(samples, period_ns) if samples else side.mean_weight_us
    return Cost(samples, weight_us / side.requests)


def _weight_us(samples: int, period_ns: int) -> float:
    return period_ns / samples / 1000 if samples and period_ns else 1.0


def _decide(changes: Sequence[CostChange]) -> list[CostChange]:
    """Test all changes with enough samples together."""
    decided = list(changes)
    tested = [
        index
        for index, change in enumerate(changes)
        if change.before.samples + change.after.samples >= ENOUGH_SAMPLES
    ]
    p_values = [_p_value(changes[index]) for index in tested]
    for index, p_value, holds in zip(tested, p_values, holm(p_values, _LEVEL), strict=True):
        change = changes[index]
        if holds:
            low, high = change.interval_us
            holds = not low <= 0 <= high
        decided[index] = replace(change, p_value=p_value, is_changed=holds)
    return decided


def _p_value(change: CostChange) -> float:
    before, after = change.before, change.after
    sides = (before.samples, 1 / before.scale_us, after.samples, 1 / after.scale_us)
    # Most frames are as they were: no need to work out how much so.
    return 1.0 if is_near(*sides) else equal_rates_p(*sides)
