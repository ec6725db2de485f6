"""The figures of two ranges, each with how sure it is.

Whatever is counted over time or requests is estimated by how it varies within its range
(`tui.model.estimate`), percentiles by order statistics (`tui.model.percentile`), costs that were
sampled by the number of samples (`tui.compare.sampled`). A number of requests and the most memory
have no interval: the one says how long it was looked, the other is a single moment.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from collectors.samples import Role
from tui.compare.sampled import Sampled, compare_costs, worth
from tui.export.series.measured import Measured
from tui.model.change import Change, change
from tui.model.estimate import Estimate, batches, ratio_of_sums, share
from tui.model.load import traffic_of
from tui.model.metric import Metric
from tui.model.percentile import percentile
from tui.model.timeline import Timeline
from tui.model.usage import role_usage, summarise_role

Measure: TypeAlias = tuple[Timeline, Measured]
"""A timeline and what was measured in a range of it."""


def compare_figures(before: Measure, after: Measure) -> Mapping[Metric, Change]:
    """Compare all figures of two ranges, in the order in which they are told."""
    old, new = _estimates(*before), _estimates(*after)
    found = {metric: change(old.get(metric), new.get(metric)) for metric in Metric}
    found[Metric.SAMPLED_CPU_PER_REQUEST] = _sampled(before, after)
    return found


def _estimates(timeline: Timeline, found: Measured) -> Mapping[Metric, Estimate | None]:
    """Estimate what needs no other side; None where nothing was measured."""
    load = found.load
    loads = batches(timeline.loads_in(found.range))
    pushes = [[(each, traffic_of(each, found.kind)) for each in batch] for batch in loads]
    latencies = [traffic.latency for batch in pushes for _, traffic in batch]
    target = found.roles.get(Role.TARGET)
    memory = target.rss_bytes_max if target is not None else None
    return {
        Metric.RPS: ratio_of_sums(
            [_sums((t.requests, s.interval_s) for s, t in batch) for batch in pushes]
        ),
        Metric.REQUESTS: Estimate(float(load.requests)) if load is not None else None,
        Metric.ERRORS: share([_sums((t.failed, t.requests) for _, t in batch) for batch in pushes]),
        Metric.MEAN: ratio_of_sums(
            [_sums((t.latency.sum, t.latency.count) for _, t in batch) for batch in pushes]
        ),
        Metric.CPU_PER_REQUEST: _cpu_per_request(timeline, found),
        Metric.GENERATOR_CPU: _generator_cpu(timeline, found),
        Metric.MEMORY: Estimate(float(memory)) if memory is not None else None,
        Metric.DROPPED: share(
            [
                _sums((s.dropped_iterations, s.iterations + s.dropped_iterations) for s in batch)
                for batch in loads
            ]
        ),
        **{m: percentile(latencies, m.quantile) for m in Metric if m.quantile is not None},
    }


def _cpu_per_request(timeline: Timeline, found: Measured) -> Estimate | None:
    """Return CPU seconds of the server per request, by the machine's accounts.

    Pushes of k6 and looks at the machine don't end together, so each batch is taken as cores over
    the time that was looked at, times the time that its requests took.
    """
    pairs = []
    for batch in batches(timeline.loads_in(found.range)):
        target = summarise_role(timeline.hosts_in(timeline.range_of(batch)), Role.TARGET)
        if target.cpu_cores_mean is not None:
            covered_s = math.fsum(sample.interval_s for sample in batch)
            requests = sum(traffic_of(sample, found.kind).requests for sample in batch)
            pairs.append((target.cpu_cores_mean * covered_s, float(requests)))
    return ratio_of_sums(pairs)


def _generator_cpu(timeline: Timeline, found: Measured) -> Estimate | None:
    known = [
        (usage.cpu_seconds, sample.interval_s)
        for sample in timeline.hosts_in(found.range)
        if (usage := role_usage(sample, Role.GENERATOR)) is not None
    ]
    return ratio_of_sums([_sums(batch) for batch in batches(known)])


def _sampled(before: Measure, after: Measure) -> Change:
    old, new = _cost(*before), _cost(*after)
    if old is not None and new is not None:
        return compare_costs(old, new)
    known = old or new
    if known is None:
        return Change(None, None)
    # The one that is known is told with the interval that it has by itself.
    alone = compare_costs(known, known)
    return Change(alone.before if old else None, alone.after if new else None)


def _cost(timeline: Timeline, found: Measured) -> Sampled | None:
    cost_us = found.cpu_us_per_request
    if found.tree is None or cost_us is None:
        return None
    samples = found.tree.samples
    return worth(Sampled(samples, cost_us / 1e6 / samples), timeline, found, lambda _: True)


def _sums(pairs: Iterable[tuple[float, float]]) -> tuple[float, float]:
    found = list(pairs)
    return math.fsum(y for y, _ in found), math.fsum(x for _, x in found)
