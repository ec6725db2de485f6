"""A range as OpenMetrics, read by Prometheus' own client."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from collectors.samples import (
    Baseline,
    Endpoint,
    Frame,
    FrameKind,
    Histogram,
    Mark,
    MarkKind,
    RequestKind,
    Stack,
    StackBatch,
    StackCount,
)
from collectors.text import sanitise
from tests.builders import batch, endpoint, histogram, load
from tests.tui.export.known_run import ABOUT, AFTER, BASELINE, NASTY, NOTHING, WHOLE, known_run
from tui.export.about import About
from tui.export.series.openmetrics import FUNCTIONS, openmetrics
from tui.model.latency import merge, quantile
from tui.model.timeline import Timeline, TimeRange

SECONDS = "flashpoint_request_duration_seconds"


def families(
    line: Timeline,
    range_: TimeRange = WHOLE,
    baseline: Baseline | None = None,
    about: About = ABOUT,
) -> dict[str, Metric]:
    """Return the families of a range by name; the parser fails on what breaks the format."""
    text = openmetrics(line, range_, about, baseline).decode()
    assert text.endswith("# EOF\n")
    read = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    return {family.name: family for family in read}


def values(family: Metric, *labels: str) -> dict[tuple[str, ...], float]:
    """Return the values of a family by some of its labels."""
    return {tuple(s.labels[name] for name in labels): s.value for s in family.samples}


def read_quantile(samples: list[Sample], q: float) -> float:
    """Return a quantile as Prometheus does of classic buckets, but evenly over the logarithm."""
    buckets = [(float(s.labels["le"]), s.value) for s in samples if s.name.endswith("_bucket")]
    rank = q * buckets[-1][1]
    place = next(i for i, (_, count) in enumerate(buckets) if count >= rank)
    (low, before), (high, count) = buckets[place - 1], buckets[place]
    return float(low * (high / low) ** ((rank - before) / (count - before)))


def test_counters_have_the_totals_of_the_range() -> None:
    """Of each endpoint, of the script, of the processes."""
    found = families(known_run())
    by = ("name", "method", "status")
    assert values(found["flashpoint_requests"], *by) == {
        ("/ok", "GET", "200"): 180,
        (NASTY, "GET", "500"): 20,
    }
    assert values(found["flashpoint_failed_requests"], "status") == {("200",): 0, ("500",): 20}
    assert values(found["flashpoint_iterations"]) == {(): 200}
    assert values(found["flashpoint_sent_bytes"]) == {(): 2000}
    assert values(found["flashpoint_cpu_seconds"], "role") == {("target",): 10.0}
    assert values(found["flashpoint_drops"], "reason") == {("k6_withheld",): 2}
    assert values(found["flashpoint_vus"]) == {(): 2}
    assert values(found["flashpoint_rss_bytes"], "role") == {("target",): 1000}
    assert values(found["flashpoint_profile_samples"]) == {(): 400}


def test_every_line_is_of_the_end_and_every_family_is_described() -> None:
    """Type, unit and help of each; a unit is the end of the name."""
    found = families(known_run(), AFTER, BASELINE)
    times = {float(s.timestamp or 0.0) for f in found.values() for s in f.samples}
    assert times == {1_700_000_120.0}
    assert all(family.documentation and family.type != "unknown" for family in found.values())
    for name, family in found.items():
        last = name.rpartition("_")[2]
        assert family.unit == (last if last in ("seconds", "bytes") else ""), name
    assert found[SECONDS].type == "histogram"


def test_latencies_are_histograms_in_seconds() -> None:
    """With edges that all endpoints share, so that they add up; quantiles are the model's."""
    samples = families(known_run())[SECONDS].samples
    of: dict[str, list[Sample]] = {}
    for sample in samples:
        of.setdefault(sample.labels["name"], []).append(sample)
    edges = {name: [s.labels["le"] for s in each if "le" in s.labels] for name, each in of.items()}
    assert edges["/ok"] == edges[NASTY]
    latency = histogram([0.010] * 180)
    assert next(s.value for s in of["/ok"] if s.name == f"{SECONDS}_count") == 180
    total = next(s.value for s in of["/ok"] if s.name == f"{SECONDS}_sum")
    assert total == pytest.approx(latency.sum)
    for q in (0.1, 0.5, 0.95):
        assert read_quantile(of["/ok"], q) == pytest.approx(quantile(latency, q))


@given(
    st.lists(
        st.tuples(
            st.integers(0, 5),
            st.integers(0, 3),
            st.dictionaries(st.integers(-60, 60), st.integers(1, 9), max_size=8),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_no_bucket_is_lost(made: list[tuple[int, int, dict[int, int]]]) -> None:
    """Whatever resolutions meet: what is below an edge is what the merged histogram has below."""
    line = Timeline(100.0)
    parts = [
        Histogram(schema, buckets, zeros, zeros + sum(buckets.values()), 1.0)
        for schema, zeros, buckets in made
    ]
    endpoints = tuple(endpoint(f"/{i}", part.count, latency=part) for i, part in enumerate(parts))
    requests = sum(part.count for part in parts)
    line.append(load(101.0, requests, latency=merge(parts), endpoints=endpoints))
    found = families(line, TimeRange(100.0, 101.0))
    sums: dict[float, float] = {}
    for sample in found[SECONDS].samples:
        if sample.name.endswith("_bucket"):
            edge = float(sample.labels["le"])
            sums[edge] = sums.get(edge, 0) + sample.value
    assert sums.pop(math.inf) == requests
    whole = merge(parts)
    for edge, below in sums.items():
        index = round(math.log2(edge) * 2**whole.schema)
        wanted = sum(n for i, n in whole.buckets.items() if i <= index) + whole.zero_count
        assert below == wanted


def test_buckets_beyond_floats_are_in_the_last_one() -> None:
    """Their edges can't be told apart; nothing is lost."""
    line = Timeline(100.0)
    far = Histogram(0, {-2000: 1, 1023: 1, 1024: 2, 1025: 3, 2000: 4}, 0, 11, math.inf)
    line.append(load(101.0, 11, latency=far))
    samples = families(line, TimeRange(100.0, 101.0))[SECONDS].samples
    lines = openmetrics(line, TimeRange(100.0, 101.0), ABOUT, None).decode().splitlines()
    assert len(set(lines)) == len(lines)  # the parser forgives a line that comes twice
    assert samples[-1].labels["le"] == "+Inf"
    assert samples[-1].value == 11
    assert {s.name for s in samples} == {f"{SECONDS}_bucket"}  # without a sum, there is no count


def test_functions_and_what_changed_in_them() -> None:
    """CPU seconds of the most costly, of one request, and more than in the baseline."""
    found = families(known_run(), AFTER, BASELINE)
    own = found["flashpoint_function_self_cpu_seconds"]
    assert values(own, "symbol", "caller_lost") == {
        ("work", "false"): 1.5,
        ("main", "false"): 1.0,
    }
    (cost,) = found["flashpoint_request_cpu_seconds"].samples
    assert cost.value == pytest.approx(2.5 / 99)
    changes = values(found["flashpoint_function_request_cpu_change_seconds"], "symbol")
    assert changes == {("work",): pytest.approx(1.5 / 99 - 0.5 / 99, rel=0.05)}
    assert "flashpoint_function_request_cpu_change_seconds" not in families(known_run(), AFTER)
    assert found["flashpoint_run"].samples[0].labels["baseline"] == BASELINE.name


def test_only_the_most_costly_functions_are_told() -> None:
    """Samples where they have no period: those stand for no time."""
    frames = {i: Frame(f"f{i}", "m", FrameKind.USER) for i in range(FUNCTIONS + 9)}
    stacks = {i: Stack("s", "t", (i,)) for i in frames}
    counts = {i: StackCount(i + 1, 0) for i in frames}
    line = Timeline(100.0)
    line.append(StackBatch(100.0, 100.9, counts, stacks, frames))
    found = families(line, TimeRange(100.0, 101.0))
    own = values(found["flashpoint_function_self_samples"], "symbol")
    assert len(own) == FUNCTIONS
    assert min(own.values()) == 10
    assert "flashpoint_request_cpu_seconds" not in found


def test_what_is_not_known_is_left_out() -> None:
    """No line says 0 of what nothing told."""
    found = families(Timeline(0.0), TimeRange(0.0, 1.0), about=NOTHING)
    assert set(found) == {"flashpoint_run"}
    line = Timeline(100.0)
    line.append(load(101.0, 7, failed=2, latency=histogram([0.1] * 7)))
    found = families(line, TimeRange(100.0, 101.0))
    assert values(found["flashpoint_requests"], "name", "status") == {("", ""): 7}
    assert not {name for name in found if "cpu" in name or "profile" in name}


names = st.text(max_size=30) | st.text(st.sampled_from('\\"\n\r{}=,# aé\u2028'), max_size=12)


@given(st.lists(names.map(sanitise), min_size=1, max_size=4, unique=True), names)
def test_labels_say_what_was_said(endpoints: list[str], script: str) -> None:
    """Whatever it is, no line breaks and no label ends early."""
    line = Timeline(100.0)
    made = tuple(
        Endpoint(RequestKind.HTTP, name, "GET", name, "s", "", 1, 0, histogram([0.1]))
        for name in endpoints
    )
    line.append(load(101.0, len(made), endpoints=made))
    line.append(batch(100.5))
    line.append(Mark(100.5, MarkKind.NOTE, script))
    found = families(line, TimeRange(100.0, 101.0), about=replace(ABOUT, script=script))
    told = {s.labels["name"] for s in found["flashpoint_requests"].samples}
    assert told == set(endpoints)
    assert {s.labels["name"] for s in found[SECONDS].samples} == set(endpoints)
    assert found["flashpoint_run"].samples[0].labels["script"] == sanitise(script)
