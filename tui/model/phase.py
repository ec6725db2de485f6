"""The states of a run, and what is known of it beside the timeline."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from collectors.course import CourseUnit


class Phase(StrEnum):
    """Where a run is."""

    STARTING = "starting"
    """Before the first request."""
    RUNNING = "running"
    STOPPING = "stopping"
    """Told to stop; k6 finishes what it must."""
    STOPPED = "stopped"
    """k6 has ended; the load can be started again."""
    CLOSED = "closed"
    """Everything has ended."""

    @property
    def loading(self) -> bool:
        """Whether a k6 process is at work."""
        return self in (Phase.STARTING, Phase.RUNNING, Phase.STOPPING)


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What the session knows beside the timeline."""

    phase: Phase
    elapsed_s: float | None
    """Since the load started; None before."""
    duration_s: float | None
    """How long the load is to last, if that was asked."""
    script: str
    k6_version: str
    vus: int
    vus_max: int
    target: str
    """Name and pid, or empty."""
    profiler: str = ""
    """How stacks are taken, like `cpu-clock 99 Hz`; empty without."""
    countdown_s: float | None = None
    """Until a stopping k6 is forced."""
    note: str = ""
    """Something to know about the whole run, like a warm-up."""
    control: str = "as written"
    """How the load is controlled: `redis gate`, `secret gate`, `REST`, or `as written`."""
    aim: LoadAim | None = None
    """What the operator wants of the load; None where k6 keeps its own schedule."""
    no_control_reason: str = ""
    """Why the keys for the load do nothing; empty where they work."""
    player: str = ""
    """Where a replay is; empty of a run that is under way."""


@dataclass(frozen=True, slots=True)
class LoadAim:
    """What the operator wants of the load at this moment."""

    unit: CourseUnit
    level: float
    """Target now; 0 while paused."""
    is_paused: bool
    wanted: float
    """Target without the pause."""
    ramp_to: float | None = None
    """Where a ramp under way leads to; None without one."""
    ramp_left_s: float | None = None
    ceiling: float | None = None
    """The greatest level of this run; None for rates."""
