"""Of which type a metric is: k6's own by name, others as the file tells, or as values suggest.

Source: k6's registry of built-in metrics, and those of its modules for gRPC and the browser.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from collectors.samples import MetricType


@dataclass(frozen=True, slots=True)
class Declared:
    """Type of a metric and what its values are."""

    type: MetricType
    contains: str = "default"
    """`time` (milliseconds), `data` (bytes) or `default`."""


_COUNTER = Declared(MetricType.COUNTER)
_DATA_COUNTER = Declared(MetricType.COUNTER, "data")
_GAUGE = Declared(MetricType.GAUGE)
_RATE = Declared(MetricType.RATE)
_TIME_TREND = Declared(MetricType.TREND, "time")

_HTTP_TIMES = (
    "duration", "blocked", "connecting", "tls_handshaking", "sending", "waiting", "receiving",
)  # fmt: skip

BUILT_IN: Final[Mapping[str, Declared]] = {
    "vus": _GAUGE,
    "vus_max": _GAUGE,
    "iterations": _COUNTER,
    "iteration_duration": _TIME_TREND,
    "dropped_iterations": _COUNTER,
    "checks": _RATE,
    "group_duration": _TIME_TREND,
    "http_reqs": _COUNTER,
    "http_req_failed": _RATE,
    **{f"http_req_{time}": _TIME_TREND for time in _HTTP_TIMES},
    "ws_sessions": _COUNTER,
    "ws_msgs_sent": _COUNTER,
    "ws_msgs_received": _COUNTER,
    "ws_ping": _TIME_TREND,
    "ws_session_duration": _TIME_TREND,
    "ws_connecting": _TIME_TREND,
    "grpc_req_duration": _TIME_TREND,
    "grpc_streams": _COUNTER,
    "grpc_streams_msgs_sent": _COUNTER,
    "grpc_streams_msgs_received": _COUNTER,
    "data_sent": _DATA_COUNTER,
    "data_received": _DATA_COUNTER,
    "browser_data_sent": _DATA_COUNTER,
    "browser_data_received": _DATA_COUNTER,
    "browser_http_req_duration": _TIME_TREND,
    "browser_http_req_failed": _RATE,
    "browser_web_vital_cls": Declared(MetricType.TREND),
    **{f"browser_web_vital_{name}": _TIME_TREND for name in ("fcp", "fid", "inp", "lcp", "ttfb")},
}


def declared(name: str, contains: str) -> Declared | None:
    """Return what a file tells of a metric; None where it is no type that is known."""
    try:
        return Declared(MetricType(name), contains)
    except ValueError:
        return None


class ValuesSeen:
    """What the values of a metric whose type the file does not tell have in common."""

    __slots__ = ("_first", "_has_negative", "_has_one", "_has_other", "_has_zero", "_is_constant")

    def __init__(self) -> None:
        self._first: float | None = None
        self._is_constant = True
        self._has_negative = self._has_zero = self._has_one = self._has_other = False

    def take(self, value: float) -> None:
        """Look at one value."""
        if value == self._first:
            return
        self._is_constant = self._first is None
        if self._first is None:
            self._first = value
        if value == 0:
            self._has_zero = True
        elif value == 1:
            self._has_one = True
        else:
            self._has_other = True
            self._has_negative = self._has_negative or value < 0

    def guess(self) -> MetricType:
        """Return the type that such values mostly have.

        Nothing but 0 and 1 is a rate; always the same whole number, as in `errors.add(1)`, a
        counter; with values below 0 a gauge; and else a trend, whose sum is still the total.
        """
        if self._has_zero and not self._has_other:
            return MetricType.RATE
        if self._has_negative:
            return MetricType.GAUGE
        if self._is_constant and self._first is not None and self._first.is_integer():
            return MetricType.COUNTER
        return MetricType.TREND
