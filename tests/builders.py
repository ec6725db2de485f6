"""Samples with defaults, for tests that care about a few of their fields."""

from __future__ import annotations

import math
from collections.abc import Iterable

from collectors.samples import (
    EMPTY_HISTOGRAM,
    CoreUsage,
    Endpoint,
    Histogram,
    HostSample,
    LoadSample,
    RequestKind,
    Role,
    RoleUsage,
    Traffic,
)


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
) -> LoadSample:
    """Return a push of k6."""
    return LoadSample(
        at=at,
        interval_s=interval_s,
        instance=instance,
        vus=2,
        vus_max=4,
        iterations=requests,
        dropped_iterations=0,
        bytes_sent=100,
        bytes_received=200,
        traffic=(Traffic(kind, requests, failed, latency),),
        phases={},
        endpoints=endpoints,
        checks=(),
        metrics=(),
    )


def usage(role: Role, cpu_seconds: float) -> RoleUsage:
    """Return what one role used."""
    return RoleUsage(role, 1, cpu_seconds, 1_000, 2, 3, 4, 5, 6, 7, 0.0)


def host(at: float, *, busy_ratio: float = 0.5, roles: tuple[RoleUsage, ...] = ()) -> HostSample:
    """Return a second of a machine with two cores."""
    return HostSample(
        at=at,
        interval_s=1.0,
        cores=(CoreUsage(busy_ratio, 0.0, 0.0, 0.0),) * 2,
        load_1m=1.0,
        memory_total_bytes=1 << 30,
        memory_used_bytes=1 << 20,
        swap_used_bytes=0,
        disks=(),
        networks=(),
        pressure=None,
        roles=roles,
    )
