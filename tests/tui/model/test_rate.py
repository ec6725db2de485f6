from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.course import CourseUnit
from tui.model.ramp import RampOperation, RampStep, parse_ramp
from tui.model.rate import describe_rate, parse_rate

REQUESTS, ITERATIONS = CourseUnit.REQUESTS, CourseUnit.ITERATIONS


@pytest.mark.parametrize(
    ("text", "unit", "ramp"),
    [
        ("500", REQUESTS, "500"),
        ("500/s", REQUESTS, "500"),
        ("500 /s", REQUESTS, "500"),
        ("500 rps", REQUESTS, "500"),
        ("500RPS", REQUESTS, "500"),
        ("500 req/s", REQUESTS, "500"),
        ("500 requests", REQUESTS, "500"),
        ("1 request/s ", REQUESTS, "1"),
        ("500/10s", REQUESTS, "500/10s"),
        ("500/10s, 1500/30s", REQUESTS, "500/10s, 1500/30s"),
        ("500 in 10s", REQUESTS, "500/10s"),
        ("+50/10s rps", REQUESTS, "+50/10s"),
        ("20i", ITERATIONS, "20"),
        ("20 i", ITERATIONS, "20"),
        ("20I", ITERATIONS, "20"),
        ("20 iter/s", ITERATIONS, "20"),
        ("1 iteration", ITERATIONS, "1"),
        ("20 Iterations/s", ITERATIONS, "20"),
        ("5/10s,20 in 1m iterations", ITERATIONS, "5/10s,20/1m"),
        ("x2/10s i", ITERATIONS, "x2/10s"),
        ("12.5i", ITERATIONS, "12.5"),
    ],
)
def test_what_is_counted_stands_at_the_end(text: str, unit: CourseUnit, ramp: str) -> None:
    """Requests, unless it says iterations."""
    assert parse_rate(text) == (unit, parse_ramp(ramp))


@pytest.mark.parametrize(
    "text", ["", "i", "rps", "/s", "many", "500 vus", "20 i i", "20i, 30i", "500 in", "500 rps/"]
)
def test_what_is_no_rate_is_refused(text: str) -> None:
    """In the words of a ramp."""
    with pytest.raises(ValueError, match="is no step of a load; write it like 200"):
        parse_rate(text)


def test_a_rate_is_written_in_one_way() -> None:
    """Which can be read again."""
    assert describe_rate(*parse_rate("500/10s, 1500/90s")) == "500 in 10s, 1500 in 1m30s requests"
    assert describe_rate(*parse_rate("20i")) == "20 iterations"


STEPS = st.builds(
    RampStep,
    st.sampled_from([RampOperation.SET, RampOperation.ADD, RampOperation.TIMES]),
    st.integers(0, 9_999_999).map(float),
    st.integers(0, 86_400).map(float),
)


@given(st.sampled_from([REQUESTS, ITERATIONS]), st.lists(STEPS, min_size=1, max_size=10))
def test_what_is_written_is_read_again(unit: CourseUnit, steps: list[RampStep]) -> None:
    """Any steps of either."""
    for text in (describe_rate(unit, steps), describe_rate(unit, steps) + "/s"):
        assert parse_rate(text) == (unit, tuple(steps))


@given(st.text(alphabet="0123456789 .,/+-xsminreqpt", max_size=20))
def test_any_text_is_a_rate_or_refused(text: str) -> None:
    """Nothing but a ValueError comes out."""
    try:
        unit, steps = parse_rate(text)
    except ValueError:
        return
    assert unit in (REQUESTS, ITERATIONS)
    assert steps
