"""When the load of one run began, how long it may last, and when its end is forced."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(slots=True)
class RunClock:
    """The times of one run of k6; all moments are seconds of the session's clock."""

    duration_s: float | None = None
    """How long the load is to last, if that was asked."""
    started_at: float | None = None
    """When the load began; None before."""
    ended_at: float | None = None
    forced_at: float | None = None
    """When a run that was told to stop is ended the hard way."""

    def elapsed_s(self, now: float) -> float | None:
        """Return how long the load lasts, or lasted; None before it began."""
        if self.started_at is None:
            return None
        return (self.ended_at if self.ended_at is not None else now) - self.started_at

    def edges(self, warm_up_s: float) -> tuple[float, ...]:
        """Return where the ranges of a summary begin: the load, its second, what is warmed up."""
        if self.started_at is None:
            return ()
        return (self.started_at, float(math.floor(self.started_at)), self.started_at + warm_up_s)

    def countdown_s(self, now: float) -> float | None:
        """Return how long a stopping run has left; None while it is not told to stop."""
        return None if self.forced_at is None else self.forced_at - now

    def is_over(self, now: float) -> bool:
        """Return whether the load has lasted as long as was asked."""
        elapsed_s = self.elapsed_s(now)
        return (
            elapsed_s is not None and self.duration_s is not None and elapsed_s >= self.duration_s
        )

    def must_be_forced(self, now: float) -> bool:
        """Return whether the grace of a stop is over."""
        return self.forced_at is not None and now >= self.forced_at
