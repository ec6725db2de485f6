"""What stacks lack, in the tables of functions: only where the shape keeps stacks whole."""

from __future__ import annotations

from dataclasses import replace

import pytest

from collectors.samples import Frame, FrameKind, StackBatch, StackCount
from tests.tui.export.known_run import AFTER, BASELINE, known_run
from tui.model.lens import Lens, Picture
from tui.model.shape import Shape
from tui.model.timeline import Timeline
from tui.views.flamepane import FlamePaneView, Subject, build_flame_pane
from tui.views.window import Window

GONE = Frame("gone", "server", FrameKind.USER)
TABLE = Lens(picture=Picture.TABLE)


@pytest.fixture
def timeline() -> Timeline:
    """Give a run in whose second half 50 samples more are cut: 20 lack `work`, 30 lack `gone`."""
    found = known_run()
    cut = {1: StackCount(20, 200_000_000), 2: StackCount(30, 300_000_000)}
    found.append(
        StackBatch(112.0, 112.5, {0: StackCount(50, 500_000_000)}, frames={2: GONE}, cut=cut)
    )
    return found


def pane(timeline: Timeline, lens: Lens) -> FlamePaneView:
    """Look at the second half of the run, which has 250 samples and those that are cut."""
    window = Window(AFTER.end, AFTER.duration_s)
    return build_flame_pane(timeline, window, lens, Subject("cpu-clock", "none"))


def total_samples(view: FlamePaneView) -> dict[str, float]:
    assert view.functions is not None
    whole = view.graph.tree.samples if view.graph.tree is not None else 0
    return {row.name: round(row.total_ratio * whole) for row in view.functions.rows}


def test_the_table_has_totals_of_functions_that_were_cut(timeline: Timeline) -> None:
    """Whichever way the graph is; the graph is as it was."""
    for shape in (Shape(), Shape(inverted=True)):
        view = pane(timeline, replace(TABLE, shape=shape))
        assert total_samples(view) == {"main": 300, "work": 170, "gone": 30}
        assert view.graph.tree is not None
        assert GONE not in {node.frame for _, node in view.graph.tree.walk()}


@pytest.mark.parametrize(
    "shape",
    [
        Shape(by_thread=True),
        Shape(by_module=True),
        Shape(hide_kernel=True),
        Shape(hide_idle=True),
        Shape(collapse_recursion=True),
        Shape(hidden=frozenset({GONE})),
        Shape(focus=Frame("main", "server", FrameKind.USER)),
    ],
    ids=str,
)
def test_other_shapes_show_what_they_have(timeline: Timeline, shape: Shape) -> None:
    """What is left out of them, or below another frame in them, can't be told of what was cut."""
    totals = total_samples(pane(timeline, replace(TABLE, shape=shape)))
    assert "gone" not in totals
    assert totals.get("work", 150) == 150


def test_the_comparison_has_it_too(timeline: Timeline) -> None:
    """In the total costs, not in the own ones."""
    view = pane(timeline, replace(TABLE, compared_with=BASELINE.name))
    assert view.changes is not None
    rows = {row.frame.symbol: row for row in view.changes.rows}
    assert (rows["work"].total.before.samples, rows["work"].total.after.samples) == (50, 170)
    assert rows["work"].own.after.samples == 150
    assert rows["gone"].total.after.samples == 30
    hidden = Shape(hide_kernel=True)
    view = pane(timeline, replace(TABLE, shape=hidden, compared_with=BASELINE.name))
    assert view.changes is not None
    assert {row.frame.symbol: row.total.after.samples for row in view.changes.rows} == {
        "main": 300,
        "work": 150,
    }


def test_a_sandwich_says_what_it_lacks(timeline: Timeline) -> None:
    """Of a function that is in no stack it can only tell why there is nothing to see."""
    view = pane(timeline, Lens(picture=Picture.SANDWICH, function=GONE))
    assert view.callers is not None
    assert view.graph.tree is not None
    assert not view.graph.tree.samples
    assert view.graph.empty_text == view.callers.empty_text
    assert view.graph.empty_text.startswith("gone is only in 30 samples whose stacks lack it: ")
    work = Frame("work", "server", FrameKind.USER)
    view = pane(timeline, Lens(picture=Picture.SANDWICH, function=work))
    assert view.callers is not None
    assert view.callers.tree is not None
    assert view.callers.tree.samples == 150
    assert view.callers.header.endswith("sandwich of work · and 20 samples whose stacks lack it")
    view = pane(timeline, Lens(picture=Picture.SANDWICH, function=replace(GONE, symbol="other")))
    assert view.graph.empty_text == "other is in no stack of this range"
