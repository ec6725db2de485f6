"""Percentiles with intervals: ranks by plain sums, and how often they hold."""

from __future__ import annotations

import math
import random

import pytest

from collectors.samples import Histogram
from tests.builders import histogram
from tui.model.latency import merge, quantile
from tui.model.percentile import percentile, ranks

EDGE = 2 ** (1 / 8)


@pytest.mark.parametrize(
    ("number", "q", "expected"),
    [
        # Conover, Practical Nonparametric Statistics, and any table of medians' ranks.
        (10, 0.5, (2, 9)),
        (20, 0.5, (6, 15)),
        (100, 0.5, (40, 61)),
        (5, 0.5, (0, 6)),
        (100, 0.99, (97, 101)),
    ],
)
def test_ranks_are_those_of_the_tables(number: int, q: float, expected: tuple[int, int]) -> None:
    """0 and one above all where no value is far enough out."""
    assert ranks(number, q) == expected


@pytest.mark.parametrize(("number", "q"), [(37, 0.9), (400, 0.95), (2_000, 0.99), (5_000, 0.5)])
def test_ranks_leave_a_fortieth_on_either_side(number: int, q: float) -> None:
    """By summing up the distribution itself; one rank further in leaves more."""

    def at_most(k: int) -> float:
        return math.fsum(
            math.comb(number, i) * q**i * (1 - q) ** (number - i) for i in range(k + 1)
        )

    def exact(k: int) -> float:
        return at_most(k) if number < 1_000 else _at_most(number, q, k)

    first, last = ranks(number, q)
    assert exact(first - 1) <= 0.025 < exact(first)
    if last <= number:
        assert 1 - exact(last - 1) <= 0.025 < 1 - exact(last - 2)


def _at_most(number: int, q: float, k: int) -> float:
    logs = (
        math.lgamma(number + 1) - math.lgamma(i + 1) - math.lgamma(number - i + 1)
        + i * math.log(q) + (number - i) * math.log1p(-q)
        for i in range(k + 1)
    )  # fmt: skip
    return math.fsum(math.exp(each) for each in logs)


def test_the_interval_ends_at_edges_of_buckets() -> None:
    """However many values there are: within a bucket nothing is known."""
    parts = [histogram([1.01] * 10_000) for _ in range(20)]
    found = percentile(parts, 0.95)
    assert found is not None
    assert found.limits == pytest.approx((1.0, EDGE))
    assert found.value == quantile(merge(parts), 0.95)


def test_few_values_have_no_upper_bound_far_out() -> None:
    """Of 50 values the greatest one may be below p99."""
    found = percentile([histogram([0.1 + 0.01 * n for n in range(10)])] * 5, 0.99)
    assert found is not None
    assert found.limits is not None
    assert found.limits[1] == math.inf


def test_values_of_almost_zero_have_a_place() -> None:
    """Below all others."""
    parts = [Histogram(3, {0: 5}, 95, 100, 5.0)] * 10
    low, high = percentile(parts, 0.5), percentile(parts, 0.99)
    assert low is not None
    assert low.limits == (0.0, 0.0)
    assert high is not None
    assert high.limits == pytest.approx((1 / EDGE, 1.0))


def test_nothing_has_no_percentile_and_a_moment_no_interval() -> None:
    """One push says nothing of how pushes vary."""
    assert percentile([], 0.5) is None
    found = percentile([histogram([1.0] * 100)], 0.5)
    assert found is not None
    assert found.interval is None


def test_other_resolutions_are_of_use() -> None:
    """The coarsest decides how wide buckets are."""
    parts = [histogram([1.01] * 50, schema=3 - place % 2) for place in range(20)]
    found = percentile(parts, 0.5)
    assert found is not None
    assert found.limits == pytest.approx((1.0, 2**0.25))


@pytest.mark.parametrize("q", [0.5, 0.95])
def test_percentiles_of_seconds_that_are_alike_are_held(q: float) -> None:
    """In fine buckets, where it is the ranks that have to hold: in 93 % of runs."""
    sigma, waves, seeds = 0.4, 0.05, 200
    truth = math.exp(math.hypot(sigma, waves) * (0 if q == 0.5 else 1.644854))
    held = 0
    for seed in range(seeds):
        dice = random.Random(seed)
        parts = []
        for _ in range(30):
            wave = dice.gauss(0, waves)
            parts.append(histogram((math.exp(dice.gauss(wave, sigma)) for _ in range(60)), 6))
        found = percentile(parts, q)
        assert found is not None
        assert found.limits is not None
        held += found.limits[0] <= truth <= found.limits[1]
    assert held >= 0.93 * seeds
