"""A recording as a session: the same timeline, filled as far as the replay has come.

Nothing is started, connected to or written. Samples come onto the timeline in the order and at the
times at which they once arrived, so every range shows what it showed live.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from collectors.recording.reader import Chunk
from collectors.samples import Sample, SourceState, SourceStatus
from collectors.source import Clock, SourceError
from tui.export.about import About
from tui.model.facts import facts_at
from tui.model.phase import Phase, RunFacts
from tui.model.player import Player
from tui.model.reel import Reel
from tui.model.timeline import Timeline
from tui.tape import Tape, about_of
from tui.views.format import clock as clock_text
from tui.watched import Offer

SLICE_S: Final = 0.02
"""Reading gives way to the screen after this long."""
GIVE_WAY_S: Final = 0.005
FIRST_S: Final = 0.05
"""Reading before there is a screen at all."""
FOLLOW_S: Final = 0.25
SETTLE_S: Final = 0.5
"""A recording that is being written to is followed this far behind."""
SOURCE: Final = "replay"
"""Who tells what could not be read; no source of a run has this name."""
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
        self._reel = Reel(tape.header.started_at)
        self._steady = clock
        self._sought_s: float | None = None
        """Where it was sent, after the load began, while that is not read yet."""
        self._told: dict[str, int] = {}
        """What could not be read, as it was told last."""
        self._was_live = tape.is_live
        """When it was read last: there may be more since."""
        self._chunks: Iterator[Chunk] = tape.chunks()
        self._last_chunk = 0
        start = tape.header.started_at
        self._player = Player(start, start, start, clock())
        self._read(FIRST_S)
        if self._reel.begin is not None:
            # Before its first word nothing is known of a run, not even that it is to begin.
            begin = max(start, self._reel.begin)
            self._player = replace(self._player, start=begin).moved(self._player.position, clock())

    @property
    def player(self) -> Player:
        """Where the replay is."""
        return self._player

    @property
    def timeline(self) -> Timeline:
        """What had arrived at the position, and what whoever watches has added."""
        return self._reel.timeline

    @property
    def zero(self) -> float:
        """When the first load began, as far as it was read; times count from there."""
        return self._player.start if self._reel.zero is None else self._reel.zero

    @property
    def phase(self) -> Phase:
        """Closed: nothing runs, whatever the recorded phase is."""
        return Phase.CLOSED

    def clock(self) -> float:
        """Return the position, and bring the timeline up to it."""
        position = self._player.at(self._steady())
        self._reel.go_to(position)
        return position

    def facts(self) -> RunFacts:
        """Return what the status lines said at the position."""
        position = self.clock()
        facts = facts_at(self.timeline, position)
        return replace(facts, player=self.text())

    def append(self, sample: Sample) -> None:
        """Take a mark or a baseline of whoever watches; it stays wherever the replay goes."""
        self._reel.keep(sample)

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
        now, player = self._steady(), self._player
        self.is_following, self._sought_s = False, None
        if player.is_playing and self._is_over(player.at(now)):
            self._move(player.moved(player.start, now))
        else:
            self._move(player.toggled(now))

    def faster(self, steps: int) -> None:
        """Play some steps faster, or slower."""
        self._move(self._player.faster(steps, self._steady()))

    def jump(self, seconds: float) -> None:
        """Go some seconds on, or back."""
        now = self._steady()
        self.go_to(self._player.at(now) + seconds)

    def go_to(self, position: float) -> None:
        """Go to a moment on the recording's clock; there when it has been read as far."""
        self.is_following = False
        self._sought_s = position - self.zero
        self._seek()

    def open_at(self, seconds: float) -> None:
        """Stand still at a time after the load began."""
        if self._player.is_playing:
            self._move(self._player.toggled(self._steady()))
        self.go_to(self.zero + seconds)

    def go_to_start(self) -> None:
        """Go to the beginning."""
        self.go_to(self._player.start)

    def go_to_end(self) -> None:
        """Go to the end, or follow what is still being recorded."""
        self.go_to(math.inf)
        self.is_following = self.tape.is_live

    def text(self) -> str:
        """Return where the replay is, in a few words."""
        player = self._player
        position = self.clock()
        sign = "●" if self.is_following else "▶" if player.is_playing else "⏸"
        if player.is_playing and self._is_over(position):
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
        while True:
            # Asked before reading: what is written until the writer ends is read once more.
            was_live, self._was_live = self._was_live, self.tape.is_live
            if self.is_read and was_live:
                self._chunks = self.tape.chunks(self._last_chunk)
            await self._read_all()
            if not self._was_live:
                self.is_following = False
                return
            await asyncio.sleep(FOLLOW_S)

    async def _read_all(self) -> None:
        is_over = False
        while not is_over:
            is_over = self._read(SLICE_S)
            # Not only one turn of the loop: what a key does takes several.
            await asyncio.sleep(GIVE_WAY_S)

    def close(self) -> None:
        """Let the file go."""
        self.tape.close()

    def _is_over(self, position: float) -> bool:
        at_end = position >= self._player.end and self.is_read and not self.is_following
        return at_end and not self.tape.is_live

    def _read(self, at_most_s: float) -> bool:
        """Read for a while; tell whether everything was read."""
        deadline = time.monotonic() + at_most_s
        before = self._last_chunk
        is_over = False
        try:
            while time.monotonic() < deadline:
                chunk = next(self._chunks, None)
                if chunk is None:
                    is_over = True
                    break
                self._last_chunk = chunk.number
                self._reel.add(chunk.arrivals)
        except SourceError as error:
            is_over = True
            self._tell(error.message, error.hint)
        if self._last_chunk > before:
            self._go_on()
        self.is_read = self.is_read or is_over
        if is_over:
            self._tell_rejected()
        self._seek()
        return is_over

    def _go_on(self) -> None:
        """Take note of how far the recording goes now; go along where it is followed."""
        end, now = self._reel.end, self._steady()
        if end is None:
            return
        if self.is_following and self.tape.is_live:
            end = max(end, now - SETTLE_S)
        self._player = self._player.lasting(end, now)
        if self.is_following:
            self._player = self._player.moved(self._player.end, now)

    def _seek(self) -> None:
        """Go to where it was sent, as far as that has been read."""
        if self._sought_s is not None:
            position = self.zero + self._sought_s
            self._move(self._player.moved(position, self._steady()))
            if self.is_read or position <= self._player.end:
                self._sought_s = None

    def _tell_rejected(self) -> None:
        rejected = dict(self.tape.rejected())
        if rejected != self._told:
            self._told = rejected
            reasons = (f"{n} × {reason.replace('_', ' ')}" for reason, n in rejected.items())
            self._tell(", ".join(reasons), "the rest is shown")

    def _tell(self, message: str, hint: str) -> None:
        self.append(SourceStatus(self._player.start, SOURCE, SourceState.DEGRADED, message, hint))

    def _move(self, player: Player) -> None:
        self._player = player
        self._reel.go_to(player.at(self._steady()))
