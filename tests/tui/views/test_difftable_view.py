"""What changed, as a table and in a line; intervals worked out by hand from tables of Garwood's."""

from __future__ import annotations

import pytest

from collectors.samples import Frame, FrameKind
from tests.builders import texts
from tui.model.calldiff import Cost, CostChange, FunctionChange
from tui.views.difftable import diff_table
from tui.views.framecost import change_text
from tui.views.table import draw_table


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
    view = diff_table(rows)
    assert texts(draw_table(view, 86, 5)) == [
        "  function                   before     after     change  ratio     95 % of the change",
        "▲ slower                     100 µs    200 µs    +100 µs  ×2.00    +65.6 µs to +135 µs",
        "▲ new                          0 ms   50.0 µs   +50.0 µs    new   +36.6 µs to +65.9 µs",
        "▼ faster                    80.0 µs   20.0 µs   −60.0 µs  ×0.25   −81.1 µs to −40.2 µs",
        "= same                      40.0 µs   44.0 µs   +4.00 µs  ×1.10   −14.8 µs to +22.9 µs",
    ]
    assert [row[0].style_key for row in view.rows] == [
        *("diff-more", "diff-more", "diff-less", "diff-same"),
    ]


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
