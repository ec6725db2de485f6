"""Ranges of a run in words: what they mean, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.samples import Baseline
from tests.builders import batch, load
from tui.model.rangespec import RangeSpec, SpecKind, parse_moment, parse_range, resolve
from tui.model.timeline import Timeline, TimeRange


def a_timeline() -> Timeline:
    """A load from 110.5 to 130.5, with a baseline."""
    timeline = Timeline(100.0)
    for second in range(20):
        timeline.append(load(111.5 + second))
    timeline.append(Baseline(120.0, "run 1", 112.0, 118.0))
    return timeline


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", RangeSpec()),
        ("all", RangeSpec()),
        ("ALL", RangeSpec()),
        ("last 30s", RangeSpec(SpecKind.LAST, 30.0)),
        ("Last 1m30s", RangeSpec(SpecKind.LAST, 90.0)),
        ("last10", RangeSpec(SpecKind.LAST, 10.0)),
        ("0:30-1:00", RangeSpec(SpecKind.SPAN, 30.0, 60.0)),
        ("0:30 to 1:00", RangeSpec(SpecKind.SPAN, 30.0, 60.0)),
        ("0:30..1:00", RangeSpec(SpecKind.SPAN, 30.0, 60.0)),
        ("1.5..2.5", RangeSpec(SpecKind.SPAN, 1.5, 2.5)),
        ("90s - 2m", RangeSpec(SpecKind.SPAN, 90.0, 120.0)),
        ("0-500ms", RangeSpec(SpecKind.SPAN, 0.0, 0.5)),
        ("30-", RangeSpec(SpecKind.SPAN, 30.0)),
        ("-1:02:03", RangeSpec(SpecKind.SPAN, None, 3723.0)),
        ("run 2", RangeSpec(SpecKind.NAME, name="run 2")),
        ("50 VUs", RangeSpec(SpecKind.NAME, name="50 VUs")),
        ("last good one", RangeSpec(SpecKind.NAME, name="last good one")),
        ("lasting", RangeSpec(SpecKind.NAME, name="lasting")),
        ("2026-11-24", RangeSpec(SpecKind.NAME, name="2026-11-24")),
        ("50", RangeSpec(SpecKind.NAME, name="50")),
        ("-", RangeSpec(SpecKind.NAME, name="-")),
    ],
)
def test_words_of_a_range(text: str, expected: RangeSpec) -> None:
    """Times since the load began, the last seconds, or a name."""
    assert parse_range(text) == expected


@pytest.mark.parametrize(
    "text", ["60-30", "30-30", "0:30:-1:00", "last 0s", "last 3x", "1:2:3:4-", ":30-", "9:9999999-"]
)
def test_what_is_no_range_is_said(text: str) -> None:
    """Where a time in it is none, or it has no length."""
    with pytest.raises(ValueError, match=r"ends before|is no"):
        parse_range(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1:30", 90.0), ("1:02:03", 3723.0), ("90", 90.0), ("1m30s", 90.0), ("0", 0.0), (" 5s ", 5.0)],
)
def test_a_moment(text: str, seconds: float) -> None:
    """By the clock of the run, or as a duration."""
    assert parse_moment(text) == seconds


@pytest.mark.parametrize("text", ["", "-5", "soon", "1:", ":", "1:-3", "1:2.5", "1:2:3:4"])
def test_what_is_no_moment_is_said(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(ValueError, match="is no"):
        parse_moment(text)


numbers = st.integers(0, 10**7).map(lambda n: n / 1_000)
lengths = st.integers(1, 10**7).map(lambda n: n / 1_000)


@given(st.one_of(st.none(), numbers), st.one_of(st.none(), numbers), lengths)
def test_a_range_is_told_as_it_may_be_typed(
    start: float | None, end: float | None, last: float
) -> None:
    """Read again it is the same."""
    for spec in (
        RangeSpec(SpecKind.SPAN, start, end),
        RangeSpec(SpecKind.LAST, last),
        RangeSpec(),
        RangeSpec(SpecKind.NAME, name="run 2"),
    ):
        is_empty = start is not None and end is not None and end <= start
        if spec.kind is SpecKind.SPAN and (is_empty or (start, end) == (None, None)):
            continue
        assert parse_range(str(spec)) == spec


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("all", TimeRange(110.5, 130.5)),
        ("last 5s", TimeRange(125.5, 130.5)),
        ("last 5m", TimeRange(110.5, 130.5)),
        ("5-10", TimeRange(115.5, 120.5)),
        ("5-", TimeRange(115.5, 130.5)),
        ("-10", TimeRange(110.5, 120.5)),
        ("15-99", TimeRange(125.5, 130.5)),
        ("run 1", TimeRange(112.0, 118.0)),
    ],
)
def test_what_is_meant_of_a_run(text: str, expected: TimeRange) -> None:
    """Times count from the begin of the load; none is beyond its end."""
    assert resolve(parse_range(text), a_timeline()) == expected


def test_what_was_not_measured_is_said() -> None:
    """A range after the end, and a baseline that is none, with those there are."""
    with pytest.raises(ValueError, match="nothing was measured in 20s-30s"):
        resolve(parse_range("20-30"), a_timeline())
    with pytest.raises(ValueError, match="no baseline 'run 2'; there are: run 1"):
        resolve(parse_range("run 2"), a_timeline())
    with pytest.raises(ValueError, match="nothing was measured in all"):
        resolve(RangeSpec(), Timeline(100.0))


def test_without_a_load_it_is_of_the_stacks() -> None:
    """All of them are in the range of everything."""
    timeline = Timeline(100.0)
    for at in (100.25, 101.5, 104.75):
        timeline.append(batch(at, 3))
    found = timeline.stacks_in(resolve(RangeSpec(), timeline))
    assert sum(each.samples for each in found.values()) == 9
    found = timeline.stacks_in(resolve(parse_range("0-2"), timeline))
    assert sum(each.samples for each in found.values()) == 6
