"""The axes of a report's pictures: one of time that all share, and one of values for each."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from tui.model.series import Buckets
from tui.model.timeline import TimeRange
from tui.views.format import Unit, clock, quantity

WIDTH: Final = 1120.0
"""Of every picture, in its own pixels."""
LEFT: Final = 66.0
RIGHT: Final = WIDTH - 10.0

_TIME_STEPS_S: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400,
                        21_600, 43_200, 86_400)  # fmt: skip
_MOST_TIME_TICKS: Final = 14
_VALUE_TICKS: Final = 4
_LEAST_DECADE: Final = -15
_MOST_DECADE: Final = 15
_LEAST_TICK_GAP: Final = 16.0
_WORTH_POWERS: Final = 20.0
"""How many times as high as the lowest value the highest is where an axis from 0 hides the low."""
_LEAST_TOP: Final = {
    Unit.RATE: 1.0,
    Unit.COUNT: 1.0,
    Unit.SECONDS: 1e-3,
    Unit.RATIO: 0.01,
    Unit.BYTES: 1024.0,
    Unit.BYTES_RATE: 1024.0,
    Unit.CORES: 0.1,
}
_TRAILING = re.compile(r"\.0+(?!\d)|(\.\d*?[1-9])0+(?!\d)")


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """From moments to pixels, the same in all pictures of a report."""

    range: TimeRange
    began_at: float
    """The moment that is called 0:00."""

    def x(self, at: float) -> float:
        """Return where a moment is; one outside of the range stands at its edge."""
        share = (at - self.range.start) / (self.range.duration_s or 1.0)
        return LEFT + min(1.0, max(0.0, share)) * (RIGHT - LEFT)

    def edges(self, buckets: Buckets, column: int) -> tuple[float, float]:
        """Return from where to where a column of the clock is, as far as it is in the range."""
        start = (buckets.first + column) * buckets.width_s
        return self.x(start), self.x(start + buckets.width_s)

    def centres(self, buckets: Buckets) -> list[float]:
        """Return where the middle of each column is."""
        return [sum(self.edges(buckets, column)) / 2 for column in range(buckets.count)]

    def label(self, at: float) -> str:
        """Return a moment by the clock of the run: `1:23`."""
        # The clock cuts what is not over: 9.999999 is a ten with an error of rounding.
        return clock(round(at - self.began_at, 3))

    def ticks(self) -> list[tuple[float, str]]:
        """Return round times, and where they are."""
        step = _time_step(self.range.duration_s / _MOST_TIME_TICKS)
        first = math.ceil((self.range.start - self.began_at) / step - 1e-9)
        last = math.floor((self.range.end - self.began_at) / step + 1e-9)
        return [(self.x(self.began_at + n * step), clock(n * step)) for n in range(first, last + 1)]


@dataclass(frozen=True, slots=True)
class ValueAxis:
    """From values to pixels, from 0 upwards."""

    step: float
    steps: int
    top_px: float
    bottom_px: float
    unit: Unit

    @classmethod
    def up_to(
        cls, values: Iterable[float], unit: Unit, top_px: float, bottom_px: float
    ) -> ValueAxis:
        """Return the axis that holds all values and ends at a round one."""
        highest = max((v for v in values if math.isfinite(v)), default=0.0)
        highest = max(highest, _LEAST_TOP[unit])
        step = _round_up(highest / _VALUE_TICKS, unit)
        return cls(step, math.ceil(highest / step - 1e-9), top_px, bottom_px, unit)

    def y(self, value: float) -> float:
        """Return where a value is; one outside of the axis stands at its end."""
        share = min(1.0, max(0.0, value / (self.step * self.steps)))
        return self.bottom_px - share * (self.bottom_px - self.top_px)

    def ticks(self) -> list[tuple[float, str]]:
        """Return round values, and where they are."""
        values = [n * self.step for n in range(self.steps + 1)]
        return [(self.y(value), short(quantity(value, self.unit))) for value in values]


@dataclass(frozen=True, slots=True)
class PowerAxis:
    """From values to pixels, each decade as high as the next, between round values above 0."""

    low: float
    high: float
    top_px: float
    bottom_px: float
    unit: Unit

    @classmethod
    def around(
        cls, values: Iterable[float], unit: Unit, top_px: float, bottom_px: float
    ) -> PowerAxis | None:
        """Return the axis that holds all values; None where an axis from 0 shows them as well."""
        known = [value for value in values if 10.0**_LEAST_DECADE <= value <= 10.0**_MOST_DECADE]
        if not known or max(known) < _WORTH_POWERS * min(known):
            return None
        low, high = min(known), max(known)
        rounds = [n * power for power in _powers(low, high) for n in (1, 2, 5)]
        below = max(value for value in rounds if value <= low * (1 + 1e-9))
        above = min(value for value in rounds if value >= high * (1 - 1e-9))
        return cls(below, above, top_px, bottom_px, unit)

    def y(self, value: float) -> float:
        """Return where a value is; one outside of the axis, like 0, stands at its end."""
        share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        return self.bottom_px - min(1.0, share) * (self.bottom_px - self.top_px)

    def ticks(self) -> list[tuple[float, str]]:
        """Return round values that have room for a label, and where they are."""
        return power_ticks(self.low, self.high, self.y, self.unit)


def power_ticks(
    low: float, high: float, y: Callable[[float], float], unit: Unit
) -> list[tuple[float, str]]:
    """Return the values of 1, 2 and 5 times a power of ten that have room, and where they are."""
    # Powers of ten first, so that it is them that stay where there is no room for all.
    rounds = [n * power for n in (1, 2, 5) for power in _powers(low, high)]
    kept: list[tuple[float, str]] = []
    for value in rounds:
        is_within = low * (1 - 1e-9) <= value <= high * (1 + 1e-9)
        if is_within and all(abs(y(value) - other) >= _LEAST_TICK_GAP for other, _ in kept):
            kept.append((y(value), short(quantity(value, unit))))
    return kept


def _powers(low: float, high: float) -> list[float]:
    """Return the powers of ten that two values lie between, within what anybody measures."""
    first = max(_LEAST_DECADE, math.floor(math.log10(low)))
    last = min(_MOST_DECADE, math.ceil(math.log10(high)))
    return [10.0**decade for decade in range(first, last + 1)]


def short(text: str) -> str:
    """Return a number without the zeros that only say how exact it is: `1.00k` is `1k`."""
    return _TRAILING.sub(r"\1", text)


def columns_of(range_: TimeRange, most: int) -> Buckets:
    """Cut a range at round times into columns of a second or more: so many, and one begun."""
    needed_s = range_.duration_s / most
    width_s = _time_step(needed_s) if needed_s > 1 else 1
    first = math.floor(range_.start / width_s)
    return Buckets(first, max(1, math.ceil(range_.end / width_s) - first), float(width_s))


def _time_step(least_s: float) -> int:
    days = 86_400 * math.ceil(least_s / 86_400)
    return next((step for step in _TIME_STEPS_S if step >= least_s), days)


def _round_up(value: float, unit: Unit) -> float:
    """Return the next 1, 2 or 5 times a power of 10; of bytes the next power of 2."""
    if unit in (Unit.BYTES, Unit.BYTES_RATE):
        return float(2.0 ** math.ceil(math.log2(value) - 1e-9))
    decade = 10.0 ** math.floor(math.log10(value))
    step = next(decade * n for n in (1, 2, 5, 10) if decade * n >= value * (1 - 1e-9))
    return max(1.0, step) if unit is Unit.COUNT else step
