"""Targets over time, and how much of them was achieved."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.course import Course, CourseUnit
from collectors.samples import LoadSample, LoadTarget
from tests.builders import load
from tui.model.series import Buckets
from tui.model.targets import achieved_ratio, target_at, target_series

VUS, REQUESTS, ITERATIONS = CourseUnit.VUS, CourseUnit.REQUESTS, CourseUnit.ITERATIONS


def target(at: float, *points: tuple[float, float], unit: CourseUnit = VUS) -> LoadTarget:
    """Return a target that holds from a moment on."""
    return LoadTarget(at, Course(unit, points))


def test_the_newest_target_holds() -> None:
    """Each from its own moment on, and nothing before the first."""
    targets = [
        target(10.0, (10.0, 4.0)),
        target(20.0, (20.0, 4.0), (30.0, 8.0)),
        target(40.0, (40.0, 0.0), unit=REQUESTS),
    ]
    assert target_at([], 10.0) is None
    assert target_at(targets, 9.9) is None
    assert target_at(targets, 10.0) == (VUS, 4.0)
    assert target_at(targets, 25.0) == (VUS, 6.0)
    assert target_at(targets, 39.0) == (VUS, 8.0)
    assert target_at(targets, 40.0) == (REQUESTS, 0.0)


def test_a_ramp_is_a_straight_line() -> None:
    """The mean of a column is the level in its middle, the last one of what is over already."""
    targets = [target(2.0, (2.0, 0.0), (12.0, 100.0))]
    values = target_series(targets, Buckets(0, 8, 1.0), {VUS}, 6.5)
    assert values == (None, None, *map(pytest.approx, (5.0, 15.0, 25.0, 35.0, 42.5)), None)


def test_a_step_within_a_column_is_its_mean() -> None:
    """A quarter of a second at 8 and three at none; what was before the columns holds on."""
    targets = [target(1.0, (1.0, 8.0)), target(101.25, (101.25, 0.0))]
    assert target_series(targets, Buckets(100, 3, 1.0), {VUS}, 200.0) == (8.0, 2.0, 0.0)


def test_another_unit_is_a_gap() -> None:
    """A column with both has the mean of its own part."""
    targets = [target(1.0, (1.0, 8.0)), target(3.5, (3.5, 500.0), unit=REQUESTS)]
    buckets = Buckets(0, 5, 1.0)
    assert target_series(targets, buckets, {VUS}, 5.0) == (None, 8.0, 8.0, 8.0, None)
    assert target_series(targets, buckets, {REQUESTS}, 5.0) == (None, None, None, 500.0, 500.0)
    assert target_series(targets, buckets, {ITERATIONS}, 5.0) == (None,) * 5
    assert target_series([], buckets, {VUS}, 5.0) == (None,) * 5


def test_two_targets_of_one_moment() -> None:
    """The later one counts."""
    targets = [target(1.0, (1.0, 8.0)), target(1.0, (1.0, 2.0))]
    assert target_at(targets, 1.0) == (VUS, 2.0)
    assert target_series(targets, Buckets(0, 3, 1.0), {VUS}, 9.0) == (None, 2.0, 2.0)


@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 50)), max_size=8),
    st.integers(0, 450),
    st.sampled_from([0.1, 0.5, 1.0]),
)
def test_columns_hold_what_was_wanted(
    steps: list[tuple[int, int]], end: int, width_s: float
) -> None:
    """No value outside the levels, none before the first target, none after the end."""
    steps.sort()
    targets = [target(at / 10, (at / 10, float(level))) for at, level in steps]
    buckets = Buckets(0, 40, width_s)
    values = target_series(targets, buckets, {VUS}, end / 10)
    assert len(values) == buckets.count
    for column, value in enumerate(values):
        left, right = column * width_s, (column + 1) * width_s
        if value is None:
            first_s = steps[0][0] / 10 if steps else math.inf
            is_early = min(right, end / 10) <= first_s + 1e-3
            assert is_early or left >= end / 10 - 1e-3
        else:
            assert left < end / 10
            assert right > steps[0][0] / 10
            levels = [level for _, level in steps]
            assert min(levels) - 1e-6 <= value <= max(levels) + 1e-6


def achieved(targets: list[LoadTarget], samples: list[LoadSample]) -> float | None:
    """Return the share of a target of requests."""
    return achieved_ratio(targets, samples, REQUESTS, lambda sample: sample.iterations)


def test_what_is_achieved_is_of_the_same_seconds() -> None:
    """A push that began before the target does not count, a ramp counts with its area."""
    targets = [target(1.5, (1.5, 0.0), (11.5, 100.0), unit=REQUESTS)]
    # From 2 to 6 s the ramp asks for 5 + 15 + 25 + 35 and half a column of 10 more each.
    samples = [load(float(at), 25) for at in range(1, 7)]
    assert achieved(targets, samples) == pytest.approx(100 / 100)
    assert achieved(targets, samples[:4]) is None
    assert achieved([], samples) is None


def test_without_a_wish_nothing_is_short() -> None:
    """Neither in a pause nor for targets of another unit."""
    samples = [load(float(at), 25) for at in range(2, 9)]
    assert achieved([target(1.0, (1.0, 0.0), unit=REQUESTS)], samples) is None
    assert achieved([target(1.0, (1.0, 5.0))], samples) is None
    halved = [target(1.0, (1.0, 50.0), unit=REQUESTS), target(5.5, (5.5, 9.0))]
    # Of the push in which the unit changed nothing can be told.
    assert achieved(halved, samples) == pytest.approx(0.5)
