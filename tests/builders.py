"""Samples with defaults, for tests that care about a few of their fields; texts of drawn rows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from collectors.samples import (
    EMPTY_HISTOGRAM,
    CheckRatio,
    CoreUsage,
    CustomMetric,
    DiskUsage,
    Endpoint,
    Frame,
    FrameKind,
    Histogram,
    HostSample,
    LoadSample,
    Pressure,
    RequestKind,
    Role,
    RoleUsage,
    Stack,
    StackBatch,
    StackCount,
    Traffic,
)
from tui.model.phase import Phase, RunFacts
from tui.views.trend import Segment


def histogram(values: Iterable[float], schema: int = 3) -> Histogram:
    """Sort values into native histogram buckets, by the formula of the specification."""
    values = list(values)
    buckets: dict[int, int] = {}
    for value in values:
        index = math.ceil(math.log2(value) * 2**schema)
        buckets[index] = buckets.get(index, 0) + 1
    return Histogram(schema, buckets, 0, len(values), math.fsum(values))


def load(
    at: float,
    requests: int = 10,
    *,
    interval_s: float = 1.0,
    failed: int = 0,
    latency: Histogram = EMPTY_HISTOGRAM,
    kind: RequestKind = RequestKind.HTTP,
    instance: str = "k6-1",
    endpoints: tuple[Endpoint, ...] = (),
    dropped: int = 0,
    checks: tuple[CheckRatio, ...] = (),
    metrics: tuple[CustomMetric, ...] = (),
) -> LoadSample:
    """Return a push of k6."""
    return LoadSample(
        at=at,
        interval_s=interval_s,
        instance=instance,
        vus=2,
        vus_max=4,
        iterations=requests,
        dropped_iterations=dropped,
        bytes_sent=100,
        bytes_received=200,
        traffic=(Traffic(kind, requests, failed, latency),),
        phases={},
        endpoints=endpoints,
        checks=checks,
        metrics=metrics,
    )


def endpoint(
    name: str,
    requests: int,
    *,
    failed: int = 0,
    status: str = "200",
    kind: RequestKind = RequestKind.HTTP,
    scenario: str = "default",
    latency: Histogram = EMPTY_HISTOGRAM,
) -> Endpoint:
    """Return what one endpoint answered."""
    return Endpoint(kind, name, "GET", status, scenario, "", requests, failed, latency)


def usage(role: Role, cpu_seconds: float) -> RoleUsage:
    """Return what one role used."""
    return RoleUsage(role, 1, cpu_seconds, 1_000, 2, 3, 4, 5, 6, 7, 0.0)


def host(
    at: float,
    *,
    busy_ratio: float = 0.5,
    roles: tuple[RoleUsage, ...] = (),
    interval_s: float = 1.0,
    disks: tuple[DiskUsage, ...] = (),
    pressure: Pressure | None = None,
) -> HostSample:
    """Return a second of a machine with two cores."""
    return HostSample(
        at=at,
        interval_s=interval_s,
        cores=(CoreUsage(busy_ratio, 0.0, 0.0, 0.0),) * 2,
        load_1m=1.0,
        memory_total_bytes=1 << 30,
        memory_used_bytes=1 << 20,
        swap_used_bytes=0,
        disks=disks,
        networks=(),
        pressure=pressure,
        roles=roles,
    )


def batch(at: float, samples: int = 10, *, period_ns: int = 10_000_000) -> StackBatch:
    """Return a batch of one stack, seen this often at a moment."""
    counts = {0: StackCount(samples, samples * period_ns)}
    frames = {0: Frame("main", "server", FrameKind.USER)}
    return StackBatch(at, at, counts, {0: Stack("s", "t", (0,))}, frames)


def facts(
    phase: Phase = Phase.RUNNING,
    *,
    elapsed_s: float | None = 83.0,
    duration_s: float | None = None,
    target: str = "server (pid 1)",
    profiler: str = "cpu-clock 99 Hz",
    countdown_s: float | None = None,
    note: str = "",
) -> RunFacts:
    """Return what is known of a run beside its timeline."""
    return RunFacts(
        phase=phase,
        elapsed_s=elapsed_s,
        duration_s=duration_s,
        script="x.js",
        k6_version="1.1.0",
        vus=2,
        vus_max=4,
        target=target,
        profiler=profiler,
        countdown_s=countdown_s,
        note=note,
    )


def texts(rows: Sequence[Sequence[Segment]]) -> list[str]:
    """Return drawn rows as plain text."""
    return ["".join(text for text, _ in row) for row in rows]
