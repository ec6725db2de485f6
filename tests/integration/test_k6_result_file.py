"""The real k6 writes result files; its own summary and its live stream say what is in them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from collectors.k6.binary import probe_k6
from collectors.k6.histogram import HistogramSum
from collectors.k6.plan import K6Plan
from collectors.k6.resultfile.reader import K6ResultFile, is_k6_result, read_k6_result
from collectors.k6.run import K6Run
from collectors.process import Guard
from collectors.samples import (
    CustomMetric,
    Histogram,
    LoadSample,
    MetricType,
    RequestKind,
    Sample,
)
from tests.integration.counting_server import CountingServer
from tests.integration.k6_versions import EACH_K6, k6_of

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

ENV = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}

# Latencies are spread evenly, so that the percentiles of k6 lie in no gap.
SCRIPT = """
import http from 'k6/http';
import { check, group } from 'k6';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';
const things = new Counter('things');
const level = new Gauge('level');
const share = new Rate('share');
const took = new Trend('took', true);
const size = new Trend('size');
export const options = {
  tags: { build: 'a,b&"c"' },
  scenarios: { browse: { executor: 'constant-vus', vus: 8, duration: '4s' } },
};
export default function () {
  const url = __ENV.URL;
  group('shop', () => group('in, "out"', () => {
    const answer = http.get(`${url}/delay/${(5 + 40 * Math.random()).toFixed(2)}?token=s${__ITER}`,
      { tags: { name: `${url}/delay?token=s${__ITER}` } });
    check(answer, {
      'is 200': (a) => a.status === 200,
      'is "even",\\nsometimes': () => __ITER % 2 === 0,
    });
  }));
  http.get(`${url}/status/404`, { tags: { part: __ITER % 2 ? 'odd' : 'even' } });
  http.get('http://127.0.0.1:1/nobody');
  things.add(3, { part: 'x' });
  level.add(7 + __ITER % 3);
  share.add(__ITER % 4 === 0);
  took.add(10 + 90 * Math.random());
  size.add(100 + 900 * Math.random(), { part: __ITER % 2 ? 'odd' : 'even' });
}
"""

FILES = ("result.json", "result.csv", "result.json.gz", "result.csv.gz")


@dataclass(frozen=True, slots=True)
class Ran:
    """One run, as k6 streamed it, summed it up and wrote it down."""

    stream: list[LoadSample]
    metrics: dict[str, dict[str, float]]
    """By k6's summary."""
    files: dict[str, K6ResultFile]


async def run_k6(version: str, guard: Guard, server: CountingServer, folder: Path) -> Ran:
    """Run the script with a live stream, four files, and a summary."""
    script, summary = folder / "script.js", folder / "summary.json"
    script.write_text(SCRIPT)
    arguments = ["-e", f"URL={server.url}", "--summary-export", str(summary)]
    for name in FILES:
        arguments += ["--out", f"{name.split('.')[1]}={folder / name}"]
    samples: list[Sample] = []
    binary = await probe_k6(guard, k6_of(version))
    run = K6Run(guard, K6Plan(binary, str(script), tuple(arguments), ENV), samples.append)
    await run.start()
    result = await run.wait()
    assert result.exit_code == 0, result.first_error
    told: dict[str, Any] = json.loads(summary.read_text())["metrics"]
    files = {name: read_k6_result(folder / name) for name in FILES}
    assert all(is_k6_result(folder / name) for name in FILES)
    assert not any(is_k6_result(path) for path in (script, summary))
    return Ran([s for s in samples if isinstance(s, LoadSample)], told, files)


def percentile(histogram: Histogram, share: float) -> float:
    """Interpolate on the logarithmic scale within the bucket, as the model does."""
    base = 2.0 ** (2.0**-histogram.schema)
    rank = share * histogram.count - histogram.zero_count
    for index in sorted(histogram.buckets):
        count = histogram.buckets[index]
        if rank <= count:
            return math.pow(base, index - 1 + rank / count)
        rank -= count
    raise AssertionError("beyond the last bucket")


def latency(samples: Sequence[LoadSample], kind: RequestKind) -> Histogram:
    """Return the latency of one kind over all samples."""
    total = HistogramSum()
    for sample in samples:
        for traffic in sample.traffic:
            if traffic.kind is kind:
                total.add(traffic.latency)
    return total.build()


def counted(samples: Sequence[LoadSample], kind: RequestKind) -> tuple[int, int]:
    """Return requests of one kind, and how many failed."""
    found = [t for s in samples for t in s.traffic if t.kind is kind]
    return sum(t.requests for t in found), sum(t.failed for t in found)


def of_metric(samples: Sequence[LoadSample], name: str) -> list[CustomMetric]:
    """Return what the samples hold of a metric, in order."""
    return [metric for sample in samples for metric in sample.metrics if metric.name == name]


def trend(samples: Sequence[LoadSample], name: str) -> Histogram:
    """Return all values of a trend."""
    total = HistogramSum()
    for metric in of_metric(samples, name):
        assert metric.type is MetricType.TREND
        total.add(metric.trend)
    return total.build()


@pytest.mark.parametrize("version", EACH_K6)
async def test_files_summary_stream_and_server_agree(
    version: str, guard: Guard, server: CountingServer, tmp_path: Path
) -> None:
    """Every figure of k6's summary is in each file, under the names that the stream gives."""
    ran = await run_k6(version, guard, server, tmp_path)
    arrived = (await server.counts()).total
    iterations = ran.metrics["iterations"]["count"]
    assert ran.metrics["http_reqs"]["count"] == arrived + iterations  # one each has no server
    for name, file in ran.files.items():
        assert file.format == ("k6 json" if "json" in name else "k6 csv")
        agrees_with_summary(file, ran.metrics)
        agrees_with_stream(file, ran.stream)
        assert not [note for note in file.notes if note.startswith("left out")]
    assert [f.samples for f in ran.files.values()][:2] == [f.samples for f in ran.files.values()][
        2:
    ]


def agrees_with_summary(file: K6ResultFile, told: dict[str, dict[str, float]]) -> None:
    samples = file.samples
    assert [s.at for s in samples] == [samples[0].at + n for n in range(len(samples))]
    assert counted(samples, RequestKind.HTTP) == (
        told["http_reqs"]["count"],
        told["http_req_failed"]["passes"],
    )
    iterations = int(told["iterations"]["count"])
    assert sum(s.iterations for s in samples) == iterations
    assert sum(s.bytes_sent for s in samples) == told["data_sent"]["count"]
    assert sum(s.bytes_received for s in samples) == told["data_received"]["count"]
    assert max(s.vus for s in samples) == max(s.vus_max for s in samples) == 8
    for kind, metric, within in (
        (RequestKind.HTTP, "http_req_duration", 0.05),
        (RequestKind.ITERATION, "iteration_duration", 0.10),  # a bucket: they are fewer
    ):
        seconds = latency(samples, kind)
        p95_ms = 1000 * percentile(seconds, 0.95)
        assert p95_ms == pytest.approx(told[metric]["p(95)"], rel=within)
        assert 1000 * seconds.sum / seconds.count == pytest.approx(told[metric]["avg"], abs=1e-5)
    assert sum(s.phases["waiting"].count for s in samples if s.phases) == told["http_reqs"]["count"]

    newest = {check.name: check for sample in samples for check in sample.checks}
    assert {check.group for check in newest.values()} == {'shop::in, "out"'}
    passed = sum(check.passed_ratio for check in newest.values()) * iterations
    assert passed == pytest.approx(told["checks"]["passes"])
    assert len(newest) * iterations == told["checks"]["passes"] + told["checks"]["fails"]

    assert {metric.type for metric in of_metric(samples, "things")} == {MetricType.COUNTER}
    assert sum(m.value for m in of_metric(samples, "things")) == told["things"]["count"]
    size = trend(samples, "size")
    assert size.count == iterations
    assert size.sum / size.count == pytest.approx(told["size"]["avg"], abs=1e-5)
    assert percentile(size, 0.95) == pytest.approx(told["size"]["p(95)"], rel=0.05)
    # CSV does not tell that values are times, so they stay milliseconds.
    took, scale = trend(samples, "took"), 1000 if file.format == "k6 json" else 1
    assert scale * took.sum / took.count == pytest.approx(told["took"]["avg"], abs=1e-5)
    (share,) = [m for s in samples[-1:] for m in s.metrics if m.name.startswith("share")]
    assert share.type is MetricType.RATE
    assert share.value == pytest.approx(told["share"]["passes"] / iterations)
    if file.format == "k6 json":
        assert of_metric(samples, "level")[-1].value == told["level"]["value"]


def agrees_with_stream(file: K6ResultFile, stream: Sequence[LoadSample]) -> None:
    """Names are equal, and what the stream has is in the file; k6 withholds a little of its end."""

    def endpoints(samples: Sequence[LoadSample]) -> set[tuple[str, ...]]:
        found = [e for sample in samples for e in sample.endpoints]
        return {(e.kind, e.name, e.method, e.status, e.scenario, e.group) for e in found}

    assert endpoints(file.samples) == endpoints(stream)
    assert not [name for _, name, *_ in endpoints(stream) if "token=s" in name]
    assert {(c.name, c.group, c.scenario) for s in file.samples for c in s.checks} == {
        (c.name, c.group, c.scenario) for s in stream for c in s.checks
    }
    assert {name for s in file.samples for name in s.phases} == {
        name for s in stream for name in s.phases
    }
    if file.format == "k6 json":
        assert {(m.name, m.type, m.unit) for s in file.samples for m in s.metrics} == {
            (m.name, m.type, m.unit) for s in stream for m in s.metrics
        }
    for kind in (RequestKind.HTTP, RequestKind.ITERATION):
        ours, theirs = latency(file.samples, kind), latency(stream, kind)
        assert ours.schema == theirs.schema
        assert ours.zero_count >= theirs.zero_count
        assert all(ours.buckets.get(at, 0) >= count for at, count in theirs.buckets.items())
        assert ours.count - theirs.count <= ours.count // 20
