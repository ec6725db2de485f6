"""Totals of functions where stacks were cut: what a stack lacks is known by function only.

A call tree can't have it, for nobody knows any more where it stood; the table of functions can.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from collectors.samples import Frame, StackCount, StackMeasure
from tui.model.calltree import CallTree, FunctionTotal, top_table
from tui.model.timeline import Timeline, TimeRange

CutTotals: TypeAlias = Mapping[Frame, StackCount]
"""Function → samples that had it and whose stacks in the tree lack it."""


def cut_totals(
    timeline: Timeline, range_: TimeRange, measure: StackMeasure = StackMeasure.ON_CPU
) -> CutTotals:
    """Return what the stacks of a range lack, by function; mostly there is nothing."""
    found: dict[Frame, StackCount] = {}
    for number, count in timeline.cut_in(range_, measure).items():
        # Recordings that are looked at together have numbers of their own for one function.
        frame = timeline.stacks.frame(number)
        old = found.get(frame)
        found[frame] = count if old is None else _sum(old, count)
    return found


def function_totals(tree: CallTree, cut: CutTotals) -> list[FunctionTotal]:
    """Sum up functions over all callers, the greatest own time first, as `top_table` does.

    Args:
        tree: Of whole stacks, in no other shape.
        cut: What the stacks of the tree lack. A function that is in none of them gets a row of
            its own.
    """
    rows = top_table(tree)
    if not cut:
        return rows
    left = dict(cut)
    for place, row in enumerate(rows):
        if not row.caller_lost and row.frame in left:
            rows[place] = _added(row, left.pop(row.frame), tree)
    unseen = [_added(FunctionTotal(frame, False, 0, 0, 0, 0), left[frame], tree) for frame in left]
    unseen.sort(key=lambda row: (row.symbol, row.module))
    return rows + unseen


def _added(row: FunctionTotal, count: StackCount, tree: CallTree) -> FunctionTotal:
    # A recording may say anything; a total is never more than the whole.
    return row._replace(
        total_samples=min(row.total_samples + count.samples, tree.samples),
        total_period_ns=min(row.total_period_ns + count.period_ns, tree.period_ns),
    )


def _sum(one: StackCount, other: StackCount) -> StackCount:
    return StackCount(one.samples + other.samples, one.period_ns + other.period_ns)
