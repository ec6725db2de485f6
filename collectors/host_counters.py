"""The machine's counters as the kernel keeps them: since boot, or since a process began.

Values and parsers only, no reading: two of these readings make one sample (`host_deltas`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from collectors.process_tree import TICKS_PER_SECOND
from collectors.samples import Role


@dataclass(frozen=True, slots=True)
class CoreTimes:
    """What one core has done since boot, in seconds. Source: proc_stat(5)."""

    user_s: float
    """Normal and niced; includes guests."""
    system_s: float
    """Kernel, interrupts and soft interrupts."""
    iowait_s: float
    steal_s: float
    idle_s: float


@dataclass(frozen=True, slots=True)
class DiskCounters:
    """One block device since boot."""

    reads: int
    writes: int
    read_bytes: int
    written_bytes: int
    busy_s: float


@dataclass(frozen=True, slots=True)
class NetworkCounters:
    """One interface since it came up."""

    sent_bytes: int
    received_bytes: int


@dataclass(frozen=True, slots=True)
class PressureTotals:
    """Seconds since boot in which some task waited for a resource (PSI, `some … total=`)."""

    cpu_s: float
    memory_s: float
    io_s: float


@dataclass(frozen=True, slots=True)
class Memory:
    """How full the machine is now."""

    total_bytes: int
    used_bytes: int
    """Total less what is available without swapping."""
    swap_used_bytes: int


@dataclass(frozen=True, slots=True)
class ProcessCounters:
    """One process of a role; None where reading is not permitted."""

    pid: int
    start_ticks: int
    parent: int
    own_cpu_s: float
    reaped_cpu_s: float
    """User and system time of the children it has waited for."""
    rss_bytes: int
    threads: int
    open_files: int | None
    switches: Mapping[int, tuple[int, int]] | None
    """Thread id → voluntary, involuntary context switches; the kernel counts them by thread."""
    read_bytes: int | None
    """Includes, as the next one does, the children it has waited for."""
    written_bytes: int | None


@dataclass(frozen=True, slots=True)
class RoleCounters:
    """The processes of one role, parents before children."""

    processes: tuple[ProcessCounters, ...]
    throttled_s: Mapping[str, float]
    """Control group → seconds of throttling; empty where nothing tells."""


@dataclass(frozen=True, slots=True)
class HostReading:
    """All counters at one moment."""

    at: float
    """Session clock, when the reading began."""
    boot_ticks: int
    """The same moment in clock ticks since boot, to compare with start times."""
    cores: Mapping[int, CoreTimes]
    load_1m: float
    memory: Memory
    disks: Mapping[str, DiskCounters]
    networks: Mapping[str, NetworkCounters]
    pressure: PressureTotals | None
    roles: Mapping[Role, RoleCounters]


def parse_cores(data: bytes) -> dict[int, CoreTimes]:
    """Read the `cpuN` lines of `/proc/stat`: number of the core → times; only cores in use."""
    cores = {}
    for line in data.splitlines():
        name, _, rest = line.partition(b" ")
        if not name.startswith(b"cpu"):
            break
        number = name[3:]
        values = [int(value) / TICKS_PER_SECOND for value in rest.split()[:8]]
        if number.isdigit() and len(values) == 8:
            user, nice, system, idle, iowait, irq, softirq, steal = values
            cores[int(number)] = CoreTimes(user + nice, system + irq + softirq, iowait, steal, idle)
    return cores


def parse_memory(data: bytes) -> Memory:
    """Read `/proc/meminfo` (proc_meminfo(5); its kB are 1024 bytes)."""
    values: dict[bytes, int] = {}
    for line in data.splitlines():
        name, _, rest = line.partition(b":")
        fields = rest.split()
        if fields and fields[0].isdigit():
            values[name] = int(fields[0]) * 1024
    total = values.get(b"MemTotal", 0)
    available = values.get(b"MemAvailable", values.get(b"MemFree", 0))
    swap_used = values.get(b"SwapTotal", 0) - values.get(b"SwapFree", 0)
    return Memory(total, max(0, total - available), max(0, swap_used))


def parse_pressure(data: bytes) -> float | None:
    """Return the seconds of the `some` line of `/proc/pressure/*`; None where there is none."""
    for line in data.splitlines():
        if line.startswith(b"some "):
            total = line.rpartition(b"total=")[2]
            return int(total) / 1e6 if total.isdigit() else None
    return None


def parse_switches(data: bytes) -> tuple[int, int] | None:
    """Return voluntary and involuntary switches from `/proc/PID/task/TID/status`."""
    found: list[int] = []
    # They are the last two lines; the name above may hold anything but a line of its own.
    for line in data.splitlines()[-2:]:
        key, _, value = line.partition(b":")
        if key in (b"voluntary_ctxt_switches", b"nonvoluntary_ctxt_switches"):
            found.append(int(value))
    return (found[0], found[1]) if len(found) == 2 else None


def parse_io(data: bytes) -> tuple[int, int] | None:
    """Return bytes read from and written to storage from `/proc/PID/io` (proc_pid_io(5))."""
    values = dict(line.partition(b": ")[::2] for line in data.splitlines())
    try:
        return int(values[b"read_bytes"]), int(values[b"write_bytes"])
    except (KeyError, ValueError):
        return None
