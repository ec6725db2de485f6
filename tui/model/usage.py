"""The machine over a time range, and by role."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from collectors.samples import HostSample, Role, RoleUsage


@dataclass(frozen=True, slots=True)
class RoleRange:
    """What the processes of one role used over a range; None where nothing told."""

    role: Role
    cpu_seconds: float
    cpu_cores_mean: float | None
    rss_bytes: int | None
    """At the end of the range."""
    rss_bytes_max: int | None
    threads: int | None
    processes: int | None
    read_bytes: int | None
    written_bytes: int | None
    throttled_seconds: float | None
    open_files: int | None
    voluntary_switches: int | None
    involuntary_switches: int | None


@dataclass(frozen=True, slots=True)
class HostRange:
    """What the whole machine used over a range."""

    cpu_seconds: float
    """User, system and steal time of all cores."""
    cpu_cores_mean: float | None
    cores: int
    memory_used_bytes: int | None
    memory_used_bytes_max: int | None
    memory_total_bytes: int | None
    read_bytes: float
    written_bytes: float


def role_usage(sample: HostSample, role: Role) -> RoleUsage | None:
    """Return what one role used in a sample, None where it has no processes."""
    return next((usage for usage in sample.roles if usage.role is role), None)


def busy_cores(sample: HostSample) -> float:
    """Return how many cores were busy on average over the sample's interval."""
    return sum(core.busy_ratio for core in sample.cores)


def summarise_role(samples: Sequence[HostSample], role: Role) -> RoleRange:
    """Sum one role over the samples of a range."""
    pairs = [(s.interval_s, usage) for s in samples if (usage := role_usage(s, role)) is not None]
    covered_s = sum(interval_s for interval_s, _ in pairs)
    usages = [usage for _, usage in pairs]
    last = usages[-1] if usages else None
    cpu_seconds = sum(usage.cpu_seconds for usage in usages)
    return RoleRange(
        role=role,
        cpu_seconds=cpu_seconds,
        cpu_cores_mean=cpu_seconds / covered_s if covered_s else None,
        rss_bytes=last.rss_bytes if last else None,
        rss_bytes_max=max((usage.rss_bytes for usage in usages), default=None),
        threads=last.threads if last else None,
        processes=last.processes if last else None,
        read_bytes=_sum(usage.read_bytes for usage in usages),
        written_bytes=_sum(usage.written_bytes for usage in usages),
        throttled_seconds=_sum_float(usage.throttled_seconds for usage in usages),
        open_files=last.open_files if last else None,
        voluntary_switches=_sum(usage.voluntary_switches for usage in usages),
        involuntary_switches=_sum(usage.involuntary_switches for usage in usages),
    )


def summarise_host(samples: Sequence[HostSample]) -> HostRange:
    """Sum the whole machine over the samples of a range."""
    covered_s = sum(sample.interval_s for sample in samples)
    cpu_seconds = sum(busy_cores(sample) * sample.interval_s for sample in samples)
    last = samples[-1] if samples else None
    return HostRange(
        cpu_seconds=cpu_seconds,
        cpu_cores_mean=cpu_seconds / covered_s if covered_s else None,
        cores=len(last.cores) if last else 0,
        memory_used_bytes=last.memory_used_bytes if last else None,
        memory_used_bytes_max=max((s.memory_used_bytes for s in samples), default=None),
        memory_total_bytes=last.memory_total_bytes if last else None,
        read_bytes=sum(d.read_bytes_per_s * s.interval_s for s in samples for d in s.disks),
        written_bytes=sum(d.written_bytes_per_s * s.interval_s for s in samples for d in s.disks),
    )


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _sum_float(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
