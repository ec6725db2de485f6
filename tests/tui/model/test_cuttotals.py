"""The totals of functions where stacks lack some: sums over any range, rows, comparisons."""

from __future__ import annotations

from dataclasses import replace

from collectors.perf.decode import PerfScriptDecoder
from collectors.perf.interner import Interner
from collectors.samples import Frame, FrameKind, Stack, StackBatch, StackCount, StackMeasure
from tests.builders import batch
from tui.model.calldiff import diff_functions
from tui.model.calltree import CallTree, FunctionTotal, build_tree, top_table
from tui.model.costchange import DiffSide
from tui.model.cuttotals import CutTotals, cut_totals, function_totals
from tui.model.timeline import Timeline, TimeRange

ALL = TimeRange(0.0, 1e6)
MAIN, WORK, GONE, LOST = (
    Frame(symbol, "server", FrameKind.USER) for symbol in ("main", "work", "gone", "lost")
)
FRAMES = {0: MAIN, 1: WORK, 2: GONE, 3: LOST}


def seen(at: float, cut: dict[int, StackCount]) -> StackBatch:
    """Return ten samples of `main`, five of them in `work`, and two of `lost` by itself."""
    return StackBatch(
        at,
        at,
        {0: StackCount(5, 50), 1: StackCount(5, 50), 2: StackCount(2, 20)},
        {0: Stack("s", "t", (0,)), 1: Stack("s", "t", (0, 1)), 2: Stack("s", "t", (3,), True)},
        FRAMES,
        cut=cut,
    )


def told(*batches: StackBatch) -> tuple[CallTree, CutTotals]:
    """Return what a timeline tells of some batches."""
    timeline = Timeline(0.0)
    for each in batches:
        timeline.append(each)
    return build_tree(timeline.stacks, timeline.stacks_in(ALL)), cut_totals(timeline, ALL)


def test_what_stacks_lack_is_in_the_total() -> None:
    """Not in the own time; a function of no stack gets a row, after those that have some."""
    cut = {1: StackCount(3, 30), 2: StackCount(4, 40)}
    tree, totals = told(seen(1.5, cut), seen(2.5, {1: StackCount(1, 10)}))
    rows = function_totals(tree, totals)
    assert rows == [
        FunctionTotal(MAIN, False, 10, 100, 20, 200),
        FunctionTotal(WORK, False, 10, 100, 14, 140),
        FunctionTotal(LOST, True, 4, 40, 4, 40),
        FunctionTotal(GONE, False, 0, 0, 4, 40),
    ]
    assert function_totals(tree, {}) == top_table(tree)


def test_lost_callers_stay_apart() -> None:
    """What a function was cut out of is not of the stacks whose callers were lost."""
    tree, totals = told(seen(1.5, {3: StackCount(1, 10)}))
    rows = {row.caller_lost: row for row in function_totals(tree, totals) if row.frame == LOST}
    assert rows[True] == FunctionTotal(LOST, True, 2, 20, 2, 20)
    assert rows[False] == FunctionTotal(LOST, False, 0, 0, 1, 10)


def test_a_total_is_never_more_than_the_whole() -> None:
    """Whatever a recording says."""
    tree, totals = told(seen(1.5, {0: StackCount(12, 120), 7: StackCount(12, 1)}))
    for row in function_totals(tree, totals):
        assert row.total_samples <= tree.samples
        assert row.total_period_ns <= tree.period_ns


def test_two_numbers_of_one_function_are_one() -> None:
    """As where two recordings are looked at together."""
    first = seen(1.5, {2: StackCount(1, 10)})
    second = replace(seen(2.5, {9: StackCount(2, 20)}), stacks={}, frames={9: GONE})
    _, totals = told(first, second)
    assert totals == {GONE: StackCount(3, 30)}


def test_sums_are_of_the_seconds_of_the_stacks() -> None:
    """Batches of one second add up; samples and waits are apart; a copy goes its own way."""
    timeline = Timeline(0.0)
    for at, samples in ((1.2, 1), (1.9, 2), (2.0, 4), (3.5, 8)):
        timeline.append(replace(batch(at), cut={5: StackCount(samples, samples * 3)}))
    waits = replace(
        batch(2.5), measure=StackMeasure.OFF_CPU, cut={5: StackCount(1, 7), 6: StackCount(0, 2)}
    )
    timeline.append(waits)
    assert timeline.cut_in(TimeRange(0.5, 1.0)) == {}
    assert timeline.cut_in(TimeRange(0.5, 1.1)) == {5: StackCount(3, 9)}
    assert timeline.cut_in(TimeRange(1.0, 3.0)) == {5: StackCount(7, 21)}
    assert timeline.cut_in(ALL, StackMeasure.OFF_CPU) == waits.cut
    other = timeline.copy()
    other.append(replace(batch(1.5), cut={5: StackCount(1, 1)}))
    timeline.append(replace(batch(2.5), cut={6: StackCount(2, 2)}))
    assert other.cut_in(TimeRange(1.0, 3.0)) == {5: StackCount(8, 22)}
    assert timeline.cut_in(TimeRange(1.0, 3.0)) == {5: StackCount(7, 21), 6: StackCount(2, 2)}
    assert timeline.held_bytes > other.held_bytes


def test_the_budget_is_kept_to_with_what_stacks_lack() -> None:
    """It is counted, and merged with the rest: sums stay exact."""
    budget_bytes = 500_000
    full, thin = Timeline(0.0), Timeline(0.0, budget_bytes)
    for second in range(1, 400):
        cut = {frame: StackCount(1 + frame % 7, frame) for frame in range(second % 5, 60)}
        for timeline in (full, thin):
            timeline.append(replace(batch(second + 0.5, 20), cut=cut))
    assert thin.held_bytes <= budget_bytes < full.held_bytes
    until = thin.in_detail_since()
    assert until is not None
    for range_ in (ALL, TimeRange(0.0, until), TimeRange(until, 1e6), TimeRange(7.0, 234.0)):
        assert thin.cut_in(range_) == full.cut_in(thin.counted(range_))


def test_comparisons_know_of_it() -> None:
    """A function that lost its stacks has cost as much as before; own costs are as they were."""
    before = DiffSide(told(seen(1.5, {}))[0], 100)
    tree, totals = told(seen(1.5, {1: StackCount(3, 30)}))
    rows = {row.frame: row for row in diff_functions(before, DiffSide(tree, 100, totals))}
    assert (rows[WORK].total.before.samples, rows[WORK].total.after.samples) == (5, 8)
    assert (rows[WORK].own.before.samples, rows[WORK].own.after.samples) == (5, 5)
    rows = {row.frame: row for row in diff_functions(DiffSide(tree, 100, totals), before)}
    assert (rows[WORK].total.before.samples, rows[WORK].total.after.samples) == (8, 5)


def test_totals_are_exact_though_most_stacks_are_cut() -> None:
    """From the text of a profiler to the rows; nothing is more than the whole."""
    timeline = Timeline(0.0)
    decoder = PerfScriptDecoder(Interner(max_stacks=80, max_nodes=200), lambda *_: ("p", "t"))
    numbers = range(2_000)
    for number in numbers:
        path = ["main", f"a{number % 3}", f"b{number % 7}", f"c{number}", "hot", f"a{number % 3}"]
        lines = "".join(f"\t 1 {symbol} (/a)\n" for symbol in reversed(path))
        for each in decoder.feed(f"1/2  {number // 99}.5000000:  10 \n{lines}\n".encode()):
            timeline.append(each)
    for each in decoder.close():
        timeline.append(each)
    tree = build_tree(timeline.stacks, timeline.stacks_in(TimeRange(-1.0, 1e6)))
    rows = {
        row.symbol: row.total_samples
        for row in function_totals(tree, cut_totals(timeline, TimeRange(-1.0, 1e6)))
    }
    assert (rows["main"], rows["hot"], tree.samples) == (2_000, 2_000, 2_000)
    assert [rows[f"a{n}"] for n in range(3)] == [
        sum(number % 3 == n for number in numbers) for n in range(3)
    ]
    assert [rows[f"b{n}"] for n in range(7)] == [
        sum(number % 7 == n for number in numbers) for n in range(7)
    ]
    assert {rows[f"c{n}"] for n in numbers} == {1}
