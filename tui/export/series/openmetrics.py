"""OpenMetrics: the totals of a range at its end, for Prometheus and what reads its formats.

Counters count from the start of the range (they were 0 there), gauges are those of its end, and
every line has the time of the end. Latencies are classic histograms in seconds, whose bounds are
those of k6's native ones: the edges of every bucket that any endpoint has, the same for all of
them, so that they can be summed. `histogram_quantile` then errs by a bucket at most.

Format: OpenMetrics 1.0, https://prometheus.io/docs/specs/om/open_metrics_spec/
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

from collectors.samples import Baseline, Histogram
from tui.export.about import About
from tui.export.series.exposition import Family, FamilyType, Series, exposition, number
from tui.export.series.measured import Measured, compare, measure, measure_baseline
from tui.model.latency import merge, upper_bound
from tui.model.load import EndpointTotal
from tui.model.timeline import Timeline, TimeRange

FUNCTIONS: Final = 50

_COUNTER, _GAUGE = FamilyType.COUNTER, FamilyType.GAUGE


def openmetrics(
    timeline: Timeline, range_: TimeRange, about: About, baseline: Baseline | None
) -> bytes:
    """Return the text.

    Args:
        timeline: Where it is cut from.
        range_: Seconds on the session's clock.
        about: What the run was.
        baseline: Where there is one, the functions that changed since it are in the text.
    """
    found = measure(timeline, range_)
    families = [
        _info(about, found, baseline),
        *_load(found),
        *_requests(found.endpoints),
        *_machine(found),
        *_profile(found),
        _changes(found, measure_baseline(timeline, baseline)),
        _drops(timeline),
    ]
    return exposition(families, range_.end + about.wall_offset_s)


def _info(about: About, found: Measured, baseline: Baseline | None) -> Family:
    return Family("flashpoint_run", FamilyType.INFO, "What the run was.").add(
        1,
        name=about.name,
        script=about.script,
        target=about.target,
        control=about.control,
        profiler=about.profiler,
        machine=about.machine,
        request_unit=found.kind.value,
        baseline=baseline.name if baseline is not None else "",
        k6_version=about.k6_version,
        flashpoint_version=about.flashpoint_version,
    )


def _load(found: Measured) -> Iterator[Family]:
    load = found.load
    if load is None:
        return
    yield Family("flashpoint_iterations", _COUNTER, "Iterations of the script.").add(
        load.iterations
    )
    yield Family(
        "flashpoint_dropped_iterations", _COUNTER, "Iterations that k6 could not start in time."
    ).add(load.dropped_iterations)
    yield Family("flashpoint_sent_bytes", _COUNTER, "Bytes that k6 sent.", "bytes").add(
        load.bytes_sent
    )
    yield Family("flashpoint_received_bytes", _COUNTER, "Bytes that k6 received.", "bytes").add(
        load.bytes_received
    )
    yield Family(
        "flashpoint_load_seconds", _COUNTER, "Time that the load was measured for.", "seconds"
    ).add(load.covered_s)
    yield Family("flashpoint_vus", _GAUGE, "VUs at the end.").add(load.vus)
    yield Family("flashpoint_vus_max", _GAUGE, "VUs that there can be.").add(load.vus_max)


def _requests(endpoints: Sequence[EndpointTotal]) -> tuple[Family, ...]:
    requests = Family("flashpoint_requests", _COUNTER, "Requests that have ended.")
    failed = Family("flashpoint_failed_requests", _COUNTER, "Requests that k6 counts as failed.")
    latency = Family(
        "flashpoint_request_duration_seconds",
        FamilyType.HISTOGRAM,
        "How long requests took, as k6 saw it.",
        "seconds",
    )
    bounds = _bounds([each.latency for each in endpoints])
    for each in endpoints:
        labels = {"name": each.name, "method": each.method, "status": each.status}
        requests.add(each.requests, **labels)
        failed.add(each.failed, **labels)
        latency.series += _histogram(each.latency, bounds, labels)
    return requests, failed, latency


def _bounds(histograms: Sequence[Histogram]) -> tuple[int, list[tuple[int, float]]]:
    """Return the coarsest schema, and index and upper edge (seconds) of the buckets to write."""
    whole = merge(histograms)
    # The lower edge too: readers take the values of a bucket as spread from the bound before it.
    indices = sorted({edge for index in whole.buckets for edge in (index - 1, index)})
    bounds: list[tuple[int, float]] = []
    for index in indices:
        edge = upper_bound(Histogram(whole.schema, {index: 1}, 0, 1, 0.0))
        if edge is None or (bounds and edge <= bounds[-1][1]):
            # Above what a float can hold all edges are one; the bucket up to +Inf has the values.
            continue
        bounds.append((index, edge))
    return whole.schema, bounds


def _histogram(
    found: Histogram, bounds: tuple[int, list[tuple[int, float]]], labels: dict[str, str]
) -> Iterator[Series]:
    schema, edges = bounds
    # Two neighbouring buckets of one schema make one of the next coarser schema.
    fine = sorted((-(-index >> (found.schema - schema)), n) for index, n in found.buckets.items())
    place, seen = 0, found.zero_count
    for index, edge in edges:
        while place < len(fine) and fine[place][0] <= index:
            seen += fine[place][1]
            place += 1
        yield Series("_bucket", {**labels, "le": number(edge)}, seen)
    yield Series("_bucket", {**labels, "le": number(math.inf)}, found.count)
    # A sum that is not known takes the count with it: the format has neither or both.
    if math.isfinite(found.sum):
        yield Series("_count", labels, found.count)
        yield Series("_sum", labels, found.sum)


def _machine(found: Measured) -> Iterator[Family]:
    cpu = Family(
        "flashpoint_cpu_seconds", _COUNTER, "CPU time of the processes of a role.", "seconds"
    )
    rss = Family("flashpoint_rss_bytes", _GAUGE, "Resident memory at the end.", "bytes")
    for role, usage in found.roles.items():
        cpu.add(usage.cpu_seconds, role=role.value)
        rss.add(usage.rss_bytes, role=role.value)
    yield cpu
    yield rss
    host = found.host
    if host is None:
        return
    yield Family(
        "flashpoint_host_cpu_seconds", _COUNTER, "CPU time of the whole machine.", "seconds"
    ).add(host.cpu_seconds)
    yield Family("flashpoint_host_cores", _GAUGE, "Cores of the machine.").add(host.cores)
    yield Family(
        "flashpoint_host_memory_used_bytes", _GAUGE, "Memory in use at the end.", "bytes"
    ).add(host.memory_used_bytes)


def _profile(found: Measured) -> Iterator[Family]:
    yield Family(
        "flashpoint_profile_lost_samples", _COUNTER, "Stack samples that the profiler lost."
    ).add(found.lost)
    tree = found.tree
    if tree is None:
        return
    yield Family("flashpoint_profile_samples", _COUNTER, "Stack samples of the target.").add(
        tree.samples
    )
    us = found.cpu_us_per_request
    yield Family(
        "flashpoint_request_cpu_seconds", _GAUGE, "Sampled CPU time for one request.", "seconds"
    ).add(None if us is None else us / 1e6)
    # Where samples have no period, they stand for no time.
    own = (
        Family(
            "flashpoint_function_self_cpu_seconds",
            _COUNTER,
            "Sampled CPU time in a function itself.",
            "seconds",
        )
        if tree.period_ns
        else Family(
            "flashpoint_function_self_samples", _COUNTER, "Stack samples in a function itself."
        )
    )
    for row in found.functions[:FUNCTIONS]:
        own.add(
            row.self_period_ns / 1e9 if tree.period_ns else row.self_samples,
            symbol=row.symbol,
            module=row.module,
            kind=row.kind.value,
            caller_lost=str(row.caller_lost).lower(),
        )
    yield own


def _changes(found: Measured, before: Measured | None) -> Family:
    family = Family(
        "flashpoint_function_request_cpu_change_seconds",
        _GAUGE,
        "How much more CPU time one request costs in a function than in the baseline.",
        "seconds",
    )
    if before is None or found.tree is None or not found.tree.period_ns:
        return family
    for change in compare(before, found):
        if change.own.is_changed:
            frame = change.frame
            family.add(
                change.own.delta_us / 1e6,
                symbol=frame.symbol,
                module=frame.module,
                kind=frame.kind.value,
            )
    return family


def _drops(timeline: Timeline) -> Family:
    family = Family(
        "flashpoint_drops", _COUNTER, "What was received but not used, since the session began."
    )
    for reason, count in sorted(timeline.drop_counts().items()):
        family.add(count, reason=reason)
    return family
