"""Whether a sample that was read can be one: what views compute from it must not fall over."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from collectors.recording.about import Card
from collectors.recording.limits import MAX_COUNT
from collectors.runstate import RunEnd, RunState
from collectors.samples import (
    Baseline,
    Drop,
    Histogram,
    HostSample,
    LoadSample,
    LoadTarget,
    StackBatch,
)

MAX_DEPTH: Final = 1024
MAX_TIME_S: Final = 1e10
"""Of any clock; what is further away is none."""
MAX_NUMBER: Final = 1e100
"""Of anything measured: sums and squares of such numbers are still finite."""
_MAX_EXPONENT: Final = 1000
"""Of a bucket's bound as a power of two: floats end at 1024."""
_SCHEMAS: Final = range(-4, 9)
"""Of native histograms, by their specification."""


def is_plausible(sample: Any) -> bool:
    """Tell whether a sample of the right types also has values that can be."""
    match sample:
        case LoadSample():
            return _is_load(sample)
        case HostSample():
            return _is_interval(sample) and are_counts(*_host_counts(sample))
        case LoadTarget():
            points = sample.course.points
            times = [at for at, _ in points]
            return (
                bool(points)
                and times == sorted(times)
                and is_moment(sample.at, times[0], times[-1])
            )
        case StackBatch():
            depths = (len(stack.frames) for stack in sample.stacks.values())
            return (
                is_moment(sample.start, sample.end)
                and max(depths, default=0) <= MAX_DEPTH
                and are_counts(sample.lost, *sample.rejected.values())
                and _is_of_its_samples(sample)
            )
        case Drop():
            return is_moment(sample.at) and are_counts(sample.count)
        case Baseline():
            return is_moment(sample.at, sample.start, sample.end)
        case RunState():
            moments = (sample.started_at, sample.ended_at, sample.forced_at, sample.duration_s)
            return is_moment(sample.at, *(each for each in moments if each is not None))
        case RunEnd():
            return is_moment(sample.at, sample.started_at, sample.ended_at) and are_counts(
                sample.withheld, sample.requests or 0, sample.failed or 0
            )
        case _:
            return is_moment(sample.at)


def _is_of_its_samples(batch: StackBatch) -> bool:
    """Tell whether no function was cut out of more than there is."""
    if not batch.cut:
        return True
    counts, cut = batch.counts.values(), batch.cut.values()
    return max(each.samples for each in cut) <= sum(each.samples for each in counts) and max(
        each.period_ns for each in cut
    ) <= sum(each.period_ns for each in counts)


def is_card(card: Card) -> bool:
    """Tell whether what a list of recordings says of one can be."""
    measured = (card.peak_rps or 0.0, card.p95_ms or 0.0)
    return is_moment(card.duration_s) and are_counts(card.requests) and are_numbers((*measured,))


def are_numbers(values: Iterable[Any]) -> bool:
    """Tell whether all numbers among some values are such that views can compute with them."""
    for value in values:
        if isinstance(value, float):
            if not -MAX_NUMBER < value < MAX_NUMBER:
                return False
        elif isinstance(value, int) and not -MAX_COUNT < value < MAX_COUNT:
            return False
    return True


def are_counts(*counts: float) -> bool:
    """Tell whether numbers can be how many, how much or how long."""
    return all(0 <= each < MAX_COUNT for each in counts)


def _is_load(sample: LoadSample) -> bool:
    counts = (
        *(sample.vus, sample.vus_max, sample.iterations, sample.dropped_iterations),
        *(sample.bytes_sent, sample.bytes_received),
    )
    return (
        _is_interval(sample)
        and are_counts(*counts)
        and all(are_counts(each.requests, each.failed) for each in sample.traffic)
        and all(are_counts(each.requests, each.failed) for each in sample.endpoints)
        and all(map(_is_histogram, _histograms(sample)))
        and are_numbers(_measured(sample))
    )


def _measured(sample: LoadSample) -> Iterable[float]:
    yield from (each.sum for each in _histograms(sample))
    yield from (each.passed_ratio for each in sample.checks)
    yield from (each.value for each in sample.metrics)


def _host_counts(sample: HostSample) -> Iterable[float]:
    yield from (sample.memory_total_bytes, sample.memory_used_bytes, sample.swap_used_bytes)
    for role in sample.roles:
        yield from (role.processes, role.cpu_seconds, role.rss_bytes, role.threads)


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
