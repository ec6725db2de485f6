"""What the trends of a report show: the load and the machine over the range, by the model."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final

from collectors.course import CourseUnit
from collectors.samples import HostSample, LoadSample, RequestKind, Role
from tui.export.report.html_chart import Chart, Line
from tui.model.latency import merge, quantile
from tui.model.load import kind_of, traffic_of
from tui.model.series import Buckets, Series, grouped, rates
from tui.model.targets import target_series
from tui.model.timeline import Timeline, TimeRange
from tui.model.usage import busy_cores, role_usage
from tui.views.format import Unit, bytes_
from tui.views.host import ROLE_TITLES
from tui.views.load import LATENCY_TITLES, QUANTILES, RATE_TITLES

_COLOURS: Final = {Role.TARGET: "c1", Role.GENERATOR: "c2"}


def trends(timeline: Timeline, range_: TimeRange, buckets: Buckets) -> Iterator[Chart]:
    """Yield the charts of which something was measured in the range."""
    found = [
        *_load_charts(timeline, range_, buckets),
        *_machine_charts(timeline.hosts_in(range_), buckets),
    ]
    yield from (chart for chart in found if chart.has_values)


def _load_charts(timeline: Timeline, range_: TimeRange, buckets: Buckets) -> Iterator[Chart]:
    kind = kind_of(timeline.loads)
    samples = timeline.loads_in(range_)

    def over_time(value: Callable[[LoadSample], float | None]) -> Series:
        return rates(samples, buckets, value)

    def target(*units: CourseUnit) -> tuple[Line, ...]:
        return _target(timeline, range_, buckets, units)

    rate_units = [CourseUnit.REQUESTS]
    if kind is RequestKind.ITERATION:
        rate_units.append(CourseUnit.ITERATIONS)
    served = Line("", "c1", over_time(lambda s: _per_s(s, traffic_of(s, kind).requests)),
                  is_filled=True)  # fmt: skip
    yield Chart("rate", RATE_TITLES[kind], Unit.RATE, (served, *target(*rate_units)))
    failed = over_time(lambda s: _per_s(s, traffic_of(s, kind).failed))
    if any(failed):
        yield Chart("failed", "failed/s", Unit.RATE, (Line("", "bad", failed, is_filled=True),))
    groups = grouped(samples, buckets)
    latencies = [merge(traffic_of(sample, kind).latency for sample in group) for group in groups]
    quantiles = tuple(
        Line(name, f"c{place}", tuple(quantile(latency, q) for latency in latencies))
        for place, (name, q, _) in enumerate(QUANTILES, start=1)
    )
    yield Chart("latency", LATENCY_TITLES[kind], Unit.SECONDS, quantiles, may_be_powers=True)
    running = Line("running", "c1", over_time(lambda s: float(s.vus)))
    yield Chart("vus", "VUs", Unit.COUNT, (running, *target(CourseUnit.VUS)))
    iterations = target(CourseUnit.ITERATIONS)
    if iterations and kind is not RequestKind.ITERATION:
        line = Line("", "c1", over_time(lambda s: _per_s(s, s.iterations)))
        yield Chart("iterations", "iterations/s", Unit.RATE, (line, *iterations))


def _target(
    timeline: Timeline, range_: TimeRange, buckets: Buckets, units: Collection[CourseUnit]
) -> tuple[Line, ...]:
    """Return the line of what the load was to be, none where the operator wanted no such thing."""
    values = target_series(timeline.targets, buckets, units, range_.end)
    if all(value is None for value in values):
        return ()
    return (Line("target", "c4", values, is_dashed=True),)


def _machine_charts(samples: Sequence[HostSample], buckets: Buckets) -> Iterator[Chart]:
    cores = len(samples[-1].cores) if samples else 0
    total = samples[-1].memory_total_bytes if samples else 0

    def of_role(role: Role, value: Callable[[HostSample, Role], float | None]) -> Line:
        values = rates(samples, buckets, lambda sample: value(sample, role))
        return Line(ROLE_TITLES[role], _COLOURS[role], values)

    machine = Line("machine", "c3", rates(samples, buckets, busy_cores))
    yield Chart(
        "cpu",
        f"CPU of {cores} cores",
        Unit.CORES,
        (*(of_role(role, _cores) for role in _COLOURS), machine),
        ceiling=float(cores) or None,
    )
    yield Chart(
        "memory",
        f"memory of {bytes_(total)}",
        Unit.BYTES,
        tuple(of_role(role, _rss) for role in _COLOURS),
    )
    yield Chart(
        "disk",
        "disk",
        Unit.BYTES_RATE,
        (
            Line("written", "c1", rates(samples, buckets, _written)),
            Line("read", "c2", rates(samples, buckets, _read)),
        ),
    )


def _per_s(sample: LoadSample, amount: int) -> float | None:
    return amount / sample.interval_s if sample.interval_s > 0 else None


def _cores(sample: HostSample, role: Role) -> float | None:
    usage = role_usage(sample, role)
    return usage.cpu_seconds / sample.interval_s if usage and sample.interval_s > 0 else None


def _rss(sample: HostSample, role: Role) -> float | None:
    usage = role_usage(sample, role)
    return float(usage.rss_bytes) if usage else None


def _written(sample: HostSample) -> float | None:
    return sum(disk.written_bytes_per_s for disk in sample.disks) if sample.disks else None


def _read(sample: HostSample) -> float | None:
    return sum(disk.read_bytes_per_s for disk in sample.disks) if sample.disks else None
