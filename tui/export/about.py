"""What a run was, for whoever reads an export of it later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class About:
    """What an export tells of a run beside its timeline; every text is sanitised already."""

    script: str
    target: str
    """Name and pid of the server, or empty."""
    control: str
    """How the load was moved, like `secret gate`, or `as written`."""
    profiler: str
    """How stacks were taken, like `cpu-clock 99 Hz`; empty without."""
    k6_version: str
    """Empty where the requests are not k6's."""
    flashpoint_version: str
    machine: str
    """Like `Linux 6.1, 8 cores, 15.5 GB`."""
    wall_offset_s: float
    """Unix time at the zero of the session's clock: `at + wall_offset_s` is when it was."""
    name: str = ""
    """How the recording is called, where there is one."""

    def wall_time(self, at: float) -> datetime:
        """Return when a moment on the session's clock was, in UTC."""
        return datetime.fromtimestamp(at + self.wall_offset_s, UTC)
