"""What is known of a run beside what its sources measured, as samples like any other.

With these a recording tells everything that the screen said of the run while it was live.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RunState:
    """Where a run is, from this moment until the next of these."""

    at: float
    phase: str
    """`starting`, `running`, `stopping`, `stopped` or `closed`."""
    script: str
    k6_version: str
    target: str
    """Name and pid of the server, or empty."""
    profiler: str
    """How stacks are taken, like `cpu-clock 99 Hz`; empty without."""
    control: str
    """How the load is moved: `redis gate`, `secret gate`, `REST`, or `as written`."""
    note: str = ""
    """Something to know about the whole run, like a warm-up."""
    no_control_reason: str = ""
    started_at: float | None = None
    """When the load began; None before."""
    ended_at: float | None = None
    forced_at: float | None = None
    """When a run that was told to stop is ended the hard way."""
    duration_s: float | None = None
    """How long the load is to last, if that was asked."""
    ceiling: float | None = None
    """The greatest level of this run; None for rates, and as written."""


@dataclass(frozen=True, slots=True)
class RunEnd:
    """What was known when one run of k6 had ended."""

    at: float
    instance: str
    """The k6 process, like `k6-1`."""
    started_at: float
    ended_at: float
    warm_up_s: float
    """Left out of what is told of the run as a whole."""
    k6_exit_code: int | None
    exit_status: int
    """What the program exits with."""
    withheld: int = 0
    """Requests in k6's summary that its stream never sent."""
    requests: int | None = None
    """As k6's own summary has it; None without one."""
    failed: int | None = None
    thresholds_crossed: bool = False
    latency_ms: Mapping[str, float] = field(default_factory=dict)
    """Of k6's own summary: of `mean`, `min`, `p50`, `p90`, `p95`, `p99`, `max` those it has."""
