"""Names of the processes and threads that perf sampled, read from /proc.

perf itself is never asked for names: one may hold a line end and forge a sample. The process id of
a sample can be forged too, by a symbol with line ends in it. perf follows only the processes it was
given and those that start later, so a living process that is older and was not given can't have
been sampled: it is refused.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from pathlib import Path
from typing import Final

from collectors.source import Clock
from collectors.text import sanitise

REFRESH_S: Final = 5.0
MAX_REMEMBERED: Final = 65_536
MAX_NAME: Final = 64
EXITED: Final = "(exited)"
"""The name of what was gone before it could be asked."""


def boot_clock() -> float:
    """Return the seconds since boot, the clock in which the kernel tells start times."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class ProcessNames:
    """Process id and thread id in, their names out.

    Args:
        clock: Tells when names are read anew; they change, mostly soon after a start.
        since: When recording began, in seconds since boot.
        pids: The processes that perf was given.
        proc: Where procfs is.
    """

    def __init__(
        self, clock: Clock, since: float, pids: Collection[int], proc: Path = Path("/proc")
    ) -> None:
        self._clock = clock
        self._since_ticks = int(since * os.sysconf("SC_CLK_TCK")) - 1  # started in the same tick
        self._given = frozenset(pids)
        self._proc = proc
        self._names: dict[tuple[int, int], tuple[str, str] | None] = {}
        self._read_at: dict[tuple[int, int], float] = {}
        self._started = {pid: _start_ticks(proc / str(pid)) for pid in self._given}
        """Start ticks of the processes: who gets a pid after one of them is another."""

    def __call__(self, pid: int, tid: int) -> tuple[str, str] | None:
        """Return the names of process and thread; None for a process that perf can't follow."""
        key = (pid, tid)
        now = self._clock()
        if now - self._read_at.get(key, -REFRESH_S) < REFRESH_S:
            return self._names[key]
        if len(self._names) >= MAX_REMEMBERED:
            self._names.clear()
            self._read_at.clear()
            self._started = {pid: self._started[pid] for pid in self._given}
        self._read_at[key] = now
        self._names[key] = names = self._look_up(pid, tid)
        return names

    def living(self) -> set[int]:
        """Return the processes that perf was given or has sampled, as far as they still run."""
        return {
            pid
            for pid, started in self._started.items()
            if is_running(pid, self._proc) and _start_ticks(self._proc / str(pid)) == started
        }

    def _look_up(self, pid: int, tid: int) -> tuple[str, str] | None:
        if pid not in self._given:
            started = _start_ticks(self._proc / str(pid))
            if started is not None and started < self._since_ticks:
                return None
            if started is not None:
                self._started.setdefault(pid, started)
        known = self._names.get((pid, tid)) or (EXITED, EXITED)
        process = _name(self._proc / str(pid) / "comm") or known[0]
        thread = _name(self._proc / str(pid) / "task" / str(tid) / "comm") or known[1]
        # A thread that is gone already, of a process that is not, has most likely its name.
        return process, process if thread == EXITED else thread


def is_running(pid: int, proc: Path = Path("/proc")) -> bool:
    """Tell whether a process runs; one that has ended and is only not reaped yet does not."""
    state = _stat_fields(proc / str(pid))[:1]
    return bool(state) and state[0] not in (b"Z", b"X")


def _start_ticks(process: Path) -> int | None:
    """Return when a process started, in clock ticks since boot (proc_pid_stat(5), field 22)."""
    fields = _stat_fields(process)
    return int(fields[19]) if len(fields) > 19 else None


def _stat_fields(process: Path) -> list[bytes]:
    """Return the fields of `stat` from the state (field 3) on; nothing for one that is gone."""
    try:
        return (process / "stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return []


def _name(comm: Path) -> str:
    try:
        return sanitise(comm.read_bytes().removesuffix(b"\n"), MAX_NAME)
    except OSError:
        return ""
