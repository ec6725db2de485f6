"""What one series of k6's stream stands for, told from its labels alone.

k6 names a series `k6_<metric>` plus `_total` (counter), `_rate` (rate), nothing (gauge), or the
unit of a trend: `_seconds`, `_bytes` or nothing. Source: k6's Prometheus remote write output.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from collectors.redact import Redactor
from collectors.samples import MetricType, RequestKind
from collectors.text import sanitise

NAME_LIMIT: Final = 512


class What(Enum):
    """What a series measures."""

    REQUESTS = auto()
    """Number of requests of a kind."""
    LATENCY = auto()
    """Their latency."""
    REQUESTS_AND_LATENCY = auto()
    """Both: k6 sends no counter for this kind."""
    FAILED_RATIO = auto()
    """Share of its requests that failed since the start."""
    PHASE = auto()
    """One phase of HTTP requests."""
    TOTAL = auto()
    """One of k6's own counters."""
    GAUGE = auto()
    """One of k6's own gauges."""
    CHECK = auto()
    """A check of the script."""
    CUSTOM = auto()
    """Any other metric."""


_HTTP_PHASES = {
    "blocked": "blocked",
    "connecting": "connecting",
    "tls_handshaking": "tls",
    "sending": "sending",
    "waiting": "waiting",
    "receiving": "receiving",
}

_KNOWN: Final[Mapping[str, tuple[What, RequestKind | None, str]]] = {
    "k6_http_reqs_total": (What.REQUESTS, RequestKind.HTTP, ""),
    "k6_http_req_duration_seconds": (What.LATENCY, RequestKind.HTTP, ""),
    "k6_http_req_failed_rate": (What.FAILED_RATIO, RequestKind.HTTP, ""),
    "k6_grpc_req_duration_seconds": (What.REQUESTS_AND_LATENCY, RequestKind.GRPC, ""),
    "k6_ws_sessions_total": (What.REQUESTS, RequestKind.WEBSOCKET, ""),
    "k6_ws_connecting_seconds": (What.LATENCY, RequestKind.WEBSOCKET, ""),
    "k6_browser_http_req_duration_seconds": (
        What.REQUESTS_AND_LATENCY,
        RequestKind.BROWSER,
        "",
    ),
    "k6_browser_http_req_failed_rate": (What.FAILED_RATIO, RequestKind.BROWSER, ""),
    "k6_iterations_total": (What.REQUESTS, RequestKind.ITERATION, ""),
    "k6_iteration_duration_seconds": (What.LATENCY, RequestKind.ITERATION, ""),
    "k6_dropped_iterations_total": (What.TOTAL, None, "dropped_iterations"),
    "k6_data_sent_total": (What.TOTAL, None, "bytes_sent"),
    "k6_data_received_total": (What.TOTAL, None, "bytes_received"),
    "k6_vus": (What.GAUGE, None, "vus"),
    "k6_vus_max": (What.GAUGE, None, "vus_max"),
    "k6_checks_rate": (What.CHECK, None, ""),
    **{
        f"k6_http_req_{name}_seconds": (What.PHASE, None, phase)
        for name, phase in _HTTP_PHASES.items()
    },
}


@dataclass(frozen=True, slots=True)
class EndpointKey:
    """What tells one endpoint from another."""

    kind: RequestKind
    name: str
    method: str
    status: str
    scenario: str
    group: str


@dataclass(frozen=True, slots=True)
class CheckKey:
    """What tells one check from another."""

    name: str
    group: str
    scenario: str


@dataclass(frozen=True, slots=True)
class CustomKey:
    """A custom metric, or one label set of a rate: ratios without counts can't be merged."""

    name: str
    type: MetricType
    unit: str


@dataclass(frozen=True, slots=True)
class SeriesMeaning:
    """What a series stands for; which fields are set follows from `what`."""

    what: What
    name: str = ""
    """Phase, counter or gauge."""
    endpoint: EndpointKey | None = None
    failed: bool | None = None
    """Whether requests of this series count as failed; None: only a ratio tells."""
    check: CheckKey | None = None
    custom: CustomKey | None = None


def meaning_of(labels: Mapping[str, str], *, is_trend: bool, redactor: Redactor) -> SeriesMeaning:
    """Tell what a series stands for.

    Args:
        labels: Its sanitised labels, `__name__` among them.
        is_trend: Its value is a histogram.
        redactor: Applied to every text that is kept.
    """
    metric = labels.get("__name__", "")
    what, kind, name = _KNOWN.get(metric, (What.CUSTOM, None, ""))
    if kind is not None:
        endpoint = _endpoint(kind, labels, redactor)
        return SeriesMeaning(what, endpoint=endpoint, failed=_failed(kind, labels))
    if what is What.CHECK:
        extra = {key: labels[key] for key in labels if key not in ("check", "group", "scenario")}
        check = CheckKey(
            _with_labels(labels.get("check", ""), extra, redactor),
            _group(labels, redactor),
            _text(labels.get("scenario", ""), redactor),
        )
        return SeriesMeaning(what, check=check)
    if what is What.CUSTOM:
        return SeriesMeaning(what, custom=_custom(metric, labels, is_trend, redactor))
    return SeriesMeaning(what, name)


def _text(text: str, redactor: Redactor) -> str:
    # Labels are sanitised already; redaction only removes, so that only the length is left to do.
    text = redactor.url(text)
    return text if len(text) <= NAME_LIMIT else sanitise(text, NAME_LIMIT)


def _group(labels: Mapping[str, str], redactor: Redactor) -> str:
    return _text(labels.get("group", "").removeprefix("::"), redactor)


def _endpoint(kind: RequestKind, labels: Mapping[str, str], redactor: Redactor) -> EndpointKey:
    if kind is RequestKind.ITERATION:
        name = labels.get("scenario", "")
    else:
        name = labels.get("name") or labels.get("url", "")
    return EndpointKey(
        kind,
        _text(name, redactor),
        _text(labels.get("method", ""), redactor),
        _text(labels.get("status", ""), redactor),
        _text(labels.get("scenario", ""), redactor),
        _group(labels, redactor),
    )


def _failed(kind: RequestKind, labels: Mapping[str, str]) -> bool | None:
    if kind is RequestKind.HTTP:
        expected = labels.get("expected_response")
        return None if expected is None else expected == "false"
    if kind is RequestKind.BROWSER:
        return None
    status = labels.get("status", "")
    if kind is RequestKind.GRPC:
        return status not in ("", "0", "OK")
    return kind is RequestKind.WEBSOCKET and status not in ("", "101")


def _custom(
    metric: str, labels: Mapping[str, str], is_trend: bool, redactor: Redactor
) -> CustomKey:
    name = metric.removeprefix("k6_")
    if is_trend:
        for suffix, unit in (("_seconds", "s"), ("_bytes", "B")):
            if name.endswith(suffix):
                return CustomKey(_text(name.removesuffix(suffix), redactor), MetricType.TREND, unit)
        return CustomKey(_text(name, redactor), MetricType.TREND, "")
    if name.endswith("_total"):
        return CustomKey(_text(name.removesuffix("_total"), redactor), MetricType.COUNTER, "")
    if name.endswith("_rate"):
        rate = _with_labels(name.removesuffix("_rate"), labels, redactor)
        return CustomKey(rate, MetricType.RATE, "")
    return CustomKey(_text(name, redactor), MetricType.GAUGE, "")


def _with_labels(name: str, labels: Mapping[str, str], redactor: Redactor) -> str:
    """Return a name with the labels that set it apart, in braces; the usual ones go without."""
    shown = [
        f"{key}={redactor.url(value.removeprefix('::') if key == 'group' else value)}"
        for key, value in labels.items()
        if key != "__name__" and (key, value) != ("scenario", "default")
    ]
    return _text(f"{name}{{{','.join(shown)}}}" if shown else name, redactor)
