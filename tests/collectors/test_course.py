from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.course import Course, CourseUnit, interleave

VUS = CourseUnit.VUS

times = st.integers(0, 1_000).map(lambda ms: ms / 8)
levels = st.integers(0, 4_000).map(lambda level: level / 4)


@st.composite
def courses(draw: st.DrawFn) -> Course:
    """Courses whose points share times now and then: those are steps."""
    moments = sorted(draw(st.lists(times, min_size=1, max_size=8)))
    return Course(VUS, tuple((at, draw(levels)) for at in moments))


def test_the_level_is_the_straight_line_between_points() -> None:
    """Before the first point and after the last it stays."""
    course = Course(VUS, ((10.0, 0.0), (20.0, 100.0), (40.0, 50.0)))
    assert [course.level(at) for at in (0.0, 10.0, 15.0, 20.0, 30.0, 40.0, 1e9)] == [
        *(0.0, 0.0, 50.0, 100.0, 75.0, 50.0, 50.0)
    ]
    assert course.ends_at == 40.0


def test_a_constant_course_is_the_same_always() -> None:
    """Also before it was set."""
    course = Course.constant(CourseUnit.ITERATIONS, 7.0, 5.0)
    assert [course.level(at) for at in (-1e9, 5.0, 1e9)] == [7.0] * 3
    assert course.total(0.0, 10.0) == 70.0
    assert course.unit is CourseUnit.ITERATIONS
    assert course.ends_at == 5.0


def test_two_points_at_one_time_are_a_step() -> None:
    """At the step itself the level is already the later one; the area is that of both parts."""
    course = Course(VUS, ((0.0, 10.0), (5.0, 10.0), (5.0, 40.0), (10.0, 40.0)))
    assert course.level(math.nextafter(5.0, 0.0)) == 10.0
    assert course.level(5.0) == 40.0
    assert course.total(0.0, 10.0) == pytest.approx(250.0)
    assert course.total(4.0, 5.0) == pytest.approx(10.0)
    assert course.total(5.0, 6.0) == pytest.approx(40.0)


def test_just_before_a_step_the_level_is_that_before_it() -> None:
    """Anywhere else it is the level."""
    course = Course(VUS, ((0.0, 10.0), (5.0, 20.0), (5.0, 30.0), (5.0, 40.0), (10.0, 0.0)))
    assert course.level_before(5.0) == 20.0
    assert course.level_before(0.0) == 10.0
    for at in (-1.0, 2.5, 7.5, 10.0, 11.0):
        assert course.level_before(at) == course.level(at)


def test_three_points_at_one_time_go_from_the_first_to_the_last() -> None:
    """The one between lasts no time."""
    course = Course(VUS, ((0.0, 1.0), (5.0, 1.0), (5.0, 900.0), (5.0, 2.0), (9.0, 2.0)))
    assert course.level(5.0) == 2.0
    assert course.total(0.0, 9.0) == pytest.approx(13.0)


def test_the_area_backwards_is_negative() -> None:
    """So that a moment before the last steer can be asked for."""
    course = Course(VUS, ((0.0, 0.0), (10.0, 10.0)))
    assert course.total(0.0, 10.0) == pytest.approx(50.0)
    assert course.total(10.0, 0.0) == pytest.approx(-50.0)
    assert course.total(3.0, 3.0) == 0.0


@given(courses(), times, times)
def test_the_area_is_the_integral_of_the_level(course: Course, one: float, other: float) -> None:
    """Against midpoints of cells of 1/8 s: all corners lie between cells, so this is exact."""
    start, end = sorted((one, other))
    cells = [start + n / 8 for n in range(round((end - start) * 8))]
    expected = math.fsum(course.level(cell + 1 / 16) / 8 for cell in cells)
    assert course.total(start, end) == pytest.approx(expected, abs=1e-6)


@given(courses(), times, times, times)
def test_areas_add_up(course: Course, a: float, b: float, c: float) -> None:
    """Whatever the order of the three moments."""
    whole = course.total(a, b) + course.total(b, c)
    assert whole == pytest.approx(course.total(a, c), abs=1e-6)


@given(courses(), st.floats(-1e6, 1e6))
def test_the_level_stays_within_the_points(course: Course, at: float) -> None:
    """Never beyond the lowest and the highest, and not negative therefore."""
    low, high = (pick(level for _, level in course.points) for pick in (min, max))
    for level in (course.level(at), course.level_before(at)):
        assert low - 1e-9 <= level <= high + 1e-9


@given(courses(), st.floats(0.0, 125.0))
def test_only_a_step_makes_the_level_jump(course: Course, at: float) -> None:
    """Where no two points share a time, the level just before is the level."""
    moments = [time for time, _ in course.points]
    if moments.count(at) < 2:
        assert course.level_before(at) == pytest.approx(course.level(at))


def test_every_beginning_keeps_the_shares() -> None:
    """Two to one, from the first VU on."""
    assert interleave([2, 1], 9) == [0, 1, 0, 0, 1, 0, 0, 1, 0]
    assert interleave([1, 1, 1], 6) == [0, 1, 2, 0, 1, 2]
    assert interleave([5], 3) == [0, 0, 0]


def test_a_small_scenario_is_let_in_before_the_end() -> None:
    """However small its share is: a scenario without a VU would never run."""
    assert interleave([1_000_000, 1], 5) == [0, 0, 0, 0, 1]
    assert sorted(interleave([1_000_000, 1, 1], 3)) == [0, 1, 2]


weights = st.lists(st.integers(1, 10_000), min_size=1, max_size=12)


@given(weights, st.integers(0, 100))
def test_every_scenario_occurs(given_weights: list[int], extra: int) -> None:
    """As soon as there is a VU for each of them."""
    count = len(given_weights) + extra
    order = interleave(given_weights, count)
    assert len(order) == count
    assert set(order) == set(range(len(given_weights)))


@given(st.lists(st.integers(1, 20), min_size=1, max_size=3), st.integers(60, 300))
def test_each_beginning_is_within_one_vu_of_the_shares(scenarios: list[int], count: int) -> None:
    """Up to three scenarios; the method keeps no such bound for more."""
    order = interleave(scenarios, count)
    so_far: Counter[int] = Counter()
    for place, scenario in enumerate(order, 1):
        so_far[scenario] += 1
        for each, weight in enumerate(scenarios):
            assert abs(so_far[each] - place * weight / sum(scenarios)) < 1


@given(weights, st.integers(0, 100), st.sampled_from([2.0, 0.125]))
def test_the_scale_of_the_weights_does_not_matter(
    given_weights: list[int], extra: int, scale: float
) -> None:
    """Only their relation does."""
    count = len(given_weights) + extra
    scaled = interleave([weight * scale for weight in given_weights], count)
    assert scaled == interleave(given_weights, count)


@given(weights, st.integers(0, 100))
def test_who_weighs_more_gets_no_less(given_weights: list[int], extra: int) -> None:
    """In the whole crew."""
    counts = Counter(interleave(given_weights, len(given_weights) + extra))
    by_weight = sorted(range(len(given_weights)), key=lambda s: given_weights[s])
    for less, more in pairwise(by_weight):
        if given_weights[less] < given_weights[more]:
            assert counts[less] <= counts[more]
