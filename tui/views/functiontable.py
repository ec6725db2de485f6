"""The table of functions: what each one cost, itself and with all it called, over all callers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import Final, NamedTuple

from collectors.samples import Frame
from tui.model.calltree import CallTree, FunctionTotal
from tui.model.cuttotals import CutTotals, function_totals
from tui.model.lens import TableOrder
from tui.model.search import compile_pattern, matches
from tui.views.format import cell_width, count, cpu_cores, fit, percent, rate
from tui.views.names import readable_name
from tui.views.table import Cell, Column, TableView, draw_table
from tui.views.trend import Segment

_LOST: Final = " (caller lost)"
_NAME_WIDTH: Final = 24
"""Other columns go before the names get less."""
_MODULE_WIDTH: Final = 20
_RATIO_WIDTH: Final = 6
_EVENT_WIDTH: Final = 20


class CostUnit(StrEnum):
    """What costs are in."""

    PER_REQUEST = "µs"
    """CPU time per request."""
    CORES = "cores"
    """CPU seconds a second."""
    SAMPLES = "samples"
    EVENTS = "events"
    """Of another event than a clock; the view names it."""


class _Key(Enum):
    """The columns."""

    NAME = auto()
    MODULE = auto()
    SELF = auto()
    SELF_COST = auto()
    TOTAL = auto()
    TOTAL_COST = auto()


_FIRST_TO_GO: Final = (_Key.MODULE, _Key.SELF_COST, _Key.TOTAL_COST, _Key.TOTAL, _Key.SELF)
_WRITERS: Final[Mapping[CostUnit, Callable[[float], str]]] = {
    CostUnit.PER_REQUEST: rate,
    CostUnit.CORES: cpu_cores,
    CostUnit.SAMPLES: lambda samples: count(round(samples)),
    CostUnit.EVENTS: rate,
}


class FunctionRow(NamedTuple):
    """One function over all its callers."""

    frame: Frame
    caller_lost: bool
    """Of the stacks whose callers were lost; they are in no other row."""
    name: str
    """The symbol, readable."""
    self_ratio: float
    self_cost: float
    total_ratio: float
    total_cost: float


@dataclass(frozen=True, slots=True)
class FunctionTableView:
    """What the table of functions shows; equal views need no repaint."""

    rows: tuple[FunctionRow, ...]
    header: str = ""
    """Like `last 10 s · 990 samples · 12 of 340 functions`."""
    unit: CostUnit = CostUnit.SAMPLES
    noun: str = "request"
    """What is counted as one request."""
    sort: TableOrder = TableOrder.SELF
    empty_text: str = "No samples yet"
    counted: str = ""
    """The event that costs are numbers of, where they are."""

    @property
    def size(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    def function(self, row: int) -> tuple[Frame, bool]:
        """Return what a row is about, and whether only of stacks whose callers were lost."""
        found = self.rows[row]
        return found.frame, found.caller_lost

    def draw(
        self, width: int, height: int, *, first: int, selected: int | None
    ) -> list[list[Segment]]:
        """Draw the titles and the rows from `first` on, into `height` rows of `width` columns."""
        return draw_functions(self, width, height, first=first, selected=selected)

    def about(self, row: int, width: int) -> str:
        """Return the full symbol of a row and its module."""
        return symbol_line(self.rows[row], width)

    def find(self, frame: Frame, *, caller_lost: bool = False) -> int | None:
        """Where a function stands: its row that is asked for, else its other one; None: nowhere."""
        found = {row.caller_lost: i for i, row in enumerate(self.rows) if row.frame == frame}
        return found.get(caller_lost, found.get(not caller_lost))


def _by_name(row: FunctionRow) -> tuple[str, str, str]:
    return row.name.casefold(), row.frame.symbol, row.frame.module


# Equal costs stay by name, so that rows do not change places without a reason.
_ORDER: Final[Mapping[TableOrder, Callable[[FunctionRow], tuple[object, ...]]]] = {
    TableOrder.NAME: _by_name,
    TableOrder.SELF: lambda row: (-row.self_ratio, -row.total_ratio, *_by_name(row)),
    TableOrder.TOTAL: lambda row: (-row.total_ratio, -row.self_ratio, *_by_name(row)),
}


def build_function_table(
    tree: CallTree,
    requests: int | None = None,
    sort: TableOrder = TableOrder.SELF,
    filter_pattern: str = "",
    *,
    seconds: float | None = None,
    noun: str = "request",
    header: str = "",
    counted: str = "",
    cut: CutTotals | None = None,
) -> FunctionTableView:
    """Build the table of a tree's functions.

    Args:
        tree: Not inverted: there, own and total time are something else.
        requests: Completed in the range, for CPU time per request.
        sort: What the rows are sorted by.
        filter_pattern: A regular expression for names; empty: all functions.
        seconds: Time the stacks cover, for CPU seconds a second where there are no requests.
        noun: What is counted as one request.
        header: The line above.
        counted: The event that periods count where that is not nanoseconds.
        cut: What the stacks of the tree lack.

    Raises:
        ValueError: the pattern can't be used; in one short sentence.
    """
    totals = function_totals(tree, cut or {})
    shown = totals
    if filter_pattern:
        expression = compile_pattern(filter_pattern)
        shown = [total for total in totals if matches(expression, total.symbol, readable_name)]
        number = f"{len(shown)} of {len(totals)} functions"
        header = f"{header} · {number}" if header else number
    unit, divisor = _unit(tree, requests, seconds, counted)
    rows = [_row(total, tree, unit, divisor) for total in shown]
    rows.sort(key=_ORDER[sort])
    empty_text = "No function matches" if totals else "No samples yet"
    return FunctionTableView(tuple(rows), header, unit, noun, sort, empty_text, counted)


def _unit(
    tree: CallTree, requests: int | None, seconds: float | None, counted: str
) -> tuple[CostUnit, float]:
    """Return the unit of costs, and by what periods or samples are divided for it."""
    if tree.period_ns and counted:
        return CostUnit.EVENTS, 1
    if tree.period_ns and requests:
        return CostUnit.PER_REQUEST, 1e3 * requests
    if tree.period_ns and seconds:
        return CostUnit.CORES, 1e9 * seconds
    return CostUnit.SAMPLES, 1


def _row(total: FunctionTotal, tree: CallTree, unit: CostUnit, divisor: float) -> FunctionRow:
    samples = total.self_samples, total.total_samples
    periods_ns = total.self_period_ns, total.total_period_ns
    whole = tree.period_ns or tree.samples
    own, all_ = periods_ns if tree.period_ns else samples
    own_cost, all_cost = samples if unit is CostUnit.SAMPLES else periods_ns
    return FunctionRow(
        frame=total.frame,
        caller_lost=total.caller_lost,
        name=readable_name(total.symbol),
        self_ratio=own / whole if whole else 0.0,
        self_cost=own_cost / divisor,
        total_ratio=all_ / whole if whole else 0.0,
        total_cost=all_cost / divisor,
    )


def draw_functions(
    view: FunctionTableView, width: int, height: int, *, first: int = 0, selected: int | None = None
) -> list[list[Segment]]:
    """Draw the titles and the rows from one on, into exactly `height` rows of `width` columns.

    Args:
        view: What is shown.
        width: Columns; where they are few, modules go first, then costs, then shares.
        height: Rows, that of the titles included.
        first: The row below the titles.
        selected: The row that is marked.
    """
    columns = _columns(view, width)
    room = width - sum(c.width + 1 for key, c in columns.items() if key is not _Key.NAME)
    rows = []
    for index in range(first, min(first + max(0, height - 1), len(view.rows))):
        row, is_selected = view.rows[index], index == selected
        style = "table-selected" if is_selected else "table-lost" if row.caller_lost else ""
        texts = _texts(row, view.unit, room, is_selected=is_selected)
        rows.append(tuple(Cell(texts[key], style) for key in columns))
    return draw_table(
        TableView(tuple(columns.values()), tuple(rows), view.empty_text), width, height
    )


def symbol_line(row: FunctionRow, width: int) -> str:
    """The full symbol and the module of a row; where it is narrow, the symbol's end."""
    text = f"{row.frame.symbol}  {row.frame.module}".rstrip()
    return text if cell_width(text) <= width else fit(row.frame.symbol, width, keep="end")


def _columns(view: FunctionTableView, width: int) -> dict[_Key, Column]:
    unit = f"{view.unit}/{view.noun}" if view.unit is CostUnit.PER_REQUEST else str(view.unit)
    if view.unit is CostUnit.EVENTS:
        unit = fit(view.counted, _EVENT_WIDTH)
    own, all_ = f"self {unit}", f"total {unit}"
    marks = {sort: "▾" if view.sort is sort else "" for sort in TableOrder}
    columns = {
        _Key.NAME: Column(f" function{marks[TableOrder.NAME]}", _NAME_WIDTH, flexible=True),
        _Key.MODULE: Column("module", _MODULE_WIDTH),
        _Key.SELF: Column(f"self{marks[TableOrder.SELF]}", _RATIO_WIDTH, right=True),
        _Key.SELF_COST: Column(own, cell_width(own), right=True),
        _Key.TOTAL: Column(f"total{marks[TableOrder.TOTAL]}", _RATIO_WIDTH, right=True),
        _Key.TOTAL_COST: Column(all_, cell_width(all_), right=True),
    }
    for key in _FIRST_TO_GO:
        if sum(column.width + 1 for column in columns.values()) - 1 > width:
            del columns[key]
    return columns


def _texts(row: FunctionRow, unit: CostUnit, room: int, *, is_selected: bool) -> dict[_Key, str]:
    mark, suffix = "▶" if is_selected else " ", _LOST if row.caller_lost else ""
    write = _WRITERS[unit]
    return {
        _Key.NAME: mark + fit(row.name, room - 1 - len(suffix), keep="end") + suffix,
        _Key.MODULE: row.frame.module,
        _Key.SELF: percent(row.self_ratio),
        _Key.SELF_COST: write(row.self_cost),
        _Key.TOTAL: percent(row.total_ratio),
        _Key.TOTAL_COST: write(row.total_cost),
    }
