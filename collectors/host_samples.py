"""What the machine and the processes on it used, over an interval.

Times called `at`, `start` and `end` are seconds on the session's monotonic clock
(`CLOCK_MONOTONIC`). Every text in here has already passed `collectors.text.sanitise`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """Whose processes a share of the machine belongs to."""

    TARGET = "target"
    GENERATOR = "generator"
    MONITOR = "monitor"


@dataclass(frozen=True, slots=True)
class RoleUsage:
    """What the processes of one role used over the interval; None where nothing tells."""

    role: Role
    processes: int
    cpu_seconds: float
    """User and system time over the interval."""
    rss_bytes: int
    threads: int
    open_files: int | None
    voluntary_switches: int | None
    involuntary_switches: int | None
    read_bytes: int | None
    """From storage, over the interval."""
    written_bytes: int | None
    """To storage, over the interval."""
    throttled_seconds: float | None
    """Time the role's cgroup was held back by its CPU quota, over the interval."""


@dataclass(frozen=True, slots=True)
class CoreUsage:
    """Shares of one core's time over the interval, 0 to 1."""

    user_ratio: float
    system_ratio: float
    iowait_ratio: float
    steal_ratio: float

    @property
    def busy_ratio(self) -> float:
        """User, system and steal together; waiting for a disk is not busy."""
        return self.user_ratio + self.system_ratio + self.steal_ratio


@dataclass(frozen=True, slots=True)
class DiskUsage:
    """One block device over the interval."""

    device: str
    read_bytes_per_s: float
    written_bytes_per_s: float
    reads_per_s: float
    writes_per_s: float
    busy_ratio: float


@dataclass(frozen=True, slots=True)
class NetworkUsage:
    """One network interface over the interval."""

    interface: str
    sent_bytes_per_s: float
    received_bytes_per_s: float


@dataclass(frozen=True, slots=True)
class Pressure:
    """Share of the interval in which some task waited for a resource (Linux PSI), 0 to 1."""

    cpu_ratio: float
    memory_ratio: float
    io_ratio: float


@dataclass(frozen=True, slots=True)
class HostSample:
    """The machine and the three roles on it over one interval."""

    at: float
    interval_s: float
    cores: tuple[CoreUsage, ...]
    load_1m: float
    memory_total_bytes: int
    memory_used_bytes: int
    swap_used_bytes: int
    disks: tuple[DiskUsage, ...]
    networks: tuple[NetworkUsage, ...]
    pressure: Pressure | None
    """None where the kernel has no pressure stall information."""
    roles: tuple[RoleUsage, ...]
