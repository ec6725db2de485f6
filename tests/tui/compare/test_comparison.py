"""Two ranges compared: figures of a run of which every number is known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from collectors.samples import RequestKind
from tests.builders import load
from tests.tui.export.known_run import ABOUT, AFTER, BEFORE, WHOLE, known_run
from tui.compare.comparison import Comparison, Side, compare
from tui.model.metric import Metric
from tui.model.timeline import Timeline, TimeRange


def known_comparison() -> Comparison:
    """Return the second half of a run after another one's first half."""
    return compare(
        Side(known_run(), BEFORE, ABOUT, "main"),
        Side(known_run(), AFTER, replace(ABOUT, script="y.js"), "branch"),
    )


def nothing() -> Side:
    """Return a range in which nothing was measured."""
    return Side(Timeline(0.0), TimeRange(0.0, 10.0), ABOUT, "nothing")


def values(comparison: Comparison, metric: Metric) -> tuple[float | None, float | None]:
    """Return what a figure was before and after."""
    change = comparison.figures[metric]
    old, new = change.before, change.after
    return (None if old is None else old.value), (None if new is None else new.value)


@pytest.mark.parametrize(
    ("metric", "before", "after"),
    [
        (Metric.RPS, 10.0, 10.0),
        (Metric.REQUESTS, 100.0, 100.0),
        (Metric.ERRORS, 0.1, 0.1),
        (Metric.MEAN, 0.029, 0.029),
        (Metric.CPU_PER_REQUEST, 0.05, 0.05),
        # 15 samples of 10 ms a second, then 25; the last stack is from a tenth before the end.
        (Metric.SAMPLED_CPU_PER_REQUEST, 0.015, 0.025 / 0.99),
        (Metric.GENERATOR_CPU, None, None),
        (Metric.MEMORY, 1000.0, 1000.0),
        (Metric.DROPPED, 0.0, 0.0),
    ],
)
def test_figures_are_those_of_the_ranges(
    metric: Metric, before: float | None, after: float | None
) -> None:
    """What nothing told of is None."""
    found = values(known_comparison(), metric)
    for each, expected in zip(found, (before, after), strict=True):
        assert each == (None if expected is None else pytest.approx(expected, rel=1e-3))


def test_percentiles_end_at_edges_of_buckets() -> None:
    """Nine of ten requests take 10 ms, in a bucket from 9.29 to 10.13 ms."""
    found = known_comparison().figures[Metric.P50]
    assert found.before is not None
    assert found.before.limits == pytest.approx((0.00929, 0.01013), abs=1e-5)
    assert not found.is_changed


def test_functions_of_two_timelines_are_compared() -> None:
    """`work` takes three times as long, `main` as long as before; each table has its own ids."""
    by_name = {each.frame.symbol: each.own for each in known_comparison().functions}
    assert by_name["work"].ratio == pytest.approx(3.0, rel=0.02)
    assert by_name["work"].is_changed
    assert by_name["main"].ratio == pytest.approx(1.0, rel=0.02)
    assert not by_name["main"].is_changed
    assert known_comparison().functions[0].frame.symbol == "work"
    assert known_comparison().is_time


def test_sampled_costs_change_as_samples_have_it() -> None:
    """150 and 250 samples; no second differs from the others."""
    found = known_comparison().figures[Metric.SAMPLED_CPU_PER_REQUEST]
    assert found.ratio == pytest.approx(250 / 150, rel=0.02)
    # Clopper and Pearson's of 250 among 400 is 0.5754 to 0.6726.
    odds = (0.5754 / 0.4246 / 0.99, 0.6726 / 0.3274 / 0.99)
    assert found.ratio_interval == pytest.approx(odds, rel=1e-3)
    assert found.is_more


def test_what_was_not_measured_is_not_compared() -> None:
    """On either side; the other is told nevertheless."""
    known = Side(known_run(), WHOLE, ABOUT, "main")
    for found, place in ((compare(known, nothing()), 0), (compare(nothing(), known), 1)):
        assert values(found, Metric.RPS)[place] == pytest.approx(10.0)
        assert values(found, Metric.SAMPLED_CPU_PER_REQUEST)[place] == pytest.approx(0.02, rel=0.01)
        assert not any(change.is_changed for change in found.figures.values())
        assert found.functions == ()
        assert not found.is_time
    none = compare(nothing(), nothing())
    assert {change.delta for change in none.figures.values()} == {None}


def test_what_a_request_is_may_differ() -> None:
    """It is told, not hidden."""
    calls = Timeline(0.0)
    calls.append(load(5.0, 10, kind=RequestKind.GRPC))
    other = Side(calls, TimeRange(0.0, 10.0), ABOUT, "grpc")
    found = compare(Side(known_run(), WHOLE, ABOUT, "http"), other)
    assert not found.is_same_kind
    assert found.kind is RequestKind.GRPC
    assert known_comparison().is_same_kind


def test_pushes_and_looks_at_the_machine_need_not_end_together() -> None:
    """The server uses half a core, and twice as much of the time is looked at as is loaded."""
    line = known_run()
    short = TimeRange(100.0, 106.2)
    found = compare(Side(line, short, ABOUT, "a"), Side(line, AFTER, ABOUT, "b"))
    assert values(found, Metric.CPU_PER_REQUEST) == pytest.approx((0.05, 0.05))
