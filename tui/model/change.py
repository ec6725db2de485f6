"""What changed in one figure from one range to another, and whether that is more than chance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from tui.model import poisson
from tui.model.estimate import Estimate

_ROUNDING: Final = 1e-9
"""Relative to the figure; edges of one bucket differ by less."""


@dataclass(frozen=True, slots=True)
class Change:
    """A figure before and after, in its own unit; None where it was not measured."""

    before: Estimate | None
    after: Estimate | None
    delta_interval: tuple[float, float] | None = None
    """The 95 % interval of after less before; None where nothing tells."""
    ratio_interval: tuple[float, float] | None = None
    """The 95 % interval of after divided by before; ends at infinity where before may be 0."""

    @property
    def delta(self) -> float | None:
        """After less before."""
        if self.before is None or self.after is None:
            return None
        return self.after.value - self.before.value

    @property
    def ratio(self) -> float | None:
        """After divided by before; infinite from 0 on, None of two zeros or what is not known."""
        if self.before is None or self.after is None:
            return None
        if self.before.value <= 0:
            return math.inf if self.after.value > 0 else None
        return self.after.value / self.before.value

    @property
    def is_changed(self) -> bool:
        """Whether neither interval holds 'no change'."""
        return self.is_more or self.is_less

    @property
    def is_more(self) -> bool:
        """Whether both intervals lie above no change."""
        return self._is_beyond(1)

    @property
    def is_less(self) -> bool:
        """Whether both intervals lie below no change."""
        return self._is_beyond(-1)

    def _is_beyond(self, sign: int) -> bool:
        if self.before is None or self.after is None or self.delta_interval is None:
            return False
        size = max(abs(self.before.value), abs(self.after.value)) * _ROUNDING
        nearest = self.delta_interval[0] if sign > 0 else -self.delta_interval[1]
        if nearest <= size:
            return False
        if self.ratio_interval is None:
            return True
        low, high = self.ratio_interval
        return low > 1 + _ROUNDING if sign > 0 else high < 1 - _ROUNDING


def change(before: Estimate | None, after: Estimate | None) -> Change:
    """Compare two figures that were measured independently.

    The intervals are built from those of the figures, that of the ratio from their logarithms; what
    a measure can't resolve is added whole, since it is no chance that could cancel out. Source: Zou
    and Donner, Construction of confidence limits about effect measures, Statistics in Medicine 27
    (2008); for shares that is Newcombe's, Statistics in Medicine 17 (1998), 873.
    """
    if before is None or after is None or before.chance is None or after.chance is None:
        return Change(before, after)
    delta = _difference(before, after)
    ratio = None
    if before.value > 0 and after.value > 0:
        low, high = _difference(_logarithm(before), _logarithm(after))
        ratio = (_exponential(low), _exponential(high))
    return Change(before, after, delta, ratio)


def sampled_change(
    before_samples: int, before_scale: float, after_samples: int, after_scale: float
) -> Change:
    """Compare two costs of which samples were taken, as `tui.model.poisson` has it.

    Args:
        before_samples: How often it was seen.
        before_scale: What one of these samples adds to the cost; above 0.
        after_samples: The same of the range after.
        after_scale: The same of the range after.
    """
    sides = (before_samples, before_scale, after_samples, after_scale)
    ratio = poisson.ratio_interval(before_samples, 1 / before_scale, after_samples, 1 / after_scale)
    return Change(
        _sampled(before_samples, before_scale),
        _sampled(after_samples, after_scale),
        poisson.difference_interval(*sides),
        ratio,
    )


def _sampled(samples: int, scale: float) -> Estimate:
    low, high = poisson.interval(samples)
    return Estimate(samples * scale, (low * scale, high * scale))


def _difference(before: Estimate, after: Estimate) -> tuple[float, float]:
    """Return the interval of after less before; both have intervals."""
    a_low, a_high = before.chance or (before.value, before.value)
    b_low, b_high = after.chance or (after.value, after.value)
    a_least, a_most = before.limits or (a_low, a_high)
    b_least, b_most = after.limits or (b_low, b_high)
    delta = after.value - before.value
    below = math.hypot(after.value - b_low, a_high - before.value)
    above = math.hypot(b_high - after.value, before.value - a_low)
    below += _gap(b_least, b_low) + _gap(a_high, a_most)
    above += _gap(b_high, b_most) + _gap(a_least, a_low)
    return delta - below, delta + above


def _gap(low: float, high: float) -> float:
    return high - low if low < high else 0.0


def _logarithm(each: Estimate) -> Estimate:
    """Return a positive figure on the scale on which ratios are differences."""
    return Estimate(
        math.log(each.value),
        None if each.chance is None else (_log(each.chance[0]), _log(each.chance[1])),
        None if each.limits is None else (_log(each.limits[0]), _log(each.limits[1])),
    )


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf


def _exponential(value: float) -> float:
    return math.exp(value) if value < 700 else math.inf
