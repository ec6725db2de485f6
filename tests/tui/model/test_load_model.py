from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.samples import (
    EMPTY_HISTOGRAM,
    CheckRatio,
    CustomMetric,
    LoadSample,
    MetricType,
    RequestKind,
    Traffic,
)
from tests.builders import endpoint, histogram, load
from tui.model.latency import merge, quantile
from tui.model.load import (
    custom_metrics,
    endpoint_totals,
    kind_of,
    newest_checks,
    summarise,
    traffic_of,
)

GRPC, HTTP, ITERATION = RequestKind.GRPC, RequestKind.HTTP, RequestKind.ITERATION
pushes = st.lists(
    st.builds(
        load,
        st.floats(1, 100),
        st.integers(0, 1000),
        interval_s=st.floats(0.1, 3.0),
        failed=st.integers(0, 10),
        latency=st.lists(st.floats(1e-4, 10), max_size=5).map(histogram),
        dropped=st.integers(0, 3),
    ),
    max_size=8,
)


def test_a_range_sums_deltas() -> None:
    """Rates divide by the time that was measured, ratios by what was counted."""
    samples = [load(1.0, 10, failed=1), load(3.0, 30, interval_s=2.0, failed=3, dropped=2)]
    summed = summarise(samples, HTTP)
    assert (summed.requests, summed.failed, summed.covered_s) == (40, 4, 3.0)
    assert (summed.iterations, summed.dropped_iterations) == (40, 2)
    assert (summed.bytes_sent, summed.bytes_received) == (200, 400)
    assert (summed.vus, summed.vus_max) == (2, 4)
    assert summed.rps == pytest.approx(40 / 3)
    assert summed.failed_ratio == pytest.approx(0.1)


def test_of_nothing_nothing_is_known() -> None:
    """None, not zero."""
    nothing = summarise([], HTTP)
    assert (nothing.rps, nothing.failed_ratio, nothing.latency) == (None, None, EMPTY_HISTOGRAM)
    assert (nothing.vus, nothing.vus_max) == (0, 0)
    assert summarise([load(1.0, 0)], HTTP).failed_ratio is None
    assert summarise([load(1.0, 0)], HTTP).rps == 0.0


@given(pushes, pushes)
def test_two_ranges_add_up_to_one(
    first: Sequence[LoadSample], second: Sequence[LoadSample]
) -> None:
    """No request is lost or counted twice between them."""
    one, other, both = (summarise(part, HTTP) for part in (first, second, [*first, *second]))
    assert one.requests + other.requests == both.requests
    assert one.failed + other.failed == both.failed
    assert one.dropped_iterations + other.dropped_iterations == both.dropped_iterations
    assert one.covered_s + other.covered_s == pytest.approx(both.covered_s)
    assert merge([one.latency, other.latency]).buckets == both.latency.buckets


def test_percentiles_of_a_range_are_of_its_merged_histogram() -> None:
    """Ninety fast and ten slow requests: the mean of both p95 would be in between."""
    samples = [load(1, latency=histogram([0.001] * 90)), load(2, latency=histogram([1.0] * 10))]
    latency = summarise(samples, HTTP).latency
    assert latency.count == 100
    assert quantile(latency, 0.95) == pytest.approx(1.0, rel=0.1)
    assert quantile(latency, 0.85) == pytest.approx(0.001, rel=0.1)


def test_the_first_kind_that_occurs_is_the_request() -> None:
    """HTTP before gRPC before iterations, whichever comes first in time."""
    assert kind_of([load(1, kind=ITERATION), load(2, kind=GRPC)]) is GRPC
    assert kind_of([load(1, kind=GRPC), load(2)]) is HTTP
    assert kind_of([load(1, 0), load(2, kind=ITERATION)]) is ITERATION
    assert kind_of([load(1, 0, latency=histogram([1.0])), load(2, kind=GRPC)]) is HTTP
    assert kind_of([]) is HTTP


def test_a_kind_that_is_not_there_is_empty_traffic() -> None:
    """Not an error: a script may begin with another protocol."""
    assert traffic_of(load(1, 5), GRPC) == Traffic(GRPC, 0, 0, EMPTY_HISTOGRAM)
    assert traffic_of(load(1, 5), HTTP).requests == 5


def test_endpoints_are_summed_over_scenarios_and_time() -> None:
    """By name, method and status; the most requests first, equal ones by name."""
    slow = histogram([1.0] * 4)
    samples = [
        load(1, endpoints=(endpoint("/b", 3), endpoint("/a", 3), endpoint("/", 1, status="500"))),
        load(2, endpoints=(endpoint("/", 4, failed=1, scenario="x", latency=slow),)),
        load(3, endpoints=(endpoint("/", 2), endpoint("/rpc", 9, kind=GRPC))),
    ]
    totals = endpoint_totals(samples, HTTP)
    assert [(t.name, t.status, t.requests, t.failed, t.latency.count) for t in totals] == [
        ("/", "200", 6, 1, 4),
        ("/a", "200", 3, 0, 0),
        ("/b", "200", 3, 0, 0),
        ("/", "500", 1, 0, 0),
    ]
    assert [t.name for t in endpoint_totals(samples, GRPC)] == ["/rpc"]
    assert endpoint_totals([], HTTP) == []


def test_of_each_check_the_newest_ratio_counts() -> None:
    """They are ratios since the start; equal names in two groups are two checks."""
    samples = [
        load(1, checks=(CheckRatio("ok", "", "s", 1.0), CheckRatio("a", "g", "s", 0.5))),
        load(2, checks=(CheckRatio("ok", "", "s", 0.9),)),
        load(3, checks=(CheckRatio("ok", "g", "s", 0.1),)),
    ]
    found = [(each.name, each.group, each.passed_ratio) for each in newest_checks(samples)]
    assert found == [("a", "g", 0.5), ("ok", "", 0.9), ("ok", "g", 0.1)]


def test_custom_metrics_are_combined_by_their_type() -> None:
    """Counters summed, trends merged, gauges and rates the newest; in order of name."""

    def metric(name: str, kind: MetricType, value: float, *trend: float) -> CustomMetric:
        return CustomMetric(name, kind, value, histogram(trend), "")

    samples = [
        load(
            1,
            metrics=(
                metric("t", MetricType.TREND, 0, 1.0),
                metric("c", MetricType.COUNTER, 2),
                metric("g", MetricType.GAUGE, 5),
                metric("r", MetricType.RATE, 0.5),
            ),
        ),
        load(
            2,
            metrics=(
                metric("t", MetricType.TREND, 0, 2.0, 3.0),
                metric("c", MetricType.COUNTER, 3),
                metric("g", MetricType.GAUGE, 4),
                metric("r", MetricType.RATE, 0.25),
            ),
        ),
    ]
    made = custom_metrics(samples)
    found = [(each.name, each.value, each.trend.count) for each in made.values()]
    assert found == [("c", 5, 0), ("g", 4, 0), ("r", 0.25, 0), ("t", 0, 3)]
    assert list(made) == ["c", "g", "r", "t"]
