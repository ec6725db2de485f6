from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import texts
from tui.views.format import cell_width
from tui.views.table import Cell, Column, TableView, draw_table

COLUMNS = (Column("endpoint", flexible=True), Column("status", 6), Column("req/s", 7, right=True))
VIEW = TableView(
    COLUMNS,
    (
        (Cell("GET /"), Cell("200"), Cell("12.3")),
        (Cell("GET /日本語/with/a/long/path"), Cell("500", "figure-bad"), Cell("1.00k")),
        (Cell("[/] [b]"), Cell("[unknown]"), Cell("–")),
    ),
    "no requests",
)
wide_texts = st.text(st.sampled_from("ab 日本e\u0301…[]"), max_size=14)


def test_the_flexible_column_takes_what_is_left() -> None:
    """Long texts end in …, numbers stand at the right, brackets are just brackets."""
    assert texts(draw_table(VIEW, 40, 5)) == [
        "endpoint                  status   req/s",
        "GET /                     200       12.3",
        "GET /日本語/with/a/long/… 500      1.00k",
        "[/] [b]                   [unkn…       –",
        "                                        ",
    ]


@pytest.mark.parametrize(
    ("width", "rows"),
    [
        (
            160,
            [
                "endpoint" + " " * 138 + "status   req/s",
                "GET /" + " " * 141 + "200       12.3",
                "and 2 more" + " " * 150,
            ],
        ),
        (
            80,
            [
                "endpoint" + " " * 58 + "status   req/s",
                "GET /" + " " * 61 + "200       12.3",
                "and 2 more" + " " * 70,
            ],
        ),
        (
            40,
            [
                "endpoint                  status   req/s",
                "GET /                     200       12.3",
                "and 2 more                              ",
            ],
        ),
        (15, ["endpoint status", "GET /    200   ", "and 2 more     "]),
        (10, ["endpoint  ", "GET /     ", "and 2 more"]),
        (1, ["…", "…", "…"]),
    ],
)
def test_columns_go_from_the_right_when_it_gets_narrow(width: int, rows: list[str]) -> None:
    """The first one stays; rows that do not fit are counted."""
    assert texts(draw_table(VIEW, width, 3)) == rows


def test_a_row_that_fits_is_not_counted_away() -> None:
    """Three rows in room for three, and of one line only the titles."""
    assert texts(draw_table(VIEW, 40, 4))[-1].startswith("[/] [b]")
    assert texts(draw_table(VIEW, 10, 2)) == ["endpoint  ", "and 3 more"]
    assert texts(draw_table(VIEW, 10, 1)) == ["endpoint  "]


def test_an_empty_table_says_so() -> None:
    """Below its titles."""
    rows = draw_table(TableView(COLUMNS, (), "no requests"), 20, 3)
    assert texts(rows) == ["endpoint      status", "no requests         ", " " * 20]
    assert [row[0][1] for row in rows] == ["table-title", "table-empty", "table-cell"]


def test_cells_keep_their_style() -> None:
    """And have the table's own without one."""
    row = draw_table(VIEW, 40, 5)[2]
    assert [key for _, key in row] == ["table-cell", "figure-bad", "table-cell"]


@pytest.mark.parametrize(("width", "height"), [(0, 3), (3, 0), (-1, -1)])
def test_without_room_nothing_is_drawn(width: int, height: int) -> None:
    """No rows at all."""
    assert draw_table(VIEW, width, height) == []


@given(
    st.lists(st.lists(wide_texts, min_size=1, max_size=3), max_size=5),
    st.integers(1, 40),
    st.integers(1, 7),
)
def test_every_row_is_exactly_as_wide_as_the_table(
    cells: list[list[str]], width: int, height: int
) -> None:
    """Whatever is in it, wide and combining characters too."""
    view = TableView(COLUMNS, tuple(tuple(map(Cell, row)) for row in cells), "nothing")
    drawn = texts(draw_table(view, width, height))
    assert len(drawn) == height
    assert [cell_width(row) for row in drawn] == [width] * height
