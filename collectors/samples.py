"""The values that sources yield: plain, frozen, with units in their names.

Times called `at`, `start` and `end` are seconds on the session's monotonic clock
(`CLOCK_MONOTONIC`). Every text in here has already passed `collectors.text.sanitise`. Those of the
load, the machine and the stacks have modules of their own; all are to be had from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from collectors.course import Course
from collectors.host_samples import (
    CoreUsage,
    DiskUsage,
    HostSample,
    NetworkUsage,
    Pressure,
    Role,
    RoleUsage,
)
from collectors.load_samples import (
    EMPTY_HISTOGRAM,
    CheckRatio,
    CustomMetric,
    Endpoint,
    Histogram,
    LoadSample,
    MetricType,
    RequestKind,
    Traffic,
)
from collectors.runstate import RunEnd, RunState
from collectors.stack_samples import Frame, FrameKind, Stack, StackBatch, StackCount, StackMeasure

__all__ = [
    "EMPTY_HISTOGRAM",
    "Baseline",
    "CheckRatio",
    "CoreUsage",
    "CustomMetric",
    "DiskUsage",
    "Drop",
    "Endpoint",
    "Frame",
    "FrameKind",
    "Histogram",
    "HostSample",
    "LoadSample",
    "LoadTarget",
    "LogLine",
    "Mark",
    "MarkKind",
    "MetricType",
    "NetworkUsage",
    "Pressure",
    "RequestKind",
    "Role",
    "RoleUsage",
    "RunEnd",
    "RunState",
    "Sample",
    "SourceState",
    "SourceStatus",
    "Stack",
    "StackBatch",
    "StackCount",
    "StackMeasure",
    "Traffic",
]


class SourceState(StrEnum):
    """How a source is."""

    STARTING = "starting"
    LIVE = "live"
    DEGRADED = "degraded"
    FAILED = "failed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """A change of how a source is; the newest one of each source counts."""

    at: float
    source: str
    """`k6`, `perf`, `host`, `target` …"""
    state: SourceState
    message: str
    hint: str = ""
    """What the operator can do about it; one line."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line that a child wrote."""

    at: float
    source: str
    level: str
    """`debug`, `info`, `warning`, `error` or empty."""
    text: str


@dataclass(frozen=True, slots=True)
class Drop:
    """Something that was received but could not be used."""

    at: float
    reason: str
    """Stable and short, like `stream_series_over_limit`."""
    count: int


@dataclass(frozen=True, slots=True)
class LoadTarget:
    """What the load is to be from now on, until the next of these."""

    at: float
    course: Course
    """In the operator's unit; no load while paused."""
    is_paused: bool = False


class MarkKind(StrEnum):
    """What was done to the run."""

    START = "start"
    STOP = "stop"
    PAUSE = "pause"
    RESUME = "resume"
    LOAD = "load"
    """Another target for the load."""
    BASELINE = "baseline"
    """A range was marked to compare others with."""
    BUILD = "build"
    """The server was built anew."""
    SERVER = "server"
    """Something about the server was changed while it ran."""
    WARM_UP_END = "warm_up_end"
    NOTE = "note"
    """What the operator wrote down."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What the operator or the program did, at a moment."""

    at: float
    kind: MarkKind
    text: str


@dataclass(frozen=True, slots=True)
class Baseline:
    """A range of time that the operator wants later ones compared with."""

    at: float
    """When it was marked."""
    name: str
    """Like `50 VUs`; unique in a run, a newer one of the same name takes its place."""
    start: float
    end: float


Sample: TypeAlias = (
    LoadSample
    | HostSample
    | StackBatch
    | SourceStatus
    | LogLine
    | Drop
    | Mark
    | LoadTarget
    | Baseline
    | RunState
    | RunEnd
)
"""Everything a source can yield."""
