"""A range cut at the whole seconds of the session's clock, and what was measured in each.

Ranges leave their start out and include their end, so the pieces share nothing and miss nothing:
counts over all of them are exactly those of the range. A sample belongs to the second in which its
interval ends, whole; where none ended, a second knows nothing of it. Stacks are kept by the same
seconds. The first and the last piece may be shorter than a second. Where a history is in steps, the
second in which a step ends has all of it, and those before know nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

from collectors.course import CourseUnit
from collectors.samples import HostSample, Mark, Role
from tui.export.series.measured import hosts_covered_s, load_of, marks_in
from tui.model.latency import quantile
from tui.model.load import LoadRange, kind_of
from tui.model.targets import target_at
from tui.model.timeline import Timeline, TimeRange
from tui.model.usage import HostRange, RoleRange, summarise_host, summarise_role

Value: TypeAlias = float | int | str | None


@dataclass(frozen=True, slots=True)
class Second:
    """What was measured in one second; None where nothing told."""

    range: TimeRange
    load: LoadRange | None
    target: tuple[CourseUnit, float] | None
    """What the load was to be at its end: unit and level; None where k6 had its own schedule."""
    host: HostRange | None
    roles: Mapping[Role, RoleRange]
    """Only those that had processes."""
    hosts: Sequence[HostSample]
    samples: int | None
    """Stack samples of the target on CPU."""
    samples_lost: int | None
    marks: tuple[Mark, ...]


def cut(range_: TimeRange) -> list[TimeRange]:
    """Cut a range at the whole seconds of the clock."""
    if not range_.duration_s:
        return []
    whole = range(math.floor(range_.start) + 1, math.ceil(range_.end))
    return [TimeRange(*edges) for edges in pairwise([range_.start, *whole, range_.end])]


def seconds(timeline: Timeline, range_: TimeRange) -> Iterator[Second]:
    """Yield what was measured in each second of a range, in order of time."""
    kind = kind_of(timeline.loads)
    is_first = True
    for piece in cut(range_):
        hosts = timeline.hosts_in(piece)
        roles = {role: summarise_role(hosts, role) for role in Role}
        samples, lost = _sampled(timeline, piece)
        yield Second(
            range=piece,
            load=load_of(timeline.loads_in(piece), kind),
            target=target_at(timeline.targets, piece.end),
            host=summarise_host(hosts) if hosts else None,
            roles={role: usage for role, usage in roles.items() if usage.processes is not None},
            hosts=hosts,
            samples=samples,
            samples_lost=lost,
            marks=tuple(
                mark for mark in marks_in(timeline, piece) if is_first or mark.at > piece.start
            ),
        )
        is_first = False


def _sampled(timeline: Timeline, piece: TimeRange) -> tuple[int | None, int | None]:
    """Return the stack samples of a second, and those lost; 0 only while there was a profiler."""
    samples = sum(count.samples for count in timeline.stacks_in(piece).values())
    lost = timeline.lost_in(piece)
    seen = timeline.stacked()
    piece = timeline.counted(piece)
    has_second = math.ceil(piece.start) < math.ceil(piece.end)
    if has_second and seen is not None and seen.start < piece.end and seen.end >= piece.start:
        return samples, lost
    return samples or None, lost or None


def _mean(second: Second, value: Callable[[HostSample], float | None]) -> float | None:
    """Return the mean of a rate or share over the time of the samples that have one."""
    known = [(s.interval_s, found) for s in second.hosts if (found := value(s)) is not None]
    covered_s = sum(interval_s for interval_s, _ in known)
    return sum(interval_s * found for interval_s, found in known) / covered_s if covered_s else None


def _network(second: Second, *, is_sent: bool) -> float | None:
    def rate(sample: HostSample) -> float | None:
        if not sample.networks:
            return None
        return sum(
            n.sent_bytes_per_s if is_sent else n.received_bytes_per_s for n in sample.networks
        )

    return _mean(second, rate)


def _disk(second: Second, *, is_read: bool) -> float | None:
    covered_s = hosts_covered_s(second.hosts)
    if second.host is None or not covered_s or not any(s.disks for s in second.hosts):
        return None
    return (second.host.read_bytes if is_read else second.host.written_bytes) / covered_s


def _pressure(second: Second, resource: str) -> float | None:
    def share(sample: HostSample) -> float | None:
        found: float | None = getattr(sample.pressure, resource, None)
        return found

    return _mean(second, share)


def _latency_ms(second: Second, q: float) -> float | None:
    found = quantile(second.load.latency, q) if second.load is not None else None
    return None if found is None else found * 1_000


def _of_load(name: str) -> Callable[[Second], Value]:
    def value(second: Second) -> Value:
        found: Value = getattr(second.load, name, None)
        return found

    return value


def _of_role(role: Role, name: str) -> Callable[[Second], Value]:
    def value(second: Second) -> Value:
        found: Value = getattr(second.roles.get(role), name, None)
        return found

    return value


COLUMNS: Final[Mapping[str, Callable[[Second], Value]]] = {
    "covered_s": _of_load("covered_s"),
    "vus": _of_load("vus"),
    "load_target_level": lambda s: s.target[1] if s.target is not None else None,
    "load_target_unit": lambda s: s.target[0].value if s.target is not None else None,
    "requests": _of_load("requests"),
    "failed": _of_load("failed"),
    "rps": _of_load("rps"),
    "latency_p50_ms": lambda s: _latency_ms(s, 0.5),
    "latency_p90_ms": lambda s: _latency_ms(s, 0.9),
    "latency_p95_ms": lambda s: _latency_ms(s, 0.95),
    "latency_p99_ms": lambda s: _latency_ms(s, 0.99),
    "iterations": _of_load("iterations"),
    "dropped_iterations": _of_load("dropped_iterations"),
    "sent_bytes": _of_load("bytes_sent"),
    "received_bytes": _of_load("bytes_received"),
    **{f"{role.value}_cpu_cores": _of_role(role, "cpu_cores_mean") for role in Role},
    "host_cpu_cores": lambda s: s.host.cpu_cores_mean if s.host is not None else None,
    **{f"{role.value}_rss_bytes": _of_role(role, "rss_bytes") for role in Role},
    "host_memory_used_bytes": lambda s: s.host.memory_used_bytes if s.host is not None else None,
    "disk_read_bytes_per_s": lambda s: _disk(s, is_read=True),
    "disk_written_bytes_per_s": lambda s: _disk(s, is_read=False),
    "network_sent_bytes_per_s": lambda s: _network(s, is_sent=True),
    "network_received_bytes_per_s": lambda s: _network(s, is_sent=False),
    "pressure_cpu_ratio": lambda s: _pressure(s, "cpu_ratio"),
    "pressure_memory_ratio": lambda s: _pressure(s, "memory_ratio"),
    "pressure_io_ratio": lambda s: _pressure(s, "io_ratio"),
    "samples": lambda s: s.samples,
    "samples_lost": lambda s: s.samples_lost,
}
"""Name of each figure of a second, its unit in it, and how it is read off.

`covered_s` is the time that the load of the second stands for: `rps` is `requests` divided by it.
Networks are summed over all interfaces, that of the loopback included.
"""
