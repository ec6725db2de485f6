"""The figures in which two runs are compared: their names, and what they are counted in."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Dimension(StrEnum):
    """What a figure is, and so what limits of it are written in."""

    RATE = "rate"
    """A second."""
    COUNT = "count"
    SHARE = "share"
    """0 to 1, written in %."""
    TIME = "time"
    """Seconds, written in ns to s."""
    CORES = "cores"
    BYTES = "bytes"


class Metric(StrEnum):
    """A figure of a range, by the name that a condition calls it."""

    RPS = "rps"
    REQUESTS = "requests"
    ERRORS = "errors"
    """Failed requests, of all."""
    P50 = "p50"
    P90 = "p90"
    P95 = "p95"
    P99 = "p99"
    MEAN = "mean"
    CPU_PER_REQUEST = "cpu_per_request"
    """CPU time of the server, by the machine's accounts."""
    SAMPLED_CPU_PER_REQUEST = "sampled_cpu_per_request"
    """CPU time of the server, by the stacks that were sampled."""
    GENERATOR_CPU = "generator_cpu"
    """CPU of k6, in cores."""
    MEMORY = "memory"
    """The most memory of the server at once."""
    DROPPED = "dropped"
    """Iterations that k6 could not start in time, of all that were due."""

    @property
    def dimension(self) -> Dimension:
        """What it is."""
        return _DIMENSIONS.get(self, Dimension.TIME)

    @property
    def quantile(self) -> float | None:
        """Which percentile of the latency it is, 0 to 1; None where it is none."""
        return _QUANTILES.get(self)


_DIMENSIONS: Final = {
    Metric.RPS: Dimension.RATE,
    Metric.REQUESTS: Dimension.COUNT,
    Metric.ERRORS: Dimension.SHARE,
    Metric.GENERATOR_CPU: Dimension.CORES,
    Metric.MEMORY: Dimension.BYTES,
    Metric.DROPPED: Dimension.SHARE,
}
_QUANTILES: Final = {Metric.P50: 0.5, Metric.P90: 0.9, Metric.P95: 0.95, Metric.P99: 0.99}
