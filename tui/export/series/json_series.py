"""The series file, schema `flashpoint.series/1`: all that is known of a range, for programs.

Names end in units, ratios are 0 to 1, moments are `time` (ISO 8601, UTC) and `elapsed_s` (since the
session's start), and what is not known or not finite is `null`. `seconds` has the same figures as
the CSV and the latency of each second; counts of them sum up to `totals`. `targets`, `baselines`
and `drops` are of the whole session.

Latencies stay histograms, so that percentiles of any part can be worked out: bucket `i` of a
`schema` holds values in `(b**(i-1), b**i]` with `b = 2**(2**-schema)`, `buckets` are pairs of `i`
and a count, and `count` is all of them and `zero_count`.
Source: Prometheus native histogram specification.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

import msgspec

from collectors.samples import Baseline, LoadTarget, Mark, RequestKind
from tui.export.about import About
from tui.export.series.measured import Measured, compare, marks_in, measure, measure_baseline
from tui.export.series.moments import iso_utc
from tui.export.series.plain import (
    SECONDS,
    Plain,
    endpoint,
    function,
    function_change,
    histogram,
    metrics,
    phases,
    totals,
    traffic,
)
from tui.export.series.seconds import COLUMNS, Second, seconds
from tui.model.load import endpoint_totals
from tui.model.timeline import Timeline, TimeRange

SCHEMA: Final = "flashpoint.series/1"


def series_json(
    timeline: Timeline, range_: TimeRange, about: About, baseline: Baseline | None
) -> bytes:
    """Return the file.

    Args:
        timeline: Where it is cut from.
        range_: Seconds on the session's clock.
        about: What the run was.
        baseline: What the range is compared with: its totals, and what changed, are in the file.
    """
    found = measure(timeline, range_)
    moments = _Moments(timeline, about)
    loads = timeline.loads_in(range_)
    endpoints = [
        endpoint(each, kind)
        for kind in RequestKind
        for each in (found.endpoints if kind is found.kind else endpoint_totals(loads, kind))
    ]
    # msgspec writes numbers that are not finite as null.
    return msgspec.json.encode(
        {
            "schema": SCHEMA,
            "about": {name: None if v == "" else v for name, v in asdict(about).items()},
            "range": moments.range(range_),
            "request_unit": found.kind.value,
            "totals": totals(found),
            "traffic": traffic(loads),
            "phases": phases(loads),
            "endpoints": endpoints,
            "checks": [asdict(check) for check in found.checks],
            "metrics": metrics(found.metrics),
            "functions": [function(row, found) for row in found.functions],
            "seconds": [_second(each, moments) for each in seconds(timeline, range_)],
            "marks": [moments.mark(mark) for mark in marks_in(timeline, range_)],
            "targets": [moments.target(target) for target in timeline.targets],
            "baselines": [moments.baseline(each) for each in timeline.baselines.values()],
            "drops": timeline.drop_counts(),
            "comparison": _comparison(timeline, found, baseline, moments),
        }
    )


class _Moments:
    """Writes what has a time.

    Args:
        timeline: Elapsed times count from its origin.
        about: Knows what the clock said.
    """

    def __init__(self, timeline: Timeline, about: About) -> None:
        self._origin = timeline.origin
        self._about = about

    def elapsed_s(self, at: float) -> float:
        return round(at - self._origin, 3)

    def at(self, at: float) -> Plain:
        return {"time": iso_utc(self._about, at), "elapsed_s": self.elapsed_s(at)}

    def range(self, range_: TimeRange) -> Plain:
        return {
            "start": self.at(range_.start),
            "end": self.at(range_.end),
            "duration_s": round(range_.duration_s, 3),
        }

    def mark(self, mark: Mark) -> Plain:
        return {**self.at(mark.at), "kind": mark.kind.value, "text": mark.text}

    def baseline(self, baseline: Baseline) -> Plain:
        range_ = TimeRange(baseline.start, baseline.end)
        return {"name": baseline.name, "marked": self.at(baseline.at), **self.range(range_)}

    def target(self, target: LoadTarget) -> Plain:
        return {
            **self.at(target.at),
            "unit": target.course.unit.value,
            "paused": target.is_paused,
            "points": [
                {"elapsed_s": self.elapsed_s(at), "level": level}
                for at, level in target.course.points
            ],
        }


def _second(second: Second, moments: _Moments) -> Plain:
    load = second.load
    return {
        **moments.at(second.range.end),
        **{name: read(second) for name, read in COLUMNS.items()},
        "latency": None if load is None else histogram(load.latency, SECONDS),
        "marks": [moments.mark(mark) for mark in second.marks],
    }


def _comparison(
    timeline: Timeline, found: Measured, baseline: Baseline | None, moments: _Moments
) -> Plain | None:
    before = measure_baseline(timeline, baseline)
    if baseline is None or before is None:
        return None
    is_time = found.tree is not None and found.tree.period_ns > 0
    return {
        "baseline": moments.baseline(baseline),
        "totals": totals(before),
        "functions": [function_change(each, is_time=is_time) for each in compare(before, found)],
    }
