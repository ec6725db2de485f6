"""The values that sources yield: plain, frozen, with units in their names.

Times called `at`, `start` and `end` are seconds on the session's monotonic clock
(`CLOCK_MONOTONIC`). Load figures are **deltas over the interval** unless a field says otherwise.
Every text in here has already passed `collectors.text.sanitise`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from collectors.course import Course
from collectors.runstate import RunEnd, RunState


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


class Role(StrEnum):
    """Whose processes a share of the machine belongs to."""

    TARGET = "target"
    GENERATOR = "generator"
    MONITOR = "monitor"


@dataclass(frozen=True, slots=True)
class RoleUsage:
    """What the processes of one role used over the interval; None where nothing tells."""

    role: Role
    processes: int
    cpu_seconds: float
    """User and system time over the interval."""
    rss_bytes: int
    threads: int
    open_files: int | None
    voluntary_switches: int | None
    involuntary_switches: int | None
    read_bytes: int | None
    """From storage, over the interval."""
    written_bytes: int | None
    """To storage, over the interval."""
    throttled_seconds: float | None
    """Time the role's cgroup was held back by its CPU quota, over the interval."""


@dataclass(frozen=True, slots=True)
class CoreUsage:
    """Shares of one core's time over the interval, 0 to 1."""

    user_ratio: float
    system_ratio: float
    iowait_ratio: float
    steal_ratio: float

    @property
    def busy_ratio(self) -> float:
        """User, system and steal together; waiting for a disk is not busy."""
        return self.user_ratio + self.system_ratio + self.steal_ratio


@dataclass(frozen=True, slots=True)
class DiskUsage:
    """One block device over the interval."""

    device: str
    read_bytes_per_s: float
    written_bytes_per_s: float
    reads_per_s: float
    writes_per_s: float
    busy_ratio: float


@dataclass(frozen=True, slots=True)
class NetworkUsage:
    """One network interface over the interval."""

    interface: str
    sent_bytes_per_s: float
    received_bytes_per_s: float


@dataclass(frozen=True, slots=True)
class Pressure:
    """Share of the interval in which some task waited for a resource (Linux PSI), 0 to 1."""

    cpu_ratio: float
    memory_ratio: float
    io_ratio: float


@dataclass(frozen=True, slots=True)
class HostSample:
    """The machine and the three roles on it over one interval."""

    at: float
    interval_s: float
    cores: tuple[CoreUsage, ...]
    load_1m: float
    memory_total_bytes: int
    memory_used_bytes: int
    swap_used_bytes: int
    disks: tuple[DiskUsage, ...]
    networks: tuple[NetworkUsage, ...]
    pressure: Pressure | None
    """None where the kernel has no pressure stall information."""
    roles: tuple[RoleUsage, ...]


class FrameKind(StrEnum):
    """Where the code of a frame lives."""

    USER = "user"
    KERNEL = "kernel"
    JIT = "jit"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Frame:
    """One function in a stack."""

    symbol: str
    module: str
    kind: FrameKind


@dataclass(frozen=True, slots=True)
class Stack:
    """A call stack of one kind of thread."""

    process: str
    thread: str
    frames: tuple[int, ...]
    """Frame ids, the outermost caller first; empty where perf gave no stack."""
    caller_lost: bool = False
    """The unwinder lost the callers inside libc: hangs under a node that says so."""


class StackMeasure(StrEnum):
    """What is summed up in stacks."""

    ON_CPU = "on-cpu"
    """Where the target computes: samples, and the CPU time that they stand for."""
    OFF_CPU = "off-cpu"
    """Where it waits: how often, and the wall time of it."""


@dataclass(frozen=True, slots=True)
class StackCount:
    """How often one stack was seen, and how much time that stands for."""

    samples: int
    period_ns: int


@dataclass(frozen=True, slots=True)
class StackBatch:
    """The stacks sampled within one second of the session's clock."""

    start: float
    """Time of the first sample."""
    end: float
    """Time of the last sample; `floor(start) == floor(end)`."""
    counts: Mapping[int, StackCount]
    """Stack id → count. Ids are unique for the whole session."""
    stacks: Mapping[int, Stack] = field(default_factory=dict)
    """Stacks first seen in this batch."""
    frames: Mapping[int, Frame] = field(default_factory=dict)
    """Frames first seen in this batch."""
    lost: int = 0
    """Samples the profiler says it lost."""
    rejected: Mapping[str, int] = field(default_factory=dict)
    """Records that could not be read, by reason."""
    measure: StackMeasure = StackMeasure.ON_CPU


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
