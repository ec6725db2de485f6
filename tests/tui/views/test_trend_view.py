"""Trend charts, literally."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.views.format import Unit, cell_width
from tui.views.trend import (
    Segment,
    TrendSeries,
    TrendView,
    draw_trend,
    first_column,
    nice_ceiling,
)


def area(
    *values: float | None,
    ceiling: float | None = None,
    marks: tuple[int, ...] = (),
    cursor: int | None = None,
) -> TrendView:
    series = (TrendSeries("", "trend-1", values),)
    return TrendView("RPS", Unit.RATE, series, ceiling=ceiling, marks=marks, cursor=cursor)


def texts(rows: list[list[Segment]]) -> list[str]:
    return ["".join(text for text, _ in row) for row in rows]


def test_area_rises_from_zero() -> None:
    """A ramp fills eighth by eighth up to the round ceiling."""
    assert texts(draw_trend(area(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10), 11, 3)) == [
        "RPS 10.0   ",
        "      ▂▃▅▆█",
        "▁▂▃▅▆██████",
    ]


def test_header_has_the_ceiling_at_its_end() -> None:
    """The header says what it is, the newest value, and where the scale ends."""
    assert texts(draw_trend(area(40.0, 42.0), 20, 1)) == ["RPS 42.0         50▔"]


def test_flat_series_is_seen_at_its_height() -> None:
    """A constant is drawn as what it is, neither empty nor full."""
    assert texts(draw_trend(area(*[5.0] * 6, ceiling=10), 6, 3))[1:] == ["      ", "██████"]


def test_small_jitter_stays_small() -> None:
    """One per cent of jitter does not become a zigzag."""
    assert texts(draw_trend(area(100, 101, 100, 101, ceiling=200), 4, 2))[1:] == ["▄▄▄▄"]


def test_zero_is_a_floor_and_a_gap_is_blank() -> None:
    """Nothing happened and nothing is known are two pictures."""
    rows = draw_trend(area(0.0, None, 0.001, 1.0), 6, 2)
    assert texts(rows)[1] == "  ▁ ▁█"
    assert rows[1][1] == ("▁", "trend-zero")
    assert rows[1][3] == ("▁█", "trend-1")


def test_area_fades_below_its_edge() -> None:
    """The edge has the series' colour, what is below fades step by step."""
    rows = draw_trend(area(10.0, ceiling=10), 1, 7)
    assert [row[0] for row in rows[1:]] == [
        ("█", "trend-1"),
        ("█", "trend-1-fill-1"),
        ("█", "trend-1-fill-2"),
        ("█", "trend-1-fill-3"),
        ("█", "trend-1-fill-4"),
        ("█", "trend-1-fill-4"),
    ]


def test_newest_values_stand_at_the_right() -> None:
    """Longer series lose their oldest columns, shorter ones leave room."""
    assert texts(draw_trend(area(10, 0, 10, ceiling=10), 2, 2))[1] == "▁█"
    assert texts(draw_trend(area(10, ceiling=10), 3, 2))[1] == "  █"


def test_lines_of_several_series() -> None:
    """Several series are lines; the first one is in front."""
    view = TrendView(
        "Latency",
        Unit.SECONDS,
        (
            TrendSeries("p50", "trend-1", (0.0, 0.0, 0.0)),
            TrendSeries("p99", "trend-2", (0.01, None, 0.01)),
        ),
        ceiling=0.01,
    )
    rows = draw_trend(view, 40, 3)
    assert texts(rows) == [
        "Latency  p50 0 ms  p99 10.0 ms    10 ms▔",
        " " * 37 + "⠉ ⠉",
        " " * 37 + "⣀⣀⣀",
    ]
    assert ("⣀⣀⣀", "trend-zero") in rows[2]
    assert ("⠉", "trend-2") in rows[1]


def test_line_connects_its_values() -> None:
    """Between two values a line goes through every dot row."""
    two = (TrendSeries("a", "trend-1", (0.0, 10.0)), TrendSeries("b", "trend-2", ()))
    view = TrendView("", Unit.RATE, two, ceiling=10)
    assert texts(draw_trend(view, 2, 3))[1:] == [" ⣸", "⣀⡇"]


def test_marks_and_cursor() -> None:
    """A mark has a head that is always seen; the cursor goes through data and blanks."""
    rows = draw_trend(area(0, 10, 10, 0, ceiling=10, marks=(0, 1, 99), cursor=2), 4, 3)
    assert texts(rows) == ["RPS ", "▾▾█ ", "▁██▁"]
    assert ("█", "trend-cursor") in rows[1]
    assert texts(draw_trend(area(None, ceiling=10, marks=(0,)), 1, 4))[1:] == ["▾", "┊", "┊"]
    assert texts(draw_trend(area(None, ceiling=10, cursor=0), 1, 2))[1:] == ["│"]


def test_cursor_chooses_what_the_header_tells() -> None:
    """With a cursor the header has the values under it, not the newest ones."""
    assert texts(draw_trend(area(1.0, 2.0, 3.0, cursor=1), 20, 1))[0].startswith("RPS 2.00")
    assert texts(draw_trend(area(1.0, None), 20, 1))[0].startswith("RPS –")


def test_newest_text_wins_over_the_value() -> None:
    """A series may say more about its newest value than the number."""
    view = TrendView("RPS", Unit.RATE, (TrendSeries("", "trend-1", (3.0,), "3.00 of 5.00"),))
    assert texts(draw_trend(view, 24, 1)) == ["RPS 3.00 of 5.00      5▔"]


@pytest.mark.parametrize(
    ("top", "unit", "ceiling"),
    [
        (0, Unit.RATE, 1),
        (0.3, Unit.RATE, 0.5),
        (1, Unit.RATE, 1),
        (3021, Unit.RATE, 5000),
        (0.000437, Unit.SECONDS, 0.0005),
        (7e-9, Unit.SECONDS, 1e-8),
        (3 * 1024, Unit.BYTES, 5 * 1024),
        (999, Unit.BYTES, 1000),
        (1000, Unit.BYTES, 1024),
    ],
)
def test_ceilings_are_round(top: float, unit: Unit, ceiling: float) -> None:
    """The scale ends at 1, 2 or 5 times a power of ten, of 1024 for bytes."""
    assert nice_ceiling([[None, top]], unit) == pytest.approx(ceiling)


values = st.lists(
    st.none() | st.floats(min_value=-1e12, max_value=1e12) | st.just(float("inf")), max_size=30
)


@given(st.lists(values, min_size=0, max_size=3), st.integers(0, 25), st.integers(0, 6))
def test_rows_fill_the_pane(lines: list[list[float | None]], width: int, height: int) -> None:
    """Whatever the values are, the rows have exactly the size asked for."""
    series = tuple(TrendSeries(f"s{i}", f"trend-{i + 1}", tuple(v)) for i, v in enumerate(lines))
    rows = draw_trend(TrendView("title", Unit.RATE, series, marks=(3,), cursor=2), width, height)
    assert len(rows) == (height if width else 0)
    assert all(cell_width("".join(text for text, _ in row)) == width for row in rows)


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=20), st.integers(1, 5))
def test_heights_follow_values(numbers: list[float], rows: int) -> None:
    """A greater value is never drawn lower."""
    drawn = texts(draw_trend(area(*numbers), len(numbers), rows + 1))[1:]
    heights = [sum(" ▁▂▃▄▅▆▇█".index(row[x]) for row in drawn) for x in range(len(numbers))]
    ordered = [height for _, height in sorted(zip(numbers, heights, strict=True))]
    assert ordered == sorted(ordered)


def test_a_picked_range_is_marked_under_its_columns() -> None:
    """From its first to its last column, whatever is drawn there; the cursor is its end."""
    view = replace(area(1, 1, 1, 1, 1, ceiling=1), selected=(1, 3), cursor=3)
    rows = draw_trend(view, 5, 2)
    assert rows[1] == [
        ("█", "trend-1"),
        ("██", "trend-1@range"),
        ("█", "trend-cursor@range"),
        ("█", "trend-1"),
    ]
    assert not [key for _, key in rows[0] if "@" in key]
    outside = draw_trend(replace(view, selected=(-9, -4)), 5, 2)
    assert "@" not in outside[1][-1][1]


def test_a_cursor_that_is_far_back_is_in_sight() -> None:
    """Three quarters of the way; a near one leaves the newest column where it is."""
    values = tuple(float(n) for n in range(100))
    view = area(*values, ceiling=100, cursor=50)
    assert first_column(view, 20) == 35
    assert texts(draw_trend(view, 20, 1))[0].startswith("RPS 50.0")
    assert first_column(replace(view, cursor=85), 20) == 80
    assert first_column(replace(view, cursor=3), 20) == 0
    assert first_column(view, 120) == -20


@given(
    st.lists(st.floats(0, 10) | st.none(), max_size=30),
    st.integers(1, 20),
    st.integers(1, 4),
    st.none() | st.integers(-5, 40),
    st.tuples(st.integers(-5, 40), st.integers(-5, 40)),
)
def test_no_row_is_wider_than_the_pane(
    values: list[float | None],
    width: int,
    height: int,
    cursor: int | None,
    selected: tuple[int, int],
) -> None:
    """Wherever the range and its cursor are."""
    first, last = sorted(selected)
    view = replace(area(*values, cursor=cursor), selected=(first, last))
    rows = draw_trend(view, width, height)
    assert [sum(cell_width(text) for text, _ in row) for row in rows] == [width] * height
