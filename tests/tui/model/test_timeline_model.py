from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.samples import (
    Drop,
    LogLine,
    Mark,
    MarkKind,
    Sample,
    SourceState,
    SourceStatus,
    StackBatch,
    StackCount,
    StackMeasure,
)
from tests.builders import batch, host, load
from tui.model.timeline import LOG_LINES_KEPT, Timeline, TimeRange

moments = st.floats(100, 160) | st.integers(100, 160).map(float)
cuts = st.tuples(moments, moments, moments).map(sorted)


@given(cuts, st.lists(moments, max_size=30).map(sorted))
def test_adjoining_ranges_count_everything_once(cut: list[float], times: list[float]) -> None:
    """window(a, b) + window(b, c) = window(a, c), for load, machine and stacks."""
    timeline = Timeline(100.0)
    for at in times:
        timeline.append(load(at))
        timeline.append(host(at))
        timeline.append(batch(at, 3))
    first, second, both = (TimeRange(cut[i], cut[j]) for i, j in ((0, 1), (1, 2), (0, 2)))
    assert [*timeline.loads_in(first), *timeline.loads_in(second)] == timeline.loads_in(both)
    assert [*timeline.hosts_in(first), *timeline.hosts_in(second)] == timeline.hosts_in(both)

    def samples(window: TimeRange) -> int:
        return sum(count.samples for count in timeline.stacks_in(window).values())

    assert samples(first) + samples(second) == samples(both)


def test_a_range_has_its_end_and_not_its_start() -> None:
    """What ended at its start belongs to the range before."""
    timeline = Timeline(0.0)
    for at in (1.0, 2.0, 3.0):
        timeline.append(load(at))
    assert [each.at for each in timeline.loads_in(TimeRange(1.0, 2.0))] == [2.0]
    assert timeline.loads_in(TimeRange(3.0, 9.0)) == []
    assert (TimeRange(1.0, 2.5).duration_s, TimeRange(2.0, 1.0).duration_s) == (1.5, 0.0)


def test_stacks_are_kept_by_seconds() -> None:
    """A range has the whole seconds that begin before its end; batches of one second add up."""
    timeline = Timeline(0.0)
    for at, samples in ((1.2, 1), (1.9, 2), (2.0, 4), (3.5, 8)):
        timeline.append(batch(at, samples, period_ns=5))
    assert timeline.stacks_in(TimeRange(0.5, 1.0)) == {}
    assert timeline.stacks_in(TimeRange(0.5, 1.1)) == {0: StackCount(3, 15)}
    assert timeline.stacks_in(TimeRange(1.0, 3.0)) == {0: StackCount(7, 35)}
    assert timeline.stacks_in(TimeRange(1.0, 1.9)) == {0: StackCount(3, 15)}
    assert timeline.stacks_in(TimeRange(1.1, 2.0)) == {}
    assert timeline.stacked() == TimeRange(1.2, 3.5)


def test_a_batch_without_stacks_is_no_sign_of_life() -> None:
    """It tells losses only."""
    timeline = Timeline(0.0)
    timeline.append(StackBatch(1.0, 1.0, {}, lost=3))
    assert timeline.stacked() is None


def test_samples_and_waits_are_kept_apart() -> None:
    """One table of stacks, two sums; what is lost of the waits is none of the samples."""
    timeline = Timeline(0.0)
    waits = replace(batch(2.5, 1, period_ns=7), measure=StackMeasure.OFF_CPU, lost=3)
    timeline.append(batch(1.2, 2, period_ns=5))
    timeline.append(waits)
    timeline.append(replace(waits, start=1.1, end=1.3, lost=0))
    both = TimeRange(1.0, 3.0)
    assert timeline.stacks_in(both) == {0: StackCount(2, 10)}
    assert timeline.stacks_in(both, StackMeasure.OFF_CPU) == {0: StackCount(2, 14)}
    assert timeline.stacked() == TimeRange(1.2, 1.2)
    assert timeline.stacked(StackMeasure.OFF_CPU) == TimeRange(1.1, 2.5)
    assert (timeline.samples_lost, timeline.lost_in(both)) == (0, 0)
    assert timeline.drop_counts() == {"off_cpu_lost": 3}


def test_drops_and_losses_add_up() -> None:
    """By reason, from every source."""
    timeline = Timeline(0.0)
    timeline.append(Drop(1.0, "foreign_push", 2))
    timeline.append(StackBatch(1.0, 1.0, {}, lost=3, rejected={"foreign_push": 1}))
    timeline.append(StackBatch(2.0, 2.0, {}, lost=1))
    assert timeline.drop_counts() == {"foreign_push": 3}
    assert timeline.samples_lost == 4
    assert [timeline.lost_in(TimeRange(*ends)) for ends in ((0, 2), (1, 3), (2, 9))] == [3, 4, 1]


def test_the_newest_status_of_a_source_counts() -> None:
    """One each."""
    timeline = Timeline(0.0)
    starting = SourceStatus(1.0, "perf", SourceState.STARTING, "")
    live = SourceStatus(2.0, "perf", SourceState.LIVE, "")
    other = SourceStatus(1.5, "k6", SourceState.FAILED, "gone")
    for status in (starting, other, live):
        timeline.append(status)
    assert timeline.statuses == {"perf": live, "k6": other}


@pytest.mark.parametrize(
    "sample",
    [
        load(1.0),
        host(1.0),
        batch(1.0),
        SourceStatus(1.0, "k6", SourceState.LIVE, ""),
        LogLine(1.0, "k6", "info", "x"),
        Drop(1.0, "x", 1),
        Mark(1.0, MarkKind.NOTE, "x"),
    ],
    ids=lambda sample: type(sample).__name__,
)
def test_every_sample_is_a_new_revision(sample: Sample) -> None:
    """Equal revisions mean equal contents."""
    timeline = Timeline(0.0)
    timeline.append(sample)
    timeline.append(sample)
    assert timeline.revision == 2


def test_of_a_long_log_the_newest_lines_are_kept() -> None:
    """Memory is bounded; marks stay."""
    timeline = Timeline(0.0)
    mark = Mark(1.0, MarkKind.START, "start")
    timeline.append(mark)
    for number in range(LOG_LINES_KEPT + 5):
        timeline.append(LogLine(2.0, "k6", "", str(number)))
    assert timeline.logs[0].text == "5"
    assert (len(timeline.logs), timeline.marks) == (LOG_LINES_KEPT, [mark])
