from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.samples import LogLine
from tests.builders import texts
from tui.model.timeline import Timeline
from tui.views.format import cell_width
from tui.views.log import SHOWN_LINES, LogView, build_log, draw_log


def logged(*lines: LogLine) -> Timeline:
    """Return a timeline begun at 100 s with these lines."""
    timeline = Timeline(100.0)
    for each in lines:
        timeline.append(each)
    return timeline


TIMELINE = logged(
    LogLine(101.0, "k6", "info", "first"),
    LogLine(161.0, "k6", "warning", "Request [Failed] [/]"),
    LogLine(162.5, "target", "", "listening"),
    LogLine(3800.0, "k6", "error", "日本語 is wide"),
)


def test_the_newest_lines_are_at_the_bottom() -> None:
    """With the time since the start and who wrote them."""
    rows = draw_log(build_log(TIMELINE, 9999.0), 34, 3)
    assert texts(rows) == [
        "   1:01 k6      Request [Failed] …",
        "   1:02 target  listening         ",
        "1:01:40 k6      日本語 is wide    ",
    ]
    assert [row[1][1] for row in rows] == ["log-warning", "log-text", "log-error"]
    assert {row[0][1] for row in rows} == {"log-time"}


@pytest.mark.parametrize(
    ("width", "row"),
    [
        (160, "   1:01 k6      Request [Failed] [/]" + " " * 124),
        (80, "   1:01 k6      Request [Failed] [/]" + " " * 44),
        (40, "   1:01 k6      Request [Failed] [/]    "),
        (17, "   1:01 k6      …"),
        (15, "   1:01 k6     "),
        (10, "   1:01 k…"),
        (1, "…"),
    ],
)
def test_lines_are_cut_where_the_pane_ends(width: int, row: str) -> None:
    """The text first, then who and when."""
    assert texts(draw_log(build_log(TIMELINE, 161.0), width, 1)) == [row]


def test_what_was_written_later_is_not_there_yet() -> None:
    """A frozen display stays as it was."""
    assert [each.text for each in build_log(TIMELINE, 162.4).lines] == [
        *("first", "Request [Failed] [/]")
    ]
    assert build_log(TIMELINE, 162.5).lines[-1].text == "listening"


def test_of_many_lines_the_newest_are_kept() -> None:
    """As many as a screen could show."""
    lines = [LogLine(100.0 + n, "k6", "", str(n)) for n in range(SHOWN_LINES + 3)]
    view = build_log(logged(*lines), 9999.0)
    assert (len(view.lines), view.lines[0].text) == (SHOWN_LINES, "3")


def test_an_empty_log_says_so() -> None:
    """One row, as wide as the pane."""
    rows = draw_log(build_log(logged(), 9999.0), 20, 3)
    assert rows == [[("nothing logged yet  ", "table-empty")]]


@pytest.mark.parametrize("view", [build_log(logged(), 0.0), build_log(TIMELINE, 9999.0)])
def test_without_room_nothing_is_drawn(view: LogView) -> None:
    """No rows at all."""
    assert draw_log(view, 20, 0) == draw_log(view, 0, 20) == []


@given(st.text("ab 日e\u0301", max_size=30), st.integers(1, 50))
def test_every_row_is_exactly_as_wide_as_the_pane(text: str, width: int) -> None:
    """Whatever was logged."""
    (row,) = texts(draw_log(build_log(logged(LogLine(101.0, "k6", "", text)), 200.0), width, 5))
    assert cell_width(row) == width
