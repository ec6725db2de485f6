"""A recording as a session: the same timeline, filled as far as the replay has come.

Nothing is started, connected to or written. Samples come onto the timeline in the order and at the
times at which they once arrived, so every range shows what it showed live.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from collectors.recording.codec import Arrival
from collectors.recording.reader import Chunk
from collectors.samples import LoadSample, Sample, SourceState, SourceStatus
from collectors.source import Clock, SourceError
from tui.export.about import About
from tui.model.facts import facts_at
from tui.model.phase import Phase, RunFacts
from tui.model.player import Player
from tui.model.timeline import Timeline
from tui.tape import Tape, about_of
from tui.views.format import clock as clock_text
from tui.watched import Offer

SLICE_S: Final = 0.02
"""Reading gives way to the screen after this long."""
FIRST_S: Final = 0.25
"""Reading before there is a screen at all."""
CHECKPOINT_S: Final = 60.0
"""Recorded time between two copies of the timeline that going back begins at."""
FOLLOW_S: Final = 0.25
SETTLE_S: Final = 0.5
"""A recording that is being written to is followed this far behind."""
NO_RUN: Final = "this is a recording: nothing runs"


class Replay:
    """Plays a recording.

    Args:
        tape: Open; it is closed by `close`.
        follow: Whether to go on with what is being written to it.
        clock: A steady clock; for following the one that the recording is written by.
    """

    def __init__(self, tape: Tape, *, follow: bool = False, clock: Clock = time.monotonic) -> None:
        self.tape = tape
        self.leaving = False
        self.offers: tuple[Offer, ...] = ()
        self.operator = None
        self.no_control_reason = NO_RUN
        self.aborted = False
        self.run_name = ""
        self.off_cpu = False
        self.is_following = follow
        self.is_read = False
        """Whether the whole recording has been read."""
        self.timeline = Timeline(tape.header.started_at)
        self._steady = clock
        self._arrivals: list[Arrival] = []
        self._moments: list[float] = []
        self._fed = 0
        self._own: list[Sample] = []
        self._checkpoints: list[tuple[int, Timeline]] = []
        self._checkpoint_at = tape.header.started_at
        self._chunks: Iterator[Chunk] = tape.chunks()
        self._last_chunk = 0
        start = tape.header.started_at
        self._player = Player(start, start, start, clock())
        self._read(FIRST_S)

    @property
    def player(self) -> Player:
        """Where the replay is."""
        return self._player

    @property
    def zero(self) -> float:
        """When the first load began, as far as it was read; times count from there."""
        for arrival in self._arrivals:
            if isinstance(arrival.sample, LoadSample):
                return arrival.sample.at - arrival.sample.interval_s
        return self._player.start

    @property
    def phase(self) -> Phase:
        """Closed: nothing runs, whatever the recorded phase is."""
        return Phase.CLOSED

    def clock(self) -> float:
        """Return the position, and bring the timeline up to it."""
        position = self._player.at(self._steady())
        self._feed(position)
        return position

    def facts(self) -> RunFacts:
        """Return what the status lines said at the position."""
        position = self.clock()
        facts = facts_at(self.timeline, position)
        note = " · ".join(each for each in (self.text(), facts.note) if each)
        return replace(facts, note=note)

    def append(self, sample: Sample) -> None:
        """Take a mark or a baseline of whoever watches; it stays wherever the replay goes."""
        self._own.append(sample)
        self.timeline.append(sample)

    def about(self) -> About:
        """Return what exports tell of the run."""
        return about_of(self.tape.name, self.tape.header, self.timeline)

    def start_load(self) -> None:
        """Nothing can be started."""

    def stop_load(self) -> None:
        """Nothing runs."""

    def rebuild(self) -> str:
        """Nothing can be built."""
        return NO_RUN

    def toggle_off_cpu(self) -> str:
        """Show the waits that were recorded, or where the server computed."""
        self.off_cpu = not self.off_cpu
        return ""

    def play_or_pause(self) -> None:
        """Go on, or stand still; at the end, begin again."""
        self.is_following = False
        self._move(self._player.toggled(self._steady()))

    def faster(self, steps: int) -> None:
        """Play some steps faster, or slower."""
        self._move(self._player.faster(steps, self._steady()))

    def jump(self, seconds: float) -> None:
        """Go some seconds on, or back."""
        now = self._steady()
        self.go_to(self._player.at(now) + seconds)

    def go_to(self, position: float) -> None:
        """Go to a moment on the recording's clock, as far as it has been read."""
        self.is_following = False
        self._move(self._player.moved(position, self._steady()))

    def open_at(self, seconds: float) -> None:
        """Read up to a time after the load began, and stand still there."""
        while not self._read(SLICE_S) and self._moments[-1:] < [self.zero + seconds + 1.0]:
            pass
        if self._player.is_playing:
            self.play_or_pause()
        self.go_to(self.zero + seconds)

    def go_to_start(self) -> None:
        """Go to the beginning."""
        self.go_to(self._player.start)

    def go_to_end(self) -> None:
        """Go to the end, or follow what is still being recorded."""
        self.go_to(self._player.end)
        self.is_following = self.tape.is_live

    def text(self) -> str:
        """Return where the replay is, in a few words."""
        player = self._player
        position = self.clock()
        sign = "●" if self.is_following else "▶" if player.is_playing else "⏸"
        if player.is_playing and position >= player.end and self.is_read:
            sign = "■"
        zero = self.zero
        ends = (clock_text(max(0.0, each - zero)) for each in (position, player.end))
        parts = [f"{sign} {'/'.join(ends)}"]
        if player.speed != 1.0:
            parts.append(f"×{player.speed:g}")
        if not self.is_read:
            parts.append("reading")
        if self.tape.is_unclean:
            parts.append("ended unclean")
        return " ".join(parts)

    async def read(self) -> None:
        """Read the rest of the recording, a little at a time; when following, without an end."""
        await self._read_all()
        while self.tape.is_live:
            await asyncio.sleep(FOLLOW_S)
            was_live = self.tape.is_live
            self._chunks = self.tape.chunks(self._last_chunk)
            await self._read_all()
            if not was_live:
                self.is_following = False
                return

    async def _read_all(self) -> None:
        is_over = False
        while not is_over:
            is_over = self._read(SLICE_S)
            await asyncio.sleep(0)

    def close(self) -> None:
        """Let the file go."""
        self.tape.close()

    def _read(self, at_most_s: float) -> bool:
        """Read for a while; tell whether everything was read."""
        deadline = time.monotonic() + at_most_s
        before = len(self._arrivals)
        is_over = False
        try:
            while time.monotonic() < deadline:
                chunk = next(self._chunks, None)
                if chunk is None:
                    is_over = True
                    break
                self._last_chunk = chunk.number
                self._arrivals.extend(chunk.arrivals)
                self._moments.extend(each.at for each in chunk.arrivals)
        except SourceError as error:
            is_over = True
            self._tell(error.message, error.hint)
        if len(self._arrivals) > before:
            now = self._steady()
            self._player = self._player.lasting(self._moments[-1], now)
            if self.is_following:
                newest = max(self._moments[-1], now - SETTLE_S)
                self._player = self._player.lasting(newest, now).moved(newest, now)
        if is_over and not self.is_read:
            self.is_read = True
            for reason, count in self.tape.rejected().items():
                self._tell(f"{count} × {reason.replace('_', ' ')}", "the rest is shown")
        return is_over

    def _tell(self, message: str, hint: str) -> None:
        status = SourceStatus(self._player.start, "recording", SourceState.DEGRADED, message, hint)
        self.append(status)

    def _move(self, player: Player) -> None:
        self._player = player
        self._feed(player.at(self._steady()))

    def _feed(self, position: float) -> None:
        """Have on the timeline what had arrived at a position, and no more."""
        count = bisect_right(self._moments, position)
        if count < self._fed:
            self._go_back(count)
        while self._fed < count:
            arrival = self._arrivals[self._fed]
            self.timeline.append(arrival.sample)
            self._fed += 1
            if arrival.at - self._checkpoint_at >= CHECKPOINT_S:
                self._checkpoint_at = arrival.at
                self._checkpoints.append((self._fed, self._without_own()))

    def _go_back(self, count: int) -> None:
        while self._checkpoints and self._checkpoints[-1][0] > count:
            self._checkpoints.pop()
        if self._checkpoints:
            self._fed, kept = self._checkpoints[-1]
        else:
            self._fed, kept = 0, Timeline(self.tape.header.started_at)
            kept.stacks = self.timeline.stacks
        self._checkpoint_at = self._arrivals[self._fed - 1].at if self._fed else self._player.start
        self.timeline.become(kept)
        for sample in self._own:
            self.timeline.append(sample)

    def _without_own(self) -> Timeline:
        """Return a copy of the timeline without what whoever watches has added."""
        copy = self.timeline.copy()
        if self._own:
            own = set(map(id, self._own))
            copy.marks = [mark for mark in copy.marks if id(mark) not in own]
            copy.baselines = {
                name: each for name, each in copy.baselines.items() if id(each) not in own
            }
            copy.statuses = {
                name: each for name, each in copy.statuses.items() if id(each) not in own
            }
        return copy
