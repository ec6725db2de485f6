"""Points add up to one sample a second, and nothing of them is lost."""

from __future__ import annotations

import pytest

from collectors.k6 import stream
from collectors.k6.resultfile import ledger, names
from collectors.k6.resultfile.metric_types import BUILT_IN
from collectors.k6.resultfile.timeline import MAX_GAP_S, main_stretch
from collectors.samples import (
    CheckRatio,
    CustomMetric,
    Endpoint,
    LoadSample,
    MetricType,
    RequestKind,
)
from tests.builders import histogram
from tests.collectors.k6.resultfile.writing import (
    START,
    Written,
    http,
    iteration,
    metric_line,
    samples_of,
    total,
    traffic_of,
)

BOTH = pytest.mark.parametrize("is_csv", [False, True], ids=["json", "csv"])


@BOTH
def test_a_second_holds_its_points(is_csv: bool) -> None:
    """Whole seconds of the file's clock; a sample is at the end of its second."""
    points = [
        *http(0.1, 10.0),
        *http(0.9, 30.0, failed=True),
        *iteration(0.95, 50.0),
        *http(1.0, 20.0),
        Written("data_sent", 0.5, 100.0),
        Written("data_received", 0.5, 200.0),
        Written("data_received", 0.6, 50.0),
        Written("dropped_iterations", 1.5, 3.0),
        Written("http_req_tls_handshaking", 0.2, 4.0),
        Written("http_req_waiting", 0.2, 8.0),
    ]
    samples, skipped = samples_of(points, is_csv=is_csv)
    assert not skipped
    first, second = samples
    assert [first.at, second.at] == [START + 1.0, START + 2.0]
    assert first.interval_s == second.interval_s == 1.0
    assert first.instance == "k6-1"
    assert first.iterations == 1
    assert (first.bytes_sent, first.bytes_received, second.bytes_sent) == (100, 250, 0)
    assert (first.dropped_iterations, second.dropped_iterations) == (0, 3)
    found = traffic_of(first)
    assert (found.requests, found.failed) == (2, 1)
    assert found.latency == histogram([0.010, 0.030])
    assert traffic_of(first, RequestKind.ITERATION).latency == histogram([0.05])
    assert first.phases == {"tls": histogram([0.004]), "waiting": histogram([0.008])}
    assert second.phases == {}
    assert first.endpoints == (
        endpoint(RequestKind.HTTP, "http://h/", "GET", "200", ms=[10.0]),
        endpoint(RequestKind.HTTP, "http://h/", "GET", "500", ms=[30.0], failed=1),
        endpoint(RequestKind.ITERATION, "default", "", "", ms=[50.0]),
    )


def endpoint(
    kind: RequestKind, name: str, method: str, status: str, *, ms: list[float], failed: int = 0
) -> Endpoint:
    latency = histogram([each / 1000 for each in ms])
    return Endpoint(kind, name, method, status, "default", "", len(ms), failed, latency)


@BOTH
def test_every_kind_of_request(is_csv: bool) -> None:
    """Is counted by what k6 writes of it, and fails as the stream says."""
    points = [
        Written("grpc_req_duration", 0, 1.0, {"status": "0", "name": "a"}),
        Written("grpc_req_duration", 0, 2.0, {"status": "14", "name": "a"}),
        Written("ws_sessions", 0, 1.0, {"status": "101", "url": "ws://h/?token=x"}),
        Written("ws_connecting", 0, 3.0, {"status": "101", "url": "ws://h/?token=x"}),
        Written("ws_sessions", 0, 1.0, {"status": "403", "url": "ws://h/?token=y"}),
        Written("browser_http_req_duration", 0, 4.0, {"name": "b"}),
        Written("browser_http_req_failed", 0, 1.0, {"name": "b"}),
    ]
    ((sample,), skipped) = samples_of(points, is_csv=is_csv)
    assert not skipped
    assert {(t.kind, t.requests, t.failed, t.latency.count) for t in sample.traffic} == {
        (RequestKind.GRPC, 2, 1, 2),
        (RequestKind.WEBSOCKET, 2, 1, 1),
        (RequestKind.BROWSER, 1, 1, 1),
        (RequestKind.ITERATION, 0, 0, 0),
    }
    assert [t.kind for t in sample.traffic] == [kind for kind in RequestKind if kind != "http"]
    assert {e.name for e in sample.endpoints} == {"a", "ws://h/?token=…", "b"}


@BOTH
def test_late_points_land_in_their_second(is_csv: bool) -> None:
    """k6 flushes in batches: the order of lines says nothing."""
    points = [*http(6), *http(1), *http(5), *http(0), *http(3), *http(1)]
    samples, _ = samples_of(points, is_csv=is_csv)
    assert [traffic_of(s).requests for s in samples] == [1, 2, 0, 1, 0, 1, 1]


@BOTH
def test_quiet_seconds_keep_the_vus(is_csv: bool) -> None:
    """There is no gap, and nothing but VUs goes on."""
    points = [
        *http(0),
        Written("vus", 1, 5.0),
        Written("vus_max", 1, 8.0),
        Written("checks", 1, 1.0, {"check": "ok"}),
        Written("vus", 4, 2.0),
    ]
    samples, _ = samples_of(points, is_csv=is_csv)
    assert [s.at - START for s in samples] == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert [(s.vus, s.vus_max) for s in samples] == [(0, 0), (5, 8), (5, 8), (5, 8), (2, 8)]
    quiet = samples[2]
    assert (quiet.endpoints, quiet.checks, quiet.metrics, quiet.phases) == ((), (), (), {})
    assert [(t.kind, t.requests, t.latency.count) for t in quiet.traffic] == [
        (RequestKind.HTTP, 0, 0),
        (RequestKind.ITERATION, 0, 0),
    ]


@BOTH
def test_checks_pass_since_the_start(is_csv: bool) -> None:
    """In the order of time, not of lines; further tags set a check apart as in the stream."""
    ok = {"check": "ok", "group": "::shop", "scenario": "s"}
    points = [
        Written("checks", 2, 0.0, ok),
        Written("checks", 0, 1.0, ok),
        Written("checks", 0, 1.0, {**ok, "b": "1", "a": "2"}),
        Written("checks", 2, 1.0, ok),
        Written("checks", 3, 1.0, ok),
    ]
    samples, _ = samples_of(points, is_csv=is_csv)
    assert [s.checks for s in samples] == [
        (CheckRatio("ok", "shop", "s", 1.0), CheckRatio("ok{a=2,b=1}", "shop", "s", 1.0)),
        (),
        (CheckRatio("ok", "shop", "s", 2 / 3),),
        (CheckRatio("ok", "shop", "s", 0.75),),
    ]


def by_name(sample: LoadSample) -> dict[str, CustomMetric]:
    return {metric.name: metric for metric in sample.metrics}


def test_metrics_of_the_script_as_json_tells_them() -> None:
    """Counters and trends are summed over tags, gauges are the newest, rates go by their tags."""
    types = [
        metric_line("things", "counter"),
        metric_line("level", "gauge"),
        metric_line("orders_total", "gauge"),
        metric_line("share", "rate"),
        metric_line("took", "trend", "time"),
        metric_line("size", "trend", "data"),
        metric_line("plain", "trend"),
    ]
    points = [
        Written("things", 0, 2.5, {"a": "1"}),
        Written("things", 0, -1.0, {"a": "2"}),
        Written("level", 0, 7.0),
        Written("level", 0, -3.0),
        Written("orders_total", 0, 9.0),
        Written("share", 0, 1.0, {"scenario": "default"}),
        Written("share", 0, 5.0, {"scenario": "other"}),
        Written("share", 1, 0.0, {"scenario": "default"}),
        Written("took", 0, 1500.0),
        Written("size", 0, 2048.0),
        Written("plain", 0, 3.0),
        Written("plain", 1, -3.0),
    ]
    samples, skipped = samples_of(points, types=types)
    first, second = map(by_name, samples)
    assert skipped == {"negative_values": 1}
    assert {name: (m.type, m.value, m.unit) for name, m in first.items()} == {
        "things": (MetricType.COUNTER, 1.5, ""),
        "level": (MetricType.GAUGE, -3.0, ""),
        "orders_total": (MetricType.GAUGE, 9.0, ""),
        "share": (MetricType.RATE, 1.0, ""),
        "share{scenario=other}": (MetricType.RATE, 1.0, ""),
        "took": (MetricType.TREND, 0.0, "s"),
        "size": (MetricType.TREND, 0.0, "B"),
        "plain": (MetricType.TREND, 0.0, ""),
    }
    assert first["took"].trend == histogram([1.5])
    assert first["size"].trend == histogram([2048.0])
    assert {name: m.value for name, m in second.items()} == {"share": 0.5}


def test_metrics_with_misleading_names_are_the_scripts_own() -> None:
    """Though the stream would call one of k6's own so; two that look the same are one."""
    types = [
        metric_line("http_req_duration_seconds", "trend"),
        metric_line("http_reqs_total", "gauge"),
        metric_line("a\x07", "counter"),
        metric_line("a␇", "counter"),
    ]
    points = [
        Written("http_req_duration_seconds", 0, 3.0),
        Written("http_reqs_total", 0, 4.0),
        Written("a\x07", 0, 1.0),
        Written("a␇", 0, 2.0),
    ]
    ((sample,), skipped) = samples_of(points, types=types)
    assert not skipped
    assert total([sample]) == (0, 0)
    assert {m.name: (m.type, m.value, m.trend.count) for m in sample.metrics} == {
        "http_req_duration_seconds": (MetricType.TREND, 0.0, 1),
        "http_reqs_total": (MetricType.GAUGE, 4.0, 0),
        "a␇": (MetricType.COUNTER, 3.0, 0),
    }


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0, 1.0], MetricType.COUNTER),
        ([2.0, 2.0], MetricType.COUNTER),
        ([2.5, 2.5], MetricType.TREND),
        ([0.0, 1.0], MetricType.RATE),
        ([0.0], MetricType.RATE),
        ([0.0, 1.0, 2.0], MetricType.TREND),
        ([3.0, -1.0], MetricType.GAUGE),
        ([12.5, 13.0, 12.5], MetricType.TREND),
    ],
)
def test_csv_leaves_types_to_be_guessed(values: list[float], expected: MetricType) -> None:
    """Whatever is guessed, the total of a counter or a trend is right."""
    points = [Written("mine", 0, value) for value in values]
    ((sample,), skipped) = samples_of(points, is_csv=True)
    (metric,) = sample.metrics
    assert not skipped
    assert (metric.name, metric.type, metric.unit) == ("mine", expected, "")
    if expected is MetricType.COUNTER:
        assert metric.value == sum(values)
    if expected is MetricType.TREND:
        assert metric.trend.sum == sum(values)
    if expected is MetricType.GAUGE:
        assert metric.value == values[-1]


def test_json_without_its_first_lines() -> None:
    """k6's own metrics are known by name, the others are guessed as in CSV."""
    ((sample,), skipped) = samples_of([*http(0), Written("mine", 0, 1.0)])
    assert not skipped
    assert total([sample]) == (1, 0)
    assert by_name(sample)["mine"].type is MetricType.COUNTER


@BOTH
def test_k6s_own_metrics_without_a_field_are_metrics(is_csv: bool) -> None:
    """Each metric of k6's leads somewhere."""
    points = [Written(name, 0, 1.0, {"name": "x"}) for name in BUILT_IN]
    ((sample,), skipped) = samples_of(points, is_csv=is_csv)
    assert not skipped
    assert {"group_duration", "ws_msgs_sent", "ws_ping", "browser_web_vital_lcp"} <= set(
        by_name(sample)
    )
    assert by_name(sample)["group_duration"].trend == histogram([0.001])
    assert by_name(sample)["browser_web_vital_cls"].trend == histogram([1.0])
    assert set(sample.phases) == {
        *("blocked", "connecting", "tls", "sending", "waiting", "receiving"),
    }


@BOTH
def test_foreign_text_is_made_harmless(is_csv: bool) -> None:
    """URLs are redacted, controls shown, long names cut, whatever field they are in."""
    name = "http://u:p@h/\x1b[31m?key=secret"
    points = [
        *http(0, name=name, method="G\u202eT", group="::a::b"),
        Written("checks", 0, 1.0, {"check": "c" * 900, "extra": "http://u:p@h/?key=secret"}),
        Written("checks", 0, 1.0, {"check": "d", "extra": "http://u:p@h/?key=secret"}),
        Written("mine\x07", 0, 1.0),
    ]
    ((sample,), _) = samples_of(points, is_csv=is_csv)
    (found,) = [e for e in sample.endpoints if e.kind is RequestKind.HTTP]
    assert (found.name, found.method, found.group) == ("http://h/␛[31m?key=…", "G\\u202eT", "a::b")
    long, short = sample.checks
    assert len(long.name) == 512
    assert short.name.startswith("d{extra=http://h/?key=…")
    assert list(by_name(sample)) == ["mine␇"]


@BOTH
def test_values_that_no_k6_writes(is_csv: bool) -> None:
    """Counts don't fall, and what failed was asked before."""
    request, duration, failed = http(0, failed=True)
    points = [
        request,
        failed,
        failed,
        Written("http_reqs", 0, -5.0, request.tags),
        Written("http_req_duration", 0, -5.0, duration.tags),
        Written("vus", 0, -1.0),
        Written("data_sent", 0, -1.0),
        Written("http_req_waiting", 0, -1.0),
    ]
    ((sample,), skipped) = samples_of(points, is_csv=is_csv)
    assert skipped == {"negative_values": 5}
    assert total([sample]) == (1, 1)


@pytest.mark.parametrize(("max_endpoints", "max_cells"), [(3, 99), (99, 3)])
@BOTH
def test_endpoints_beyond_the_limit_keep_totals(
    is_csv: bool, max_endpoints: int, max_cells: int
) -> None:
    """They are one, and all requests, failures and latencies are in it."""
    points = [p for n in range(10) for p in http(0, 10.0 + n, failed=n % 2 == 1, name=f"/{n}")]
    ((sample,), _) = samples_of(
        points, is_csv=is_csv, max_endpoints=max_endpoints, max_cells=max_cells
    )
    assert [e.name for e in sample.endpoints] == ["/0", "/1", "/2", names.OTHER]
    other = sample.endpoints[-1]
    assert (other.requests, other.failed, other.latency.count) == (7, 4, 7)
    assert total([sample]) == (10, 5)
    latency = traffic_of(sample).latency
    assert latency.buckets == histogram([(10.0 + n) / 1000 for n in range(10)]).buckets
    assert latency.sum == pytest.approx(0.145)


def test_limits_are_those_of_the_stream() -> None:
    """So that a file has the endpoints that the screen had."""
    assert (names.MAX_ENDPOINTS, names.OTHER) == (stream.MAX_ENDPOINTS, stream.OTHER)
    assert names.MAX_NAMED == stream.MAX_NAMED


@BOTH
def test_ten_thousand_endpoints(is_csv: bool) -> None:
    """And no more; those of another kind have their own rest."""
    points = [p for n in range(10_010) for p in http(n % 7, name=f"/{n}")[:1]]
    points += [Written("grpc_req_duration", 0, 1.0, {"name": "g"})]
    samples, skipped = samples_of(points, is_csv=is_csv)
    assert not skipped
    assert total(samples) == (10_010, 0)
    http_names = {e.name for s in samples for e in s.endpoints if e.kind is RequestKind.HTTP}
    assert len(http_names) == 10_001
    others = [e for s in samples for e in s.endpoints if e.name == names.OTHER]
    assert sum(e.requests for e in others if e.kind is RequestKind.HTTP) == 10
    assert sum(e.requests for e in others if e.kind is RequestKind.GRPC) == 1


@BOTH
def test_too_many_checks_and_metrics_are_counted(is_csv: bool) -> None:
    """Those that have a place go on."""
    points = [Written("checks", 0, 1.0, {"check": str(n)}) for n in range(990)]
    points += [Written(f"m{n}", 0, 1.0) for n in range(20)]
    points += [Written("checks", 0, 1.0, {"check": str(n)}) for n in range(985, 995)]
    ((sample,), skipped) = samples_of(points, is_csv=is_csv)
    assert (len(sample.checks), len(sample.metrics)) == (990, 10)
    assert skipped == {"metrics_over_limit": 10, "checks_over_limit": 5}


@BOTH
def test_too_many_seconds_and_tags_are_counted(
    is_csv: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is bounded, whatever times and tags a file claims."""
    monkeypatch.setattr(ledger, "MAX_SECONDS", 5)
    points = [Written("data_sent", n, 1.0) for n in range(9)]
    points += [Written("checks", 0, 1.0, {f"t{n}": "x" for n in range(names.MAX_TAGS + 1)})]
    samples, skipped = samples_of(points, is_csv=is_csv)
    assert sum(s.bytes_sent for s in samples) == 5
    assert skipped == {"seconds_over_limit": 4, "too_many_tags": 1}


@BOTH
def test_rooms_that_are_full_are_counted(is_csv: bool) -> None:
    """Checks and metrics have no rest to go into; requests have, and stay exact."""
    points = [*http(0), Written("checks", 0, 1.0, {"check": "a"}), Written("mine", 0, 1.0)]
    ((sample,), skipped) = samples_of(points, is_csv=is_csv, max_cells=0)
    assert skipped == {"checks_over_limit": 1, "metrics_over_limit": 1}
    assert total([sample]) == (1, 0)


def test_spellings_are_forgotten_rather_than_kept_for_ever() -> None:
    """A file in which each request has its own tags costs no memory for them."""
    known: names.Spellings[int] = names.Spellings()
    for n in range(names.MAX_SPELLINGS + 1):
        known.remember(str(n), n)
    known.remember("x" * (names.MAX_SPELLING_CHARS + 1), 1)
    assert known.get("0") is None
    assert known.get(str(names.MAX_SPELLINGS)) == names.MAX_SPELLINGS
    assert known.get("x" * (names.MAX_SPELLING_CHARS + 1)) is None


def test_the_run_is_where_most_points_are() -> None:
    """Points far away are of another run; short gaps belong to this one."""
    assert main_stretch({5: 1}) == range(5, 6)
    assert main_stretch({5: 1, 5 + MAX_GAP_S: 1}) == range(5, 6 + MAX_GAP_S)
    assert main_stretch({5: 1, 6 + MAX_GAP_S: 2, 8 + MAX_GAP_S: 1}) == range(
        6 + MAX_GAP_S, 9 + MAX_GAP_S
    )
    long = main_stretch(dict.fromkeys(range(0, 10_000 * 3600, 3600), 1))
    assert len(long) <= 3 * 24 * 3600
