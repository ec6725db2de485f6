"""What a frame cost before and after, per request, and whether that changed.

A frame's samples are a count and its requests an exposure, so what a request costs is a rate, and
two ranges can be compared whatever the load was. What changed is decided for all frames together
(Holm over the exact test, frames with few samples left out), so that one wrong among them is a rare
event; the interval that is shown with a frame is for that frame alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from tui.model.calltree import CallTree
from tui.model.cuttotals import CutTotals
from tui.model.poisson import (
    CONFIDENCE,
    difference_interval,
    equal_rates_p,
    holm,
    is_near,
    most_p,
    ratio_interval,
)

ENOUGH_SAMPLES: Final = 10
"""In both ranges together; frames with less are not tested, and are no change."""

# A comparison asks three times: own costs, total costs, nodes. Each has a third of the 5 %, so that
# one wrong among all that is shown stays a rare event.
_LEVEL: Final = (1 - CONFIDENCE) / 3

_BEYOND_DOUBT: Final = 1e-9
"""Below what Holm asks of the smallest value in a family of ten million."""

_NEAR: Final = 1.5
"""Standard deviations within which two costs count as the same, their p-value as 1."""
SURELY_UNCHANGED: Final = 2.0
"""The same where p-values are not shown: what is within has one that is above `_LEVEL`."""


@dataclass(frozen=True, slots=True, eq=False)
class DiffSide:
    """The stacks of one range, and the requests that caused them."""

    tree: CallTree
    requests: int
    """Above 0."""
    cut: CutTotals = field(default_factory=dict)
    """What the stacks of the tree lack."""

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


Costs: TypeAlias = tuple[int, float, int, float]
"""Samples and what one of them adds to the cost of a request in µs, before, and the same after."""


class Scale:
    """What a sample of one side adds to the cost of a request."""

    def __init__(self, side: DiffSide) -> None:
        self._divisor = 1000 * side.requests
        self._bare = 1 / side.requests
        self._mean_us = side.mean_weight_us / side.requests

    def __call__(self, samples: int, period_ns: int) -> float:
        """Return it in µs, for samples of this period together."""
        if samples and period_ns:
            return period_ns / samples / self._divisor
        return self._mean_us if not samples else self._bare


def change_of(costs: Costs, p_value: float = 1.0, *, is_changed: bool = False) -> CostChange:
    """Return costs before and after as a change."""
    return CostChange(Cost(*costs[:2]), Cost(*costs[2:]), p_value, is_changed)


def decide(
    costs: Sequence[Costs], near: float = _NEAR
) -> tuple[Sequence[float], Mapping[int, CostChange]]:
    """Test all costs with enough samples together.

    Args:
        costs: Of each.
        near: Standard deviations within which no test is made.

    Returns:
        The p-value of each, 1 without a test, and by place the change of those that changed.
    """
    tested = [place for place, each in enumerate(costs) if each[0] + each[2] >= ENOUGH_SAMPLES]
    p_values = [1.0] * len(costs)
    for place in tested:
        p_values[place] = _p_value(costs[place], near)
    changed = {}
    for place, holds in zip(tested, holm([p_values[p] for p in tested], _LEVEL), strict=True):
        if holds:
            change = change_of(costs[place], p_values[place], is_changed=True)
            low, high = change.interval_us
            if not low <= 0 <= high:
                changed[place] = change
    return p_values, changed


def all_changes(costs: Sequence[Costs]) -> list[CostChange]:
    """Return the change of each, tested together."""
    p_values, changed = decide(costs)
    return [
        changed.get(place) or change_of(both, p_value)
        for place, (both, p_value) in enumerate(zip(costs, p_values, strict=True))
    ]


def _p_value(costs: Costs, near: float) -> float:
    before, before_us, after, after_us = costs
    sides = before, 1 / before_us, after, 1 / after_us
    # Most frames are as they were, and what is quite another is that whatever the family: no need
    # to work out how much so.
    if is_near(*sides, near):
        return 1.0
    most = most_p(*sides)
    return most if most < _BEYOND_DOUBT else equal_rates_p(*sides)


def _weight_us(samples: int, period_ns: int) -> float:
    return period_ns / samples / 1000 if samples and period_ns else 1.0
