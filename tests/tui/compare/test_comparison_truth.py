"""What a comparison says of runs whose truth is known, seed by seed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache

import pytest

from tests.tui.compare.made_up_runs import Truth, made_up
from tui.compare.comparison import Comparison, compare
from tui.compare.failing import fails
from tui.model.failif import parse_condition
from tui.model.metric import Metric

PAIRS = 200
TRUTH = Truth()
FACTOR = 1.3
WORSE = replace(
    TRUTH,
    median_s=TRUTH.median_s * FACTOR,
    cpu_us=TRUTH.cpu_us * FACTOR,
    x_us=TRUTH.x_us * FACTOR,
)
CONDITIONS = ("p95>+10%", "cpu_per_request>+5%", "symbol:x>+10%")


@cache
def equal() -> list[Comparison]:
    """Return pairs of runs that are the same in truth."""
    runs = [made_up(TRUTH, seed) for seed in range(2 * PAIRS)]
    return [compare(*runs[place : place + 2]) for place in range(0, 2 * PAIRS, 2)]


@cache
def worse() -> list[Comparison]:
    """Return pairs of which the second one costs 30 % more, all other things being equal."""
    return [
        compare(found.before.side, made_up(WORSE, 1_000 + seed))
        for seed, found in enumerate(equal())
    ]


@pytest.mark.parametrize("text", CONDITIONS)
def test_no_change_fails_once_in_twenty_at_most(text: str) -> None:
    """And 30 % more are found 19 times in 20 at least."""
    condition = parse_condition(text)
    assert sum(fails(condition, each).is_failed for each in equal()) <= 0.05 * PAIRS
    assert sum(fails(condition, each).is_failed for each in worse()) >= 0.95 * PAIRS


@pytest.mark.parametrize("text", ["rps<-0%", "errors>+0pp", "mean>+0%", "p50>+0%"])
def test_a_limit_of_nothing_fails_by_chance_once_in_twenty_at_most(text: str) -> None:
    """Then it is the interval that decides."""
    condition = parse_condition(text)
    assert sum(fails(condition, each).is_failed for each in equal()) <= 0.05 * PAIRS


def test_intervals_hold_the_truth() -> None:
    """Of each figure, and of its change: in 93 % of runs."""
    truths = {
        Metric.RPS: TRUTH.rps,
        Metric.ERRORS: TRUTH.failed_ratio,
        Metric.P50: TRUTH.percentile_s(0.5),
        Metric.P90: TRUTH.percentile_s(0.9),
        Metric.P95: TRUTH.percentile_s(0.95),
        Metric.P99: TRUTH.percentile_s(0.99),
        Metric.MEAN: TRUTH.mean_s,
        Metric.CPU_PER_REQUEST: TRUTH.cpu_us / 1e6,
        Metric.SAMPLED_CPU_PER_REQUEST: TRUTH.cpu_us / 1e6,
    }
    figures: Counter[Metric] = Counter()
    changes: Counter[Metric] = Counter()
    for found in equal():
        for metric, truth in truths.items():
            change = found.figures[metric]
            for each in (change.before, change.after):
                assert each is not None
                assert each.interval is not None
                figures[metric] += each.interval[0] <= truth <= each.interval[1]
            assert change.delta_interval is not None
            low, high = change.delta_interval
            changes[metric] += low <= 0 <= high
    assert min(figures.values()) >= 0.93 * 2 * PAIRS, figures
    assert min(changes.values()) >= 0.93 * PAIRS, changes


def test_intervals_of_ratios_hold_the_truth() -> None:
    """Where something changed by 30 %; what did not change is held as well."""
    changed = (Metric.P50, Metric.P95, Metric.MEAN, Metric.CPU_PER_REQUEST)
    held: Counter[Metric] = Counter()
    for found in worse():
        for metric in (*changed, Metric.SAMPLED_CPU_PER_REQUEST, Metric.RPS):
            interval = found.figures[metric].ratio_interval
            assert interval is not None
            truth = 1.0 if metric is Metric.RPS else FACTOR
            held[metric] += interval[0] <= truth <= interval[1]
    assert min(held.values()) >= 0.93 * PAIRS, held
