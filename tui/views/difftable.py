"""What changed between two ranges, as a table of functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tui.model.calldiff import CostChange, FunctionChange
from tui.views.format import milliseconds
from tui.views.names import readable_name
from tui.views.table import Cell, Column, TableView

ROWS: Final = 200

_NO_CHANGE: Final = "="
_COLUMNS: Final = (
    Column("", 1),
    Column("function", flexible=True),
    Column("before", 9, right=True),
    Column("after", 9, right=True),
    Column("change", 10, right=True),
    Column("ratio", 6, right=True),
    Column("95 % of the change", 22, right=True),
)


def sign_of(change: CostChange) -> tuple[str, str]:
    """The sign of a change and its style key; a word of its own where colours can't be told."""
    if not change.is_changed:
        return _NO_CHANGE, "diff-same"
    return ("▲", "diff-more") if change.delta_us > 0 else ("▼", "diff-less")


def diff_table(changes: Sequence[FunctionChange], *, is_time: bool = True) -> TableView:
    """Build the table of own costs per request; what changed comes first.

    Args:
        changes: In order.
        is_time: Whether costs are µs; else they are samples.
    """
    return TableView(
        columns=_COLUMNS,
        rows=tuple(_row(each, is_time=is_time) for each in changes[:ROWS]),
        empty_text="no samples in one of the ranges",
    )


def _row(function: FunctionChange, *, is_time: bool) -> tuple[Cell, ...]:
    change = function.own
    sign, key = sign_of(change)
    low, high = change.interval_us
    ratio = "new" if change.ratio is None else f"×{change.ratio:.2f}"
    return (
        Cell(sign, key),
        Cell(readable_name(function.frame.symbol), key),
        Cell(_cost(change.before.us, is_time=is_time)),
        Cell(_cost(change.after.us, is_time=is_time)),
        Cell(_signed(change.delta_us, is_time=is_time), key),
        Cell(ratio, key),
        Cell(f"{_signed(low, is_time=is_time)} to {_signed(high, is_time=is_time)}", "table-empty"),
    )


def _cost(value: float, *, is_time: bool) -> str:
    return milliseconds(value / 1e6) if is_time else f"{value:.3g}"


def _signed(value: float, *, is_time: bool) -> str:
    return ("−" if value < 0 else "+") + _cost(abs(value), is_time=is_time)
