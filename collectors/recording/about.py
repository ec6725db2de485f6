"""What a recording tells of itself before any of its samples is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CLOSED: Final = "closed"
"""Why a recording ended that lacks nothing."""


@dataclass(frozen=True, slots=True)
class Header:
    """Written when a recording begins, and not changed afterwards."""

    started_at: float
    """Session's clock: the zero that elapsed times count from."""
    wall_offset_s: float
    """Unix time at the zero of the session's clock."""
    script: str
    flashpoint_version: str
    machine: str
    """Like `Linux 6.1, 8 cores, 15.5 GB`."""
    writer_pid: int
    writer_start_ticks: int
    """When the writer's process began, in the kernel's ticks: with its pid it is the process."""
    profiler_event: str = ""
    """What perf samples; empty without a profiler."""
    keeps_secrets: bool = False
    """Whether it was recorded with --no-redact."""


@dataclass(frozen=True, slots=True)
class Card:
    """What a list of recordings says; written anew every few seconds."""

    script: str = ""
    target: str = ""
    duration_s: float = 0.0
    requests: int = 0
    peak_rps: float | None = None
    p95_ms: float | None = None
    verdict: str = ""
    is_marked: bool = False
    """Whether the operator left a note in it: then it is not cleared away."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Written when a recording is closed; one without it was cut off."""

    at: float
    """Session's clock."""
    reason: str
    """`closed`, or what stopped the recording before the run ended."""
