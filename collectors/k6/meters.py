"""One meter a series: it keeps the newest value and adds what is new to the sums of the push."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TypeAlias

from collectors.k6.histogram import BadSeries, HistogramSum, merge, subtract
from collectors.k6.series import CheckKey, CustomKey, EndpointKey
from collectors.samples import EMPTY_HISTOGRAM, CheckRatio, Endpoint, Histogram, MetricType

Value: TypeAlias = float | Histogram


class EndpointSum:
    """Requests of one endpoint since the push before."""

    __slots__ = ("_failed", "_latency", "_requests", "in_push", "key")

    def __init__(self, key: EndpointKey) -> None:
        self.key = key
        self.in_push = False
        self._requests = 0
        self._failed = 0
        self._latency = EMPTY_HISTOGRAM

    def add_requests(self, requests: int) -> None:
        """Count requests, not yet known to have failed."""
        self._requests += requests

    def add_failed(self, failed: int) -> int:
        """Count failed ones among the requests; return how many fitted."""
        fitting = min(failed, self._requests - self._failed)
        self._failed += fitting
        return fitting

    def add_latency(self, latency: Histogram) -> None:
        """Add latencies in seconds."""
        self._latency = merge(self._latency, latency)

    def take(self) -> Endpoint:
        """Return the sums and begin anew."""
        key = self.key
        endpoint = Endpoint(
            key.kind,
            key.name,
            key.method,
            key.status,
            key.scenario,
            key.group,
            self._requests,
            self._failed,
            self._latency,
        )
        self.in_push = False
        self._requests = self._failed = 0
        self._latency = EMPTY_HISTOGRAM
        return endpoint


class PushSums:
    """What the series of one push added up to; gauges outlive it."""

    def __init__(self) -> None:
        self.endpoints: list[EndpointSum] = []
        self.pairs: dict[FailedPair, None] = {}
        self.phases: defaultdict[str, HistogramSum] = defaultdict(HistogramSum)
        self.counters: Counter[str] = Counter()
        self.gauges: dict[str, float] = {}
        self.checks: dict[CheckKey, CheckRatio] = {}
        self.customs: dict[CustomKey, tuple[float, Histogram]] = {}

    def touch(self, endpoint: EndpointSum) -> None:
        """Note that an endpoint has something in this push."""
        if not endpoint.in_push:
            endpoint.in_push = True
            self.endpoints.append(endpoint)

    def clear(self) -> None:
        """Begin the next push."""
        self.endpoints.clear()
        self.pairs.clear()
        self.phases.clear()
        self.counters.clear()
        self.checks.clear()
        self.customs.clear()


class FailedPair:
    """Joins a count of requests with the share of them that failed, both since the start."""

    __slots__ = ("_counted", "endpoint", "ratio", "requests")

    def __init__(self) -> None:
        self.endpoint: EndpointSum | None = None
        self.requests = 0
        self.ratio = 0.0
        self._counted = 0

    def settle(self, sums: PushSums) -> None:
        """Give the endpoint those failed requests that it doesn't have yet."""
        if self.endpoint is None:
            return
        new = round(self.ratio * self.requests) - self._counted
        if new > 0:
            sums.touch(self.endpoint)
            self._counted += self.endpoint.add_failed(new)


class Meter:
    """Keeps the newest value of one series."""

    __slots__ = ("_last", "_sums")

    def __init__(self, sums: PushSums) -> None:
        self._sums = sums
        self._last: Value | None = None

    @property
    def remembers(self) -> bool:
        """Whether what it makes of a value depends on the one before."""
        return True

    def resume(self, last: Value) -> None:
        """Go on from an earlier value."""
        self._last = last

    def take(self, value: Value) -> None:
        """Take the newest value of the series.

        Raises:
            BadSeries: it is of the wrong type or out of range; nothing is changed then.
        """
        self._add(value)

    def _add(self, value: Value) -> None:
        raise NotImplementedError

    def _new_count(self, value: Value) -> float:
        """Return by how much a counter rose."""
        if isinstance(value, Histogram):
            raise BadSeries("series_type")
        if value < 0:
            raise BadSeries("value_negative")
        last, self._last = self._last, value
        # Fell: the counter began anew.
        return value - last if isinstance(last, float) and last <= value else value

    def _new_values(self, value: Value) -> Histogram:
        """Return what a histogram gained."""
        if not isinstance(value, Histogram):
            raise BadSeries("series_type")
        last, self._last = self._last, value
        return subtract(value, last) if isinstance(last, Histogram) else value


class RequestsMeter(Meter):
    """Requests of an endpoint: a counter, or a trend that brings the latency as well."""

    __slots__ = ("_endpoint", "_failed", "_pair")

    def __init__(
        self, sums: PushSums, endpoint: EndpointSum, *, failed: bool, pair: FailedPair | None
    ) -> None:
        super().__init__(sums)
        self._endpoint = endpoint
        self._failed = failed
        self._pair = pair

    def _add(self, value: Value) -> None:
        endpoint = self._endpoint
        if isinstance(value, Histogram):
            gained = self._new_values(value)
            requests, total = gained.count, value.count
            endpoint.add_latency(gained)
        else:
            requests, total = round(self._new_count(value)), round(value)
        self._sums.touch(endpoint)
        endpoint.add_requests(requests)
        if self._failed:
            endpoint.add_failed(requests)
        if self._pair is not None:
            self._pair.requests = total
            self._sums.pairs[self._pair] = None


class LatencyMeter(Meter):
    """Latency of an endpoint whose requests are counted by another series."""

    __slots__ = ("_endpoint",)

    def __init__(self, sums: PushSums, endpoint: EndpointSum) -> None:
        super().__init__(sums)
        self._endpoint = endpoint

    def _add(self, value: Value) -> None:
        gained = self._new_values(value)
        self._sums.touch(self._endpoint)
        self._endpoint.add_latency(gained)


class RatioMeter(Meter):
    """Share of requests that failed; without a pair the labels have told already."""

    __slots__ = ("_pair",)

    def __init__(self, sums: PushSums, pair: FailedPair | None) -> None:
        super().__init__(sums)
        self._pair = pair

    @property
    def remembers(self) -> bool:
        """It never does: a ratio is of all requests since the start."""
        return False

    def _add(self, value: Value) -> None:
        ratio = _ratio(value)
        if self._pair is not None:
            self._pair.ratio = ratio
            self._sums.pairs[self._pair] = None


class PhaseMeter(Meter):
    """One phase of HTTP requests, summed over all of them."""

    __slots__ = ("_name",)

    def __init__(self, sums: PushSums, name: str) -> None:
        super().__init__(sums)
        self._name = name

    def _add(self, value: Value) -> None:
        self._sums.phases[self._name].add(self._new_values(value))


class CounterMeter(Meter):
    """One of k6's own counters, summed over its label sets."""

    __slots__ = ("_name",)

    def __init__(self, sums: PushSums, name: str) -> None:
        super().__init__(sums)
        self._name = name

    def _add(self, value: Value) -> None:
        # Counters of bytes and iterations are whole numbers, kept in a float by k6.
        self._sums.counters[self._name] += round(self._new_count(value))


class GaugeMeter(Meter):
    """One of k6's own gauges."""

    __slots__ = ("_name",)

    def __init__(self, sums: PushSums, name: str) -> None:
        super().__init__(sums)
        self._name = name

    def _add(self, value: Value) -> None:
        if isinstance(value, Histogram):
            raise BadSeries("series_type")
        if value < 0:
            raise BadSeries("value_negative")
        self._sums.gauges[self._name] = value


class CheckMeter(Meter):
    """One check of the script."""

    __slots__ = ("_key",)

    def __init__(self, sums: PushSums, key: CheckKey) -> None:
        super().__init__(sums)
        self._key = key

    def _add(self, value: Value) -> None:
        key = self._key
        self._sums.checks[key] = CheckRatio(key.name, key.group, key.scenario, _ratio(value))


class CustomMeter(Meter):
    """Any other metric: counters and trends are summed over their label sets."""

    __slots__ = ("_key",)

    def __init__(self, sums: PushSums, key: CustomKey) -> None:
        super().__init__(sums)
        self._key = key

    def _add(self, value: Value) -> None:
        customs = self._sums.customs
        total, trend = customs.get(self._key, (0.0, EMPTY_HISTOGRAM))
        match self._key.type:
            case MetricType.TREND:
                trend = merge(trend, self._new_values(value))
            case MetricType.COUNTER:
                total += self._new_count(value)
            case MetricType.RATE:
                total = _ratio(value)
            case MetricType.GAUGE:
                total = _number(value)
        customs[self._key] = (total, trend)


def _number(value: Value) -> float:
    if isinstance(value, Histogram):
        raise BadSeries("series_type")
    return value


def _ratio(value: Value) -> float:
    number = _number(value)
    if not 0 <= number <= 1:
        raise BadSeries("ratio_out_of_range")
    return number
