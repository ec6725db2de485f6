"""A course: what the load should be over time, as straight lines between points.

Standard library only: the gate process uses it too.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise


class CourseUnit(StrEnum):
    """What a course counts."""

    VUS = "vus"
    """VUs that run the script."""
    REQUESTS = "requests"
    """Requests per second; for k6 it becomes a rate of iterations."""
    ITERATIONS = "iterations"
    """Starts of iterations per second."""


@dataclass(frozen=True, slots=True)
class Course:
    """The target over time.

    The level is that of the first point before it, of the last point after it, and on the straight
    line between neighbours otherwise. Two points at one time are a step.
    """

    unit: CourseUnit
    points: tuple[tuple[float, float], ...]
    """Time (seconds of CLOCK_MONOTONIC) and level (VUs, or a number a second), in order of time."""

    @classmethod
    def constant(cls, unit: CourseUnit, level: float, at: float) -> Course:
        """Return the course that stays at a level."""
        return cls(unit, ((at, level),))

    @property
    def ends_at(self) -> float:
        """When the last level is reached; it stays from there on."""
        return self.points[-1][0]

    def level(self, at: float) -> float:
        """Return the target at a moment; at a step that after it."""
        return self._level(at, bisect_right(self.points, at, key=_time))

    def level_before(self, at: float) -> float:
        """Return the target just before a moment; at a step that before it."""
        return self._level(at, bisect_left(self.points, at, key=_time))

    def _level(self, at: float, after: int) -> float:
        if after == 0:
            return self.points[0][1]
        if after == len(self.points):
            return self.points[-1][1]
        (start, low), (end, high) = self.points[after - 1], self.points[after]
        return low + (high - low) * (at - start) / (end - start)

    def total(self, start: float, end: float) -> float:
        """Return the area under the course between two moments; negative if end < start."""
        if end < start:
            return -self.total(end, start)
        inner = [time for time, _ in self.points if start < time < end]
        edges = [start, *inner, end]
        area = 0.0
        for left, right in pairwise(edges):
            # Within a piece the level is a straight line; a step lies on its edge.
            area += self.level((left + right) / 2) * (right - left)
        return area


def interleave(weights: Sequence[float], count: int) -> list[int]:
    """Order `count` VUs of several scenarios so that each beginning of it keeps their shares.

    Args:
        weights: Share of each scenario, any scale, all above zero.
        count: VUs in all; at least one for each scenario.

    Returns:
        The scenario of the first, second … VU to be let in. Every scenario occurs. Sainte-Laguë's
        method of highest averages.
    """
    given = [0] * len(weights)
    order = []
    for place in range(count):
        missing = [s for s, n in enumerate(given) if not n]
        # Towards the end whoever has none yet must get one.
        candidates = missing if missing and count - place <= len(missing) else range(len(weights))
        chosen = max(candidates, key=lambda s: (weights[s] / (2 * given[s] + 1), -s))
        given[chosen] += 1
        order.append(chosen)
    return order


def _time(point: tuple[float, float]) -> float:
    return point[0]
