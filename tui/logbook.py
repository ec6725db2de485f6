"""Notes on the timeline where a run is, and has a recording kept of everything that is there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from typing import Final

from collectors.machine import machine_text
from collectors.recording.recorder import Recorder
from collectors.runstate import RunEnd, RunState
from collectors.source import Clock
from tui.export.about import About
from tui.export.summary import RunRecord
from tui.model.facts import card_of
from tui.model.timeline import Timeline

LOOK_S: Final = 0.1
CARD_S: Final = 5.0
"""How often what a list of recordings says is worked out anew."""


class Logbook:
    """Follows a run.

    Args:
        timeline: Of the run.
        clock: The session's.
    """

    def __init__(self, timeline: Timeline, clock: Clock) -> None:
        self._timeline = timeline
        self._clock = clock
        self._recorder: Recorder | None = None
        self._described_at = clock()
        self._wall_offset_s = time.time() - clock()

    def record_to(self, recorder: Recorder) -> None:
        """Keep everything from now on in a recording too."""
        self._recorder = recorder
        self._timeline.also = recorder.add

    def about(self, state: RunState) -> About:
        """Return what exports tell of the run."""
        return About(
            script=state.script,
            target=state.target,
            control=state.control,
            profiler=state.profiler,
            k6_version=state.k6_version,
            flashpoint_version=version("flashpoint"),
            machine=machine_text(),
            wall_offset_s=self._wall_offset_s,
            name=self._recorder.path.name if self._recorder is not None else "",
        )

    async def keep(self, state: Callable[[], RunState]) -> None:
        """Note where the run is whenever that changes, until cancelled."""
        while True:
            self.note(state())
            if self._clock() - self._described_at >= CARD_S:
                self._describe()
            await asyncio.sleep(LOOK_S)

    async def close(self, state: RunState) -> None:
        """Note where the run ended, and close the recording."""
        self.note(state)
        if self._recorder is None:
            return
        self._describe()
        self._timeline.also = None
        # On a thread: the disk may take its time, and signals are to be heard meanwhile.
        await asyncio.to_thread(self._recorder.close)

    def note(self, state: RunState) -> None:
        """Note where the run is, if that is news."""
        states = self._timeline.states
        if not states or replace(state, at=states[-1].at) != states[-1]:
            self._timeline.append(state)

    def _describe(self) -> None:
        self._described_at = self._clock()
        if self._recorder is None or not self._timeline.states:
            return
        last = self._timeline.states[-1]
        card = card_of(self._timeline, last.script, last.target, self._clock())
        self._recorder.describe(card)


def end_of(run: RunRecord, at: float) -> RunEnd:
    """Return what is known of a run of k6 that has ended, as a sample."""
    figures = run.figures
    return RunEnd(
        at=at,
        instance=run.instance,
        started_at=run.started_at,
        ended_at=run.ended_at,
        warm_up_s=run.warm_up_s,
        k6_exit_code=run.k6_exit_code,
        exit_status=run.exit_status,
        withheld=run.withheld,
        requests=figures.requests if figures is not None else None,
        failed=figures.failed if figures is not None else None,
        thresholds_crossed=figures is not None and figures.thresholds_crossed,
        latency_ms=dict(figures.latency_ms) if figures is not None else {},
    )
