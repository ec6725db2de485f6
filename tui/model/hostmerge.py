"""Makes two samples of the machine out of several that follow each other.

The last one stays as it is, so that what is told of the end of a range is what it was. The others
become one: counts are summed, shares and rates averaged by time, and what is a state, like memory,
is as it was at its most, so that the most over a range stays what it was, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import TypeVar

from collectors.samples import CoreUsage, DiskUsage, HostSample, NetworkUsage, Pressure, RoleUsage

_Part = TypeVar("_Part")


def merged_hosts(samples: Sequence[HostSample]) -> list[HostSample]:
    """Merge samples in order of time, as far as they tell of the same things.

    Means divide by the time of the samples that tell something: one that does not is no zero.
    """
    found: list[HostSample] = []
    for _, group in groupby(samples, _told):
        *others, last = group
        found += [_peak(others)] if len(others) > 1 else others
        found.append(last)
    return found


def _told(sample: HostSample) -> tuple[object, ...]:
    return (
        len(sample.cores),
        [usage.role for usage in sample.roles],
        bool(sample.disks),
        bool(sample.networks),
        sample.pressure is None,
    )


def _peak(samples: Sequence[HostSample]) -> HostSample:
    last = samples[-1]
    whole_s = math.fsum(sample.interval_s for sample in samples)

    def mean(values: Iterable[float]) -> float:
        # Of what comes and goes: nothing while it is not there.
        weighed = (v * s.interval_s for v, s in zip(values, samples, strict=True))
        return math.fsum(weighed) / whole_s if whole_s else 0.0

    return HostSample(
        at=last.at,
        interval_s=whole_s,
        cores=tuple(_core(parts, mean) for parts in _columns(s.cores for s in samples)),
        load_1m=max(sample.load_1m for sample in samples),
        memory_total_bytes=last.memory_total_bytes,
        memory_used_bytes=max(sample.memory_used_bytes for sample in samples),
        swap_used_bytes=max(sample.swap_used_bytes for sample in samples),
        disks=tuple(
            _disk(parts, mean)
            for parts in _named([{d.device: d for d in s.disks} for s in samples], _no_disk)
        ),
        networks=tuple(
            _network(parts, mean)
            for parts in _named(
                [{n.interface: n for n in s.networks} for s in samples], _no_network
            )
        ),
        pressure=_pressure([s.pressure for s in samples if s.pressure is not None], mean),
        roles=tuple(_role(parts) for parts in _columns(s.roles for s in samples)),
    )


def _columns(rows: Iterable[Sequence[_Part]]) -> Iterable[tuple[_Part, ...]]:
    return zip(*rows, strict=True)


def _named(
    rows: Sequence[Mapping[str, _Part]], nothing: Callable[[str], _Part]
) -> Iterable[tuple[_Part, ...]]:
    """Yield for each name what each row has of it, or nothing of it."""
    for name in dict.fromkeys(name for row in rows for name in row):
        yield tuple(row[name] if name in row else nothing(name) for row in rows)


def _no_disk(name: str) -> DiskUsage:
    return DiskUsage(name, 0.0, 0.0, 0.0, 0.0, 0.0)


def _no_network(name: str) -> NetworkUsage:
    return NetworkUsage(name, 0.0, 0.0)


def _core(parts: Sequence[CoreUsage], mean: Callable[[Iterable[float]], float]) -> CoreUsage:
    return CoreUsage(
        mean(part.user_ratio for part in parts),
        mean(part.system_ratio for part in parts),
        mean(part.iowait_ratio for part in parts),
        mean(part.steal_ratio for part in parts),
    )


def _disk(parts: Sequence[DiskUsage], mean: Callable[[Iterable[float]], float]) -> DiskUsage:
    return DiskUsage(
        parts[-1].device,
        mean(part.read_bytes_per_s for part in parts),
        mean(part.written_bytes_per_s for part in parts),
        mean(part.reads_per_s for part in parts),
        mean(part.writes_per_s for part in parts),
        mean(part.busy_ratio for part in parts),
    )


def _network(
    parts: Sequence[NetworkUsage], mean: Callable[[Iterable[float]], float]
) -> NetworkUsage:
    return NetworkUsage(
        parts[-1].interface,
        mean(part.sent_bytes_per_s for part in parts),
        mean(part.received_bytes_per_s for part in parts),
    )


def _pressure(
    parts: Sequence[Pressure], mean: Callable[[Iterable[float]], float]
) -> Pressure | None:
    if not parts:
        return None
    return Pressure(
        mean(part.cpu_ratio for part in parts),
        mean(part.memory_ratio for part in parts),
        mean(part.io_ratio for part in parts),
    )


def _role(parts: Sequence[RoleUsage]) -> RoleUsage:
    return RoleUsage(
        role=parts[-1].role,
        processes=max(part.processes for part in parts),
        cpu_seconds=math.fsum(part.cpu_seconds for part in parts),
        rss_bytes=max(part.rss_bytes for part in parts),
        threads=max(part.threads for part in parts),
        open_files=max(_known(part.open_files for part in parts), default=None),
        voluntary_switches=_sum(part.voluntary_switches for part in parts),
        involuntary_switches=_sum(part.involuntary_switches for part in parts),
        read_bytes=_sum(part.read_bytes for part in parts),
        written_bytes=_sum(part.written_bytes for part in parts),
        throttled_seconds=_sum_float(part.throttled_seconds for part in parts),
    )


def _known(values: Iterable[int | None]) -> list[int]:
    return [value for value in values if value is not None]


def _sum(values: Iterable[int | None]) -> int | None:
    known = _known(values)
    return sum(known) if known else None


def _sum_float(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) if known else None
