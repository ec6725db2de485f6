"""Whether a sample that was read can be one: what views compute from it must not fall over."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from collectors.samples import Histogram, HostSample, LoadSample, LoadTarget, StackBatch

MAX_DEPTH: Final = 1024
MAX_TIME_S: Final = 1e10
"""Of any clock; what is further away is none."""
MAX_COUNT: Final = 1 << 62
_MAX_EXPONENT: Final = 1000
"""Of a bucket's bound as a power of two: floats end at 1024."""
_SCHEMAS: Final = range(-4, 9)
"""Of native histograms, by their specification."""


def is_plausible(sample: Any) -> bool:
    """Tell whether a sample of the right types also has values that can be."""
    match sample:
        case LoadSample():
            return _is_interval(sample) and all(map(_is_histogram, _histograms(sample)))
        case HostSample():
            return _is_interval(sample)
        case LoadTarget():
            points = sample.course.points
            times = [at for at, _ in points]
            return bool(points) and times == sorted(times) and is_moment(times[0], times[-1])
        case StackBatch():
            depths = (len(stack.frames) for stack in sample.stacks.values())
            return is_moment(sample.start, sample.end) and max(depths, default=0) <= MAX_DEPTH
        case _:
            return is_moment(sample.at)


def _is_interval(sample: LoadSample | HostSample) -> bool:
    return is_moment(sample.at) and 0 < sample.interval_s < MAX_TIME_S


def is_moment(*moments: float) -> bool:
    """Tell whether times are such that a clock can show."""
    return all(-MAX_TIME_S < each < MAX_TIME_S for each in moments)


def _histograms(sample: LoadSample) -> Iterable[Histogram]:
    yield from (each.latency for each in sample.traffic)
    yield from sample.phases.values()
    yield from (each.latency for each in sample.endpoints)
    yield from (each.trend for each in sample.metrics)


def _is_histogram(histogram: Histogram) -> bool:
    if histogram.schema not in _SCHEMAS:
        return False
    indexes, most = histogram.buckets.keys(), _MAX_EXPONENT * 2.0**histogram.schema
    if indexes and (max(indexes) > most or min(indexes) < -most):
        return False
    counts = histogram.buckets.values()
    return (
        min(counts, default=1) > 0
        and histogram.zero_count >= 0
        and sum(counts) + histogram.zero_count == histogram.count < MAX_COUNT
    )
