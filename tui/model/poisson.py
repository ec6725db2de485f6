"""What a number of samples says: intervals, and whether two of them differ by more than chance.

Samples of a profiler that fall into a frame are taken as Poisson distributed. Everything here is
exact for that, by the incomplete gamma and beta functions (Numerical Recipes, 6.2 and 6.4).
An exposure is what counts are divided by: requests, or seconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from statistics import NormalDist
from typing import Final

CONFIDENCE: Final = 0.95

_NORMAL: Final = NormalDist()
_TINY: Final = 1e-300
_STEPS: Final = 10_000
_ACCURACY: Final = 1e-14


@lru_cache(maxsize=65_536)
def interval(count: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the interval of the mean of which `count` was seen.

    Source: Garwood, Fiducial limits for the Poisson distribution, Biometrika 28 (1936).
    """
    tail = (1 - confidence) / 2
    low = _gamma_quantile(count, tail) if count else 0.0
    return low, _gamma_quantile(count + 1, 1 - tail)


def equal_rates_p(count_a: int, exposure_a: float, count_b: int, exposure_b: float) -> float:
    """Return how likely a difference as great as this is where the rates are equal.

    Given both together, the second count is binomial; the smaller tail is doubled, which never
    makes the result smaller than that of another rule. Source: Przyborowski and Wilenski,
    Homogeneity of results in testing samples from Poisson series, Biometrika 31 (1940).
    """
    together = count_a + count_b
    if not together:
        return 1.0
    share = exposure_b / (exposure_a + exposure_b)
    # The smaller tail is on the side of the mean that the count is on.
    if count_b > together * share:
        tail = _beta(share, count_b, count_a + 1)
    else:
        tail = 1 - _beta(share, count_b + 1, count_a) if count_a else 1.0
    return min(1.0, 2 * tail)


def is_near(
    count_a: int, exposure_a: float, count_b: int, exposure_b: float, deviations: float = 1.5
) -> bool:
    """Tell, in no time, whether two counts are too near for `equal_rates_p` to be small.

    They are where the second count is within so many standard deviations of its mean: with 1.5 it
    is not below a twentieth, with 2 not below a fortieth. The other way round nothing follows.
    """
    together = count_a + count_b
    share = exposure_b / (exposure_a + exposure_b)
    off = count_b - together * share
    return off * off <= deviations * deviations * together * share * (1 - share)


def most_p(count_a: int, exposure_a: float, count_b: int, exposure_b: float) -> float:
    """Return, in no time, what `equal_rates_p` is at most.

    Source: Chernoff, A measure of asymptotic efficiency for tests of a hypothesis based on the sum
    of observations, Annals of Mathematical Statistics 23 (1952), for the tail of a binomial.
    """
    together = count_a + count_b
    if not together:
        return 1.0
    share = exposure_b / (exposure_a + exposure_b)
    distance = 0.0
    for count, expected in ((count_b, together * share), (count_a, together * (1 - share))):
        if count:
            distance += count * math.log(count / expected)
    return min(1.0, 2 * math.exp(-max(0.0, distance)))


def ratio_interval(
    count_a: int,
    exposure_a: float,
    count_b: int,
    exposure_b: float,
    confidence: float = CONFIDENCE,
) -> tuple[float, float]:
    """Return the interval of the second rate divided by the first; infinite where that may be 0.

    Source: Clopper and Pearson, Biometrika 26 (1934), for the binomial of `equal_rates_p`.
    """
    together, tail = count_a + count_b, (1 - confidence) / 2
    low = _beta_quantile(tail, count_b, together - count_b + 1) if count_b else 0.0
    high = _beta_quantile(1 - tail, count_b + 1, together - count_b) if count_a else 1.0
    scale = exposure_a / exposure_b
    return scale * low / (1 - low), scale * high / (1 - high) if high < 1 else math.inf


def difference_interval(
    count_a: int,
    scale_a: float,
    count_b: int,
    scale_b: float,
    confidence: float = CONFIDENCE,
) -> tuple[float, float]:
    """Return the interval of `count_b * scale_b - count_a * scale_a`.

    Source: Zou and Donner, Construction of confidence limits about effect measures, Statistics in
    Medicine 27 (2008), on two intervals of Garwood's.
    """
    a, b = count_a * scale_a, count_b * scale_b
    low_a, high_a = (bound * scale_a for bound in interval(count_a, confidence))
    low_b, high_b = (bound * scale_b for bound in interval(count_b, confidence))
    below = math.hypot(b - low_b, high_a - a)
    above = math.hypot(high_b - b, a - low_a)
    return b - a - below, b - a + above


def holm(p_values: Sequence[float], level: float = 1 - CONFIDENCE) -> list[bool]:
    """Return which of several tests hold, so that any of them is wrong with this chance at most.

    Source: Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of
    Statistics 6 (1979).
    """
    holds = [False] * len(p_values)
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    for rank, index in enumerate(order):
        if p_values[index] > level / (len(p_values) - rank):
            break
        holds[index] = True
    return holds


def _gamma_quantile(shape: float, probability: float) -> float:
    """Return where the gamma distribution of a shape and rate 1 reaches a probability.

    By Newton's steps from Wilson and Hilferty's approximation (The distribution of chi-square,
    PNAS 17, 1931), which are kept between bounds that close in: a handful of steps, not forty.
    """
    # Twelve standard deviations, and more where there are few: all that floats can tell.
    width = 12 * math.sqrt(shape) + 40
    low, high = max(0.0, shape - width), shape + width
    log_norm = math.lgamma(shape)
    ninth = 1 / (9 * shape)
    x = shape * (1 - ninth + _NORMAL.inv_cdf(probability) * math.sqrt(ninth)) ** 3
    for _ in range(200):
        if not low < x < high:
            x = (low + high) / 2
        off = _gamma(shape, x) - probability
        if off < 0:
            low = x
        else:
            high = x
        density = math.exp((shape - 1) * math.log(x) - x - log_norm)
        step = off / density if density > _TINY else math.inf
        if abs(step) <= 1e-12 * x or high - low <= 1e-12 * high:
            break
        x -= step
    return x


def _beta_quantile(probability: float, a: float, b: float) -> float:
    return _solve(lambda x: _beta(x, a, b), probability, 0.0, 1.0)


def _solve(grows: Callable[[float], float], value: float, low: float, high: float) -> float:
    """Return where a growing function reaches a value, by bisection."""
    for _ in range(200):
        middle = (low + high) / 2
        if not low < middle < high or high - low <= 1e-12 * high:
            break
        if grows(middle) < value:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _gamma(a: float, x: float) -> float:
    """Return the regularised lower incomplete gamma function P(a, x)."""
    if x <= 0:
        return 0.0
    front = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        for step in range(1, _STEPS):
            term *= x / (a + step)
            total += term
            if term < total * _ACCURACY:
                break
        return front * total
    b = x + 1 - a
    c, d = 1 / _TINY, 1 / b
    fraction = d
    for step in range(1, _STEPS):
        factor = -step * (step - a)
        b += 2
        d = 1 / _not_zero(factor * d + b)
        c = _not_zero(b + factor / c)
        fraction *= d * c
        if abs(d * c - 1) < _ACCURACY:
            break
    return 1 - front * fraction


def _beta(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b)."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    logs = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(logs + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _beta_fraction(x, a, b) / a
    return 1 - front * _beta_fraction(1 - x, b, a) / b


def _beta_fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    fraction = d
    for m in range(1, _STEPS):
        ends = a + 2 * m
        factor = m * (b - m) * x / ((ends - 1) * ends)
        d = 1 / (1 + factor * d or _TINY)
        c = 1 + factor / c or _TINY
        fraction *= d * c
        factor = -(a + m) * (a + b + m) * x / (ends * (ends + 1))
        d = 1 / (1 + factor * d or _TINY)
        c = 1 + factor / c or _TINY
        fraction *= d * c
        if -_ACCURACY < d * c - 1 < _ACCURACY:
            break
    return fraction


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
