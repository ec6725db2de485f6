"""The load over a time range: counts, rates, percentiles, endpoints, checks.

Counts are exact sums of the deltas in the range; percentiles come from the merged histograms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from collectors.samples import (
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
from tui.model.latency import merge


@dataclass(frozen=True, slots=True)
class EndpointTotal:
    """One endpoint of the shown kind over a range, its scenarios and groups summed."""

    name: str
    method: str
    status: str
    requests: int
    failed: int
    latency: Histogram


@dataclass(frozen=True, slots=True)
class LoadRange:
    """What k6 did over a range."""

    kind: RequestKind
    """What one request is: the first kind in the order of `RequestKind` that occurred."""
    covered_s: float
    """Time that the samples of the range stand for; rates divide by it."""
    requests: int
    failed: int
    latency: Histogram
    iterations: int
    dropped_iterations: int
    bytes_sent: int
    bytes_received: int
    vus: int
    """At the end of the range."""
    vus_max: int

    @property
    def rps(self) -> float | None:
        """Requests per second, None where nothing was measured."""
        return self.requests / self.covered_s if self.covered_s > 0 else None

    @property
    def failed_ratio(self) -> float | None:
        """Share of the requests that failed, None without requests."""
        return self.failed / self.requests if self.requests else None


def kind_of(samples: Sequence[LoadSample]) -> RequestKind:
    """Return what one request is in these samples."""
    for kind in RequestKind:
        for sample in samples:
            traffic = traffic_of(sample, kind)
            if traffic.requests or traffic.latency.count:
                return kind
    return RequestKind.HTTP


def traffic_of(sample: LoadSample, kind: RequestKind) -> Traffic:
    """Return the sample's traffic of one kind, an empty one if it has none."""
    for traffic in sample.traffic:
        if traffic.kind is kind:
            return traffic
    return Traffic(kind=kind, requests=0, failed=0, latency=EMPTY_HISTOGRAM)


def summarise(samples: Sequence[LoadSample], kind: RequestKind) -> LoadRange:
    """Sum the load samples of a range.

    Args:
        samples: In order of time; those of several k6 processes may follow each other.
        kind: Which requests to count; the run's own, so that ranges can be compared.
    """
    parts = [traffic_of(sample, kind) for sample in samples]
    last = samples[-1] if samples else None
    return LoadRange(
        kind=kind,
        covered_s=sum(sample.interval_s for sample in samples),
        requests=sum(part.requests for part in parts),
        failed=sum(part.failed for part in parts),
        latency=merge(part.latency for part in parts),
        iterations=sum(sample.iterations for sample in samples),
        dropped_iterations=sum(sample.dropped_iterations for sample in samples),
        bytes_sent=sum(sample.bytes_sent for sample in samples),
        bytes_received=sum(sample.bytes_received for sample in samples),
        vus=last.vus if last else 0,
        vus_max=last.vus_max if last else 0,
    )


def endpoint_totals(samples: Iterable[LoadSample], kind: RequestKind) -> list[EndpointTotal]:
    """Sum the endpoints of one kind by name, method and status; most requests first."""
    found: dict[tuple[str, str, str], list[Endpoint]] = {}
    for sample in samples:
        for endpoint in sample.endpoints:
            if endpoint.kind is kind:
                key = (endpoint.name, endpoint.method, endpoint.status)
                found.setdefault(key, []).append(endpoint)
    totals = [
        EndpointTotal(
            *key,
            requests=sum(part.requests for part in parts),
            failed=sum(part.failed for part in parts),
            latency=merge(part.latency for part in parts),
        )
        for key, parts in found.items()
    ]
    return sorted(totals, key=lambda each: (-each.requests, each.name, each.method, each.status))


def newest_checks(samples: Iterable[LoadSample]) -> list[CheckRatio]:
    """Return the newest ratio of each check, in order of name."""
    newest: dict[tuple[str, str, str], CheckRatio] = {}
    for sample in samples:
        for check in sample.checks:
            newest[check.name, check.group, check.scenario] = check
    return [newest[key] for key in sorted(newest)]


def custom_metrics(samples: Iterable[LoadSample]) -> Mapping[str, CustomMetric]:
    """Combine the script's own metrics: counters summed, trends merged, else the newest value."""
    found: dict[str, list[CustomMetric]] = {}
    for sample in samples:
        for metric in sample.metrics:
            found.setdefault(metric.name, []).append(metric)
    return {
        name: CustomMetric(
            name=name,
            type=parts[-1].type,
            value=sum(part.value for part in parts)
            if parts[-1].type is MetricType.COUNTER
            else parts[-1].value,
            trend=merge(part.trend for part in parts),
            unit=parts[-1].unit,
        )
        for name, parts in sorted(found.items())
    }
