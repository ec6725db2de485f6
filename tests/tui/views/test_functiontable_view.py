"""What functions cost, as rows."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.samples import Frame, FrameKind, Stack, StackBatch, StackCount
from tests.builders import texts
from tui.model.calltree import CallTree, build_tree
from tui.model.lens import TableOrder
from tui.model.stacks import StackTable
from tui.views.format import cell_width
from tui.views.functiontable import (
    CostUnit,
    FunctionTableView,
    build_function_table,
    draw_functions,
    symbol_line,
)

MILLISECOND = 1_000_000


def frame(symbol: str) -> Frame:
    return Frame(symbol, "server", FrameKind.USER)


def tree_of(stacks: dict[str, int], period_ns: int = MILLISECOND) -> CallTree:
    """A tree from folded stacks like `main;work`; what begins with `~` lost its callers."""
    ids: dict[str, int] = {}
    made, counts = {}, {}
    for number, (text, samples) in enumerate(stacks.items()):
        names = text.removeprefix("~").split(";")
        frames = tuple(ids.setdefault(name, len(ids)) for name in names)
        made[number] = Stack("p", "t", frames, text.startswith("~"))
        counts[number] = StackCount(samples, samples * period_ns)
    table = StackTable()
    frames_by_id = {number: frame(name) for name, number in ids.items()}
    table.add(StackBatch(start=0.0, end=0.0, counts=counts, stacks=made, frames=frames_by_id))
    return build_tree(table, counts)


STACKS = {"main;parse": 30, "main;parse;parse": 5, "main;work": 40, "main": 5, "~send": 20}
TREE = tree_of(STACKS)


def names(view: FunctionTableView) -> list[str]:
    return [row.name for row in view.rows]


def test_costs_are_per_request() -> None:
    """CPU time over the requests, a function that calls itself once; the marked row has a mark."""
    view = build_function_table(TREE, 10, header="last 10 s")
    assert view.header == "last 10 s"
    assert texts(draw_functions(view, 79, 6, selected=1)) == [
        " function                         self▾ self µs/request  total total µs/request",
        " work                             40.0%           4.00k  40.0%            4.00k",
        "▶parse                            35.0%           3.50k  35.0%            3.50k",
        " send (caller lost)               20.0%           2.00k  20.0%            2.00k",
        " main                              5.0%             500  80.0%            8.00k",
        " " * 79,
    ]
    wide = texts(draw_functions(view, 92, 2))
    assert [row[:45].split() for row in wide] == [["function", "module"], ["work", "server"]]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        (TableOrder.SELF, ["work", "parse", "send", "main"]),
        (TableOrder.TOTAL, ["main", "work", "parse", "send"]),
        (TableOrder.NAME, ["main", "parse", "send", "work"]),
    ],
)
def test_rows_are_sorted(sort: TableOrder, order: list[str]) -> None:
    """By what is asked for; the title of that column says so."""
    view = build_function_table(TREE, sort=sort)
    assert names(view) == order
    title = "function" if sort is TableOrder.NAME else sort.value
    assert f"{title}▾" in texts(draw_functions(view, 100, 1))[0]


def test_equal_costs_stand_by_name() -> None:
    """So that rows do not change places without a reason."""
    view = build_function_table(tree_of({"b": 1, "C": 1, "a": 1}))
    assert names(view) == ["a", "b", "C"]


def test_a_function_has_another_row_for_lost_callers() -> None:
    """Both are rows of one function, and each is found; one stands in for the other."""
    view = build_function_table(tree_of({"main;send": 3, "~send": 4, "~recv": 1}))
    assert [(row.name, row.caller_lost) for row in view.rows] == [
        ("send", True),
        ("send", False),
        ("recv", True),
        ("main", False),
    ]
    assert view.find(frame("send")) == 1
    assert view.find(frame("send"), caller_lost=True) == 0
    assert view.find(frame("recv")) == 2
    assert view.find(frame("gone")) is None
    styles = [row[0][1] for row in draw_functions(view, 40, 5, selected=1)]
    assert styles == ["table-title", "table-lost", "table-selected", "table-lost", "table-cell"]


@pytest.mark.parametrize(
    ("requests", "seconds", "period_ns", "unit", "cost"),
    [
        (10, 2.0, MILLISECOND, CostUnit.PER_REQUEST, 4000.0),
        (None, 2.0, MILLISECOND, CostUnit.CORES, 0.02),
        (0, None, MILLISECOND, CostUnit.SAMPLES, 40),
        (10, 2.0, 0, CostUnit.SAMPLES, 40),
    ],
)
def test_the_unit_is_the_best_that_is_known(
    requests: int | None, seconds: float | None, period_ns: int, unit: CostUnit, cost: float
) -> None:
    """Per request, else in cores, else in samples; never a time where a file has none."""
    view = build_function_table(tree_of(STACKS, period_ns), requests, seconds=seconds)
    assert view.unit is unit
    assert view.rows[0].self_cost == pytest.approx(cost)
    assert view.rows[0].self_ratio == pytest.approx(0.4)


def test_the_noun_is_that_of_the_load() -> None:
    """What is counted as one request stands in the titles."""
    view = build_function_table(TREE, 10, noun="iteration")
    assert "self µs/iteration" in texts(draw_functions(view, 120, 1))[0]


def test_names_are_filtered() -> None:
    """By the same expressions that a search takes; how many match is said."""
    view = build_function_table(TREE, filter_pattern="^(parse|send)$", header="last 10 s")
    assert names(view) == ["parse", "send"]
    assert view.header == "last 10 s · 2 of 4 functions"
    nothing = build_function_table(TREE, filter_pattern="gone")
    assert nothing.header == "0 of 4 functions"
    assert texts(draw_functions(nothing, 30, 2))[1] == "No function matches           "
    with pytest.raises(ValueError, match="can't be read"):
        build_function_table(TREE, filter_pattern="[")


def test_columns_go_when_it_gets_narrow() -> None:
    """Modules first, then costs, then shares; of long names the end stays."""
    view = build_function_table(tree_of({"server::handlers::search::index": 1, "~a::b": 1}), 1)
    titles = {width: texts(draw_functions(view, width, 1))[0].split() for width in (91, 80, 60, 40)}
    assert "module" not in titles[91]
    assert titles[80].count("µs/request") == titles[91].count("µs/request") == 2
    assert titles[60] == ["function", "self▾", "total", "total", "µs/request"]
    assert titles[40] == ["function", "self▾", "total"]
    rows = texts(draw_functions(view, 40, 3))
    assert rows[1].startswith(" a::b (caller lost) ")
    assert rows[2] == " …:handlers::search::index  50.0%  50.0%"


def test_scrolled_rows() -> None:
    """Rows are drawn from the first one asked for; there may be less of them than room."""
    view = build_function_table(tree_of({f"f{i}": 9 - i for i in range(5)}))
    drawn = texts(draw_functions(view, 60, 4, first=3))
    assert [row.split()[0] for row in drawn[1:3]] == ["f3", "f4"]
    assert drawn[3].strip() == ""


def test_nothing_to_show() -> None:
    """Without samples the table says so; without room there is nothing."""
    view = build_function_table(tree_of({}), 5)
    assert texts(draw_functions(view, 30, 2))[1].strip() == "No samples yet"
    assert draw_functions(view, 30, 0) == draw_functions(view, 0, 5) == []


def test_the_full_symbol_is_told() -> None:
    """With its module where there is room, its end where there is little."""
    symbol = "alloc::vec::Vec<u8>::push::h0123456789abcdef"
    (row,) = build_function_table(tree_of({symbol: 1})).rows
    assert row.name == "alloc::vec::Vec<u8>::push"
    assert symbol_line(row, 80) == f"{symbol}  server"
    assert symbol_line(row, 10) == "…789abcdef"


def test_brackets_are_just_brackets() -> None:
    """Names are shown as they are."""
    view = build_function_table(tree_of({"[/]": 1, "[unknown]": 1, "日本語": 1}))
    assert [row.split()[0] for row in texts(draw_functions(view, 40, 4))[1:]] == [
        "[/]",
        "[unknown]",
        "日本語",
    ]


folded = st.dictionaries(
    st.lists(st.sampled_from(["a", "b", "long::path::of::names", "日本"]), min_size=1, max_size=5)
    .map(";".join)
    .flatmap(lambda text: st.sampled_from([text, f"~{text}"])),
    st.integers(1, 500),
    max_size=8,
)


@given(folded, st.integers(1, 120), st.integers(1, 8), st.integers(0, 9))
def test_rows_are_exactly_as_wide_as_the_table(
    stacks: dict[str, int], width: int, height: int, first: int
) -> None:
    """And as many as there is room for, whatever is in them."""
    view = build_function_table(tree_of(stacks), 7)
    drawn = texts(draw_functions(view, width, height, first=first, selected=first))
    assert [cell_width(row) for row in drawn] == [width] * height


@given(folded, st.sampled_from(TableOrder))
def test_own_shares_are_the_whole(stacks: dict[str, int], sort: TableOrder) -> None:
    """However the table is sorted, its rows' own shares add up to everything."""
    view = build_function_table(tree_of(stacks), sort=sort)
    assert sum(row.self_ratio for row in view.rows) == pytest.approx(1 if stacks else 0)
    assert sum(row.self_cost for row in view.rows) == sum(stacks.values())


def test_a_function_is_found_after_a_thousand_refreshes() -> None:
    """Wherever a refresh puts it."""
    choose = random.Random(7)
    pool = [";".join(choose.choices("abcdefgh", k=choose.randint(1, 5))) for _ in range(40)]
    for _ in range(1_000):
        stacks = {text: choose.randint(1, 99) for text in choose.sample(pool, 5)}
        view = build_function_table(tree_of(stacks), sort=choose.choice(list(TableOrder)))
        place = view.find(frame("c"))
        assert (place is not None) == any("c" in text for text in stacks)
        assert place is None or view.rows[place].frame == frame("c")


def test_what_stacks_lack_is_in_the_totals() -> None:
    """With its cost; a function that is in none of them stands last, whatever it is sorted by."""
    cut = {frame("parse"): StackCount(10, 10 * MILLISECOND), frame("cut"): StackCount(4, 4_000_000)}
    view = build_function_table(TREE, 10, TableOrder.TOTAL, cut=cut)
    rows = {row.name: row for row in view.rows if not row.caller_lost}
    assert (rows["parse"].total_ratio, rows["parse"].total_cost) == (0.45, 4_500)
    assert (rows["parse"].self_ratio, rows["cut"].self_ratio) == (0.35, 0)
    assert (rows["cut"].total_ratio, rows["cut"].total_cost) == (0.04, 400)
    assert names(view)[-1] == "cut"
    assert names(build_function_table(TREE, 10, filter_pattern="^cut", cut=cut)) == ["cut"]
    assert build_function_table(TREE, 10, cut={}) == build_function_table(TREE, 10)


def test_events_that_are_no_clock_are_numbers_of_them() -> None:
    """Named in the titles, cut where a name is long; never a time."""
    view = build_function_table(TREE, 10, seconds=2.0, counted="page-faults:u")
    assert view.unit is CostUnit.EVENTS
    rows = texts(draw_functions(view, 92, 3))
    assert "self page-faults:u  total total page-faults:u" in rows[0]
    assert rows[1].split() == ["work", "40.0%", "40.0M", "40.0%", "40.0M"]
    long = build_function_table(TREE, counted="x" * 90)
    assert f"self {'x' * 19}…" in texts(draw_functions(long, 160, 1))[0]
    bare = build_function_table(tree_of(STACKS, 0), counted="cycles")
    assert bare.unit is CostUnit.SAMPLES
