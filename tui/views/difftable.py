"""What changed between two ranges, as a table of functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from collectors.samples import Frame
from tui.model.calldiff import FunctionChange
from tui.model.costchange import CostChange
from tui.model.lens import TableOrder
from tui.model.search import compile_pattern, matches
from tui.views.format import cell_width, fit
from tui.views.framecost import change_text, cost_text, signed_cost
from tui.views.names import readable_name
from tui.views.table import Cell, Column, TableView, draw_table
from tui.views.trend import Segment

_NO_CHANGE: Final = "="
_NAME_WIDTH: Final = 24
"""Other columns go before the names get less."""


@dataclass(frozen=True, slots=True)
class DiffTableView:
    """What the table of changes shows; equal views need no repaint."""

    rows: tuple[FunctionChange, ...]
    header: str = ""
    is_time: bool = True
    """Whether costs are µs; else they are samples."""
    of_total: bool = False
    """Whether it is about what functions cost with all they call; else about their own cost."""
    noun: str = "request"
    """What costs are divided by."""
    order: TableOrder = TableOrder.SELF
    empty_text: str = "no samples in one of the ranges"

    @property
    def size(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    def change(self, row: int) -> CostChange:
        """Return what a row tells of its function."""
        found = self.rows[row]
        return found.total if self.of_total else found.own

    def function(self, row: int) -> tuple[Frame, bool]:
        """Return what a row is about."""
        return self.rows[row].frame, False

    def find(self, frame: Frame, *, caller_lost: bool = False) -> int | None:
        """Return where a function stands; None: nowhere."""
        return next((i for i, row in enumerate(self.rows) if row.frame == frame), None)

    def draw(
        self, width: int, height: int, *, first: int = 0, selected: int | None = None
    ) -> list[list[Segment]]:
        """Draw the titles and the rows from `first` on, into `height` rows of `width` columns."""
        last = min(first + max(0, height - 1), len(self.rows))
        rows = tuple(self._row(row, is_selected=row == selected) for row in range(first, last))
        columns = _columns(self)
        empty = TableView(columns, (), self.empty_text)
        return draw_table(TableView(columns, rows) if rows else empty, width, height)

    def about(self, row: int, width: int) -> str:
        """Return the full symbol and module of a row, and its change in words where there is room.

        Where it is narrow, the symbol's end is left.
        """
        frame = self.rows[row].frame
        name = f"{frame.symbol}  {frame.module}".rstrip()
        said = change_text(self.change(row), self.noun, is_time=self.is_time)
        for text in (f"{name}  {said}", name):
            if cell_width(text) <= width:
                return text
        return fit(frame.symbol, width, keep="end")

    def _row(self, row: int, *, is_selected: bool) -> tuple[Cell, ...]:
        change, is_time = self.change(row), self.is_time
        sign, key = sign_of(change)
        low, high = change.interval_us
        ratio = "new" if change.ratio is None else f"×{change.ratio:.2f}"
        plain = ""
        if is_selected:
            key = plain = "table-selected"
        return (
            Cell(("▶" if is_selected else " ") + sign, key),
            Cell(readable_name(self.rows[row].frame.symbol), key),
            Cell(cost_text(change.before.us, is_time=is_time), plain),
            Cell(cost_text(change.after.us, is_time=is_time), plain),
            Cell(signed_cost(change.delta_us, is_time=is_time), key),
            Cell(ratio, key),
            Cell(
                f"{signed_cost(low, is_time=is_time)} to {signed_cost(high, is_time=is_time)}",
                plain or "table-empty",
            ),
        )


def build_diff_table(
    changes: Sequence[FunctionChange],
    order: TableOrder = TableOrder.SELF,
    filter_pattern: str = "",
    *,
    header: str = "",
    is_time: bool = True,
    noun: str = "request",
) -> DiffTableView:
    """Build the table of costs per request; what changed comes first, unless it is by name.

    Args:
        changes: In the order of their own costs.
        order: Own costs, total costs, or own costs by name.
        filter_pattern: A regular expression for names; empty: all functions.
        header: The line above.
        is_time: Whether costs are µs; else they are samples.
        noun: What costs are divided by.

    Raises:
        ValueError: the pattern can't be used; in one short sentence.
    """
    shown = list(changes)
    if filter_pattern:
        expression = compile_pattern(filter_pattern)
        shown = [each for each in changes if matches(expression, each.frame.symbol, readable_name)]
        header = f"{header} · {len(shown)} of {len(changes)} functions"
    if order is TableOrder.NAME:
        shown.sort(key=lambda each: readable_name(each.frame.symbol).casefold())
    elif order is TableOrder.TOTAL:
        shown.sort(key=lambda each: (not each.total.is_changed, -abs(each.total.delta_us)))
    return DiffTableView(
        rows=tuple(shown),
        header=header,
        is_time=is_time,
        of_total=order is TableOrder.TOTAL,
        noun=noun,
        order=order,
        empty_text="No function matches" if changes else "no samples in one of the ranges",
    )


def sign_of(change: CostChange) -> tuple[str, str]:
    """The sign of a change and its style key; a word of its own where colours can't be told."""
    if not change.is_changed:
        return _NO_CHANGE, "diff-same"
    return ("▲", "diff-more") if change.delta_us > 0 else ("▼", "diff-less")


def _columns(view: DiffTableView) -> tuple[Column, ...]:
    """Return the columns; where it is narrow, the rightmost go first."""
    what = "total" if view.of_total else "self"
    mark = "▾" if view.order is TableOrder.NAME else ""
    return (
        Column("", 2),
        Column(f"function{mark}", _NAME_WIDTH, flexible=True),
        Column(f"{what} before", 12, right=True),
        Column("after", 9, right=True),
        Column("change", 10, right=True),
        Column("ratio", 6, right=True),
        Column("95 % of the change", 22, right=True),
    )
