"""What changed, as a table and in a line; intervals worked out by hand from tables of Garwood's."""

from __future__ import annotations

import re

import pytest

from collectors.samples import Frame, FrameKind
from tests.builders import texts
from tui.model.calldiff import FunctionChange
from tui.model.costchange import Cost, CostChange
from tui.model.lens import TableOrder
from tui.views.difftable import build_diff_table
from tui.views.framecost import change_text


def change(before: int, after: int, *, is_changed: bool = True) -> CostChange:
    """Return one in which a sample is a µs a request."""
    return CostChange(Cost(before, 1.0), Cost(after, 1.0), 0.001, is_changed)


def function(symbol: str, own: CostChange) -> FunctionChange:
    return FunctionChange(Frame(symbol, "server", FrameKind.USER), own, own)


def test_a_table_of_changes() -> None:
    """Signs beside the colours; what is new has no ratio."""
    rows = [
        function("slower", change(100, 200)),
        function("new::h0123456789abcdef", change(0, 50)),
        function("faster", change(80, 20)),
        function("same", change(40, 44, is_changed=False)),
    ]
    view = build_diff_table(rows)
    drawn = view.draw(91, 5)
    assert {len(text) for text in texts(drawn)} == {91}
    assert [re.sub(" +", " ", text.strip()) for text in texts(drawn)] == [
        "function self before after change ratio 95 % of the change",
        "▲ slower 100 µs 200 µs +100 µs ×2.00 +65.6 µs to +135 µs",
        "▲ new 0 ms 50.0 µs +50.0 µs new +36.6 µs to +65.9 µs",
        "▼ faster 80.0 µs 20.0 µs −60.0 µs ×0.25 −81.1 µs to −40.2 µs",
        "= same 40.0 µs 44.0 µs +4.00 µs ×1.10 −14.8 µs to +22.9 µs",
    ]
    drawn = view.draw(91, 3, first=2)
    assert [text.split()[1] for text in texts(drawn)[1:]] == ["faster", "same"]
    assert drawn[1][0][1] == "diff-less"
    assert drawn[2][0][1] == "diff-same"


def test_a_row_that_is_selected() -> None:
    """It is marked by more than a colour, and told of in full below."""
    view = build_diff_table([function("slower", change(100, 200))], header="last 10 s")
    assert texts(view.draw(60, 2, selected=0))[1].startswith("▶▲ slower ")
    assert {key for _, key in view.draw(60, 2, selected=0)[1]} == {"table-selected"}
    assert view.about(0, 80) == "slower  server  ▲ +100 µs/request ×2 (+65.6 µs to +135 µs)"
    assert view.about(0, 20) == "slower  server"
    assert view.about(0, 3) == "…er"


def test_orders_and_names_that_are_looked_for() -> None:
    """By own change, by total change or by name; the header tells what a pattern leaves out."""
    rows = [
        FunctionChange(Frame("b", "server", FrameKind.USER), change(10, 90), change(10, 11)),
        FunctionChange(Frame("a", "server", FrameKind.USER), change(9, 10), change(10, 99)),
    ]

    def names(order: TableOrder, pattern: str = "") -> list[str]:
        return [row.frame.symbol for row in build_diff_table(rows, order, pattern).rows]

    assert names(TableOrder.SELF) == ["b", "a"]
    assert names(TableOrder.TOTAL) == ["a", "b"]
    assert names(TableOrder.NAME) == ["a", "b"]
    total = build_diff_table(rows, TableOrder.TOTAL)
    assert (total.change(0).after.samples, "total before" in texts(total.draw(90, 1))[0]) == (
        99,
        True,
    )
    assert names(TableOrder.SELF, "^a") == ["a"]
    assert build_diff_table(rows, filter_pattern="^a", header="h").header == "h · 1 of 2 functions"
    assert texts(build_diff_table(rows, filter_pattern="x").draw(40, 2))[1].startswith(
        "No function"
    )


def test_where_a_function_stands() -> None:
    """Its row, whichever way the rows are sorted."""
    view = build_diff_table([function("x", change(1, 2)), function("y", change(1, 2))])
    assert [view.find(view.function(row)[0]) for row in range(view.size)] == [0, 1]
    assert view.find(Frame("z", "server", FrameKind.USER)) is None


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (change(100, 200), "▲ +100 µs/request ×2 (+65.6 µs to +135 µs)"),
        (change(80, 20), "▼ −60.0 µs/request ×0.25 (−81.1 µs to −40.2 µs)"),
        (change(0, 50), "▲ +50.0 µs/request new (+36.6 µs to +65.9 µs)"),
        (change(40, 44, is_changed=False), "= unchanged (−14.8 µs to +22.9 µs/request)"),
    ],
)
def test_a_change_in_one_line(found: CostChange, text: str) -> None:
    """Sign, difference, ratio and interval; what is unchanged says how much it might be."""
    assert change_text(found) == text


def test_without_periods_changes_are_samples() -> None:
    """As in folded stacks."""
    assert change_text(change(100, 200), is_time=False).startswith("▲ +100/request ×2 (+65.6")
