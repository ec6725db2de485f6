"""The functions that changed since a baseline, in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tui.export.report.markdown_text import Heading, code, figure, table
from tui.model.calldiff import FunctionChange
from tui.model.costchange import CostChange
from tui.views.format import milliseconds
from tui.views.names import readable_name

_TITLES: Final = ("before", "after", "change", "ratio", "95 % of the change")


def changes_table(
    changes: Sequence[FunctionChange], noun: str, width: int, *, is_time: bool
) -> list[str]:
    """Return the lines of a table of what functions cost themselves, per request.

    Args:
        changes: In order, all of them shown.
        noun: What is counted as one request.
        width: Longest name in columns.
        is_time: Whether costs are µs; else they are samples.
    """
    unit = f"self time per {noun}" if is_time else f"own samples per {noun}"
    headings = [
        Heading(f"function ({unit})"),
        *(Heading(title, is_right=True) for title in _TITLES),
    ]
    rows = [
        [
            f"{_sign(each.own)} {code(readable_name(each.frame.symbol), width)}",
            *map(figure, _texts(each.own, is_time=is_time)),
        ]
        for each in changes
    ]
    return table(headings, rows)


def _texts(change: CostChange, *, is_time: bool) -> tuple[str, ...]:
    low, high = change.interval_us
    return (
        _cost(change.before.us, is_time=is_time),
        _cost(change.after.us, is_time=is_time),
        _signed(change.delta_us, is_time=is_time),
        "new" if change.ratio is None else f"×{change.ratio:.2f}",
        f"{_signed(low, is_time=is_time)} to {_signed(high, is_time=is_time)}",
    )


def _sign(change: CostChange) -> str:
    return "▲" if change.delta_us > 0 else "▼"


def _cost(value: float, *, is_time: bool) -> str:
    return milliseconds(value / 1e6) if is_time else f"{value:.3g}"


def _signed(value: float, *, is_time: bool) -> str:
    return ("−" if value < 0 else "+") + _cost(abs(value), is_time=is_time)
