"""Makes one sample of the load out of several that follow each other.

Samples are deltas over an interval, so nothing of their counts is lost: requests, failures and the
buckets of histograms are exact sums. What is a state, like the VUs, is as it was at the end.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from typing import Final, TypeAlias

from collectors.samples import Endpoint, Histogram, LoadSample, RequestKind, Traffic
from tui.model.latency import merge
from tui.model.load import custom_metrics, newest_checks, traffic_of

_AT_A_TIME: Final = 256
"""Endpoints."""
_Key: TypeAlias = tuple[RequestKind, str, str, str, str, str]


def merged_load(samples: Sequence[LoadSample]) -> LoadSample:
    """Merge the samples of one k6 process; at least one, in order of time."""
    work = merging_loads(samples)
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: LoadSample = end.value
            return result


def merging_loads(samples: Sequence[LoadSample]) -> Generator[int, None, LoadSample]:
    """Merge as `merged_load`, a little at a time; yield how much was done, in endpoints."""
    last = samples[-1]
    if len(samples) == 1:
        return last
    endpoints = yield from _merging_endpoints(samples)
    kinds = {traffic.kind for sample in samples for traffic in sample.traffic}
    phases: dict[str, list[Histogram]] = {}
    for sample in samples:
        for name, phase in sample.phases.items():
            phases.setdefault(name, []).append(phase)
    metrics = tuple(custom_metrics(samples).values())
    checks = tuple(newest_checks(samples))
    yield sum(len(sample.metrics) + len(sample.checks) for sample in samples)
    return LoadSample(
        at=last.at,
        interval_s=math.fsum(sample.interval_s for sample in samples),
        instance=last.instance,
        vus=last.vus,
        vus_max=last.vus_max,
        iterations=sum(sample.iterations for sample in samples),
        dropped_iterations=sum(sample.dropped_iterations for sample in samples),
        bytes_sent=sum(sample.bytes_sent for sample in samples),
        bytes_received=sum(sample.bytes_received for sample in samples),
        traffic=tuple(_merged_traffic(samples, kind) for kind in RequestKind if kind in kinds),
        phases={name: merge(parts) for name, parts in phases.items()},
        endpoints=endpoints,
        checks=checks,
        metrics=metrics,
    )


def _merging_endpoints(
    samples: Sequence[LoadSample],
) -> Generator[int, None, tuple[Endpoint, ...]]:
    found: dict[_Key, list[Endpoint]] = {}
    for sample in samples:
        for first in range(0, len(sample.endpoints), _AT_A_TIME):
            some = sample.endpoints[first : first + _AT_A_TIME]
            for each in some:
                key = each.kind, each.name, each.method, each.status, each.scenario, each.group
                found.setdefault(key, []).append(each)
            # To find one is a fourth of what it takes to merge it.
            yield len(some) // 4
    endpoints = []
    done = 0
    for key, parts in found.items():
        endpoints.append(parts[0] if len(parts) == 1 else _merged_endpoint(key, parts))
        # And four buckets take as long as an endpoint.
        done += len(parts) + sum([len(part.latency.buckets) for part in parts]) // 4
        if done >= _AT_A_TIME:
            yield done
            done = 0
    return tuple(endpoints)


def _merged_endpoint(key: _Key, parts: Sequence[Endpoint]) -> Endpoint:
    return Endpoint(
        *key,
        requests=sum([part.requests for part in parts]),
        failed=sum([part.failed for part in parts]),
        latency=merge([part.latency for part in parts]),
    )


def _merged_traffic(samples: Sequence[LoadSample], kind: RequestKind) -> Traffic:
    parts = [traffic_of(sample, kind) for sample in samples]
    return Traffic(
        kind=kind,
        requests=sum(part.requests for part in parts),
        failed=sum(part.failed for part in parts),
        latency=merge(part.latency for part in parts),
    )
