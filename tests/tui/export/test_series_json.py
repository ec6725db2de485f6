"""A range as JSON: nothing is lost, and percentiles can be worked out again."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.samples import (
    Baseline,
    CheckRatio,
    CustomMetric,
    Endpoint,
    Histogram,
    LoadSample,
    MetricType,
    RequestKind,
    StackBatch,
    StackCount,
    Traffic,
)
from tests.builders import batch, endpoint, histogram, load
from tests.tui.export.known_run import (
    ABOUT,
    AFTER,
    BASELINE,
    NASTY,
    NOTHING,
    WHOLE,
    known_run,
)
from tui.export.series.json_series import SCHEMA, series_json
from tui.export.series.seconds import COLUMNS
from tui.model.latency import merge, quantile
from tui.model.load import endpoint_totals, kind_of, summarise
from tui.model.timeline import Timeline, TimeRange


def written(
    line: Timeline, range_: TimeRange = WHOLE, baseline: Baseline | None = None
) -> dict[str, Any]:
    """Return the file, read as strictly as JSON is."""

    def no_constant(name: str) -> None:
        raise ValueError(name)

    text = series_json(line, range_, ABOUT, baseline)
    made: dict[str, Any] = json.loads(text, parse_constant=no_constant)
    return made


def read_histogram(plain: dict[str, Any]) -> Histogram:
    """Return a histogram by what the schema says of it."""
    buckets: dict[int, int] = dict(plain["buckets"])
    assert plain["count"] == plain["zero_count"] + sum(buckets.values())
    return Histogram(plain["schema"], buckets, plain["zero_count"], plain["count"], plain["sum"])


def test_totals_are_those_of_the_model() -> None:
    """Counts, histogram and percentiles of the whole; the endpoints sum up to them."""
    line = known_run()
    made = written(line)
    wanted = summarise(line.loads_in(WHOLE), kind_of(line.loads))
    found = made["totals"]["load"]
    assert (found["requests"], found["failed"], found["iterations"]) == (200, 20, 200)
    assert found["rps"] == wanted.rps
    assert read_histogram(found["latency"]) == wanted.latency
    for name, q in (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)):
        again = quantile(read_histogram(found["latency"]), q)
        assert again is not None
        assert found["latency_ms"][name] == again * 1000
    assert [(e["name"], e["requests"], e["failed"]) for e in made["endpoints"]] == [
        ("/ok", 180, 0),
        (NASTY, 20, 20),
    ]
    assert made["totals"]["machine"]["target"]["cpu_seconds"] == 10.0
    assert set(made["totals"]["machine"]) == {"host", "target"}
    assert made["totals"]["verdict"] == {"severity": "bad", "text": "10.0% of the requests fail"}


def test_seconds_have_the_figures_of_the_table_and_add_up() -> None:
    """The merged latency of all seconds is that of the whole."""
    made = written(known_run())
    assert len(made["seconds"]) == 20
    assert all(set(COLUMNS) < set(each) for each in made["seconds"])
    assert sum(each["requests"] for each in made["seconds"]) == 200
    parts = [read_histogram(each["latency"]) for each in made["seconds"]]
    whole = read_histogram(made["totals"]["load"]["latency"])
    assert replace(merge(parts), sum=0.0) == replace(whole, sum=0.0)
    assert [each["elapsed_s"] for each in made["seconds"][:2]] == [2.0, 3.0]


def test_the_run_is_told_with_all_that_was_done_to_it() -> None:
    """Who, when, marks, targets, baselines, drops, checks and own metrics."""
    made = written(known_run())
    assert made["schema"] == SCHEMA
    assert made["about"]["script"] == "x.js"
    assert made["about"]["name"] is None
    start = {"time": "2023-11-14T22:15:00.000Z", "elapsed_s": 1.0}
    assert made["range"]["start"] == start
    assert made["range"]["duration_s"] == 20.0
    assert made["marks"] == [
        {**start, "kind": "start", "text": "start"},
        {
            "time": "2023-11-14T22:15:12.500Z",
            "elapsed_s": 13.5,
            "kind": "note",
            "text": NASTY,
        },
    ]
    points = [{"elapsed_s": 1.0, "level": 0.0}, {"elapsed_s": 11.0, "level": 10.0}]
    assert made["targets"] == [{**start, "unit": "vus", "paused": False, "points": points}]
    (baseline,) = made["baselines"]
    assert (baseline["name"], baseline["duration_s"]) == (BASELINE.name, 10.0)
    assert made["drops"] == {"k6_withheld": 2}
    assert made["checks"] == [
        {"name": "is well", "group": "", "scenario": "default", "passed_ratio": 0.9}
    ]
    items, size = made["metrics"]
    assert (items["name"], items["value"], items["trend"]) == ("items", 40.0, None)
    assert (size["value"], size["trend"]["count"], size["trend"]["unit"]) == (None, 20, "B")


def test_functions_cost_what_was_sampled_per_request() -> None:
    """After the change: 15 of 25 samples a second in `work`, ten requests a second."""
    made = written(known_run(), AFTER)
    work, main = made["functions"]
    assert (work["symbol"], work["self_samples"], work["total_samples"]) == ("work", 150, 150)
    assert (main["self_ratio"], main["total_ratio"]) == (0.4, 1.0)
    # The stacks end 0.1 s before the range, 0.5 s are never counted as missing.
    profile = made["totals"]["profile"]
    assert profile["samples"] == 250
    assert profile["requests"] == round(10 * profile["covered_s"]) == 99
    assert work["self_us_per_request"] == pytest.approx(1_500_000 / 99)
    assert profile["cpu_us_per_request"] == pytest.approx(2_500_000 / 99)


def test_a_baseline_is_compared_function_by_function() -> None:
    """Three times the work is a change, the same is none."""
    made = written(known_run(), AFTER, BASELINE)["comparison"]
    assert made["baseline"]["name"] == BASELINE.name
    assert made["totals"]["profile"]["samples"] == 150
    work, main = made["functions"]
    assert (work["symbol"], work["self"]["is_changed"]) == ("work", True)
    assert work["self"]["ratio"] == pytest.approx(3 * 100 / 99, rel=0.01)
    low, high = work["self"]["change_interval_us_per_request"]
    assert low < work["self"]["change_us_per_request"] < high
    assert not main["self"]["is_changed"]
    assert written(known_run(), AFTER)["comparison"] is None


def test_every_kind_of_request_is_in_it() -> None:
    """A script of HTTP and gRPC: one is shown, both are told."""
    http = endpoint("/", 3, latency=histogram([0.1] * 3))
    grpc = Endpoint(RequestKind.GRPC, "Say", "", "0", "s", "", 2, 1, histogram([0.2] * 2))
    push = replace(
        load(101.0, 3, latency=histogram([0.1] * 3), endpoints=(http, grpc)),
        traffic=(
            Traffic(RequestKind.HTTP, 3, 0, histogram([0.1] * 3)),
            Traffic(RequestKind.GRPC, 2, 1, histogram([0.2] * 2)),
        ),
        phases={"waiting": histogram([0.05] * 3)},
    )
    line = Timeline(100.0)
    line.append(push)
    line.append(replace(push, at=102.0, phases={}))
    made = written(line, TimeRange(100.0, 102.0))
    assert [(t["kind"], t["requests"], t["failed"]) for t in made["traffic"]] == [
        ("http", 6, 0),
        ("grpc", 4, 2),
    ]
    assert [(e["kind"], e["name"], e["requests"]) for e in made["endpoints"]] == [
        ("http", "/", 6),
        ("grpc", "Say", 4),
    ]
    assert made["phases"]["waiting"]["count"] == 3


def test_what_is_not_known_is_null() -> None:
    """Of a session in which nothing happened, and of samples that have no period."""
    made = json.loads(series_json(Timeline(0.0), TimeRange(0.0, 1.0), NOTHING, None))
    assert made["totals"] == {
        "load": None,
        "machine": {"host": None},
        "profile": None,
        "verdict": None,
    }
    (second,) = made["seconds"]
    assert not any(second[name] for name in COLUMNS)
    assert all(second[name] is None for name in COLUMNS)
    line = Timeline(100.0)
    line.append(load(101.0, 10))
    line.append(batch(100.0, 5, period_ns=0))
    line.append(batch(100.9, 5, period_ns=0))
    made = written(line, TimeRange(100.0, 101.0))
    assert made["totals"]["profile"]["requests"] == 9
    assert made["totals"]["profile"]["cpu_seconds"] is None
    assert made["totals"]["profile"]["cpu_us_per_request"] is None
    (row,) = made["functions"]
    assert (row["self_ratio"], row["self_us_per_request"]) == (1.0, None)


def test_checks_are_told_as_they_stood() -> None:
    """k6 streams the share since the start; one that it sent before the range still holds."""
    check = CheckRatio("is well", "", "default", 0.5)
    line = Timeline(100.0)
    line.append(load(101.0, checks=(check,)))
    line.append(load(102.0))
    line.append(load(103.0, checks=(replace(check, passed_ratio=0.1),)))
    (found,) = written(line, TimeRange(101.0, 102.0))["checks"]
    assert found["passed_ratio"] == 0.5


@given(
    value=st.sampled_from([math.inf, -math.inf, math.nan, 1e308]),
    name=st.text(max_size=20),
)
def test_numbers_are_finite_and_texts_survive(value: float, name: str) -> None:
    """JSON knows no infinity; any text is read back as it was."""
    push: LoadSample = replace(
        load(101.0, 1, latency=Histogram(3, {0: 1}, 0, 1, value), endpoints=(endpoint(name, 1),)),
        metrics=(CustomMetric("m", MetricType.GAUGE, value, histogram([]), ""),),
    )
    line = Timeline(100.0)
    line.append(push)
    made = written(line, TimeRange(100.0, 101.0))
    finite = value if math.isfinite(value) else None
    assert made["metrics"][0]["value"] == finite
    assert made["totals"]["load"]["latency"]["sum"] == finite
    assert made["endpoints"][0]["name"] == name
    totals = endpoint_totals(line.loads, RequestKind.HTTP)
    assert made["endpoints"][0]["requests"] == totals[0].requests


def test_functions_have_what_their_stacks_lack() -> None:
    """In their totals, also in those of a comparison; own costs and the whole stay."""
    line = known_run()
    cut = {1: StackCount(20, 200_000_000)}
    line.append(StackBatch(112.0, 112.5, {0: StackCount(50, 500_000_000)}, cut=cut))
    made = written(line, AFTER, BASELINE)
    rows = {row["symbol"]: row for row in made["functions"]}
    assert (rows["work"]["self_samples"], rows["work"]["total_samples"]) == (150, 170)
    assert (rows["work"]["self_ratio"], rows["work"]["total_ratio"]) == (0.5, 170 / 300)
    assert rows["main"]["total_ratio"] == 1.0
    own_us, total_us = (rows["work"][f"{each}_us_per_request"] for each in ("self", "total"))
    assert total_us == pytest.approx(own_us * 170 / 150)
    (change,) = (row for row in made["comparison"]["functions"] if row["symbol"] == "work")
    assert change["self"]["after_us_per_request"] == pytest.approx(own_us)
    assert change["total"]["after_us_per_request"] == pytest.approx(total_us)
