"""The timeline of any moment of a run: exactly what feeding up to there once gives."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.recording.codec import Arrival
from collectors.samples import Baseline, Mark, MarkKind, SourceState, SourceStatus
from tests.builders import load
from tests.tapes import BEGIN, a_run, contents, timeline_of
from tui.model.reel import CHECKPOINT_S, Reel

SECONDS = int(5.5 * CHECKPOINT_S)
RUN = a_run(SECONDS)


def a_reel(arrivals: list[Arrival]) -> Reel:
    """A reel that has read everything."""
    reel = Reel(BEGIN)
    reel.add(arrivals)
    return reel


def up_to(position: float) -> dict[str, object]:
    """What a timeline holds that was fed up to a position, once."""
    return contents(timeline_of(each for each in RUN if each.at <= position))


def test_going_back_and_forth_is_as_if_one_had_come_there_once() -> None:
    """At 200 random positions, most of them far from the one before."""
    reel, chance = a_reel(RUN), random.Random(4)
    at = BEGIN
    for _ in range(200):
        far = chance.random() < 0.6
        at = BEGIN + chance.uniform(-5, SECONDS + 5) if far else at + chance.uniform(-20, 20)
        reel.go_to(at)
        assert contents(reel.timeline) == up_to(at)


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(1, 900), st.floats(0, SECONDS)), min_size=1, max_size=6))
def test_reading_on_while_one_is_anywhere_changes_nothing(
    steps: list[tuple[int, float]],
) -> None:
    """What is read meanwhile is not on the timeline before one goes there."""
    reel, read = Reel(BEGIN), 0
    for count, seconds in steps:
        reel.add(RUN[read : read + count])
        read += count
        reel.go_to(BEGIN + seconds)
        seen = [each for each in RUN[:read] if each.at <= BEGIN + seconds]
        assert contents(reel.timeline) == contents(timeline_of(seen))


def test_the_same_timeline_is_moved() -> None:
    """Whoever holds it sees it go, and each move is a change."""
    reel = a_reel(RUN)
    timeline, revision = reel.timeline, 0
    for seconds in (100, 20, 300, 0):
        reel.go_to(BEGIN + seconds)
        assert reel.timeline is timeline
        assert timeline.revision > revision
        revision = timeline.revision


def test_what_a_watcher_adds_is_there_wherever_one_goes() -> None:
    """Once each, and not in what going back begins with."""
    reel = a_reel(RUN)
    note = Mark(BEGIN + 200, MarkKind.NOTE, "look here")
    kept = Baseline(BEGIN + 200, "mine", BEGIN + 190, BEGIN + 200)
    told = SourceStatus(BEGIN, "replay", SourceState.DEGRADED, "some of it is lost")
    reel.go_to(BEGIN + 200)
    for each in (note, kept, told):
        reel.keep(each)
    for seconds in (10, 310, 201, 0, 130, 131):
        reel.go_to(BEGIN + seconds)
        found, expected = contents(reel.timeline), up_to(BEGIN + seconds)
        assert reel.timeline.marks.count(note) == 1
        assert reel.timeline.baselines["mine"] == kept
        assert reel.timeline.statuses["replay"] == told
        for name in ("marks", "baselines", "statuses"):
            found.pop(name)
            expected.pop(name)
        assert found == expected


def test_of_two_baselines_with_one_name_the_watchers_counts() -> None:
    """From either side, however one came there."""
    recorded = Baseline(BEGIN + 150, "50 VUs", BEGIN + 140, BEGIN + 150)
    own = Baseline(BEGIN + 20, "50 VUs", BEGIN + 10, BEGIN + 20)
    arrivals = sorted([*RUN, Arrival(BEGIN + 150, recorded)], key=lambda each: each.at)
    reel = a_reel(arrivals)
    reel.go_to(BEGIN + 20)
    reel.keep(own)
    for seconds in (149, 151, 300, 0, 200, 140, 152):
        reel.go_to(BEGIN + seconds)
        assert reel.timeline.baselines["50 VUs"] == own, seconds


def test_times_that_go_back_do_not_hide_what_came() -> None:
    """A sample whose time is before that of the one before it comes with that one."""
    samples = [(10.0, 1), (12.0, 2), (11.0, 3), (13.0, 4)]
    reel = a_reel([Arrival(BEGIN + at, load(BEGIN + at, n)) for at, n in samples])
    reel.go_to(BEGIN + 11.5)
    assert [each.iterations for each in reel.timeline.loads] == [1]
    reel.go_to(BEGIN + 12.0)
    assert [each.iterations for each in reel.timeline.loads] == [1, 2, 3]
    assert reel.end == BEGIN + 13.0


def test_the_begin_of_the_load_is_known_as_soon_as_it_is_read() -> None:
    """Not only when one has come there."""
    reel = Reel(BEGIN)
    assert reel.zero is None
    reel.add(RUN[:2])
    assert reel.zero is None
    reel.add(RUN[2:])
    first = next(each for each in timeline_of(RUN).loads)
    assert reel.zero == first.at - first.interval_s
