"""The steps in which old history is kept, and where an edge of a range lies among them.

Steps lie at whole multiples of their length on the clock, the longer ones before the shorter ones,
and each longer one is made of whole shorter ones. Moments that ranges are made of later, like the
begin of a load, are kept as borders of their own. An edge inside a step means its beginning,
everywhere: so adjoining ranges share nothing and miss nothing, and what is divided is of one time.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from typing import Final

STEPS_S: Final = (10.0, 20.0, 60.0, 120.0, 600.0, 1_200.0, 3_600.0, 7_200.0, 21_600.0, 43_200.0,
                  86_400.0, 604_800.0)  # fmt: skip
"""Each a few of those before: so few steps wait until there are enough of them for a longer one."""
_NEAR_S: Final = 1e-6
"""A range that is told by its end and its length may miss a border by a rounding error."""


class Steps:
    """Which part of the history is in steps.

    Attributes:
        reached: Until when the history is in steps of each length of `STEPS_S`, or longer ones.

    Args:
        origin: When the history begins.
    """

    def __init__(self, origin: float) -> None:
        self.reached = [math.floor(origin / step_s) * step_s for step_s in STEPS_S]
        self._begins: list[float] = []
        """Of all steps; each lasts until the next one begins."""
        self._borders: list[float] = []

    def copy(self) -> Steps:
        """Return the same steps; they grow apart from here."""
        other = Steps(0.0)
        other.reached = list(self.reached)
        other._begins, other._borders = list(self._begins), list(self._borders)
        return other

    @property
    def until(self) -> float | None:
        """Where the history in steps ends; None while it is all in detail."""
        return self.reached[0] if self._begins else None

    def down(self, at: float) -> float:
        """Return the beginning of the step that a moment lies in; the moment itself outside."""
        if not self._begins or at >= self.reached[0]:
            return at
        if at > self.reached[0] - _NEAR_S:
            return self.reached[0]
        place = bisect_right(self._begins, at + _NEAR_S) - 1
        return self._begins[place] if place >= 0 else at

    def up(self, at: float) -> float:
        """Return the end of the step that a moment lies in; the moment itself at a border."""
        down = self.down(at)
        if at - down <= _NEAR_S:
            return down
        place = bisect_right(self._begins, down)
        return self._begins[place] if place < len(self._begins) else self.reached[0]

    def before(self, at: float) -> float:
        """Return the beginning of the step that what ends at a moment is in."""
        place = bisect_left(self._begins, at - _NEAR_S) - 1
        return self._begins[place] if place >= 0 else at

    def step_s(self, at: float) -> float:
        """Return how long the steps are at a moment, where none is cut by a border; 0 without."""
        if not self._begins:
            return 0.0
        lengths = zip(STEPS_S, self.reached, strict=True)
        return max((step_s for step_s, reached in lengths if at < reached), default=0.0)

    def keep(self, at: float) -> bool:
        """Have a border at a moment; where there are steps already, at the beginning of its own.

        Returns:
            Whether there was none.
        """
        at = self.down(at)
        place = bisect_left(self._borders, at)
        if self._borders[place : place + 1] == [at]:
            return False
        self._borders.insert(place, at)
        return True

    def side(self, at: float) -> int:
        """Return between which borders a moment lies, as a number; one at a border is behind it."""
        return bisect_right(self._borders, at)

    def next(self, level: int, until: float) -> tuple[float, float] | None:
        """Return what would be the next step of a length, if it ends until a moment.

        Args:
            level: Place of the length in `STEPS_S`.
            until: Of the shortest steps; longer ones end where those before them do.
        """
        begin = self.reached[level]
        end = begin + STEPS_S[level]
        return (begin, end) if end <= (self.reached[level - 1] if level else until) else None

    def edges(self, begin: float, end: float) -> list[float]:
        """Return the edges of the steps that would be between two moments."""
        first, last = bisect_right(self._borders, begin), bisect_left(self._borders, end)
        return [begin, *self._borders[first:last], end]

    def merge(self, level: int, edges: list[float]) -> None:
        """Have steps between the edges, instead of the shorter ones."""
        first, last = (bisect_left(self._begins, edges[place]) for place in (0, -1))
        self._begins[first:last] = edges[:-1]
        self.reached[level] = edges[-1]
