from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.k6.remote_write import decompress
from collectors.k6.stream import Limits, LoadAssembler
from collectors.redact import Redactor
from collectors.samples import (
    CheckRatio,
    Endpoint,
    Histogram,
    LoadSample,
    MetricType,
    RequestKind,
    Traffic,
)

DATA = Path(__file__).parents[2] / "data"
RawPush: TypeAlias = Callable[[Sequence[tuple[str, dict[str, str], Any]]], bytes]

OK = {"expected_response": "true", "method": "GET", "scenario": "default", "status": "200"}


def take(assembler: LoadAssembler, raw: bytes | bytearray, at: float = 1.0) -> LoadSample:
    steps = assembler.steps(raw, at, 1.0)
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            sample: LoadSample = stop.value
            return sample


def values(count: int, index: int = -60) -> Histogram:
    return Histogram(3, {index: count} if count else {}, 0, count, 0.005 * count)


def http(
    name: str, count: int, labels: dict[str, str] = OK
) -> list[tuple[str, dict[str, str], Any]]:
    labels = {**labels, "name": name, "url": name}
    return [
        ("k6_http_reqs_total", labels, float(count)),
        ("k6_http_req_duration_seconds", labels, values(count)),
        ("k6_http_req_waiting_seconds", labels, values(count)),
    ]


def of_kind(sample: LoadSample, kind: RequestKind) -> Traffic:
    return next(traffic for traffic in sample.traffic if traffic.kind is kind)


def endpoints(sample: LoadSample, kind: RequestKind = RequestKind.HTTP) -> list[Endpoint]:
    return [endpoint for endpoint in sample.endpoints if endpoint.kind is kind]


def test_captured_pushes_add_up_to_the_summary_of_their_run() -> None:
    """Four pushes of a real run hold all of its 10 736 requests, and no request twice."""
    assembler = LoadAssembler("k6-1")
    samples = [
        take(assembler, decompress((DATA / f"k6_push_{n}.bin").read_bytes()), float(n))
        for n in (1, 2, 3, 4)
    ]
    https = [of_kind(sample, RequestKind.HTTP) for sample in samples]
    assert [traffic.requests for traffic in https] == [3306, 3573, 3667, 190]
    assert sum(traffic.failed for traffic in https) == 10736
    assert all(traffic.requests == traffic.latency.count for traffic in https)
    assert assembler.totals.requests[RequestKind.HTTP] == 10736
    assert sum(sample.iterations for sample in samples) == 10736
    assert sum(sample.bytes_sent for sample in samples) == 794464
    assert sum(sample.bytes_received for sample in samples) == 1868064
    last = samples[-1]
    assert (last.vus, last.vus_max) == (2, 2)
    assert set(last.phases) == {"blocked", "connecting", "tls", "sending", "waiting", "receiving"}
    assert CheckRatio("is 404", "g1", "default", 1.0) in last.checks
    counters = [m.value for s in samples for m in s.metrics if m.name == "my_c"]
    assert sum(counters) == 21472
    types = {metric.name: (metric.type, metric.unit) for metric in last.metrics}
    assert types == {
        "my_c": (MetricType.COUNTER, ""),
        "my_g": (MetricType.GAUGE, ""),
        "my_r{group=g1}": (MetricType.RATE, ""),
        "my_t": (MetricType.TREND, "s"),
        "group_duration": (MetricType.TREND, "s"),
    }
    assert assembler.take_drops() == {}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    gains=st.lists(
        st.dictionaries(st.integers(0, 30), st.integers(0, 50), max_size=12), max_size=6
    ),
    lost=st.sets(st.integers(0, 5)),
    limit=st.integers(1, 40),
    series_limit=st.integers(1, 100),
)
def test_totals_stay_exact_under_any_limit(
    raw_push: RawPush,
    gains: list[dict[int, int]],
    lost: set[int],
    limit: int,
    series_limit: int,
) -> None:
    """Whatever the limits, and with any push lost but the last, no request is lost or doubled."""
    assembler = LoadAssembler(
        "k6-1", limits=Limits(endpoints=limit, series=series_limit, compact_series=1000)
    )
    counts: dict[int, int] = {}
    streamed = observed = 0
    pushes = [*gains, dict.fromkeys(range(31), 1)]
    for number, gain in enumerate(pushes):
        for url, more in gain.items():
            counts[url] = counts.get(url, 0) + more
        if number in lost and number < len(gains):
            continue
        changed = counts if number == len(gains) else gain
        series = [one for url in changed for one in http(f"/u/{url}", counts[url])]
        sample = take(assembler, raw_push(series))
        seen = of_kind(sample, RequestKind.HTTP) if series else None
        if seen is not None:
            streamed += seen.requests
            observed += seen.latency.count
            assert seen.requests == sum(endpoint.requests for endpoint in endpoints(sample))
        assert len(endpoints(sample)) <= limit + 1
    assert streamed == observed == sum(counts.values())


def test_endpoints_over_the_limit_are_summed_and_counted_once(raw_push: RawPush) -> None:
    """The rest stands under one name with exact totals; each is counted the first time only."""
    assembler = LoadAssembler("k6-1", limits=Limits(endpoints=2))
    first = take(assembler, raw_push([one for n in range(5) for one in http(f"/{n}", 10)]))
    assert {(e.name, e.requests, e.latency.count) for e in endpoints(first)} == {
        ("/0", 10, 10),
        ("/1", 10, 10),
        ("(other)", 30, 30),
    }
    assert assembler.take_drops() == {"endpoints_over_limit": 3}
    second = take(assembler, raw_push(http("/3", 25)))
    assert [(e.name, e.requests) for e in endpoints(second)] == [("(other)", 15)]
    assert assembler.take_drops() == {}


def test_phases_are_the_first_detail_to_go(raw_push: RawPush) -> None:
    """Beyond the limit of series, requests and latency go on; phases are left out and counted."""
    assembler = LoadAssembler("k6-1", limits=Limits(series=1))
    sample = take(assembler, raw_push(http("/a", 3)))
    assert [(e.name, e.requests, e.latency.count) for e in endpoints(sample)] == [("/a", 3, 3)]
    assert sample.phases == {}
    assert assembler.take_drops() == {"phases_over_limit": 1}


def test_a_series_beyond_every_limit_is_counted(raw_push: RawPush) -> None:
    """Where nothing more can be remembered, what is left out is told."""
    assembler = LoadAssembler("k6-1", limits=Limits(endpoints=1, compact_series=2))
    take(assembler, raw_push([one for n in range(3) for one in http(f"/{n}", 1)]))
    assert assembler.take_drops()["stream_series_over_limit"] == 2


def test_queries_are_masked_before_endpoints_are_told_apart(raw_push: RawPush) -> None:
    """Requests that differ in query values only are one endpoint, unless nothing is redacted."""
    series = http("http://me:pw@h/x?token=a", 1) + http("http://me:pw@h/x?token=b", 2)
    sample = take(LoadAssembler("k6-1"), raw_push(series))
    assert [(e.name, e.requests) for e in endpoints(sample)] == [("http://h/x?token=…", 3)]
    as_is = LoadAssembler("k6-1", Redactor(enabled=False))
    assert len(endpoints(take(as_is, raw_push(series)))) == 2


def test_failed_requests_without_the_label_come_from_the_ratio(raw_push: RawPush) -> None:
    """Without `expected_response`, the ratio times the count gives the failed ones exactly."""
    labels = {"method": "GET", "status": "500", "name": "/x"}
    assembler = LoadAssembler("k6-1")
    failed = []
    for total, bad in ((3, 1), (10, 4), (10, 4), (17, 11)):
        series: list[tuple[str, dict[str, str], Any]] = [
            ("k6_http_req_failed_rate", labels, bad / total),
            ("k6_http_reqs_total", labels, float(total)),
        ]
        failed.append(of_kind(take(assembler, raw_push(series)), RequestKind.HTTP).failed)
    assert failed == [1, 3, 0, 7]


def test_expected_response_tells_failed_requests(raw_push: RawPush) -> None:
    """With the label, the ratio is not needed."""
    series = http("/a", 5) + http("/a", 2, {**OK, "expected_response": "false", "status": "500"})
    sample = take(LoadAssembler("k6-1"), raw_push(series))
    assert of_kind(sample, RequestKind.HTTP).failed == 2
    assert {(e.status, e.requests, e.failed) for e in endpoints(sample)} == {
        ("200", 5, 0),
        ("500", 2, 2),
    }


def test_grpc_requests_come_from_their_latency(raw_push: RawPush) -> None:
    """k6 sends no counter for gRPC; any status but OK has failed."""
    series = [
        ("k6_grpc_req_duration_seconds", {"name": "/a.B/C", "status": status}, values(count))
        for status, count in (("0", 7), ("14", 2), ("", 1))
    ]
    sample = take(LoadAssembler("k6-1"), raw_push(series))
    grpc = of_kind(sample, RequestKind.GRPC)
    assert (grpc.requests, grpc.failed, grpc.latency.count) == (10, 2, 10)
    assert [traffic.kind for traffic in sample.traffic] == [
        RequestKind.GRPC,
        RequestKind.ITERATION,
    ]


def test_websocket_requests_are_sessions(raw_push: RawPush) -> None:
    """A session is a request, its latency the time to connect; messages are custom metrics."""
    series: list[tuple[str, dict[str, str], Any]] = [
        ("k6_ws_sessions_total", {"url": "ws://h/s?k=1", "status": "101"}, 4.0),
        ("k6_ws_sessions_total", {"url": "ws://h/s?k=2", "status": "403"}, 1.0),
        ("k6_ws_connecting_seconds", {"url": "ws://h/s?k=1", "status": "101"}, values(4)),
        ("k6_ws_msgs_sent_total", {"url": "ws://h/s?k=1"}, 9.0),
        ("k6_ws_msgs_sent_total", {"url": "ws://h/s?k=2"}, 2.0),
        ("k6_ws_session_duration_seconds", {"url": "ws://h/s?k=1"}, values(4)),
    ]
    sample = take(LoadAssembler("k6-1"), raw_push(series))
    sockets = of_kind(sample, RequestKind.WEBSOCKET)
    assert (sockets.requests, sockets.failed, sockets.latency.count) == (5, 1, 4)
    custom = {metric.name: (metric.value, metric.trend.count) for metric in sample.metrics}
    assert custom == {"ws_msgs_sent": (11.0, 0), "ws_session_duration": (0.0, 4)}


def test_browser_requests_join_count_and_ratio(raw_push: RawPush) -> None:
    """Failed browser requests are the ratio of their own label set."""
    labels = {"name": "https://h/", "method": "GET", "status": "200"}
    series: list[tuple[str, dict[str, str], Any]] = [
        ("k6_browser_http_req_duration_seconds", labels, values(8)),
        ("k6_browser_http_req_failed_rate", labels, 0.25),
        ("k6_browser_web_vital_lcp_seconds", labels, values(1)),
    ]
    sample = take(LoadAssembler("k6-1"), raw_push(series))
    browser = of_kind(sample, RequestKind.BROWSER)
    assert (browser.requests, browser.failed) == (8, 2)
    assert [metric.name for metric in sample.metrics] == ["browser_web_vital_lcp"]


def test_gauges_stay_and_the_rest_begins_anew(raw_push: RawPush) -> None:
    """VUs are sent when they change only; everything else is of this push."""
    assembler = LoadAssembler("k6-1")
    take(
        assembler,
        raw_push([("k6_vus", {}, 7.0), ("k6_dropped_iterations_total", {}, 3.0), *http("/", 1)]),
    )
    sample = take(assembler, raw_push([("k6_data_sent_total", {}, 10.0)]))
    assert (sample.vus, sample.dropped_iterations, sample.bytes_sent) == (7, 0, 10)
    assert sample.endpoints == ()
    assert of_kind(sample, RequestKind.HTTP).requests == 0
    assert of_kind(sample, RequestKind.ITERATION).requests == 0


def test_ratios_of_several_label_sets_are_kept_apart(raw_push: RawPush) -> None:
    """A ratio without a count can't be merged, so every label set has its own name."""
    series: list[tuple[str, dict[str, str], Any]] = [
        ("k6_ok_rate", {"scenario": "default"}, 0.5),
        ("k6_ok_rate", {"scenario": "b", "group": "::g"}, 0.1),
        ("k6_checks_rate", {"check": "c", "scenario": "default"}, 1.0),
        ("k6_checks_rate", {"check": "c", "scenario": "default", "region": "eu"}, 0.4),
        ("k6_checks_rate", {"check": "d"}, 1.4),
    ]
    assembler = LoadAssembler("k6-1")
    sample = take(assembler, raw_push(series))
    assert {(m.name, m.value) for m in sample.metrics} == {
        ("ok", 0.5),
        ("ok{group=g,scenario=b}", 0.1),
    }
    assert {(c.name, c.passed_ratio) for c in sample.checks} == {("c", 1.0), ("c{region=eu}", 0.4)}
    assert assembler.take_drops() == {"ratio_out_of_range": 1}


def test_names_of_checks_and_metrics_are_bounded(raw_push: RawPush) -> None:
    """Beyond the limit a new name is counted, known ones go on."""
    assembler = LoadAssembler("k6-1", limits=Limits(named=2))
    series: list[tuple[str, dict[str, str], Any]]
    series = [(f"k6_c{n}_total", {}, 1.0) for n in range(4)]
    assert len(take(assembler, raw_push(series)).metrics) == 2
    assert assembler.take_drops() == {"metrics_over_limit": 2}


@pytest.mark.parametrize("value", [3.0, values(3)])
def test_a_series_that_changes_its_type_is_rejected(raw_push: RawPush, value: Any) -> None:
    """A known series is believed to stay what it was."""
    wrong = values(1) if isinstance(value, float) else 1.0
    name = "k6_c_total" if isinstance(value, float) else "k6_t"
    assembler = LoadAssembler("k6-1")
    take(assembler, raw_push([(name, {}, value)]))
    take(assembler, raw_push([(name, {}, wrong)]))
    assert assembler.take_drops() == {"series_type": 1}


def test_hostile_names_are_harmless(raw_push: RawPush) -> None:
    """Control characters do not survive, and names are short."""
    sample = take(LoadAssembler("k6-1"), raw_push(http("/\x1b[2J\u202e" + "x" * 3000, 1)))
    (endpoint,) = endpoints(sample)
    assert endpoint.name.isprintable()
    assert len(endpoint.name) == 512
