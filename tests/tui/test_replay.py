"""A recording as a session: where it is, what it shows there, and what it says of itself."""

from __future__ import annotations

import asyncio
import os
import random
from dataclasses import replace
from pathlib import Path

import pytest

from collectors.recording.codec import Arrival
from collectors.recording.reader import Recording
from collectors.samples import Baseline, Mark, MarkKind, SourceState
from tests.builders import load
from tests.tapes import BEGIN, FakeTape, a_run, contents, header, timeline_of, write_recording
from tui.model.facts import facts_at
from tui.model.phase import Phase
from tui.replay import Replay
from tui.tape import Tape

RUN = a_run(200)
ZERO = next(each.at - each.interval_s for each in timeline_of(RUN).loads)


class FakeClock:
    """A steady clock that the test moves."""

    def __init__(self, now: float = 50.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


async def replay_of(tape: Tape, clock: FakeClock | None = None, *, follow: bool = False) -> Replay:
    """A replay that has read everything there is."""
    replay = Replay(tape, clock=clock or FakeClock(), follow=follow)
    if not follow:
        async with asyncio.timeout(5):
            await replay.read()
    return replay


def up_to(position: float, run: list[Arrival] = RUN) -> dict[str, object]:
    """What a session knew at a position."""
    return contents(timeline_of(each for each in run if each.at <= position))


async def test_any_position_of_a_recording_shows_what_was_known_then(tmp_path: Path) -> None:
    """From the file that the recorder wrote, at random positions in any order."""
    path = tmp_path / "x.flashpoint"
    write_recording(path, [RUN[first : first + 40] for first in range(0, len(RUN), 40)])
    replay = await replay_of(Recording(path))
    chance = random.Random(2)
    for _ in range(100):
        position = BEGIN + chance.uniform(0, 200)
        replay.go_to(position)
        assert replay.clock() == position
        assert contents(replay.timeline) == up_to(position)
    replay.close()


async def test_it_plays_with_the_clock() -> None:
    """From the begin; the timeline has what had arrived by then, however it is asked."""
    clock = FakeClock()
    replay = await replay_of(FakeTape(RUN), clock)
    assert replay.clock() == BEGIN
    for passed, position in ((0.0, 0.0), (3.5, 3.5), (60.0, 63.5), (500.0, RUN[-1].at - BEGIN)):
        clock.now += passed
        assert replay.clock() == BEGIN + position
        assert contents(replay.timeline) == up_to(BEGIN + position)


async def test_its_speed_is_told_and_kept_to() -> None:
    """Twice, four times, half; a pause keeps it."""
    clock = FakeClock()
    replay = await replay_of(FakeTape(RUN), clock)
    replay.faster(2)
    clock.now += 10
    assert replay.clock() == BEGIN + 40
    assert "×4" in replay.text()
    replay.play_or_pause()
    clock.now += 10
    assert replay.clock() == BEGIN + 40
    assert replay.text().startswith("⏸")
    replay.faster(-3)
    replay.play_or_pause()
    clock.now += 10
    assert replay.clock() == BEGIN + 45
    assert "×0.5" in replay.text()
    assert replay.text().startswith("▶")


async def test_jumps_go_no_further_than_the_recording() -> None:
    """From where it is, in seconds of the run; standing still it stands still there."""
    clock = FakeClock()
    replay = await replay_of(FakeTape(RUN), clock)
    replay.jump(-10)
    assert replay.clock() == BEGIN
    replay.jump(10)
    clock.now += 1
    assert replay.clock() == BEGIN + 11
    replay.jump(1e6)
    assert replay.clock() == RUN[-1].at
    replay.play_or_pause()
    replay.go_to_start()
    clock.now += 5
    assert replay.clock() == BEGIN + 5  # begun again, and playing


async def test_at_its_end_space_begins_again() -> None:
    """Whether it came there by playing, or was sent there standing still."""
    clock = FakeClock()
    replay = await replay_of(FakeTape(RUN), clock)
    clock.now += 1_000
    assert replay.text().startswith("■")
    replay.play_or_pause()
    assert replay.clock() == BEGIN
    clock.now += 2
    assert replay.clock() == BEGIN + 2
    replay.play_or_pause()
    replay.go_to_end()
    assert replay.text().startswith("⏸")
    replay.play_or_pause()
    clock.now += 3
    assert replay.clock() == BEGIN + 3


async def test_own_marks_and_baselines_stay_and_are_not_written(tmp_path: Path) -> None:
    """Wherever the replay goes; the file is as it was."""
    path = tmp_path / "x.flashpoint"
    write_recording(path, [RUN])
    before = path.read_bytes()
    replay = await replay_of(Recording(path))
    replay.go_to(BEGIN + 50)
    note = Mark(BEGIN + 50, MarkKind.NOTE, "look")
    mine = Baseline(BEGIN + 50, "mine", BEGIN + 40, BEGIN + 50)
    replay.append(note)
    replay.append(mine)
    for seconds in (10, 190, 49, 51):
        replay.go_to(BEGIN + seconds)
        assert replay.timeline.marks.count(note) == 1
        assert replay.timeline.baselines["mine"] == mine
        assert replay.timeline.loads == [
            each.sample for each in RUN if each.at <= BEGIN + seconds and _is_load(each)
        ]
    replay.close()
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["x.flashpoint"]


def _is_load(arrival: Arrival) -> bool:
    return isinstance(arrival.sample, type(load(0.0)))


async def test_what_it_says_of_the_run_is_what_was_said_then() -> None:
    """Phase, time and load of the position; where the replay is stands beside it."""
    replay = await replay_of(FakeTape(RUN))
    for seconds in (0.0, 1.5, 77.0, 300.0):
        replay.go_to(BEGIN + seconds)
        at = replay.clock()
        timeline = timeline_of(each for each in RUN if each.at <= at)
        expected = facts_at(timeline, at)
        found = replay.facts()
        assert found == replace(expected, player=replay.text())
    assert replay.phase is Phase.CLOSED
    assert replay.about().script == "shop.js"
    assert replay.about().name == "shop.flashpoint"


async def test_times_count_from_the_begin_of_the_load() -> None:
    """On the screen, and where it is opened."""
    replay = await replay_of(FakeTape(RUN))
    assert replay.zero == ZERO
    replay.go_to(ZERO + 95.0)
    assert "1:35/" in replay.text()


@pytest.mark.parametrize(("seconds", "position"), [(90.0, ZERO + 90.0), (1e6, RUN[-1].at)])
async def test_it_can_be_opened_at_a_time(seconds: float, position: float) -> None:
    """As soon as it is read as far, it stands still there, no further than the end."""
    clock = FakeClock()
    replay = Replay(FakeTape(RUN, a_chunk=1), clock=clock)
    replay.open_at(seconds)
    async with asyncio.timeout(5):
        await replay.read()
    clock.now += 99
    assert replay.clock() == position
    assert contents(replay.timeline) == up_to(position)


async def test_an_empty_recording_can_be_looked_at() -> None:
    """There is nothing, and nothing moves."""
    for tape in (FakeTape(), FakeTape(RUN[:1])):
        clock = FakeClock()
        replay = await replay_of(tape, clock)
        replay.open_at(5.0)
        replay.play_or_pause()
        replay.jump(10)
        replay.go_to_end()
        clock.now += 9
        assert replay.clock() == BEGIN
        assert "0:00/0:00" in replay.text()
        assert replay.timeline.loads == []


async def test_what_could_not_be_read_is_told_whole() -> None:
    """Every reason in one status; how the recording told of its own troubles stays."""
    tape = FakeTape(RUN, lost={"recording_chunk_damaged": 3, "recording_sample_unreadable": 7})
    replay = await replay_of(tape)
    told = replay.timeline.statuses["replay"]
    assert told.state is SourceState.DEGRADED
    assert told.message == "3 × recording chunk damaged, 7 × recording sample unreadable"
    replay.go_to_end()
    replay.go_to_start()
    assert replay.timeline.statuses["replay"] == told


async def test_a_file_that_goes_away_is_told_and_what_was_read_stays() -> None:
    """With what to do about it."""
    replay = await replay_of(FakeTape(RUN, breaks_at=3))
    assert replay.timeline.statuses["replay"].message == "the file went away"
    assert replay.is_read
    replay.go_to_end()
    expected = contents(timeline_of(RUN[:20]))
    found = contents(replay.timeline)
    found["statuses"] = expected["statuses"]
    assert found == expected


async def test_damaged_chunks_of_a_file_are_told(tmp_path: Path) -> None:
    """The others are shown."""
    import sqlite3

    path = tmp_path / "x.flashpoint"
    parts = [RUN[first : first + 300] for first in range(0, len(RUN), 300)]
    write_recording(path, parts)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE chunk SET body = zeroblob(20) WHERE id = 2")
    connection.close()
    replay = await replay_of(Recording(path))
    assert "recording chunk damaged" in replay.timeline.statuses["replay"].message
    replay.go_to_end()
    expected = timeline_of(each for part in (parts[0], *parts[2:]) for each in part)
    assert replay.timeline.loads == expected.loads
    replay.close()


async def test_one_that_was_cut_off_says_so() -> None:
    """As long as it is looked at."""
    replay = await replay_of(FakeTape(RUN, is_unclean=True))
    assert replay.text().endswith("ended unclean")


async def test_nothing_can_be_done_to_a_run_that_is_over() -> None:
    """No load, no build; waits are shown or not."""
    replay = await replay_of(FakeTape(RUN))
    before = contents(replay.timeline)
    replay.start_load()
    replay.stop_load()
    assert replay.rebuild() == replay.no_control_reason != ""
    assert replay.operator is None
    assert contents(replay.timeline) == before
    assert replay.toggle_off_cpu() == ""
    assert replay.off_cpu


async def test_the_file_is_let_go() -> None:
    """When the replay is."""
    tape = FakeTape(RUN, header=header())
    replay = await replay_of(tape)
    replay.close()
    assert tape.is_closed


async def test_the_beginning_is_where_something_is_known() -> None:
    """What came first is there at once, however much later than the session it came."""
    late = [replace(each, at=each.at + 0.5) for each in RUN]
    replay = await replay_of(FakeTape(late))
    replay.go_to_start()
    assert replay.facts().phase is Phase.STARTING
    assert replay.facts().script == "shop.js"
