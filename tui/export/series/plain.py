"""What the model says, as plain values for JSON: units in names, null where nothing is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final, TypeAlias

from collectors.samples import CustomMetric, Histogram, LoadSample, MetricType, RequestKind
from tui.export.series.measured import Measured
from tui.model.calldiff import FunctionChange
from tui.model.calltree import FunctionTotal
from tui.model.costchange import CostChange
from tui.model.latency import mean, merge, quantile, upper_bound
from tui.model.load import EndpointTotal, traffic_of
from tui.model.usage import RoleRange

Plain: TypeAlias = dict[str, Any]

QUANTILES: Final = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
SECONDS: Final = "s"


def totals(found: Measured) -> Plain:
    """Return the totals of a range; each part is null where its source told nothing."""
    verdict = found.verdict
    return {
        "load": _load(found),
        "machine": {
            "host": asdict(found.host) if found.host is not None else None,
            **{role.value: _role(usage) for role, usage in found.roles.items()},
        },
        "profile": _profile(found),
        "verdict": None
        if verdict is None
        else {"severity": verdict.severity.value, "text": verdict.text},
    }


def _load(found: Measured) -> Plain | None:
    load = found.load
    if load is None:
        return None
    return {
        "covered_s": load.covered_s,
        "requests": load.requests,
        "failed": load.failed,
        "failed_ratio": load.failed_ratio,
        "rps": load.rps,
        "latency_ms": _latency_ms(load.latency),
        "latency": histogram(load.latency, SECONDS),
        "iterations": load.iterations,
        "dropped_iterations": load.dropped_iterations,
        "sent_bytes": load.bytes_sent,
        "received_bytes": load.bytes_received,
        "vus": load.vus,
        "vus_max": load.vus_max,
    }


def _role(usage: RoleRange) -> Plain:
    return {name: value for name, value in asdict(usage).items() if name != "role"}


def _profile(found: Measured) -> Plain | None:
    tree = found.tree
    if tree is None:
        return None
    return {
        "samples": tree.samples,
        "samples_lost": found.lost,
        "cpu_seconds": tree.period_ns / 1e9 if tree.period_ns else None,
        "cpu_us_per_request": found.cpu_us_per_request,
        "covered_s": found.stack_s,
        "requests": found.stack_requests,
        "unknown_ratio": tree.unknown_ratio,
        "caller_lost_ratio": tree.caller_lost_ratio,
    }


def traffic(loads: Sequence[LoadSample]) -> list[Plain]:
    """Return what there was of every kind of request, not only of the one that is shown."""
    found = []
    for kind in RequestKind:
        parts = [traffic_of(sample, kind) for sample in loads]
        latency = merge(part.latency for part in parts)
        requests = sum(part.requests for part in parts)
        if requests or latency.count:
            found.append(
                {
                    "kind": kind.value,
                    "requests": requests,
                    "failed": sum(part.failed for part in parts),
                    "latency_ms": _latency_ms(latency),
                    "latency": histogram(latency, SECONDS),
                }
            )
    return found


def phases(loads: Sequence[LoadSample]) -> Plain:
    """Return the latency of each phase of HTTP, by its name."""
    names = sorted({name for sample in loads for name in sample.phases})
    return {
        name: histogram(
            merge(sample.phases[name] for sample in loads if name in sample.phases), SECONDS
        )
        for name in names
    }


def endpoint(each: EndpointTotal, kind: RequestKind) -> Plain:
    """Return one endpoint."""
    return {
        "kind": kind.value,
        "name": each.name,
        "method": each.method,
        "status": each.status,
        "requests": each.requests,
        "failed": each.failed,
        "latency_ms": _latency_ms(each.latency),
        "latency": histogram(each.latency, SECONDS),
    }


def metrics(found: Mapping[str, CustomMetric]) -> list[Plain]:
    """Return the script's own metrics; a trend has a histogram in place of a value."""
    return [
        {
            "name": metric.name,
            "type": metric.type.value,
            "unit": metric.unit or None,
            "value": None if metric.type is MetricType.TREND else metric.value,
            "trend": histogram(metric.trend, metric.unit)
            if metric.type is MetricType.TREND
            else None,
        }
        for metric in found.values()
    ]


def function(row: FunctionTotal, found: Measured) -> Plain:
    """Return what one function cost over all its callers."""
    return {
        "symbol": row.symbol,
        "module": row.module,
        "kind": row.kind.value,
        "caller_lost": row.caller_lost,
        "self_samples": row.self_samples,
        "total_samples": row.total_samples,
        "self_ratio": found.ratio(row),
        "total_ratio": found.ratio(row, is_total=True),
        "self_us_per_request": found.us_per_request(row.self_period_ns),
        "total_us_per_request": found.us_per_request(row.total_period_ns),
    }


def function_change(change: FunctionChange, *, is_time: bool) -> Plain:
    """Return what changed in one function; costs are per request.

    Args:
        change: Of the function.
        is_time: Whether costs are µs; else they are samples.
    """
    frame = change.frame
    unit = "us" if is_time else "samples"
    return {
        "symbol": frame.symbol,
        "module": frame.module,
        "kind": frame.kind.value,
        "self": _cost_change(change.own, unit),
        "total": _cost_change(change.total, unit),
    }


def _cost_change(change: CostChange, unit: str) -> Plain:
    return {
        f"before_{unit}_per_request": change.before.us,
        f"after_{unit}_per_request": change.after.us,
        f"change_{unit}_per_request": change.delta_us,
        f"change_interval_{unit}_per_request": change.interval_us,
        "ratio": change.ratio,
        "ratio_interval": change.ratio_interval,
        "p_value": change.p_value,
        "is_changed": change.is_changed,
    }


def histogram(found: Histogram, unit: str) -> Plain:
    """Return a histogram whole, its buckets in order; `unit` is that of its values."""
    return {
        "schema": found.schema,
        "unit": unit or None,
        "zero_count": found.zero_count,
        "count": found.count,
        "sum": found.sum,
        "buckets": sorted(found.buckets.items()),
    }


def _latency_ms(latency: Histogram) -> Plain:
    found = {
        "mean": mean(latency),
        **{name: quantile(latency, q) for name, q in QUANTILES.items()},
        "max_at_most": upper_bound(latency),
    }
    return {name: None if value is None else value * 1_000 for name, value in found.items()}
