"""Measures how late the program's own event loop is: what a late loop shows is old.

A timer that should go off at a moment goes off later when something holds the loop up; by how much
is the lag of everything else on it, too.
"""

from __future__ import annotations

import asyncio
from typing import Final

from collectors.samples import SourceState, SourceStatus
from collectors.source import Clock, Emit

PERIOD_S: Final = 0.1
LATE_S: Final = 0.5
"""From this lag on it is told: the screen is drawn twice a second."""
CALM_S: Final = 10.0
"""So long without is well again."""
SOURCE: Final = "screen"


class LagWatch:
    """Decides from single lags what is to be told; pure but for the clock that is passed in."""

    def __init__(self) -> None:
        self.worst_s = 0.0
        """Of the whole session."""
        self._late_at: float | None = None

    def take(self, at: float, lag_s: float) -> SourceStatus | None:
        """Take one lag; return a status where that changes what is to be told.

        Args:
            at: When it was measured, seconds on the session's clock.
            lag_s: How much later than it should the timer went off.
        """
        self.worst_s = max(self.worst_s, lag_s)
        if lag_s >= LATE_S:
            self._late_at = at
            text = f"late by {lag_s:.1f} s: what is shown is as old"
            hint = "flashpoint gets too little CPU, or its terminal is slow"
            return SourceStatus(at, SOURCE, SourceState.DEGRADED, text, hint)
        if self._late_at is not None and at - self._late_at >= CALM_S:
            self._late_at = None
            return SourceStatus(at, SOURCE, SourceState.LIVE, "in time again")
        return None


async def watch_lag(clock: Clock, emit: Emit, watch: LagWatch) -> None:
    """Measure until cancelled."""
    while True:
        due = clock() + PERIOD_S
        await asyncio.sleep(PERIOD_S)
        now = clock()
        status = watch.take(now, max(0.0, now - due))
        if status is not None:
            emit(status)
