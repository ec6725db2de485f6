"""A replay while its recording is still being read, or still being written to."""

from __future__ import annotations

import asyncio

import pytest

from tests.tapes import BEGIN, FakeTape, a_run, contents, timeline_of
from tests.tui.test_replay import FakeClock, replay_of
from tests.waiting import eventually
from tui.replay import SETTLE_S, Replay

RUN = a_run(200)


async def comes_to(replay: Replay, position: float) -> None:
    """Wait until it is at a position."""
    await eventually(lambda: replay.clock() == position)


async def test_what_is_being_recorded_is_followed_until_it_ends() -> None:
    """Also what is written in the moment in which the writer ends."""
    clock = FakeClock(BEGIN + 20)
    tape = FakeTape([each for each in RUN if each.at <= BEGIN + 20], is_live=True, a_chunk=1)
    replay = await replay_of(tape, clock, follow=True)
    reading = asyncio.create_task(replay.read())
    await eventually(lambda: replay.is_read)
    assert replay.text().startswith("●")
    for seconds in (25, 31, 60):
        fresh = [each for each in RUN[len(tape.arrivals) :] if each.at <= BEGIN + seconds]
        clock.now = BEGIN + seconds + 0.2
        tape.arrivals += fresh
        newest = max(tape.arrivals[-1].at, clock.now - SETTLE_S)
        await comes_to(replay, newest)
        assert contents(replay.timeline) == contents(timeline_of(tape.arrivals))
    tape.arrivals += RUN[len(tape.arrivals) :]
    tape.is_live = False
    async with asyncio.timeout(5):
        await reading
    assert not replay.is_following
    assert replay.clock() == RUN[-1].at
    assert contents(replay.timeline) == contents(timeline_of(RUN))
    assert replay.text().startswith("■")


async def test_a_writer_that_ends_while_it_is_read_loses_nothing() -> None:
    """The last that it wrote is read, whenever that was."""

    class EndsWhileRead(FakeTape):
        """Its writer adds the rest and ends just when everything before was read."""

        @property
        def is_live(self) -> bool:
            self.asked += 1
            if self.asked == 2:
                self.arrivals = RUN
            return self.asked < 2

        @is_live.setter
        def is_live(self, value: bool) -> None:
            self.asked = 0

        asked = 0

    replay = Replay(EndsWhileRead(RUN[:100]), clock=FakeClock(), follow=True)
    async with asyncio.timeout(5):
        await replay.read()
    replay.go_to_end()
    assert contents(replay.timeline) == contents(timeline_of(RUN))


async def test_leaving_what_is_followed_and_coming_back() -> None:
    """Any move stays there while it is recorded on; `G` follows again."""
    clock = FakeClock(BEGIN + 50)
    tape = FakeTape([each for each in RUN if each.at <= BEGIN + 50], is_live=True)
    replay = await replay_of(tape, clock, follow=True)
    replay.jump(-30)
    assert not replay.is_following
    replay.play_or_pause()
    at = replay.clock()
    reading = asyncio.create_task(replay.read())
    tape.arrivals = [each for each in RUN if each.at <= BEGIN + 80]
    await eventually(lambda: replay.player.end > BEGIN + 78)
    assert replay.clock() == at
    replay.go_to_end()
    assert replay.is_following
    tape.is_live = False
    async with asyncio.timeout(5):
        await reading


async def test_the_end_of_what_is_still_being_read_is_the_last() -> None:
    """Sent to the end early, it is there when all is read."""
    replay = Replay(FakeTape(RUN, a_chunk=1), clock=FakeClock())
    replay.is_read = False  # as if the first moments had not been enough
    replay.go_to_start()
    replay.go_to_end()
    async with asyncio.timeout(5):
        await replay.read()
    assert replay.clock() == RUN[-1].at
    assert not replay.is_following


async def test_a_move_while_it_is_read_takes_back_the_one_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where it was sent last counts, also when reading comes past the former place."""
    monkeypatch.setattr("tui.replay.FIRST_S", 0.0)
    replay = Replay(FakeTape(RUN, a_chunk=1), clock=FakeClock())
    replay.open_at(150.0)
    assert replay.clock() == BEGIN
    replay.go_to_start()
    async with asyncio.timeout(5):
        await replay.read()
    assert replay.clock() == BEGIN
    assert "reading" not in replay.text()
