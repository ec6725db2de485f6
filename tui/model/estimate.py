"""A figure of a range with its 95 % interval, by how it varies within the range.

Neither the requests of a load generator nor the CPU time of a server are Poisson: a steady
generator varies less, a server that collects garbage more. So nothing is taken from a distribution.
The range is cut into up to 30 batches of neighbouring samples, and what the figure would be in each
of them tells how far that of the whole may be off (Schmeiser, Batch size effects in the analysis of
simulation output, Operations Research 30, 1982; ratios of sums by Cochran, Sampling Techniques,
1977, 6.4). Neighbours are alike, which makes them tell less: by how much follows from the
correlation of one batch with the next (Bayley and Hammersley, The "effective" number of independent
observations in an autocorrelated time series, Supplement to the JRSS 8, 1946), which few batches
make too small (Marriott and Pope, Bias in the estimation of autocorrelations, Biometrika 41, 1954).

What this can't know is how much two runs differ that were started anew: it is of one run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist
from typing import Final, TypeVar

from tui.model.poisson import CONFIDENCE
from tui.model.student import two_sided_t

MOST_BATCHES: Final = 30
LEAST_BATCHES: Final = 5
"""With less nothing is said of how sure a figure is."""
_MOST_ALIKE: Final = 0.9
"""Of neighbours that are more alike than that a range would have to be longer anyway."""
_Z: Final = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a figure was, in its own unit, and the 95 % interval of it."""

    value: float
    chance: tuple[float, float] | None = None
    """By chance alone; None where nothing tells."""
    limits: tuple[float, float] | None = None
    """With what the measure can't resolve as well, like the width of a bucket; None: as `chance`.
    Unlike chance, that is never made up for by the other side of a comparison."""

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval, everything included."""
        return self.limits or self.chance


def batches(samples: Sequence[_T]) -> list[Sequence[_T]]:
    """Cut samples into up to 30 runs of neighbours that are as equally long as can be."""
    number = min(len(samples), MOST_BATCHES)
    edges = [place * len(samples) // number for place in range(number + 1)] if number else [0]
    return [samples[start:end] for start, end in pairwise(edges)]


def ratio_of_sums(pairs: Sequence[tuple[float, float]]) -> Estimate | None:
    """Return the first numbers' sum divided by the second ones'; None where that is nothing.

    The interval is Student's, by what each pair is off the common ratio.

    Args:
        pairs: One a batch: like CPU seconds and requests.
    """
    below = math.fsum(x for _, x in pairs)
    if below <= 0:
        return None
    ratio = math.fsum(y for y, _ in pairs) / below
    if len(pairs) < LEAST_BATCHES:
        return Estimate(ratio)
    error = math.sqrt(_squared_error(pairs, ratio, below))
    return Estimate(ratio, (max(0.0, ratio - error), ratio + error))


def share(pairs: Sequence[tuple[float, float]]) -> Estimate | None:
    """Return which share of all some are, as `ratio_of_sums`; None of nothing.

    The interval is Wilson's for as many independent ones as are there in effect, and therefore of
    use where none was seen. Source: Wilson, Probable inference, the law of succession, and
    statistical inference, JASA 22 (1927).

    Args:
        pairs: One a batch: how many there are of them, and of all.
    """
    total = math.fsum(x for _, x in pairs)
    if total <= 0:
        return None
    ratio = min(1.0, math.fsum(y for y, _ in pairs) / total)
    size = effective_size(pairs)
    if size is None:
        return Estimate(ratio)
    spread = _Z * _Z / size
    middle = (ratio + spread / 2) / (1 + spread)
    reach = math.sqrt(spread * ratio * (1 - ratio) + spread * spread / 4) / (1 + spread)
    low = max(0.0, middle - reach) if ratio > 0 else 0.0
    high = min(1.0, middle + reach) if ratio < 1 else 1.0
    return Estimate(ratio, (low, high))


def effective_size(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Return how many independent ones tell as much of a share as those that are there; None: ?.

    They are less where a share varies more between batches than chance has it, never more. Source:
    Korn and Graubard, Confidence intervals for proportions with small expected number of positive
    counts estimated from survey data, Survey Methodology 24 (1998), with Kish's design effect.
    """
    total = math.fsum(x for _, x in pairs)
    if len(pairs) < LEAST_BATCHES or total <= 0:
        return None
    ratio = math.fsum(y for y, _ in pairs) / total
    by_chance = ratio * (1 - ratio) / total
    if by_chance <= 0:
        return total
    return total / max(1.0, _squared_error(pairs, ratio, total) / _Z**2 / by_chance)


def excess(pairs: Sequence[tuple[float, float]]) -> float:
    """Return how many times as much a ratio of sums varies as counts by chance; 1 at least.

    Args:
        pairs: One a batch: a count, Poisson if it were by chance, and what it is divided by.
    """
    below, count = math.fsum(x for _, x in pairs), math.fsum(y for y, _ in pairs)
    if len(pairs) < LEAST_BATCHES or below <= 0 or count <= 0:
        return 1.0
    by_chance = count / below**2
    return max(1.0, _squared_error(pairs, count / below, below) / _Z**2 / by_chance)


def _squared_error(pairs: Sequence[tuple[float, float]], ratio: float, below: float) -> float:
    """Return the square of how far a ratio of sums may be off, at 95 %."""
    number = len(pairs)
    off = [y - ratio * x for y, x in pairs]
    squares = math.fsum(each * each for each in off)
    if squares <= 0:
        return 0.0
    alike = math.fsum(one * other for one, other in pairwise(off)) / squares
    # What is seen is less than what is by (1 + 4 of what is) / number.
    alike = (alike + 1 / number) / (1 - 4 / number)
    alike = min(_MOST_ALIKE, max(0.0, alike))
    repeated = (1 + alike) / (1 - alike)
    freedom = max(2, math.floor(number / repeated) - 1)
    variance = squares * number / (number - 1) / below**2
    return variance * repeated * two_sided_t(freedom) ** 2
