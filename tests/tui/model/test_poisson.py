"""Intervals and tests of sample counts, against tables and plain sums."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.model.poisson import (
    difference_interval,
    equal_rates_p,
    holm,
    interval,
    is_near,
    most_p,
    ratio_interval,
)


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [
        # Pearson and Hartley, Biometrika Tables for Statisticians, table 40.
        (0, 0.0, 3.69),
        (1, 0.0253, 5.57),
        (5, 1.62, 11.67),
        (10, 4.80, 18.39),
        (30, 20.24, 42.83),
        (50, 37.11, 65.92),
    ],
)
def test_intervals_are_those_of_the_tables(count: int, low: float, high: float) -> None:
    """To the digits that are printed."""
    found = interval(count)
    assert found[0] == pytest.approx(low, abs=0.006)
    assert found[1] == pytest.approx(high, abs=0.006)


@pytest.mark.parametrize("count", [1, 4, 25, 170])
def test_an_interval_ends_where_its_tails_are_a_fortieth(count: int) -> None:
    """By summing up the distribution itself."""

    def at_most(k: int, mean: float) -> float:
        return math.fsum(
            math.exp(i * math.log(mean) - mean - math.lgamma(i + 1)) for i in range(k + 1)
        )

    low, high = interval(count)
    assert at_most(count, high) == pytest.approx(0.025, rel=1e-9)
    assert 1 - at_most(count - 1, low) == pytest.approx(0.025, rel=1e-9)


@given(st.integers(0, 3_000_000))
def test_an_interval_holds_its_count(count: int) -> None:
    """At any size; it is about two standard deviations to each side."""
    low, high = interval(count)
    assert low <= count < high
    assert high - low == pytest.approx(3.92 * math.sqrt(count + 1), rel=0.2, abs=1.5)


@pytest.mark.parametrize(
    ("a", "b", "share"), [(3, 9, (1, 2)), (0, 7, (1, 2)), (12, 2, (1, 3)), (40, 60, (1, 2))]
)
def test_the_test_is_the_binomial_sum(a: int, b: int, share: tuple[int, int]) -> None:
    """Twice the smaller tail, summed in fractions."""
    p = Fraction(*share)
    terms = [math.comb(a + b, k) * p**k * (1 - p) ** (a + b - k) for k in range(a + b + 1)]
    expected = min(1, 2 * min(sum(terms[: b + 1]), sum(terms[b:])))
    found = equal_rates_p(a, float(share[1] - share[0]), b, float(share[0]))
    assert found == pytest.approx(float(expected), rel=1e-9)


@given(st.integers(0, 2_000_000), st.integers(0, 2_000_000), st.floats(0.01, 100))
def test_either_way_round_it_is_the_same(a: int, b: int, exposure: float) -> None:
    """And a chance is between 0 and 1."""
    found = equal_rates_p(a, exposure, b, 1.0)
    assert 0 <= found <= 1
    assert equal_rates_p(b, 1.0, a, exposure) == pytest.approx(found, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(("deviations", "least_p"), [(1.5, 0.05), (2.0, 0.025)])
def test_what_is_near_is_never_significant(deviations: float, least_p: float) -> None:
    """For every split of ten samples and more, and any shares of the exposure."""
    nears = 0
    for together in (10, 11, 17, 40, 150, 1_000, 20_000):
        for share in (0.001, 0.02, 0.1, 0.25, 0.5, 0.6, 0.9, 0.97, 0.999):
            for b in range(0, together + 1, max(1, together // 60)):
                sides = (together - b, 1 - share, b, share)
                if is_near(*sides, deviations):
                    nears += 1
                    assert equal_rates_p(*sides) > least_p, sides
    assert nears > 150


def test_nothing_seen_is_no_difference() -> None:
    """Nor is the same rate."""
    assert equal_rates_p(0, 10.0, 0, 20.0) == 1.0
    assert equal_rates_p(1_000_000, 1.0, 2_000_000, 2.0) == 1.0


@given(st.integers(0, 2000), st.integers(0, 2000), st.floats(0.1, 10))
def test_the_interval_of_a_ratio_is_the_test_turned_over(a: int, b: int, exposure: float) -> None:
    """At its ends the test says a twentieth; the ratio seen is inside."""
    low, high = ratio_interval(a, exposure, b, 1.0)
    if a and b:
        assert low < b * exposure / a < high
        for ratio in (low, high):
            assert equal_rates_p(a, exposure, b, ratio) == pytest.approx(0.05, rel=1e-6)
    assert a or high == math.inf
    assert b or low == 0.0


def test_the_interval_of_a_difference() -> None:
    """Of nothing to something it is that of the something; it holds the difference."""
    assert difference_interval(0, 1.0, 0, 1.0) == pytest.approx((-3.69, 3.69), abs=0.01)
    low, high = difference_interval(400, 0.5, 400, 1.0)
    assert low < 200 < high
    assert high - low == pytest.approx(2 * 1.96 * math.sqrt(400 + 100), rel=0.05)


def test_holm_stops_at_the_first_that_fails() -> None:
    """The least is held against a share of the level for all, the next for all but one."""
    assert holm([0.04, 0.001, 0.02]) == [True, True, True]
    assert holm([0.04, 0.001, 0.03]) == [False, True, False]
    assert holm([0.02, 0.02, 0.001]) == [True, True, True]
    assert holm([0.017, 0.018, 0.9]) == [False, False, False]
    assert holm([]) == []


@given(st.integers(0, 400), st.floats(0.1, 100), st.integers(0, 400), st.floats(0.1, 100))
def test_what_is_beyond_doubt_is_never_said_of_less(
    count_a: int, exposure_a: float, count_b: int, exposure_b: float
) -> None:
    """The quick bound is one: it is never below what the exact test says."""
    sides = (count_a, exposure_a, count_b, exposure_b)
    assert most_p(*sides) >= equal_rates_p(*sides) * (1 - 1e-6) - 1e-12
