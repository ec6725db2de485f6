"""Reads the end-of-test summary that k6 writes for `--summary-export`.

Two shapes are understood: the classic one (metrics by name) and the machine-readable one of
k6 1.5 and later (a list of metrics under `results`). What is missing stays None.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from collectors.samples import RequestKind

MAX_SUMMARY_BYTES: Final = 16 << 20

_COUNTED: Final = (
    (RequestKind.HTTP, "http_reqs", "http_req_duration", "http_req_failed"),
    (RequestKind.GRPC, "grpc_req_duration", "grpc_req_duration", ""),
    (RequestKind.WEBSOCKET, "ws_sessions", "ws_connecting", ""),
    (
        RequestKind.BROWSER,
        "browser_http_req_duration",
        "browser_http_req_duration",
        "browser_http_req_failed",
    ),
    (RequestKind.ITERATION, "iterations", "iteration_duration", ""),
)
"""Kind, metric that counts its requests, metric of their latency, metric of their failures."""

_LATENCY: Final = {
    "avg": "mean",
    "med": "p50",
    "p(50)": "p50",
    "p(90)": "p90",
    "p(95)": "p95",
    "p(99)": "p99",
    "p(99.9)": "p999",
    "min": "min",
    "max": "max",
}


@dataclass(frozen=True, slots=True)
class K6Summary:
    """The numbers that k6 itself ends with."""

    kind: RequestKind
    """What the requests are: the first kind that the script made."""
    requests: int | None
    failed: int | None
    iterations: int | None
    dropped_iterations: int
    """Iterations that k6 could not start in time."""
    checks_passed: int
    checks_failed: int
    thresholds_crossed: bool
    latency_ms: Mapping[str, float] = field(default_factory=dict)
    """Of `mean`, `min`, `p50`, `p90`, `p95`, `p99`, `p999`, `max` those that k6 gives."""


def read_summary(path: str | Path) -> K6Summary | None:
    """Read a summary file; None if there is none, or none that can be understood."""
    try:
        with Path(path).open("rb") as file:
            text = file.read(MAX_SUMMARY_BYTES + 1)
    except OSError:
        return None
    return parse_summary(text)


def parse_summary(text: bytes) -> K6Summary | None:
    """Parse a summary; None if it can't be understood."""
    if len(text) > MAX_SUMMARY_BYTES:
        return None
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    if not isinstance(document, dict):
        return None
    metrics = _metrics(document)
    if metrics is None:
        return None
    kind, counted, latency, failed = next(
        (row for row in _COUNTED if row[1] in metrics), _COUNTED[-1]
    )
    passed_checks, failed_checks = _checks(document, metrics)
    return K6Summary(
        kind=kind,
        requests=_count(metrics.get(counted, {})),
        failed=_trues(metrics.get(failed, {})),
        iterations=_count(metrics.get("iterations", {})),
        dropped_iterations=_count(metrics.get("dropped_iterations", {})) or 0,
        checks_passed=passed_checks,
        checks_failed=failed_checks,
        thresholds_crossed=any(_is_crossed(metric) for metric in metrics.values()),
        latency_ms=_latency(metrics.get(latency, {})),
    )


def _metrics(document: dict[str, Any]) -> dict[str, dict[str, Any]] | None:
    """Return the values of every metric by its name, whichever the shape of the document."""
    metrics = document.get("metrics")
    if isinstance(metrics, dict):
        return {
            name: _values(metric) for name, metric in metrics.items() if isinstance(metric, dict)
        }
    results = document.get("results")
    listed = results.get("metrics") if isinstance(results, dict) else None
    if not isinstance(listed, list):
        return None
    return {
        metric["name"]: _values(metric)
        for metric in listed
        if isinstance(metric, dict) and isinstance(metric.get("name"), str)
    }


def _values(metric: dict[str, Any]) -> dict[str, Any]:
    values = metric.get("values")
    if not isinstance(values, dict):
        return metric
    return {**values, "thresholds": metric.get("thresholds")}


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:  # JSON's whole numbers have no end
        return None
    return number if math.isfinite(number) else None


def _whole(value: object) -> int | None:
    number = _number(value)
    return round(number) if number is not None and 0 <= number < 2**63 else None


def _count(metric: dict[str, Any]) -> int | None:
    return _whole(metric.get("count"))


def _trues(rate: dict[str, Any]) -> int | None:
    # A rate's `passes` are its trues, and for a failure rate a true is a failure.
    return _whole(rate.get("passes", rate.get("matches")))


def _checks(document: dict[str, Any], metrics: dict[str, dict[str, Any]]) -> tuple[int, int]:
    checks = metrics.get("checks", {})
    if "passes" in checks:
        return _whole(checks["passes"]) or 0, _whole(checks.get("fails")) or 0
    results = document.get("results")
    section = results.get("checks") if isinstance(results, dict) else None
    rows = section.get("results") if isinstance(section, dict) else None
    passed = failed = 0
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict):
            passed += _whole(row.get("passes")) or 0
            failed += _whole(row.get("fails")) or 0
    return passed, failed


def _is_crossed(metric: dict[str, Any]) -> bool:
    thresholds = metric.get("thresholds")
    if not isinstance(thresholds, dict):
        return False
    # Classic: true means crossed. Machine-readable: an object that says whether it is ok.
    return any(
        value.get("ok") is False if isinstance(value, dict) else value is True
        for value in thresholds.values()
    )


def _latency(metric: dict[str, Any]) -> dict[str, float]:
    latency = {}
    for theirs, ours in _LATENCY.items():
        number = _number(metric.get(theirs))
        if number is not None:
            latency[ours] = number
    return latency
