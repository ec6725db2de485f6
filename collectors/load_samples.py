"""What k6 tells of the load: **deltas over the interval**, unless a field says otherwise.

Times called `at`, `start` and `end` are seconds on the session's monotonic clock
(`CLOCK_MONOTONIC`). Every text in here has already passed `collectors.text.sanitise`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class RequestKind(StrEnum):
    """What one 'request' is; the earlier kinds win where a script does several."""

    HTTP = "http"
    GRPC = "grpc"
    WEBSOCKET = "websocket"
    BROWSER = "browser"
    ITERATION = "iteration"


@dataclass(frozen=True, slots=True)
class Histogram:
    """A mergeable histogram with exponential buckets (Prometheus native histogram, no negatives).

    Bucket `i` holds values in `(base**(i-1), base**i]` with `base = 2**(2**-schema)`.
    Source: Prometheus native histogram specification.
    """

    schema: int
    """Resolution: -4 to 8; k6 sends 3 (growth 1.0905)."""
    buckets: Mapping[int, int]
    """Bucket index → count, without the zero bucket; only counts above 0."""
    zero_count: int
    """Values of (almost) zero."""
    count: int
    """All values: the buckets plus `zero_count`."""
    sum: float
    """Sum of all values, in the unit of the metric (seconds for times)."""


EMPTY_HISTOGRAM = Histogram(schema=3, buckets={}, zero_count=0, count=0, sum=0.0)
"""The histogram of nothing; merging it changes nothing."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests of one kind over an interval."""

    kind: RequestKind
    requests: int
    failed: int
    latency: Histogram
    """Seconds."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Requests of one kind, name, method, status, scenario and group over an interval."""

    kind: RequestKind
    name: str
    method: str
    status: str
    scenario: str
    group: str
    requests: int
    failed: int
    latency: Histogram
    """Seconds."""


@dataclass(frozen=True, slots=True)
class CheckRatio:
    """One check of the script: the share that passed **since the start**.

    k6's stream carries no number of checks, only this ratio; the counts come with its summary.
    """

    name: str
    group: str
    scenario: str
    passed_ratio: float


class MetricType(StrEnum):
    """The four metric types of k6."""

    COUNTER = "counter"
    GAUGE = "gauge"
    RATE = "rate"
    TREND = "trend"


@dataclass(frozen=True, slots=True)
class CustomMetric:
    """One metric of the script's own (or of k6, where no other field holds it), all tags summed."""

    name: str
    type: MetricType
    value: float
    """Counter: delta over the interval. Gauge: newest. Rate: ratio since the start. Trend: 0."""
    trend: Histogram
    """Trend: its values over the interval, in `unit`; else empty."""
    unit: str
    """`s`, `B`, or empty for the script's own."""


@dataclass(frozen=True, slots=True)
class LoadSample:
    """What one k6 process sent in one push."""

    at: float
    interval_s: float
    instance: str
    """Which k6 process: `k6-1`, `k6-2` after a restart of the load …"""
    vus: int
    vus_max: int
    iterations: int
    dropped_iterations: int
    bytes_sent: int
    bytes_received: int
    traffic: tuple[Traffic, ...]
    """One entry a kind seen so far; ITERATION is always there (its latency: iteration_duration)."""
    phases: Mapping[str, Histogram]
    """HTTP phases in seconds: blocked, connecting, tls, sending, waiting, receiving."""
    endpoints: tuple[Endpoint, ...]
    """Only those with requests in this interval."""
    checks: tuple[CheckRatio, ...]
    """Only those whose ratio was sent in this push."""
    metrics: tuple[CustomMetric, ...]
    """Only those that were sent in this push."""
