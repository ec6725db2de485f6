"""What changed per request since the baseline, as a table with an interval drawn for each row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tui.export.report.html_figures import before_and_after
from tui.export.report.html_markup import Markup, element, exact
from tui.export.report.html_tables import Column, section, table
from tui.export.series.measured import Measured, compare
from tui.model.calldiff import FunctionChange, diff_trees
from tui.model.costchange import CostChange
from tui.views.difftable import sign_of
from tui.views.format import milliseconds
from tui.views.load import NOUNS
from tui.views.names import readable_name

MOST_ROWS: Final = 200
_LEAST_ROWS: Final = 12
"""Shown without unfolding, changed or not."""
_WIDTH: Final = 150.0
_HEIGHT: Final = 16.0
_WORDS: Final = {"▲": "more", "▼": "less", "=": "unchanged"}
_STYLES: Final = {"▲": "more", "▼": "less", "=": "same"}


def changes_section(before: Measured, after: Measured, name: str) -> Markup:
    """Return the comparison with the baseline: figures, then functions.

    Args:
        before: The baseline.
        after: The range of the report.
        name: How the baseline is called.
    """
    functions = compare(before, after)
    parts: list[str | None] = [before_and_after(before, after, name)]
    noun = NOUNS[after.kind]
    if functions:
        is_time = after.tree is not None and bool(after.tree.period_ns)
        changed = sum(each.own.is_changed for each in functions)
        unit = "CPU time" if is_time else "samples"
        parts += [
            _whole(before, after, is_time=is_time),
            element("h3", f"{unit} per {noun}, by function: {changed} of {len(functions)} changed"),
            *_function_tables(functions, is_time=is_time),
            element(
                "p",
                "Own cost, without what a function calls. A function counts as changed where an "
                "exact test says so for all functions together, at a chance of 5 % for one false "
                "alarm; intervals are 95 % and for each function alone.",
                class_="note",
            ),
        ]
    else:
        parts.append(element("p", "No requests or no samples in one of the ranges: costs per "
                                  f"{noun} can't be compared.", class_="note"))  # fmt: skip
    return section("changes", f"Compared with {name}", *parts)


def _whole(before: Measured, after: Measured, *, is_time: bool) -> Markup | None:
    """Return the sentence about all functions together."""
    sides = before.diff_side, after.diff_side
    if sides[0] is None or sides[1] is None:
        return None
    change = diff_trees(sides[0], sides[1]).change_of(sides[1].tree.root)
    if change is None:
        return None
    sign, _ = sign_of(change)
    low, high = (_signed(bound, is_time=is_time) for bound in change.interval_us)
    noun = NOUNS[after.kind]
    said = f"All functions together: {_signed(change.delta_us, is_time=is_time)} per {noun}"
    return element(
        "p",
        element("b", f"{sign} {_WORDS[sign]}", class_=_STYLES[sign]),
        f" · {said} ({low} to {high})",
        class_="whole",
    )


def _function_tables(functions: Sequence[FunctionChange], *, is_time: bool) -> list[Markup]:
    changed = sum(each.own.is_changed for each in functions)
    # What is no change is not hidden, but it does not need the room.
    first = min(MOST_ROWS, max(_LEAST_ROWS, changed))
    shown, more = functions[:first], functions[first:MOST_ROWS]
    parts = [_function_table(shown, is_time=is_time)]
    if more:
        left = len(functions) - first - len(more)
        said = f"{len(more)} more" + (f"; {left} smaller ones are left out" if left else "")
        parts.append(
            element("details", element("summary", said), _function_table(more, is_time=is_time))
        )
    return parts


def _function_table(functions: Sequence[FunctionChange], *, is_time: bool) -> Markup:
    bounds = [bound for each in functions for bound in each.own.interval_us]
    reach = max(map(abs, bounds), default=0.0) or 1.0
    columns = (
        Column(""),
        Column("function", is_name=True),
        Column("before", is_number=True),
        Column("after", is_number=True),
        Column("change", is_number=True),
        Column("ratio", is_number=True),
        Column("95 % of the change", is_number=True),
        Column("less · more", is_number=True),
    )
    rows = [_row(each, reach, is_time=is_time) for each in functions]
    styles = [_STYLES[sign_of(each.own)[0]] for each in functions]
    return table(columns, rows, row_styles=styles)


def _row(function: FunctionChange, reach: float, *, is_time: bool) -> Sequence[str]:
    change, frame = function.own, function.frame
    sign, _ = sign_of(change)
    low, high = (_signed(bound, is_time=is_time) for bound in change.interval_us)
    ratio = "new" if change.ratio is None else f"×{change.ratio:.2f}"
    if change.ratio is not None and not change.after.samples:
        ratio = "gone"
    title = f"{frame.symbol} ({frame.module})" if frame.module else frame.symbol
    return (
        element("b", f"{sign} {_WORDS[sign]}", class_="sign"),
        element("span", readable_name(frame.symbol), title=title),
        exact(change.before.us, _cost(change.before.us, is_time=is_time)),
        exact(change.after.us, _cost(change.after.us, is_time=is_time)),
        exact(change.delta_us, _signed(change.delta_us, is_time=is_time)),
        ratio,
        f"{low} to {high}",
        _whisker(change, reach),
    )


def _whisker(change: CostChange, reach: float) -> Markup:
    """Draw the difference and its interval about a line that stands for no change."""
    middle, scale = _WIDTH / 2, (_WIDTH / 2 - 4) / reach
    low, high = (middle + bound * scale for bound in change.interval_us)
    at = middle + change.delta_us * scale
    y = _HEIGHT / 2
    return element(
        "svg",
        element("path", class_="zero", d=f"M{middle:.1f} 0V{_HEIGHT:.0f}"),
        element("path", class_="reach", d=f"M{low:.1f} {y:.1f}H{high:.1f}"),
        element("circle", class_="at", cx=at, cy=y, r=3.5),
        class_="whisker",
        viewBox=f"0 0 {_WIDTH:.0f} {_HEIGHT:.0f}",
        aria_hidden="true",
    )


def _cost(value: float, *, is_time: bool) -> str:
    return milliseconds(value / 1e6) if is_time else f"{value:.3g}"


def _signed(value: float, *, is_time: bool) -> str:
    return ("−" if value < 0 else "+") + _cost(abs(value), is_time=is_time)
