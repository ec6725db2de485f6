"""The summary file, schema `flashpoint.summary/1`: what a run did, for programs to read.

The schema is written down in the README.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from collectors.k6.summary import K6Summary
from collectors.samples import LoadTarget, Role, StackCount
from collectors.text import sanitise
from tui.export.files import write_atomically
from tui.model.calltree import FunctionTotal, build_tree
from tui.model.cuttotals import cut_totals, function_totals
from tui.model.latency import mean, quantile, upper_bound
from tui.model.load import EndpointTotal, endpoint_totals, kind_of, summarise
from tui.model.perrequest import stack_seconds
from tui.model.timeline import Timeline, TimeRange
from tui.model.usage import HostRange, RoleRange, summarise_host, summarise_role

SCHEMA: Final = "flashpoint.summary/1"
TOP_ROWS: Final = 50
ENDPOINT_ROWS: Final = 1_000


@dataclass(frozen=True, slots=True)
class ProfileFacts:
    """How the stacks were taken."""

    profiler: str
    event: str
    frequency_hz: int


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What the session knows of a run beside the timeline."""

    mode: str
    control: str
    """How the load was moved, or `as written`."""
    started_at: float
    """Session's clock."""
    ended_at: float
    warm_up_s: float
    """Left out of `load` and `profile`."""
    k6_version: str
    k6_path: str
    k6_exit_code: int | None
    exit_status: int
    target: str
    instance: str
    """The k6 process whose requests these are."""
    figures: K6Summary | None
    """k6's own end-of-test summary."""
    withheld: int
    """Requests in k6's summary that its stream never sent."""
    profile: ProfileFacts | None


def summary(timeline: Timeline, run: RunRecord) -> dict[str, Any]:
    """Return the summary of a run as plain values, times in the units their names say."""
    measured = TimeRange(run.started_at + run.warm_up_s, run.ended_at)
    hosts = timeline.hosts_in(TimeRange(run.started_at, run.ended_at))
    load = _load(timeline, run, measured)
    figures = run.figures
    return {
        "schema": SCHEMA,
        "mode": run.mode,
        "control": run.control,
        "duration_s": round(run.ended_at - run.started_at, 3),
        "warm_up_s": run.warm_up_s,
        "exit_status": run.exit_status,
        "target": run.target or None,
        "k6": {
            "version": run.k6_version,
            "path": sanitise(run.k6_path),
            "exit_code": run.k6_exit_code,
        },
        "load": load,
        "k6_summary": {
            "requests": figures.requests if figures is not None else None,
            "p95_ms": figures.latency_ms.get("p95") if figures is not None else None,
        },
        "machine": {
            "cores": summarise_host(hosts).cores,
            **{role.value: _role(summarise_role(hosts, role)) for role in Role},
            "host": _host(summarise_host(hosts)),
        },
        "profile": _profile(timeline, run, measured, load),
        "dropped": dict(timeline.drop_counts()),
        "marks": [
            {
                "at_s": round(mark.at - run.started_at, 3),
                "kind": mark.kind.value,
                "text": mark.text,
            }
            for mark in timeline.marks
        ],
        "targets": [_target(each, run.started_at) for each in timeline.targets],
    }


def _target(target: LoadTarget, started_at: float) -> dict[str, Any]:
    return {
        "at_s": round(target.at - started_at, 3),
        "unit": target.course.unit.value,
        "paused": target.is_paused,
        "points": [
            {"at_s": round(at - started_at, 3), "level": level}
            for at, level in target.course.points
        ],
    }


def write_summary(path: Path, timeline: Timeline, run: RunRecord) -> None:
    """Write the summary file.

    Raises:
        SourceError: it can't be written.
    """
    text = msgspec.json.format(msgspec.json.encode(summary(timeline, run)), indent=2)
    write_atomically(path, text + b"\n")


def _load(timeline: Timeline, run: RunRecord, measured: TimeRange) -> dict[str, Any]:
    samples = [
        sample
        for sample in timeline.loads
        if sample.instance == run.instance
        and (not run.warm_up_s or sample.at - sample.interval_s >= measured.start)
    ]
    kind = kind_of(samples)
    load = summarise(samples, kind)
    # A maximum can't be read from a histogram; k6's own is of the whole run.
    whole = run.figures if run.figures is not None and not run.warm_up_s else None
    latency = load.latency
    endpoints = endpoint_totals(samples, kind)
    checks = None
    if run.figures is not None:
        checks = {"passed": run.figures.checks_passed, "failed": run.figures.checks_failed}
    maximum = whole.latency_ms.get("max") if whole is not None else None
    return {
        "unit": kind.value,
        "requests": load.requests + run.withheld,
        "streamed_requests": load.requests,
        "failed": load.failed,
        "rps": load.rps,
        "latency_ms": {
            "mean": _ms(mean(latency)),
            **{f"p{q}": _ms(quantile(latency, q / 100)) for q in (50, 90, 95, 99)},
            "max": maximum,
            "max_at_most": _ms(upper_bound(latency)),
        },
        "iterations": load.iterations,
        "dropped_iterations": load.dropped_iterations,
        "bytes_sent": load.bytes_sent,
        "bytes_received": load.bytes_received,
        "checks": checks,
        "endpoints": [_endpoint(each) for each in endpoints[:ENDPOINT_ROWS]],
    }


def _endpoint(each: EndpointTotal) -> dict[str, Any]:
    return {
        "name": each.name,
        "method": each.method,
        "status": each.status,
        "requests": each.requests,
        "failed": each.failed,
        "p95_ms": _ms(quantile(each.latency, 0.95)),
    }


def _role(usage: RoleRange) -> dict[str, Any]:
    return {
        "cpu_seconds": round(usage.cpu_seconds, 3),
        "cpu_cores_mean": usage.cpu_cores_mean,
        "rss_bytes_max": usage.rss_bytes_max,
        "read_bytes": usage.read_bytes,
        "written_bytes": usage.written_bytes,
        "threads": usage.threads,
        "voluntary_switches": usage.voluntary_switches,
        "involuntary_switches": usage.involuntary_switches,
        "throttled_seconds": usage.throttled_seconds,
    }


def _host(usage: HostRange) -> dict[str, Any]:
    return {
        "cpu_seconds": round(usage.cpu_seconds, 3),
        "cpu_cores_mean": usage.cpu_cores_mean,
        "memory_used_bytes_max": usage.memory_used_bytes_max,
        "memory_total_bytes": usage.memory_total_bytes,
        "read_bytes": round(usage.read_bytes),
        "written_bytes": round(usage.written_bytes),
    }


def _profile(
    timeline: Timeline, run: RunRecord, measured: TimeRange, load: Mapping[str, Any]
) -> dict[str, Any] | None:
    if run.profile is None:
        return None
    if run.warm_up_s:
        # Whole seconds of stacks against k6's pushes: both as rates over what they cover.
        window = measured
        requests = round((load["rps"] or 0.0) * stack_seconds(timeline, window))
    else:
        # The second in which the load began belongs to it: before it there was none.
        window = TimeRange(float(int(measured.start)), measured.end)
        requests = load["requests"]
    counts: Mapping[int, StackCount] = timeline.stacks_in(window)
    tree = build_tree(timeline.stacks, counts)
    rows = function_totals(tree, cut_totals(timeline, window))[:TOP_ROWS]
    return {
        "profiler": run.profile.profiler,
        "event": run.profile.event,
        "frequency_hz": run.profile.frequency_hz,
        "samples": tree.samples,
        "lost": timeline.samples_lost,
        "unknown_ratio": tree.unknown_ratio,
        "caller_lost_ratio": tree.caller_lost_ratio,
        "cpu_us_per_request": _us_per_request(tree.period_ns, requests),
        "top": _top(rows, tree.period_ns, requests),
    }


def _top(rows: Sequence[FunctionTotal], whole_ns: int, requests: int) -> list[dict[str, Any]]:
    return [
        {
            "symbol": row.symbol,
            "module": row.module,
            "kind": row.kind.value,
            "self_ratio": row.self_period_ns / whole_ns if whole_ns else 0.0,
            "total_ratio": row.total_period_ns / whole_ns if whole_ns else 0.0,
            "self_us_per_request": _us_per_request(row.self_period_ns, requests),
            "total_us_per_request": _us_per_request(row.total_period_ns, requests),
        }
        for row in rows
    ]


def _us_per_request(period_ns: int, requests: int) -> float | None:
    return period_ns / 1_000 / requests if requests else None


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1_000
