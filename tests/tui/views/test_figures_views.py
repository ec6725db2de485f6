from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import texts
from tui.views.figures import Figure, FiguresView, draw_figures
from tui.views.format import cell_width

VIEW = FiguresView(
    (
        Figure("req/s", "1.23k", weight=9),
        Figure("p50", "4.37 ms", weight=5),
        Figure("p95", "12.3 ms", weight=8),
        Figure("failed", "0.50%", "figure-bad", weight=7),
    )
)
figures = st.builds(
    Figure,
    st.text("ab日", max_size=6),
    st.text("0123.µ日 ", max_size=12),
    weight=st.integers(0, 9),
)


@pytest.mark.parametrize(
    ("width", "row"),
    [
        (
            160,
            "req/s 1.23k                             p50 4.37 ms                           "
            "p95 12.3 ms                           failed 0.50%                                ",
        ),
        (80, "req/s 1.23k         p50 4.37 ms       p95 12.3 ms       failed 0.50%            "),
        (40, "req/s 1.23k   p50 4.37 ms p95 12.3 ms   "),
        (30, "req/s 1.23k     p95 12.3 ms   "),
        (14, "req/s 1.23k   "),
        (10, " " * 10),
        (1, " "),
    ],
)
def test_the_weightiest_figures_stay_longest(width: int, row: str) -> None:
    """Whole ones, in their order, evenly spread."""
    assert texts(draw_figures(VIEW, width, 1)) == [row]


def test_neighbours_stand_still_when_a_number_grows() -> None:
    """Each has room for the widest number."""
    columns = []
    for value in ("–", "999", "1.23k", "12.3 ms"):
        view = FiguresView((Figure("p50", value), Figure("p95", "1 ms")))
        columns.append(texts(draw_figures(view, 60, 1))[0].index("p95"))
    assert len(set(columns)) == 1


def test_labels_and_values_have_their_styles() -> None:
    """A value its own, if it has one."""
    (row,) = draw_figures(VIEW, 80, 3)
    assert row[-3:-1] == [("failed ", "figure-label"), ("0.50%         ", "figure-bad")]
    assert row[1][1] == "figure-value"


@given(st.lists(figures, max_size=6, unique=True), st.integers(0, 80))
def test_the_row_is_exactly_as_wide_as_asked(shown: list[Figure], width: int) -> None:
    """And no figure is cut."""
    (row,) = draw_figures(FiguresView(tuple(shown)), width, 1)
    assert cell_width("".join(text for text, _ in row)) == width
    values = [text for text, key in row[:-1] if key == "figure-value"]
    assert all(any(text.startswith(each.value) for each in shown) for text in values)


def test_without_height_nothing_is_drawn() -> None:
    """No rows at all."""
    assert draw_figures(VIEW, 80, 0) == []
