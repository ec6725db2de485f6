"""Student's t distribution: how far a mean of a few values may be off."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

from tui.model.poisson import CONFIDENCE

_LARGEST: Final = 1e6
"""A bound that even one degree of freedom stays below, at any confidence that is of use."""


@lru_cache(maxsize=1_024)
def two_sided_t(freedom: int, confidence: float = CONFIDENCE) -> float:
    """Return the `t` that a deviation is within, in both directions, with this confidence.

    Args:
        freedom: Degrees of freedom, 1 at least.
        confidence: 0 to 1.

    Raises:
        ValueError: there is no degree of freedom.

    Source: the sums for whole degrees of freedom, Abramowitz and Stegun, 26.7.3 and 26.7.4.
    """
    if freedom < 1:
        raise ValueError("a deviation needs two values")
    low, high = 0.0, _LARGEST
    for _ in range(200):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        if _within(middle, freedom) < confidence:
            low = middle
        else:
            high = middle
    return high


def _within(t: float, freedom: int) -> float:
    """Return the chance that a value is between -t and t."""
    angle = math.atan(t / math.sqrt(freedom))
    cos_squared = math.cos(angle) ** 2
    is_odd = freedom % 2 == 1
    term = math.cos(angle) if is_odd else 1.0
    total = 0.0
    for step in range(3 if is_odd else 2, freedom + 1, 2):
        total += term
        term *= cos_squared * (step - 1) / step
    if is_odd:
        return (angle + math.sin(angle) * total) * 2 / math.pi
    return math.sin(angle) * total
