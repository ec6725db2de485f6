from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.course import Course, CourseUnit
from tui.model.duration import format_duration, parse_duration
from tui.model.ramp import (
    LONGEST_S,
    MOST,
    MOST_STEPS,
    RampOperation,
    RampStep,
    describe,
    greatest,
    parse_ramp,
    ramp_points,
)

SET, ADD, TIMES = RampOperation.SET, RampOperation.ADD, RampOperation.TIMES

NUMBERS = st.one_of(
    st.integers(0, 9_999_999).map(str),
    st.floats(0, 9_999_998, allow_nan=False).map(lambda n: f"{n:.4f}"),
    st.sampled_from(["0", ".5", "7.", "0.000001", "0.0000001", "9999999.999999"]),
)
DURATIONS = st.one_of(
    st.just(""),
    st.tuples(
        st.sampled_from(["/", " in ", "in", " / ", " IN"]),
        st.one_of(
            st.integers(0, 999_999).map(str),
            st.integers(0, 99_999_999).map(lambda ms: f"{ms}ms"),
            st.tuples(*[st.integers(0, 99)] * 3).map(lambda hms: "{}h{}m{}.25s".format(*hms)),
        ),
    ).map("".join),
)
STEP_TEXTS = st.tuples(
    st.sampled_from(["", "+", "-", "x", "X", "*", "×", " + ", "x "]), NUMBERS, DURATIONS
).map("".join)
RAMP_TEXTS = st.lists(STEP_TEXTS, min_size=1, max_size=MOST_STEPS).map(" , ".join)


@pytest.mark.parametrize(
    ("text", "step", "normal"),
    [
        ("200", RampStep(SET, 200), "200"),
        ("0", RampStep(SET, 0), "0"),
        ("200 in 30s", RampStep(SET, 200, 30), "200 in 30s"),
        ("200/30s", RampStep(SET, 200, 30), "200 in 30s"),
        ("200/30", RampStep(SET, 200, 30), "200 in 30s"),
        ("200in30s", RampStep(SET, 200, 30), "200 in 30s"),
        ("200 IN 30s", RampStep(SET, 200, 30), "200 in 30s"),
        ("  200\t/  30s ", RampStep(SET, 200, 30), "200 in 30s"),
        ("200/0s", RampStep(SET, 200), "200"),
        ("200 in 0", RampStep(SET, 200), "200"),
        ("12.50/90s", RampStep(SET, 12.5, 90), "12.5 in 1m30s"),
        (".5", RampStep(SET, 0.5), "0.5"),
        ("+50", RampStep(ADD, 50), "+50"),
        ("+ 50 / 10s", RampStep(ADD, 50, 10), "+50 in 10s"),
        ("-20/10s", RampStep(ADD, -20, 10), "-20 in 10s"),
        ("-0", RampStep(ADD, 0), "+0"),
        ("x2", RampStep(TIMES, 2), "x2"),
        ("*2", RampStep(TIMES, 2), "x2"),
        ("X 2/1m", RampStep(TIMES, 2, 60), "x2 in 1m"),
        ("×2", RampStep(TIMES, 2), "x2"),
        ("x0.5/500ms", RampStep(TIMES, 0.5, 0.5), "x0.5 in 500ms"),
        ("9999999/277h46m39s", RampStep(SET, 9_999_999, 999_999), "9999999 in 277h46m39s"),
    ],
)
def test_a_step_is_read_in_every_notation(text: str, step: RampStep, normal: str) -> None:
    """And written in one."""
    assert parse_ramp(text) == (step,)
    assert describe(parse_ramp(text)) == normal


def test_steps_are_joined_by_commas() -> None:
    """With blanks or without, like k6's stages."""
    steps = parse_ramp("50/10s,50/1m ,  +50 in 10s,x2 / 1m, 0")
    assert describe(steps) == "50 in 10s, 50 in 1m, +50 in 10s, x2 in 1m, 0"
    assert [step.duration_s for step in steps] == [10, 60, 10, 60, 0]
    assert describe(()) == ""
    assert len(parse_ramp(",".join(["1"] * MOST_STEPS))) == MOST_STEPS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' is no step of a load; write it like 200, 200 in 30s, +50/10s or x2"),
        ("many", "'many' is no step"),
        ("50,,60", "'' is no step"),
        ("50/10s,", "'' is no step"),
        ("50/10s, 5o", "'5o' is no step"),
        ("200 30s", "'200 30s' is no step"),
        ("200s", "'200s' is no step"),
        ("200/", "'200/' is no step"),
        ("200 in", "'200 in' is no step"),
        ("200 inches", "'200 inches' is no step"),
        ("--20", "'--20' is no step"),
        ("x-2", "'x-2' is no step"),
        ("+", "'+' is no step"),
        (".", "'.' is no step"),
        ("50%", "'50%' is no step"),
        ("1e3", "'1e3' is no step"),
        ("nan", "'nan' is no step"),
        ("inf", "'inf' is no step"),
        ("٣", "'٣' is no step"),
        ("10000000", "'10000000' is too much; write an amount below 10000000, like 200"),
        ("9999999.9999999", "'9999999.9999999' is too much"),
        ("-10000000", "'-10000000' is too much"),
        ("9" * 400, f"'{'9' * 39}…' is too much"),
        ("200/soon", "'soon' is no duration; write it like 30s, 1m30s or 500ms"),
        ("200/-5s", "'-5s' is no duration"),
        ("200/10 s", "'10 s' is no duration"),
        ("200/10s/10s", "'10s/10s' is no duration"),
        ("200/" + "9" * 400, f"'{'9' * 39}…' is no duration"),
        ("200/1000000", "'1000000' is too long; a step takes less than 1000000 seconds, like 200"),
        ("200/300h", "'300h' is too long"),
        (",".join(["1"] * 101), "101 steps are too many; a ramp has at most 100, like 50/10s"),
    ],
)
def test_what_is_no_ramp_is_refused(text: str, message: str) -> None:
    """The part that is wrong is named, with an example of what is right."""
    with pytest.raises(ValueError, match="^" + re.escape(message)) as caught:
        parse_ramp(text)
    assert len(str(caught.value)) < 140


@given(st.one_of(st.text(max_size=30), st.text("0123456789.+-x*/,smhin ", max_size=30)))
def test_any_text_is_a_ramp_or_refused(text: str) -> None:
    """Nothing but a ValueError comes out, and nothing out of bounds."""
    try:
        steps = parse_ramp(text)
    except ValueError:
        return
    assert all(abs(step.amount) < MOST and 0 <= step.duration_s < LONGEST_S for step in steps)
    assert all(step.amount >= 0 for step in steps if step.operation is not ADD)


@given(RAMP_TEXTS)
def test_what_is_described_is_read_again(text: str) -> None:
    """The same steps, to the last bit."""
    try:
        steps = parse_ramp(text)
    except ValueError as error:
        assert "too" in str(error)  # noqa: PT017
        return
    assert parse_ramp(describe(steps)) == steps


@given(st.integers(0, 10**9))
def test_durations_are_written_as_they_are_read(ms: int) -> None:
    """To the millisecond."""
    text = format_duration(ms / 1000)
    assert parse_duration(text, may_be_zero=True) == pytest.approx(ms / 1000, rel=1e-12, abs=0)
    assert " " not in text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.25, "250ms"),
        (1.5, "1.5s"),
        (60, "1m"),
        (60.25, "1m0.25s"),
        (3600, "1h"),
        (5430, "1h30m30s"),
        (59.9996, "1m"),
    ],
)
def test_durations_are_short(seconds: float, text: str) -> None:
    """No unit stands there with nothing."""
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "level", "ceiling", "points"),
    [
        ("200", 10, None, [(0, 10), (0, 200)]),
        ("200/30s", 10, None, [(0, 10), (30, 200)]),
        ("50/10s,50/1m,200/30s", 0, None, [(0, 0), (10, 50), (70, 50), (100, 200)]),
        ("+50,x2/10s,-20", 10, None, [(0, 10), (0, 60), (10, 120), (10, 100)]),
        ("200/10s,-20", 10, 100, [(0, 10), (10, 100), (10, 80)]),
        ("-50/10s,+5", 10, 100, [(0, 10), (10, 0), (10, 5)]),
        ("50", 300, 100, [(0, 100), (0, 50)]),
        ("x9999999,x9999999", 1000, None, [(0, 1000), (0, MOST), (0, MOST)]),
    ],
)
def test_a_ramp_has_a_corner_for_each_step(
    text: str, level: float, ceiling: float | None, points: list[tuple[float, float]]
) -> None:
    """Each from where the one before it ended, within the bounds."""
    assert list(ramp_points(parse_ramp(text), level, ceiling)) == points


@pytest.mark.parametrize(
    ("text", "level", "most"),
    [
        ("200,x2,50", 10, 400),
        ("-20/10s", 70, 70),
        ("-90,+50", 10, 50),
        ("x9999999,x9999999", 1000, MOST),
    ],
)
def test_the_greatest_level_is_on_the_way(text: str, level: float, most: float) -> None:
    """The level before the ramp counts too."""
    assert greatest(parse_ramp(text), level) == most


STEPS = st.lists(
    st.builds(
        RampStep,
        st.sampled_from(RampOperation),
        st.floats(0, MOST, exclude_max=True),
        st.sampled_from([0.0, 0.001, 1.0, 30.0, 999_999.0]),
    ),
    max_size=MOST_STEPS,
)


@given(STEPS, st.floats(0, MOST), st.none() | st.integers(1, 10_000_000))
def test_no_ramp_leaves_its_bounds(
    steps: list[RampStep], level: float, ceiling: int | None
) -> None:
    """Finite and within 0 and the ceiling, in order of time; nothing exceeds the greatest."""
    points = ramp_points(steps, level, ceiling)
    assert len(points) == len(steps) + 1
    assert [at for at, _ in points] == sorted(at for at, _ in points)
    most = MOST if ceiling is None else ceiling
    assert all(math.isfinite(at) and 0 <= end <= most for at, end in points)
    if ceiling is None:
        assert greatest(steps, level) == max(end for _, end in points)


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0.001, 1e5))
def test_half_way_is_the_mean_of_the_ends(level: float, end: float, seconds: float) -> None:
    """A line is straight."""
    points = ramp_points([RampStep(SET, end, seconds)], level, None)
    half = Course(CourseUnit.VUS, points).level(seconds / 2)
    assert half == pytest.approx((level + end) / 2, rel=1e-9, abs=1e-9)
