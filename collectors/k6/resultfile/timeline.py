"""Makes a sample of every second of a run, from its first one with points to its last one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Final

from collectors.k6.histogram import HistogramSum
from collectors.k6.resultfile.ledger import MAX_SECONDS, Ledger
from collectors.k6.resultfile.sums import CustomCell, EndpointCell, RateCell, SecondSums
from collectors.samples import (
    EMPTY_HISTOGRAM,
    CheckRatio,
    CustomMetric,
    Endpoint,
    LoadSample,
    MetricType,
    RequestKind,
    Traffic,
)

MAX_GAP_S: Final = 3600
"""k6 writes its number of VUs every second; what is further away is not of the same run."""


def main_stretch(points: Mapping[int, int]) -> range:
    """Return the seconds of the run: the stretch without long gaps that holds most points.

    Args:
        points: Number of points by second; some.
    """
    seconds = sorted(points)
    best, best_points = range(0), 0
    first = last = seconds[0]
    total = 0
    for second in seconds:
        if second - last > MAX_GAP_S or second - first >= MAX_SECONDS:
            first, total = second, 0
        last = second
        total += points[second]
        if total > best_points:
            best, best_points = range(first, last + 1), total
    return best


class Timeline:
    """Samples of a ledger, second by second; what counts since the start goes on from each.

    Args:
        ledger: All points; it may not be added to afterwards.
        instance: Name of the k6 process in the samples.
    """

    def __init__(self, ledger: Ledger, instance: str) -> None:
        self._seconds = ledger.seconds
        self._instance = instance
        self._endpoints = ledger.names.endpoints.keys
        self._checks = ledger.names.checks.keys
        self._customs = ledger.customs()
        self._kinds = {RequestKind.ITERATION}
        self._checked: defaultdict[int, RateCell] = defaultdict(RateCell)
        self._rated: defaultdict[int, RateCell] = defaultdict(RateCell)
        self._gauges = {"vus": 0.0, "vus_max": 0.0}

    def samples(self, stretch: range) -> tuple[LoadSample, ...]:
        """Return one sample for each second of a stretch, in order."""
        nothing = SecondSums()
        return tuple(
            self._sample(second + 1.0, self._seconds.get(second, nothing)) for second in stretch
        )

    def _sample(self, at: float, sums: SecondSums) -> LoadSample:
        self._gauges.update(sums.gauges)
        endpoints = tuple(map(self._endpoint, sums.endpoints, sums.endpoints.values()))
        traffic = self._traffic(endpoints)
        return LoadSample(
            at=at,
            interval_s=1.0,
            instance=self._instance,
            vus=int(self._gauges["vus"]),
            vus_max=int(self._gauges["vus_max"]),
            iterations=traffic[-1].requests,  # ITERATION is always there, and the last kind
            dropped_iterations=_whole(sums, "dropped_iterations"),
            bytes_sent=_whole(sums, "bytes_sent"),
            bytes_received=_whole(sums, "bytes_received"),
            traffic=traffic,
            phases={name: times.build() for name, times in sums.phases.items()},
            endpoints=endpoints,
            checks=tuple(map(self._check, sums.checks, sums.checks.values())),
            metrics=tuple(map(self._custom, sums.customs, sums.customs.values())),
        )

    def _endpoint(self, number: int, cell: EndpointCell) -> Endpoint:
        key = self._endpoints[number]
        return Endpoint(
            key.kind,
            key.name,
            key.method,
            key.status,
            key.scenario,
            key.group,
            cell.requests,
            min(cell.failed, cell.requests),  # fewer requests than failures: lines were lost
            cell.latency.build(),
        )

    def _traffic(self, endpoints: tuple[Endpoint, ...]) -> tuple[Traffic, ...]:
        requests: Counter[RequestKind] = Counter()
        failed: Counter[RequestKind] = Counter()
        latency: defaultdict[RequestKind, HistogramSum] = defaultdict(HistogramSum)
        for endpoint in endpoints:
            kind = endpoint.kind
            self._kinds.add(kind)
            requests[kind] += endpoint.requests
            failed[kind] += endpoint.failed
            latency[kind].add(endpoint.latency)
        return tuple(
            Traffic(kind, requests[kind], failed[kind], latency[kind].build())
            for kind in RequestKind
            if kind in self._kinds
        )

    def _check(self, number: int, cell: RateCell) -> CheckRatio:
        key = self._checks[number]
        ratio = self._checked[number].join(cell)
        return CheckRatio(key.name, key.group, key.scenario, ratio)

    def _custom(self, number: int, cell: CustomCell) -> CustomMetric:
        key = self._customs[number]
        value, trend = 0.0, EMPTY_HISTOGRAM
        match key.type:
            case MetricType.COUNTER:
                value = cell.sum
            case MetricType.GAUGE:
                value = cell.newest
            case MetricType.RATE:
                value = self._rated[number].join(cell.rate)
            case MetricType.TREND:
                trend = cell.values.build()
        return CustomMetric(key.name, key.type, value, trend, key.unit)


def _whole(sums: SecondSums, counter: str) -> int:
    return round(sums.counters.get(counter, 0.0))
