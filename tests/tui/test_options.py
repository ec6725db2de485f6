from __future__ import annotations

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.options import RunOptions, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("15", 15.0),
        ("0.25", 0.25),
        ("1m30s", 90.0),
        ("500ms", 0.5),
        ("1.5h", 5400.0),
        (" 2s ", 2.0),
        ("1h1m1s1ms", 3661.001),
    ],
)
def test_durations_are_read_as_k6_writes_them(text: str, seconds: float) -> None:
    """And plain seconds."""
    assert parse_duration(text) == pytest.approx(seconds, rel=1e-12)


@pytest.mark.parametrize(
    "text", ["", "0", "0s", "-1s", "s", "1x", "1 s 2", "1s!", "nan", "inf", "1e400", "9" * 400]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    """With an example of one."""
    with pytest.raises(ValueError, match="no duration; write it like 30s"):
        parse_duration(text)


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59), st.integers(1, 999))
def test_parts_of_a_duration_add_up(hours: int, minutes: int, seconds: int, ms: int) -> None:
    """Each in its unit."""
    expected = hours * 3600 + minutes * 60 + seconds + ms / 1000
    assert parse_duration(f"{hours}h{minutes}m{seconds}s{ms}ms") == pytest.approx(expected)


@given(st.text(max_size=20))
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    """Nothing but a ValueError comes out, and no time that is not above zero."""
    try:
        seconds = parse_duration(text)
    except ValueError:
        return
    assert 0 < seconds < 1e8


def test_options_are_frozen() -> None:
    """What was asked for doesn't change during a run."""
    options = RunOptions(Path("x.js"))
    with pytest.raises(FrozenInstanceError):
        options.pid = 1  # type: ignore[misc]
