"""Reads the machine's counters from `/proc` and psutil; what is not permitted reads as None.

The processes are read one by one, parents before children, as `host_roles` needs it. psutil's own
process classes are not used for them: they scan all of `/proc` for every tree, and give the context
switches of a process's first thread only.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

import psutil

from collectors.cgroup import Throttling
from collectors.host_counters import (
    DiskCounters,
    HostReading,
    NetworkCounters,
    PressureTotals,
    ProcessCounters,
    RoleCounters,
    parse_cores,
    parse_io,
    parse_memory,
    parse_pressure,
    parse_switches,
)
from collectors.process_tree import PROC, TICKS_PER_SECOND, ProcessTable, read_small, read_stat
from collectors.samples import Role
from collectors.source import Clock
from collectors.text import sanitise

MAX_THREADS: Final = 512
"""Of one process; context switches of more threads are not read, each costs some 15 µs."""

BLOCK_DEVICES: Final = Path("/sys/block")
_IN_MEMORY: Final = ("loop", "ram", "zram")
_PRECEDENCE: Final = (Role.MONITOR, Role.GENERATOR, Role.TARGET)


class HostReader:
    """Reads everything once; used by one thread at a time.

    A process that was once below a role's roots stays with the role while it lives, also when its
    parent ends and it gets another one. A root is the process that has its pid when it is named
    first; who gets the pid after it is a stranger until the pid is no root any more.

    Args:
        clock: The session's clock.
        proc: Where `/proc` is, unless testing.
    """

    def __init__(self, clock: Clock, proc: Path = PROC) -> None:
        self._clock = clock
        self._proc = proc
        self._table = ProcessTable(proc)
        self._throttling = Throttling(proc)
        self._members: dict[Role, dict[int, int]] = {}
        self._roots: dict[Role, dict[int, int]] = {}
        """Start ticks of the roots by pid."""
        self._devices: dict[str, bool] = {}

    def read(self, roots: Mapping[Role, Collection[int]]) -> HostReading:
        """Read all counters.

        Args:
            roots: The root processes of each role; see `HostSource`.

        Raises:
            OSError: `/proc` can't be read at all.
        """
        at = self._clock()
        boot_ticks = int(time.clock_gettime(time.CLOCK_BOOTTIME) * TICKS_PER_SECOND)
        self._table.refresh()
        return HostReading(
            at=at,
            boot_ticks=boot_ticks,
            roles=self._roles(roots),
            cores=parse_cores(self._whole("stat")),
            load_1m=os.getloadavg()[0],
            memory=parse_memory(self._whole("meminfo")),
            disks=self._disks(),
            networks=self._networks(),
            pressure=self._pressure(),
        )

    def _whole(self, name: str) -> bytes:
        return (self._proc / name).read_bytes()

    def _roles(self, roots: Mapping[Role, Collection[int]]) -> dict[Role, RoleCounters]:
        taken = set(roots.get(Role.MONITOR, ()))
        found: dict[Role, RoleCounters] = {}
        for role in _PRECEDENCE:
            if not roots.get(role):
                self._members.pop(role, None)
                self._roots.pop(role, None)
                continue
            if role is Role.MONITOR:
                pids = list(roots[role])
            else:
                known = self._members.get(role, {})
                pids = self._table.descendants([*roots[role], *known], without=taken)
                taken.update(pids)
            processes = self._processes(pids, roots[role], role)
            self._members[role] = {process.pid: process.start_ticks for process in processes}
            found[role] = RoleCounters(processes, self._throttled(roots[role]))
        return {role: found[role] for role in Role if role in found}

    def _processes(
        self, pids: list[int], roots: Collection[int], role: Role
    ) -> tuple[ProcessCounters, ...]:
        known = self._members.get(role, {})
        first = self._roots.get(role, {})
        self._roots[role] = first = {pid: first[pid] for pid in roots if pid in first}
        found: dict[int, ProcessCounters] = {}
        for pid in pids:
            process = self._process(pid)
            if process is None:
                continue
            # The pid of a former member may belong to a stranger by now.
            if pid in roots:
                is_stranger = first.setdefault(pid, process.start_ticks) != process.start_ticks
            else:
                is_stranger = process.parent not in found and known.get(pid) != process.start_ticks
            if not is_stranger:
                found[pid] = process
        return tuple(found.values())

    def _process(self, pid: int) -> ProcessCounters | None:
        stat = read_stat(pid, self._proc)
        if stat is None:
            return None
        bytes_moved = self._io(pid)
        return ProcessCounters(
            pid=pid,
            start_ticks=stat.start_ticks,
            parent=stat.parent,
            own_cpu_s=stat.own_cpu_s,
            reaped_cpu_s=stat.reaped_cpu_s,
            rss_bytes=stat.rss_bytes,
            threads=stat.threads,
            open_files=self._open_files(pid),
            switches=self._switches(pid) if stat.threads <= MAX_THREADS else None,
            read_bytes=bytes_moved[0] if bytes_moved else None,
            written_bytes=bytes_moved[1] if bytes_moved else None,
        )

    def _io(self, pid: int) -> tuple[int, int] | None:
        try:
            return parse_io(read_small(f"{self._proc}/{pid}/io"))
        except OSError:
            return None

    def _open_files(self, pid: int) -> int | None:
        folder = f"{self._proc}/{pid}/fd"
        try:
            # Since Linux 6.2 the folder's size is their number; before, it is 0.
            return os.stat(folder).st_size or len(os.listdir(folder))
        except OSError:
            return None

    def _switches(self, pid: int) -> Mapping[int, tuple[int, int]] | None:
        folder = f"{self._proc}/{pid}/task"
        found = {}
        try:
            threads = os.listdir(folder)
        except OSError:
            return None
        for thread in threads:
            try:
                counts = parse_switches(read_small(f"{folder}/{thread}/status"))
            except (OSError, ValueError):
                continue
            if counts is not None:
                found[int(thread)] = counts
        return found

    def _throttled(self, roots: Collection[int]) -> Mapping[str, float]:
        first = next(iter(roots), None)
        return self._throttling.read(first) if first is not None else {}

    def _disks(self) -> dict[str, DiskCounters]:
        found = {}
        for name, counters in psutil.disk_io_counters(perdisk=True, nowrap=False).items():
            if (counters.read_count or counters.write_count) and self._is_whole(name):
                found[sanitise(name, 64)] = DiskCounters(
                    counters.read_count,
                    counters.write_count,
                    counters.read_bytes,
                    counters.write_bytes,
                    counters.busy_time / 1000,
                )
        return found

    def _is_whole(self, name: str) -> bool:
        """Tell whether it is a device of its own: no partition, nothing in memory, no stack.

        A device made of others (LVM, RAID, encryption) would count their traffic again.
        """
        known = self._devices.get(name)
        if known is None:
            folder = BLOCK_DEVICES / name.replace("/", "!")
            try:
                known = folder.is_dir() and not any((folder / "slaves").iterdir())
            except OSError:
                known = folder.is_dir()
            known = known and not name.startswith(_IN_MEMORY)
            self._devices[name] = known
        return known

    def _networks(self) -> dict[str, NetworkCounters]:
        interfaces = psutil.net_io_counters(pernic=True, nowrap=False)
        return {
            sanitise(name, 64): NetworkCounters(counters.bytes_sent, counters.bytes_recv)
            for name, counters in interfaces.items()
            if counters.bytes_sent or counters.bytes_recv
        }

    def _pressure(self) -> PressureTotals | None:
        seconds = []
        for name in ("cpu", "memory", "io"):
            try:
                value = parse_pressure(self._whole(f"pressure/{name}"))
            except OSError:
                return None
            if value is None:
                return None
            seconds.append(value)
        return PressureTotals(*seconds)
