"""Turns readings of the machine's counters into samples, without I/O.

A counter that went backwards (reset, wrap, a device or core that came or went) leaves its entry
out of one sample: a gap, never a spike. So does one that rose by more than any device can move: it
was read wrong before, or is now.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from collectors.host_counters import (
    CoreTimes,
    DiskCounters,
    HostReading,
    NetworkCounters,
    PressureTotals,
)
from collectors.host_roles import RoleDeltas
from collectors.samples import CoreUsage, DiskUsage, HostSample, NetworkUsage, Pressure

MIN_INTERVAL_RATIO: Final = 0.1
MAX_BYTES_PER_S: Final = 200e9
"""More than the fastest bus and the fastest interface."""
MAX_OPERATIONS_PER_S: Final = 100e6


class HostDeltas:
    """Readings in, samples out.

    Args:
        interval_s: How far apart readings should be. More than three times as far is a gap: the
            newer one only starts afresh. Less than a tenth is too short for a rate and is skipped.
    """

    def __init__(self, interval_s: float = 1.0) -> None:
        self._interval_s = interval_s
        self._before: HostReading | None = None
        self._roles = RoleDeltas()

    def feed(self, now: HostReading) -> HostSample | None:
        """Take a reading; None where it has no usable predecessor."""
        before = self._before
        elapsed_s = now.at - before.at if before is not None else 0.0
        if before is not None and 0 <= elapsed_s < MIN_INTERVAL_RATIO * self._interval_s:
            return None
        self._before = now
        if before is None or not 0 < elapsed_s <= 3 * self._interval_s:
            self._roles = RoleDeltas()
            return None
        return HostSample(
            at=now.at,
            interval_s=elapsed_s,
            cores=_cores(before.cores, now.cores),
            load_1m=now.load_1m,
            memory_total_bytes=now.memory.total_bytes,
            memory_used_bytes=now.memory.used_bytes,
            swap_used_bytes=now.memory.swap_used_bytes,
            disks=_disks(before.disks, now.disks, elapsed_s),
            networks=_networks(before.networks, now.networks, elapsed_s),
            pressure=_pressure(before.pressure, now.pressure, elapsed_s),
            roles=self._roles.usage(before, now),
        )


def _cores(before: Mapping[int, CoreTimes], now: Mapping[int, CoreTimes]) -> tuple[CoreUsage, ...]:
    usages = []
    for number in sorted(now.keys() & before.keys()):
        old, new = before[number], now[number]
        # The kernel's iowait may run backwards by a little; busy times may not.
        iowait = max(0.0, new.iowait_s - old.iowait_s)
        rises = [
            new.user_s - old.user_s,
            new.system_s - old.system_s,
            new.steal_s - old.steal_s,
            new.idle_s - old.idle_s,
        ]
        if min(rises) < 0:
            continue
        user, system, steal, _ = rises
        total = sum(rises) + iowait
        scale = 1 / total if total > 0 else 0.0
        usages.append(CoreUsage(user * scale, system * scale, iowait * scale, steal * scale))
    return tuple(usages)


def _disks(
    before: Mapping[str, DiskCounters], now: Mapping[str, DiskCounters], elapsed_s: float
) -> tuple[DiskUsage, ...]:
    usages = []
    for device in sorted(now.keys() & before.keys()):
        old, new = before[device], now[device]
        rises = (
            new.read_bytes - old.read_bytes,
            new.written_bytes - old.written_bytes,
            new.reads - old.reads,
            new.writes - old.writes,
            new.busy_s - old.busy_s,
        )
        if min(rises) < 0:
            continue
        read, written, reads, writes, busy = (rise / elapsed_s for rise in rises)
        if max(read, written) > MAX_BYTES_PER_S or max(reads, writes) > MAX_OPERATIONS_PER_S:
            continue
        usages.append(DiskUsage(device, read, written, reads, writes, min(1.0, busy)))
    return tuple(usages)


def _networks(
    before: Mapping[str, NetworkCounters], now: Mapping[str, NetworkCounters], elapsed_s: float
) -> tuple[NetworkUsage, ...]:
    usages = []
    for interface in sorted(now.keys() & before.keys()):
        old, new = before[interface], now[interface]
        sent = (new.sent_bytes - old.sent_bytes) / elapsed_s
        received = (new.received_bytes - old.received_bytes) / elapsed_s
        if 0 <= min(sent, received) <= max(sent, received) <= MAX_BYTES_PER_S:
            usages.append(NetworkUsage(interface, sent, received))
    return tuple(usages)


def _pressure(
    before: PressureTotals | None, now: PressureTotals | None, elapsed_s: float
) -> Pressure | None:
    if before is None or now is None:
        return None
    rises = (
        now.cpu_s - before.cpu_s,
        now.memory_s - before.memory_s,
        now.io_s - before.io_s,
    )
    if min(rises) < 0:
        return None
    cpu, memory, io = (min(1.0, rise / elapsed_s) for rise in rises)
    return Pressure(cpu, memory, io)
