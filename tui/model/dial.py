"""A dial: what the operator wants of the load; each operation returns another dial."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from collectors.course import Course, CourseUnit
from tui.model.ramp import RampStep, clamped, ramp_points


@dataclass(frozen=True, slots=True)
class Dial:
    """What the load should be, and whether it is paused.

    Moments are seconds of CLOCK_MONOTONIC and are passed in. A dial that has not begun stays at
    its first level; what is changed until then is what it begins with. A change while it is
    paused keeps the pause, and its ramp begins when the load is resumed.
    """

    unit: CourseUnit
    ceiling: float | None
    """The highest level there may be, a whole number; None where only `ramp.MOST` bounds it."""
    points: tuple[tuple[float, float], ...]
    """Seconds from the begin and levels, in order of time; the first is at 0."""
    anchor_at: float | None = None
    """When the offsets begin; None while the load has not begun."""
    paused_after_s: float | None = None
    """How far into the points the load was paused; None while it is not."""
    is_schedule: bool = False
    """Whether the points come from the options of the start, and the run ends with them."""

    @classmethod
    def constant(cls, unit: CourseUnit, level: float, ceiling: float | None) -> Dial:
        """Return a dial that stays at a level, for VUs a whole one."""
        return cls(unit, ceiling, _corners(unit, (), level, ceiling))

    @classmethod
    def schedule(
        cls,
        unit: CourseUnit,
        steps: Sequence[RampStep],
        ceiling: float | None,
        start_level: float = 0.0,
    ) -> Dial:
        """Return a dial whose steps were asked for before the start, and end the run."""
        return cls(unit, ceiling, _corners(unit, steps, start_level, ceiling), is_schedule=True)

    @property
    def is_begun(self) -> bool:
        """Whether the load has begun."""
        return self.anchor_at is not None

    @property
    def is_paused(self) -> bool:
        """Whether the operator has paused the load."""
        return self.paused_after_s is not None

    def begun(self, at: float) -> Dial:
        """Return the dial of a load that began at a moment; only the first begin counts."""
        return self if self.is_begun else replace(self, anchor_at=at)

    def course(self, now: float) -> Course:
        """Return what the load is to follow from now on."""
        return Course.constant(self.unit, 0.0, now) if self.is_paused else self._path(now)

    def level(self, now: float) -> float:
        """Return the target: 0 while paused."""
        return self.course(now).level(now)

    def wanted(self, now: float) -> float:
        """Return what the target would be without the pause."""
        if self.paused_after_s is not None:
            return Course(self.unit, self.points).level(self.paused_after_s)
        return self._path(now).level(now)

    def at_ceiling(self, now: float) -> bool:
        """Return whether no more can be wanted."""
        return self.ceiling is not None and self.wanted(now) >= self.ceiling

    def is_over(self, now: float) -> bool:
        """Return whether the schedule has ended, and the run with it."""
        if not self.is_schedule or self.is_paused or self.anchor_at is None:
            return False
        return now >= self.anchor_at + self.points[-1][0]

    def stepped(self, by: float, now: float) -> Dial:
        """Return the dial that stays at the level of now and some more, or less if negative."""
        # Rates are sums of fractions: 50.3 should not become 50.300000000000004.
        level = round(_tidy(self.unit, self.wanted(now)) + by, 3)
        return self._changed(_corners(self.unit, (), level, self.ceiling), now)

    def ramped(self, steps: Sequence[RampStep], now: float) -> Dial:
        """Return the dial that goes from the level of now through some steps."""
        points = _corners(self.unit, steps, self.wanted(now), self.ceiling)
        return self._changed(points, now)

    def held(self, now: float) -> Dial:
        """Return the dial that stays at the level of now, a rate as it is shown."""
        return self.stepped(0.0, now)

    def switched(
        self,
        unit: CourseUnit,
        steps: Sequence[RampStep],
        level_now: float,
        ceiling: float | None,
        now: float,
    ) -> Dial:
        """Return the dial in another unit, going from what the load is in it through some steps.

        Args:
            unit: The new one.
            steps: From the level of now; none stays at it.
            level_now: What the load is in the new unit.
            ceiling: In the new unit.
            now: When it is changed.
        """
        points = _corners(unit, steps, _tidy(unit, level_now), ceiling)
        return replace(self._changed(points, now), unit=unit, ceiling=ceiling)

    def paused(self, now: float) -> Dial:
        """Return the dial of a load that stops for a while."""
        if self.is_paused:
            return self
        after_s = 0.0 if self.anchor_at is None else max(0.0, now - self.anchor_at)
        return replace(self, paused_after_s=after_s)

    def resumed(self, now: float) -> Dial:
        """Return the dial of a load that goes on where it was paused."""
        if self.paused_after_s is None:
            return self
        anchor_at = now - self.paused_after_s if self.is_begun else None
        return replace(self, anchor_at=anchor_at, paused_after_s=None)

    def _path(self, now: float) -> Course:
        """Return the course as if there were no pause."""
        if self.anchor_at is None:
            return Course.constant(self.unit, self.points[0][1], now)
        points = tuple((self.anchor_at + offset_s, level) for offset_s, level in self.points)
        return Course(self.unit, points)

    def _changed(self, points: tuple[tuple[float, float], ...], now: float) -> Dial:
        return replace(
            self,
            points=points,
            anchor_at=now if self.is_begun else None,
            paused_after_s=0.0 if self.is_paused else None,
            is_schedule=False,
        )


def _corners(
    unit: CourseUnit, steps: Sequence[RampStep], level: float, ceiling: float | None
) -> tuple[tuple[float, float], ...]:
    """Return the points of a ramp as a dial has them.

    Steps end at whole VUs. What is done at once at the begin is the first level: nothing is before
    it, neither for a load that waits for its begin nor for who looks a moment back.
    """
    points = ramp_points(steps, level, ceiling)
    if unit is CourseUnit.VUS:
        # A ramp begins where the load is, be it between two VUs; a constant is no ramp.
        kept = points[:1] if steps else ()
        whole = ((at, clamped(_tidy(unit, end), ceiling)) for at, end in points[len(kept) :])
        points = (*kept, *whole)
    late = (point for point in points if point[0] > 0)
    begin = next(level for offset_s, level in reversed(points) if offset_s == 0)
    return ((0.0, begin), *late)


def _tidy(unit: CourseUnit, level: float) -> float:
    """Return whole VUs, as k6's VUs round the target; of a rate what is shown, three digits."""
    if unit is CourseUnit.VUS:
        return float(math.floor(level + 0.5)) if math.isfinite(level) else level
    decimals = 0 if level >= 99.95 else 1 if level >= 9.995 else 2 if level >= 0.9995 else 3
    return round(level, decimals)
