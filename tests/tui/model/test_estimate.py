"""Figures with intervals: identities, published examples, and how often they hold."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.model.estimate import (
    LEAST_BATCHES,
    MOST_BATCHES,
    Estimate,
    batches,
    effective_size,
    excess,
    ratio_of_sums,
    share,
)


@given(st.lists(st.integers(), max_size=200))
def test_batches_hold_everything_once_and_in_order(samples: list[int]) -> None:
    """As equally as can be."""
    found = batches(samples)
    assert [each for batch in found for each in batch] == samples
    assert len(found) == min(len(samples), MOST_BATCHES)
    assert not found or max(map(len, found)) - min(map(len, found)) <= 1


def test_a_ratio_of_sums_without_any_variation_is_sure() -> None:
    """However unequal the batches are; too few of them say nothing of it."""
    pairs = [(2.0 * x, float(x)) for x in (1, 5, 2, 9, 4)]
    assert ratio_of_sums(pairs) == Estimate(2.0, (2.0, 2.0))
    assert ratio_of_sums(pairs[: LEAST_BATCHES - 1]) == Estimate(2.0)
    assert ratio_of_sums([]) is None
    assert ratio_of_sums([(1.0, 0.0)] * 9) is None


def test_the_interval_of_a_mean_is_students() -> None:
    """Where neighbours turn out to have nothing in common, or less."""
    values = [10.0, 12.0] * 8
    found = ratio_of_sums([(value, 1.0) for value in values])
    assert found is not None
    assert found.chance is not None
    # 15 degrees of freedom: 2.131 standard errors of a mean of 16.
    error = 2.131 * math.sqrt(16 / 15) / math.sqrt(16)
    assert found.value == 11.0
    assert found.chance == pytest.approx((11 - error, 11 + error), abs=1e-3)


@pytest.mark.parametrize(("alike", "seconds"), [(0.0, 20), (0.0, 60), (0.4, 60), (0.6, 120)])
def test_means_of_seconds_that_are_alike_are_held(alike: float, seconds: int) -> None:
    """In 93 % of runs, whether neighbours have something in common or nothing."""
    held = 0
    for seed in range(300):
        dice = random.Random(seed)
        wave = dice.gauss(0, 1)
        pairs = []
        for _ in range(seconds):
            wave = alike * wave + math.sqrt(1 - alike**2) * dice.gauss(0, 1)
            pairs.append((100 + 5 * wave, 1.0))
        found = ratio_of_sums([_sum(batch) for batch in batches(pairs)])
        assert found is not None
        assert found.chance is not None
        held += found.chance[0] <= 100 <= found.chance[1]
    assert held >= 0.93 * 300


def _sum(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return sum(y for y, _ in pairs), sum(x for _, x in pairs)


def _evenly(seen: int, total: int, number: int = 30) -> list[tuple[float, float]]:
    """Return batches that differ in nothing."""
    return [(seen / number, total / number)] * number


@pytest.mark.parametrize(
    ("seen", "total", "low", "high"),
    # Newcombe, Two-sided confidence intervals for the single proportion, Statistics in Medicine 17
    # (1998) 857, table I, method 3.
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_shares_have_the_published_intervals(
    seen: int, total: int, low: float, high: float
) -> None:
    """Of independent ones."""
    found = share(_evenly(seen, total))
    assert found is not None
    assert found.value == pytest.approx(seen / total)
    assert found.chance == pytest.approx((low, high), abs=6e-5)


def test_none_of_none_is_no_share() -> None:
    """And all of all is one whose interval ends there."""
    assert share([(0.0, 0.0)] * 9) is None
    found = share(_evenly(20, 20))
    assert found is not None
    assert found.chance == pytest.approx((0.8389, 1.0), abs=6e-5)


def test_what_comes_in_bursts_tells_less() -> None:
    """Failures of one moment are one failure many times over."""
    total = 3_000.0
    bursts = [(50.0 if place == 7 else 0.0, 100.0) for place in range(30)]
    spread = effective_size(_evenly(50, 3_000))
    burst = effective_size(bursts)
    assert spread == pytest.approx(total)
    assert burst is not None
    assert burst < total / 20
    assert effective_size([(1.0, 2.0)]) is None
    assert effective_size([(0.0, 10.0)] * 10) == 100.0


def test_counts_by_chance_have_no_excess() -> None:
    """Hardly any; those of a server that does nothing every other second have a lot."""
    dice = random.Random(4)
    calm = [(float(sum(dice.random() < 0.1 for _ in range(1_000))), 1.0) for _ in range(30)]
    rough = [(200.0 if place // 3 % 2 else 0.0, 1.0) for place in range(30)]
    assert 1.0 <= excess(calm) < 2.0
    assert excess(rough) > 50
    assert excess([]) == 1.0
    assert excess([(0.0, 1.0)] * 10) == 1.0
