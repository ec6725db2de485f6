"""Turns k6's cumulative series into what happened since the push before.

A lost push costs nothing: the next value of a series holds it. Memory is bounded: beyond the
limits detail is shed and counted, requests and their latency stay exact.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Final

from collectors.k6.compact import CompactSeries
from collectors.k6.histogram import BadSeries, HistogramSum
from collectors.k6.meters import (
    CheckMeter,
    CounterMeter,
    CustomMeter,
    EndpointSum,
    FailedPair,
    GaugeMeter,
    LatencyMeter,
    Meter,
    PhaseMeter,
    PushSums,
    RatioMeter,
    RequestsMeter,
)
from collectors.k6.remote_write import parse_labels, parse_values, split_series
from collectors.k6.series import EndpointKey, SeriesMeaning, What, meaning_of
from collectors.redact import Redactor
from collectors.samples import (
    CustomMetric,
    Endpoint,
    Histogram,
    LoadSample,
    RequestKind,
    Traffic,
)

MAX_ENDPOINTS: Final = 10_000
MAX_SERIES: Final = 100_000
MAX_COMPACT_SERIES: Final = 2_500_000
MAX_PAIRS: Final = 150_000
MAX_NAMED: Final = 1_000
"""Checks, and custom metrics, of one run."""
SERIES_A_STEP: Final = 64
MIN_INTERVAL_S: Final = 0.001
OTHER: Final = "(other)"
OVER_LIMIT: Final = "endpoints_over_limit"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the assembler remembers."""

    endpoints: int = MAX_ENDPOINTS
    series: int = MAX_SERIES
    compact_series: int = MAX_COMPACT_SERIES
    pairs: int = MAX_PAIRS
    named: int = MAX_NAMED


@dataclass(slots=True)
class Totals:
    """What was streamed since the start, by kind of request."""

    requests: Counter[RequestKind] = field(default_factory=Counter)
    failed: Counter[RequestKind] = field(default_factory=Counter)


class LoadAssembler:
    """Remembers the newest value of every series of one k6 process.

    Args:
        instance: Name of the process in the samples.
        redactor: Applied to names before they are kept.
        limits: Bounds of memory.
    """

    def __init__(
        self, instance: str, redactor: Redactor | None = None, limits: Limits | None = None
    ) -> None:
        self._instance = instance
        self._redactor = redactor or Redactor()
        self._limits = limits or Limits()
        self._compact = CompactSeries(self._limits.compact_series)
        self._meters: dict[bytes, Meter] = {}
        self._endpoints: dict[EndpointKey, EndpointSum] = {}
        self._others: dict[RequestKind, EndpointSum] = {}
        self._pairs: dict[int, FailedPair] = {}
        self._named: set[object] = set()
        self._sums = PushSums()
        self.kinds: set[RequestKind] = {RequestKind.ITERATION}
        """Kinds of requests seen so far."""
        self.totals = Totals()
        """All that was streamed since the start."""
        self.drops: Counter[str] = Counter()
        """What could not be used, by reason; the caller takes it away with `take_drops`."""

    def take_drops(self) -> dict[str, int]:
        """Return what could not be used since the last call."""
        drops, self.drops = dict(self.drops), Counter()
        return drops

    def steps(
        self, raw: bytes | bytearray, at: float, interval_s: float
    ) -> Generator[None, None, LoadSample]:
        """Take one decompressed push in small steps, so that the caller can do other things.

        Args:
            raw: Bytes of a `WriteRequest`.
            at: When it arrived.
            interval_s: Time since the push before, or since the start of k6.

        Returns:
            What happened since the last push that was taken.

        Raises:
            BadPush: at the series that is broken; those before it count with the next push.
        """
        countdown = SERIES_A_STEP
        for labels, values in split_series(raw):
            try:
                self._take(labels, values)
            except BadSeries as error:
                self.drops[error.reason] += 1
            countdown -= 1
            if not countdown:
                countdown = SERIES_A_STEP
                yield
        return (yield from self._finish(at, max(interval_s, MIN_INTERVAL_S)))

    def _take(self, labels: bytes, values: bytes) -> None:
        value = parse_values(values)
        meter = self._meters.get(labels)
        if meter is not None:
            meter.take(value)
            return
        key = hash(labels)
        before = self._compact.get(key) if self._compact else None
        parsed = parse_labels(labels)
        meaning = meaning_of(parsed, is_trend=isinstance(value, Histogram), redactor=self._redactor)
        if before is None and len(self._meters) < self._limits.series and self._has_room(meaning):
            meter = self._meter(meaning, parsed)
            meter.take(value)
            self._meters[labels] = meter
        elif meaning.what is What.PHASE:
            self.drops["phases_over_limit"] += 1
        else:
            self._take_compact(key, value, values, before, meaning, parsed)

    def _has_room(self, meaning: SeriesMeaning) -> bool:
        key = meaning.endpoint
        return (
            key is None or key in self._endpoints or len(self._endpoints) < self._limits.endpoints
        )

    def _take_compact(
        self,
        key: int,
        value: float | Histogram,
        raw: bytes,
        before: float | Histogram | None,
        meaning: SeriesMeaning,
        labels: Mapping[str, str],
    ) -> None:
        """Take a series beyond the limits: only its value is kept, its meaning is not."""
        meter = self._meter(meaning, labels)
        if not meter.remembers:
            meter.take(value)
            return
        if not self._compact.has_room(key, value, raw):
            self.drops["stream_series_over_limit"] += 1
            return
        if before is not None:
            meter.resume(before)
        elif not self._has_room(meaning) and meaning.what in (
            What.REQUESTS,
            What.REQUESTS_AND_LATENCY,
        ):
            self.drops[OVER_LIMIT] += 1
        meter.take(value)
        self._compact.keep(key, value, raw)

    def _meter(self, meaning: SeriesMeaning, labels: Mapping[str, str]) -> Meter:
        match meaning:
            case SeriesMeaning(endpoint=EndpointKey() as key):
                return self._endpoint_meter(meaning, key, labels)
            case SeriesMeaning(what=What.PHASE, name=name):
                return PhaseMeter(self._sums, name)
            case SeriesMeaning(what=What.TOTAL, name=name):
                return CounterMeter(self._sums, name)
            case SeriesMeaning(what=What.GAUGE, name=name):
                return GaugeMeter(self._sums, name)
            case SeriesMeaning(check=check) if check is not None:
                self._admit(check, "checks_over_limit")
                return CheckMeter(self._sums, check)
            case SeriesMeaning(custom=custom) if custom is not None:
                self._admit(custom, "metrics_over_limit")
                return CustomMeter(self._sums, custom)
        raise AssertionError(meaning)

    def _admit(self, key: object, reason: str) -> None:
        if key not in self._named:
            if len(self._named) >= self._limits.named:
                raise BadSeries(reason)
            self._named.add(key)

    def _endpoint_meter(
        self, meaning: SeriesMeaning, key: EndpointKey, labels: Mapping[str, str]
    ) -> Meter:
        self.kinds.add(key.kind)
        if meaning.what is What.FAILED_RATIO:
            pair = self._pair(key, labels) if meaning.failed is None else None
            return RatioMeter(self._sums, pair)
        endpoint = self._endpoint(key)
        if meaning.what is What.LATENCY:
            return LatencyMeter(self._sums, endpoint)
        pair = None
        if meaning.failed is None:
            pair = self._pair(key, labels)
            if pair is not None:
                pair.endpoint = endpoint
        return RequestsMeter(self._sums, endpoint, failed=bool(meaning.failed), pair=pair)

    def _endpoint(self, key: EndpointKey) -> EndpointSum:
        endpoint = self._endpoints.get(key)
        if endpoint is None and len(self._endpoints) < self._limits.endpoints:
            endpoint = self._endpoints[key] = EndpointSum(key)
        if endpoint is None:
            endpoint = self._others.get(key.kind)
        if endpoint is None:
            other = EndpointKey(key.kind, OTHER, "", "", "", "")
            endpoint = self._others[key.kind] = EndpointSum(other)
        return endpoint

    def _pair(self, key: EndpointKey, labels: Mapping[str, str]) -> FailedPair | None:
        names = frozenset((name, labels[name]) for name in labels if name != "__name__")
        identity = hash((key.kind, names))
        pair = self._pairs.get(identity)
        if pair is None:
            if len(self._pairs) >= self._limits.pairs:
                self.drops["failed_ratio_over_limit"] += 1
                return None
            pair = self._pairs[identity] = FailedPair()
        return pair

    def _finish(self, at: float, interval_s: float) -> Generator[None, None, LoadSample]:
        sums = self._sums
        for pair in sums.pairs:
            pair.settle(sums)
        latency: dict[RequestKind, HistogramSum] = {kind: HistogramSum() for kind in self.kinds}
        requests: Counter[RequestKind] = Counter()
        failed: Counter[RequestKind] = Counter()
        endpoints = []
        for count, endpoint in enumerate(sums.endpoints, 1):
            kind = endpoint.key.kind
            seen = endpoint.take()
            latency[kind].add(seen.latency)
            requests[kind] += seen.requests
            failed[kind] += seen.failed
            if seen.requests or seen.latency.count:
                endpoints.append(seen)
            if not count % SERIES_A_STEP:
                yield
        self.totals.requests.update(requests)
        self.totals.failed.update(failed)
        traffic = tuple(
            Traffic(kind, requests[kind], failed[kind], latency[kind].build())
            for kind in RequestKind
            if kind in self.kinds
        )
        sample = self._sample(at, interval_s, traffic, tuple(endpoints))
        sums.clear()
        return sample

    def _sample(
        self,
        at: float,
        interval_s: float,
        traffic: tuple[Traffic, ...],
        endpoints: tuple[Endpoint, ...],
    ) -> LoadSample:
        sums = self._sums
        counters = sums.counters
        return LoadSample(
            at=at,
            interval_s=interval_s,
            instance=self._instance,
            vus=int(sums.gauges.get("vus", 0)),
            vus_max=int(sums.gauges.get("vus_max", 0)),
            iterations=traffic[-1].requests,  # ITERATION is always there, and the last kind
            dropped_iterations=int(counters["dropped_iterations"]),
            bytes_sent=int(counters["bytes_sent"]),
            bytes_received=int(counters["bytes_received"]),
            traffic=traffic,
            phases={name: phase.build() for name, phase in sums.phases.items()},
            endpoints=endpoints,
            checks=tuple(sums.checks.values()),
            metrics=tuple(
                CustomMetric(key.name, key.type, value, trend, key.unit)
                for key, (value, trend) in sums.customs.items()
            ),
        )
