from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.course import CourseUnit
from tui.model.dial import Dial
from tui.model.ramp import MOST, parse_ramp

VUS, REQUESTS, ITERATIONS = CourseUnit.VUS, CourseUnit.REQUESTS, CourseUnit.ITERATIONS

RAMPS = [
    "0",
    "7",
    "200 in 8s",
    "+50/4s",
    "-20/16s",
    "x2",
    "x0.5/2s,x3/2s",
    "50/8s,50/16s,200/4s,0/1s",
    "x1000/10s,-9999999",
]


def running(ramp: str, ceiling: float | None = 400, level: float = 0) -> Dial:
    """Return a dial whose load began at 100 with this ramp."""
    return Dial.constant(VUS, level, ceiling).begun(100).ramped(parse_ramp(ramp), 100)


def test_a_constant_stays() -> None:
    """Before the begin and after it, in whole VUs and below the ceiling."""
    dial = Dial.constant(VUS, 20, 400)
    assert [dial.level(now) for now in (0.0, 1e6)] == [20, 20]
    assert dial.begun(5).course(9).points == ((5, 20),)
    assert not dial.begun(5).is_over(1e6)
    assert Dial.constant(VUS, 2.5, 400).level(0) == 3
    assert Dial.constant(VUS, 500, 400).level(0) == 400
    assert Dial.constant(VUS, 500, 10.5).level(0) == 10.5
    assert Dial.constant(REQUESTS, 2.5, None).level(0) == 2.5


def test_a_schedule_waits_for_its_begin_and_ends() -> None:
    """Its offsets count from the first VU, not from when k6 was started."""
    dial = Dial.schedule(VUS, parse_ramp("50/10s,50/1m"), 400, start_level=10)
    assert dial.is_schedule
    assert not dial.is_begun
    assert (dial.level(1_000), dial.is_over(1_000)) == (10, False)
    dial = dial.begun(1_000)
    assert [dial.level(now) for now in (999, 1_000, 1_005, 1_010, 1_070)] == [10, 10, 30, 50, 50]
    assert not dial.is_over(1_069.9)
    assert dial.is_over(1_070)


def test_only_the_first_begin_counts() -> None:
    """It is told again and again."""
    dial = Dial.schedule(VUS, parse_ramp("50/10s"), 400).begun(100)
    assert dial.begun(105) == dial


def test_what_is_done_at_once_at_the_begin_is_the_first_level() -> None:
    """Nothing is before it, also for who looks at a moment just past."""
    dial = Dial.schedule(VUS, parse_ramp("50,100/10s"), 400)
    assert dial.points == ((0, 50), (10, 100))
    assert (dial.level(0), dial.begun(10).course(10).level(9.9)) == (50, 50)


@pytest.mark.parametrize(
    ("by", "level"), [(1, 101), (10, 110), (-10, 90), (-1_000, 0), (1_000, 400), (0, 100)]
)
def test_a_step_is_from_the_level_of_now(by: float, level: float) -> None:
    """And ends the ramp; between two VUs it is from the nearer one."""
    dial = running("200/30s").stepped(by, 115.01)
    assert [dial.level(now) for now in (115.01, 1e6)] == [level, level]


@pytest.mark.parametrize(
    ("rate", "by", "level"),
    [(33.3333, 10, 43.3), (50.2, 0.1, 50.3), (1234.56, 1, 1236), (0.04, 1, 1.04), (9e6, 9e6, MOST)],
)
def test_a_step_leaves_a_rate_tidy(rate: float, by: float, level: float) -> None:
    """It starts from the number that is shown."""
    assert Dial.constant(REQUESTS, rate, None).stepped(by, 0).level(0) == level


def test_a_ramp_is_from_the_level_of_now() -> None:
    """Without a jump where it begins, and to whole VUs."""
    dial = running("100/10s").ramped(parse_ramp("x0.5/10s,+3.4"), 102.55)
    assert dial.level(102.55) == pytest.approx(25.5)
    assert dial.level(107.55) == pytest.approx((25.5 + 13) / 2)
    assert dial.level(112.55) == 16


def test_a_hold_stays_where_a_ramp_is() -> None:
    """At whole VUs."""
    dial = running("100/10s").held(102.56)
    assert dial.points == ((0, 26),)
    assert running("100/10s").held(200).level(300) == 100
    rate = Dial.schedule(REQUESTS, parse_ramp("100/10s"), None).begun(0).held(3.33333)
    assert rate.level(99) == 33.3


def test_a_pause_is_nothing_and_then_the_rest() -> None:
    """A ramp goes on where it was, as much later as the pause was long."""
    dial = running("100/10s").paused(104)
    assert dial.is_paused
    assert [dial.course(104).level(now) for now in (0, 104, 109, 1e6)] == [0] * 4
    assert (dial.level(150), dial.wanted(150)) == (0, 40)
    assert dial.paused(150) == dial
    dial = dial.resumed(154)
    assert not dial.is_paused
    assert [dial.level(now) for now in (154, 157, 160, 170)] == [40, 70, 100, 100]
    assert dial.resumed(180) == dial


def test_a_paused_schedule_is_not_over() -> None:
    """It ends as much later."""
    dial = Dial.schedule(VUS, parse_ramp("50/10s"), 400).begun(100).paused(105)
    assert not dial.is_over(1_000)
    dial = dial.resumed(200)
    assert dial.is_schedule
    assert (dial.is_over(204.9), dial.is_over(205)) == (False, True)


@pytest.mark.parametrize(
    ("change", "level", "later"),
    [
        (lambda dial, now: dial.stepped(10, now), 50, 50),
        (lambda dial, now: dial.ramped(parse_ramp("80/10s"), now), 40, 60),
        (lambda dial, now: dial.held(now), 40, 40),
        (lambda dial, now: dial.switched(ITERATIONS, parse_ramp("9/10s"), 5, None, now), 5, 7),
    ],
)
def test_a_change_keeps_the_pause(
    change: Callable[[Dial, float], Dial], level: float, later: float
) -> None:
    """It is seen at once, and begins with the load."""
    dial = change(running("100/10s").paused(104), 120)
    assert (dial.is_paused, dial.level(130), dial.wanted(130)) == (True, 0, level)
    dial = dial.resumed(200)
    assert (dial.level(200), dial.level(205)) == (level, later)


@pytest.mark.parametrize(
    ("change", "is_schedule"),
    [
        (lambda dial: dial.stepped(0, 102), False),
        (lambda dial: dial.ramped(parse_ramp("80/10s"), 102), False),
        (lambda dial: dial.held(102), False),
        (lambda dial: dial.switched(REQUESTS, (), 5, None, 102), False),
        (lambda dial: dial.paused(102), True),
        (lambda dial: dial.paused(102).resumed(103), True),
    ],
)
def test_who_takes_the_load_in_hand_ends_the_schedule(
    change: Callable[[Dial], Dial], is_schedule: bool
) -> None:
    """The run then goes on until it is stopped; a pause only delays."""
    dial = change(Dial.schedule(VUS, parse_ramp("50/10s"), 400).begun(100))
    assert dial.is_schedule is is_schedule
    assert dial.resumed(103).is_over(1e6) is is_schedule


def test_changes_before_the_begin_are_what_it_begins_with() -> None:
    """A ramp waits for it."""
    dial = Dial.constant(VUS, 20, 400).stepped(10, 1)
    assert dial.level(1) == 30
    dial = dial.ramped(parse_ramp("60/10s"), 2)
    assert (dial.level(50), dial.begun(100).level(105)) == (30, 45)
    assert dial.ramped(parse_ramp("60"), 3).level(3) == 60
    assert dial.switched(REQUESTS, parse_ramp("7"), 0, None, 4).level(4) == 7


def test_a_pause_before_the_begin_lasts_beyond_it() -> None:
    """The whole ramp is left."""
    dial = Dial.schedule(VUS, parse_ramp("50/10s"), 400).paused(1).begun(100)
    assert (dial.level(150), dial.is_over(150)) == (0, False)
    assert dial.resumed(200).level(205) == 25
    early = Dial.schedule(VUS, parse_ramp("50/10s"), 400).paused(1).resumed(2)
    assert (early.level(99), early.begun(100).level(105)) == (0, 25)
    # The begin may be told a little ahead of the clock.
    ahead = Dial.schedule(VUS, parse_ramp("50/10s"), 400).begun(100).paused(99)
    assert ahead.resumed(200).level(205) == 25


def test_another_unit_goes_on_from_what_the_load_is() -> None:
    """With its own ceiling."""
    dial = running("300").switched(REQUESTS, (), 1_234.56, None, 110)
    assert (dial.unit, dial.ceiling, dial.level(110)) == (REQUESTS, None, 1_235)
    assert dial.course(111).unit is REQUESTS
    dial = dial.switched(VUS, parse_ramp("+10/10s"), 95.4, 100, 120)
    assert [dial.level(now) for now in (120, 125, 130)] == [95, 97.5, 100]
    assert dial.switched(REQUESTS, (), math.nan, None, 140).level(140) == 0


def test_the_ceiling_is_known() -> None:
    """Also while paused: no more can be wanted then either."""
    dial = running("1000/10s")
    assert [dial.at_ceiling(now) for now in (100, 109.9, 110)] == [False, False, True]
    assert dial.paused(120).at_ceiling(121)
    assert not Dial.constant(REQUESTS, 1e9, None).at_ceiling(0)


@given(
    st.sampled_from(RAMPS),
    st.integers(0, 400),
    st.integers(0, 400),
    st.integers(0, 100_000),
    st.lists(st.integers(0, 400), min_size=1, max_size=20),
)
def test_after_a_pause_the_rest_is_the_same(
    ramp: str, level: int, after: int, wait: int, later: list[int]
) -> None:
    """Shifted by the pause, however long; times are eighths of seconds, so that sums are exact."""
    dial = running(ramp, level=level)
    pause_at, wait_s = 100 + after / 8, wait / 8
    paused = dial.paused(pause_at)
    assert all(paused.course(pause_at).level(pause_at + each) == 0 for each in later)
    assert all(paused.wanted(pause_at + each) == dial.wanted(pause_at) for each in later)
    resumed = paused.resumed(pause_at + wait_s)
    for each in later:
        at = pause_at + each / 8
        assert resumed.level(at + wait_s) == dial.level(at)


def change(dial: Dial, chance: random.Random, now: float) -> Dial:
    """Return the dial after something that an operator may do."""
    steps = parse_ramp(chance.choice(RAMPS))
    match chance.randrange(8):
        case 0:
            return dial.stepped(chance.choice([1, -1]), now)
        case 1:
            return dial.stepped(chance.choice([10, -10, 100, -1e9, 1e9]), now)
        case 2:
            return dial.ramped(steps, now)
        case 3:
            return dial.held(now)
        case 4:
            return dial.paused(now)
        case 5:
            return dial.resumed(now)
        case 6:
            return dial.begun(now)
        case _:
            unit = chance.choice(list(CourseUnit))
            ceiling = float(chance.randint(1, 1_000)) if unit is VUS else None
            load = chance.choice([0.0, math.inf, chance.uniform(0, 5_000)])
            return dial.switched(unit, chance.choice([(), steps]), load, ceiling, now)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32), st.booleans(), st.integers(1, 1_000))
def test_whatever_the_operator_does_the_load_is_in_bounds(
    seed: int, begins: bool, ceiling: int
) -> None:
    """The course of each moment tells the level of that moment, within 0 and the ceiling."""
    chance = random.Random(seed)
    now = chance.uniform(0, 1e6)
    dial = Dial.schedule(VUS, parse_ramp(chance.choice(RAMPS)), ceiling, 5)
    dial = dial.begun(now) if begins else dial
    for _ in range(250):
        now += chance.choice([0.0, 0.2, chance.uniform(0, 3), chance.uniform(0, 60)])
        before = dial
        dial = change(dial, chance, now)
        most = MOST if dial.ceiling is None else dial.ceiling
        course = dial.course(now)
        assert course.unit is dial.unit
        for at in (now, now + chance.uniform(0, 30)):
            level, wanted = dial.level(at), dial.wanted(at)
            assert course.level(at) == level == (0 if dial.is_paused else wanted)
            assert 0 <= wanted <= most
            assert dial.at_ceiling(at) is (dial.ceiling == wanted)
        assert [at for at, _ in course.points] == sorted(at for at, _ in course.points)
        assert before.is_begun <= dial.is_begun
        assert dial.is_schedule <= before.is_schedule
        assert not (dial.is_paused and dial.is_over(now + 1e9))
