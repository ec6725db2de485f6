"""Two recordings as one: what was measured of either is what it was, and is compared alike."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.recording.codec import Arrival
from collectors.runstate import RunState
from collectors.samples import (
    Baseline,
    HostSample,
    LoadSample,
    Mark,
    SourceStatus,
    StackBatch,
    StackCount,
    StackMeasure,
)
from tests.tapes import FakeTape, a_run, header, stacks, timeline_of
from tui.joined import GAP_S, JoinedTape
from tui.model.calldiff import FunctionChange, diff_functions
from tui.model.calltree import build_tree
from tui.model.costchange import DiffSide
from tui.model.cuttotals import cut_totals
from tui.model.load import kind_of, summarise
from tui.model.rangespec import everything
from tui.model.timeline import Timeline, TimeRange
from tui.tape import whole

FIRST_AT, SECOND_AT = 70_000.25, 3_000.75
"""Clocks of two boots: the earlier run may have the later time."""
BEFORE = a_run(40, seed=1, begin=FIRST_AT)
AFTER = a_run(30, seed=2, begin=SECOND_AT)


def joined(before: list[Arrival], after: list[Arrival], range_: TimeRange) -> JoinedTape:
    """Two runs as one tape."""
    first = FakeTape(before, header(before[0].at, "old.js"), "old.flashpoint")
    second = FakeTape(after, header(after[0].at, "new.js"), "new.flashpoint", is_unclean=True)
    return JoinedTape(first, range_, second, "before")


def side(timeline: Timeline, range_: TimeRange) -> DiffSide:
    """Stacks and requests of a range; of all kinds of measure the samples."""
    load = summarise(timeline.loads_in(range_), kind_of(timeline.loads))
    tree = build_tree(timeline.stacks, timeline.stacks_in(range_))
    return DiffSide(tree, load.requests, cut_totals(timeline, range_))


def told(changes: tuple[FunctionChange, ...]) -> list[object]:
    """What a comparison says, in its order."""
    return [(each.frame, each.own, each.total) for each in changes]


@pytest.fixture(scope="module")
def tape() -> JoinedTape:
    """Both runs, the whole earlier one as the baseline."""
    return joined(BEFORE, AFTER, everything(timeline_of(BEFORE, FIRST_AT)))


def shift_of(timeline: Timeline) -> float:
    """By how much the earlier run was moved."""
    return timeline.loads[0].at - timeline_of(BEFORE).loads[0].at


def test_every_measurement_of_the_earlier_run_is_there_at_a_shift_of_whole_seconds(
    tape: JoinedTape,
) -> None:
    """So that every second of it has what it had."""
    timeline, alone = whole(tape), timeline_of(BEFORE)
    shift_s = float(round(shift_of(timeline)))
    moved = timeline.loads[: len(alone.loads)]
    assert [replace(each, at=each.at + shift_s) for each in alone.loads] == moved
    hosts = timeline.hosts[: len(alone.hosts)]
    assert [replace(each, at=each.at + shift_s) for each in alone.hosts] == hosts
    assert [replace(each, at=each.at + shift_s) for each in alone.marks] == timeline.marks[
        : len(alone.marks)
    ]
    assert [each.course.level(each.at) for each in timeline.targets[: len(alone.targets)]] == [
        each.course.level(each.at) for each in alone.targets
    ]
    for measure in StackMeasure:
        for second in range(int(FIRST_AT) - 5, int(FIRST_AT) + 42):
            before = alone.stacks_in(TimeRange(float(second), second + 1.0), measure)
            at = second + shift_s
            after = timeline.stacks_in(TimeRange(at, at + 1.0), measure)
            assert _by_name(alone, before) == _by_name(timeline, after)


def _by_name(timeline: Timeline, counts: Mapping[int, StackCount]) -> dict[object, StackCount]:
    return {timeline.stacks.frames_of(stack): count for stack, count in counts.items()}


def test_the_later_run_is_as_it_was(tape: JoinedTape) -> None:
    """At its own times, with everything that was said of it."""
    timeline, alone = whole(tape), timeline_of(AFTER)
    assert timeline.loads[-len(alone.loads) :] == alone.loads
    assert timeline.hosts[-len(alone.hosts) :] == alone.hosts
    assert timeline.states == alone.states
    assert timeline.ends == alone.ends
    assert timeline.statuses == alone.statuses
    assert list(timeline.logs) == list(alone.logs)
    assert timeline.drop_counts() == alone.drop_counts()
    range_ = everything(alone)
    for measure in StackMeasure:
        counts = timeline.stacks_in(range_, measure)
        assert counts == alone.stacks_in(range_, measure)
        for stack in counts:
            assert timeline.stacks.frames_of(stack) == alone.stacks.frames_of(stack)
    assert tape.is_unclean
    assert not tape.is_live
    assert tape.name == "old.flashpoint and new.flashpoint"


def test_nothing_of_them_overlaps(tape: JoinedTape) -> None:
    """Samples come in order of time, a gap is between the runs, and no id means two stacks."""
    arrivals = [each for chunk in tape.chunks() for each in chunk.arrivals]
    assert arrivals == sorted(arrivals, key=lambda each: each.at)
    assert tape.header.started_at <= arrivals[0].at
    first = [each for each in arrivals if each.at < SECOND_AT]
    assert SECOND_AT - GAP_S - 2 <= first[-1].at <= SECOND_AT - GAP_S
    ids = [_ids(each for each in arrivals if (each.at < SECOND_AT) is is_first)
           for is_first in (True, False)]  # fmt: skip
    for one, other in zip(*ids, strict=True):
        assert one
        assert other
        assert not one & other


def _ids(arrivals: Iterable[Arrival]) -> tuple[set[int], set[int]]:
    batches = [each.sample for each in arrivals if isinstance(each.sample, StackBatch)]
    return (
        {stack for each in batches for stack in (*each.counts, *each.stacks)},
        {frame for each in batches for frame in (*each.frames, *each.cut)},
    )


def test_the_comparison_of_both_is_that_of_the_runs_alone(tape: JoinedTape) -> None:
    """Every function, its costs, intervals and verdicts; in the same order."""
    timeline = whole(tape)
    baseline = timeline.baselines["before"]
    first, second = timeline_of(BEFORE, FIRST_AT), timeline_of(AFTER, SECOND_AT)
    alone = diff_functions(side(first, everything(first)), side(second, everything(second)))
    both = diff_functions(
        side(timeline, TimeRange(baseline.start, baseline.end)), side(timeline, everything(second))
    )
    assert len(alone) > 10
    assert told(both) == told(alone)


def test_only_measurements_of_the_earlier_run_are_taken(tape: JoinedTape) -> None:
    """Its states, notes of sources and baselines are not the later run's."""
    arrivals = [each for chunk in tape.chunks() for each in chunk.arrivals]
    kinds = {type(each.sample) for each in arrivals if each.at < SECOND_AT}
    assert {LoadSample, HostSample, StackBatch, Mark} <= kinds
    assert not kinds & {Baseline, SourceStatus, RunState}
    laid = next(each for each in arrivals if isinstance(each.sample, Baseline))
    assert isinstance(laid.sample, Baseline)
    assert (laid.at, laid.sample.name) == (SECOND_AT, "before")


def test_it_is_read_a_little_at_a_time(tape: JoinedTape) -> None:
    """From any chunk on."""
    chunks = list(tape.chunks())
    assert [each.number for each in chunks] == list(range(1, len(chunks) + 1))
    assert len(chunks) > 1
    assert list(tape.chunks(1)) == chunks[1:]
    assert list(tape.chunks(chunks[-1].number)) == []
    tape.close()


@pytest.mark.parametrize("which", ["before", "after", "both"])
def test_runs_of_nothing_can_be_joined(which: str) -> None:
    """One that was ended before it began is compared with, or looked at."""
    before = BEFORE[:1] if which != "after" else BEFORE
    after = AFTER[:1] if which != "before" else AFTER
    timeline = whole(joined(before, after, TimeRange(before[0].at, before[0].at + 1)))
    expected = len(timeline_of(before).loads) + len(timeline_of(after).loads)
    assert len(timeline.loads) == expected


def seconds_of(second_at: float, part: float, length_s: int) -> list[int]:
    """Samples in each second of an earlier run that has one more in each than in the one before."""
    before = [
        Arrival(500.0 + second + part, stacks(500.0 + second + part, {second: second + 1}))
        for second in range(length_s)
    ]
    after = [Arrival(second_at, stacks(second_at, {1: 1}))]
    timeline = whole(joined(before, after, TimeRange(500.0, 500.0 + length_s)))
    start = timeline.baselines["before"].start
    assert start == math.floor(start)
    ranges = (TimeRange(start + second, start + second + 1) for second in range(length_s))
    counts = (timeline.stacks_in(each).values() for each in ranges)
    return [sum(count.samples for count in each) for each in counts]


@settings(max_examples=50)
@given(st.floats(60, 3e6), st.integers(0, 999).map(lambda ms: ms / 1_000), st.integers(1, 40))
def test_seconds_keep_their_stacks_wherever_they_are_moved(
    second_at: float, part: float, length_s: int
) -> None:
    """By whatever clock the later run was recorded."""
    assert seconds_of(second_at, part, length_s) == list(range(1, length_s + 1))


def test_seconds_before_the_zero_of_the_clock_keep_their_stacks() -> None:
    """The later run may be of a machine that was up for less time than the earlier one took."""
    assert seconds_of(20.0, 0.25, 40) == list(range(1, 41))
