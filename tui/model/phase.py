"""The states of a run, and what may follow what."""

from __future__ import annotations

from enum import StrEnum


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
