"""What the processes of a role used between two readings, nothing lost and nothing twice.

A process that ends takes its own counter with it, but whoever waits for it adds it to a counter of
reaped children. So over a tree in which parents wait for their children the sum of *own* and
*reaped* never jumps, and the use over an interval is the rise of that sum, with these rules:

- A process seen first and born after the previous reading brings all that it has used; one that
  is older joined the tree just now and brings nothing yet.
- What an ended process had used up to the previous reading is counted already. It is taken off the
  rise of the reaped counter of the nearest ancestor that lives.
- If that rise is smaller, the process ended between the reading of its parent and its own, and the
  rest is taken off at the next reading; later than that its parent never waited for it, and
  its last moments are lost. They are never guessed, and no figure is ever below zero.

Needs readings that took parents before their children. The monitor's reaped children are the load
generator and the target, so of its processes only the own time counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from collectors.host_counters import HostReading, ProcessCounters, RoleCounters
from collectors.samples import Role, RoleUsage

Identity: TypeAlias = tuple[int, int]
"""Pid and start time."""

Counter: TypeAlias = Callable[[ProcessCounters], float | None]


def _identity(process: ProcessCounters) -> Identity:
    return process.pid, process.start_ticks


def _by_identity(reading: HostReading) -> dict[Identity, ProcessCounters]:
    return {
        _identity(process): process
        for counters in reading.roles.values()
        for process in counters.processes
    }


class ReapingCounter:
    """Follows one counter of all processes in which reaped children are included.

    Args:
        own: The process's own part of the counter, or 0 where the kernel keeps only one.
        reaped: The part with its reaped children.
    """

    def __init__(self, own: Counter, reaped: Counter) -> None:
        self._own = own
        self._reaped = reaped
        self._owed: dict[Identity, float] = {}

    def rises(
        self,
        before: Mapping[Identity, ProcessCounters],
        now: Mapping[Identity, ProcessCounters],
        born_since_ticks: int,
    ) -> dict[Identity, tuple[float, float] | None]:
        """Return identity → rise of the own and of the reaped part; None where unknown."""
        moved = self._moved(before, now)
        owed, self._owed = self._owed, {}
        rises: dict[Identity, tuple[float, float] | None] = {}
        for identity, process in now.items():
            own, reaped = self._own(process), self._reaped(process)
            if own is None or reaped is None:
                rises[identity] = None
                continue
            earlier = before.get(identity)
            if earlier is not None:
                own_before, reaped_before = self._own(earlier), self._reaped(earlier)
            elif identity[1] >= born_since_ticks:
                own_before, reaped_before = 0.0, 0.0
            else:
                own_before, reaped_before = own, reaped
            if own_before is None or reaped_before is None:
                rises[identity] = None
                continue
            fresh = moved.get(identity, 0.0)
            rise = reaped - reaped_before - owed.get(identity, 0.0) - fresh
            if rise < 0 and fresh > 0:
                self._owed[identity] = min(fresh, -rise)
            rises[identity] = max(0.0, own - own_before), max(0.0, rise)
        return rises

    def _moved(
        self, before: Mapping[Identity, ProcessCounters], now: Mapping[Identity, ProcessCounters]
    ) -> dict[Identity, float]:
        """Return identity → what processes that ended since had used before."""
        by_pid = {pid: (pid, start) for pid, start in before}
        moved: dict[Identity, float] = {}
        for identity, process in before.items():
            if identity in now:
                continue
            heir = by_pid.get(process.parent)
            passed: set[Identity] = set()
            while heir is not None and heir not in now and heir not in passed:
                passed.add(heir)
                heir = by_pid.get(before[heir].parent)
            if heir is not None and heir in now:
                used = (self._own(process) or 0.0) + (self._reaped(process) or 0.0)
                moved[heir] = moved.get(heir, 0.0) + used
        return moved


class RoleDeltas:
    """Two readings after one another give the use of each role in between."""

    def __init__(self) -> None:
        self._cpu = ReapingCounter(lambda p: p.own_cpu_s, lambda p: p.reaped_cpu_s)
        self._read = ReapingCounter(lambda p: 0, lambda p: p.read_bytes)
        self._written = ReapingCounter(lambda p: 0, lambda p: p.written_bytes)

    def usage(self, before: HostReading, now: HostReading) -> tuple[RoleUsage, ...]:
        """Return the use between the readings, one entry a role of the newer one."""
        processes_before, processes_now = _by_identity(before), _by_identity(now)
        born = before.boot_ticks
        cpu = self._cpu.rises(processes_before, processes_now, born)
        read = self._read.rises(processes_before, processes_now, born)
        written = self._written.rises(processes_before, processes_now, born)
        usages = []
        for role, counters in now.roles.items():
            mine = [_identity(process) for process in counters.processes]
            voluntary, involuntary = _switches(processes_before, counters, born)
            usages.append(
                RoleUsage(
                    role=role,
                    processes=len(mine),
                    cpu_seconds=_cpu_seconds(role, [cpu[identity] for identity in mine]),
                    rss_bytes=sum(process.rss_bytes for process in counters.processes),
                    threads=sum(process.threads for process in counters.processes),
                    open_files=_sum(process.open_files for process in counters.processes),
                    voluntary_switches=voluntary,
                    involuntary_switches=involuntary,
                    read_bytes=_bytes(read, mine),
                    written_bytes=_bytes(written, mine),
                    throttled_seconds=_throttled(before.roles.get(role), counters),
                )
            )
        return tuple(usages)


def _cpu_seconds(role: Role, rises: list[tuple[float, float] | None]) -> float:
    own = sum(rise[0] for rise in rises if rise is not None)
    reaped = sum(rise[1] for rise in rises if rise is not None)
    return own if role is Role.MONITOR else own + reaped


def _sum(values: Iterator[int | None]) -> int | None:
    total = 0
    for value in values:
        if value is None:
            return None
        total += value
    return total


def _bytes(
    rises: Mapping[Identity, tuple[float, float] | None], mine: list[Identity]
) -> int | None:
    found = [rises[identity] for identity in mine]
    return _sum(None if rise is None else int(rise[1]) for rise in found)


def _switches(
    before: Mapping[Identity, ProcessCounters], counters: RoleCounters, born_since_ticks: int
) -> tuple[int | None, int | None]:
    voluntary = involuntary = 0
    for process in counters.processes:
        earlier = before.get(_identity(process))
        if process.switches is None or (earlier is not None and earlier.switches is None):
            return None, None
        if earlier is None and process.start_ticks < born_since_ticks:
            continue
        known = earlier.switches if earlier is not None and earlier.switches is not None else {}
        for thread, (wanted, forced) in process.switches.items():
            wanted_before, forced_before = known.get(thread, (0, 0))
            voluntary += max(0, wanted - wanted_before)
            involuntary += max(0, forced - forced_before)
    return voluntary, involuntary


def _throttled(before: RoleCounters | None, now: RoleCounters) -> float | None:
    if before is None:
        return None
    # A quota of the own group and one above it hold back the same time: the largest, not the sum.
    rises = [
        max(0.0, seconds - before.throttled_s[group])
        for group, seconds in now.throttled_s.items()
        if group in before.throttled_s
    ]
    return max(rises, default=None)
