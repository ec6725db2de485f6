"""Who is whose child: reads `/proc/PID/stat`, and walks the trees of processes.

A process is known by its pid **and** its start time; the kernel gives pids away again, the pair
never. Everything here is a plain read of `/proc` that answers None for a process that is gone.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from collectors.text import sanitise

TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
PROC: Final = Path("/proc")
MAX_NAME: Final = 64

_TURNS: Final = 16
_READ_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class ProcessStat:
    """One line of `/proc/PID/stat`. Source: proc_pid_stat(5)."""

    pid: int
    name: str
    """The kernel's name of it (at most 15 bytes), sanitised."""
    state: str
    parent: int
    own_cpu_s: float
    """User and system time of its threads, also of those that ended."""
    reaped_cpu_s: float
    """The same of the children it has waited for, and of theirs."""
    threads: int
    start_ticks: int
    """Clock ticks from boot to its start."""
    rss_bytes: int

    @property
    def gone(self) -> bool:
        """Ended, and only waiting for its parent to take notice."""
        # A program whose first thread alone has ended shows as a zombie too, and runs on.
        return self.state in "ZX" and self.threads <= 1


def parse_stat(data: bytes) -> ProcessStat:
    """Read the text of `/proc/PID/stat`; the name in it may hold blanks, brackets and newlines.

    Raises:
        ValueError: it is not such a text.
    """
    opened, closed = data.index(b"("), data.rindex(b")")
    fields = data[closed + 1 :].split()
    if len(fields) < 22:
        raise ValueError("too short for /proc/PID/stat")
    user, system, reaped_user, reaped_system = (int(value) for value in fields[11:15])
    return ProcessStat(
        pid=int(data[:opened]),
        name=sanitise(data[opened + 1 : closed], MAX_NAME),
        state=fields[0].decode("ascii"),
        parent=int(fields[1]),
        own_cpu_s=(user + system) / TICKS_PER_SECOND,
        reaped_cpu_s=(reaped_user + reaped_system) / TICKS_PER_SECOND,
        threads=int(fields[17]),
        start_ticks=int(fields[19]),
        rss_bytes=int(fields[21]) * PAGE_BYTES,
    )


def read_small(path: str | Path) -> bytes:
    """Read a small file of `/proc` in one call.

    Raises:
        OSError: it is gone or not permitted.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(fd, _READ_BYTES)
    finally:
        os.close(fd)


def read_stat(pid: int, proc: Path = PROC) -> ProcessStat | None:
    """Read how a process is; None when it is gone or hidden."""
    try:
        return parse_stat(read_small(f"{proc}/{pid}/stat"))
    except (OSError, ValueError):
        return None


def list_pids(proc: Path = PROC) -> list[int]:
    """Return the ids of all processes that we may see."""
    return [int(name) for name in os.listdir(proc) if name.isdigit()]


class ProcessTable:
    """Who is whose parent, for all processes, cheaply kept up to date.

    A full read costs about 10 µs a process. So a refresh lists the pids, reads those it has not
    seen before, and one sixteenth of the others in turn: their parents rarely change.

    Args:
        proc: Where `/proc` is, unless testing.
    """

    def __init__(self, proc: Path = PROC) -> None:
        self._proc = proc
        self._parents: dict[int, int] = {}
        self._turn = 0

    @property
    def parents(self) -> Mapping[int, int]:
        """Pid → pid of its parent, as of the last refresh."""
        return self._parents

    def refresh(self) -> None:
        """Take notice of new and ended processes.

        Raises:
            OSError: `/proc` itself can't be listed.
        """
        self._turn = (self._turn + 1) % _TURNS
        known, self._parents = self._parents, {}
        for pid in list_pids(self._proc):
            parent = known.get(pid)
            if parent is None or pid % _TURNS == self._turn:
                stat = read_stat(pid, self._proc)
                if stat is None:
                    continue
                parent = stat.parent
            self._parents[pid] = parent

    def descendants(self, roots: Iterable[int], without: Collection[int] = ()) -> list[int]:
        """Return the roots that exist and everything below them, parents before children.

        Args:
            roots: Where to begin.
            without: These, and what is below them, are left out.
        """
        return descendants(self._parents, roots, without)


def descendants(
    parents: Mapping[int, int], roots: Iterable[int], without: Collection[int] = ()
) -> list[int]:
    """Walk the trees below some roots: see `ProcessTable.descendants`."""
    children: dict[int, list[int]] = {}
    for pid, parent in parents.items():
        children.setdefault(parent, []).append(pid)
    found: dict[int, None] = {}
    level = [pid for pid in roots if pid in parents]
    while level:
        below: list[int] = []
        for pid in level:
            if pid not in found and pid not in without:
                found[pid] = None
                below.extend(children.get(pid, ()))
        level = below
    # A root below another root may have come before its own parent.
    return sorted(found, key=lambda pid: depth(parents, pid))


def depth(parents: Mapping[int, int], pid: int) -> int:
    """Count the ancestors of a process."""
    return sum(1 for _ in ancestors(parents, pid))


def ancestors(parents: Mapping[int, int], pid: int) -> list[int]:
    """Return the parent of a process, its parent, and so on up; safe against a loop."""
    found: dict[int, None] = {}
    above = parents.get(pid, 0)
    while above and above not in found:
        found[above] = None
        above = parents.get(above, 0)
    return list(found)


def topmost(parents: Mapping[int, int], pids: Collection[int]) -> int | None:
    """Return the one of the processes that has no ancestor among them.

    Several unrelated ones: that with the most of the others below it, then the lowest pid. None
    for no processes.
    """
    below = dict.fromkeys(pids, 0)
    for pid in pids:
        for above in ancestors(parents, pid):
            if above in below:
                below[above] += 1
    tops = [pid for pid in pids if not any(up in below for up in ancestors(parents, pid))]
    return min(tops or pids, key=lambda pid: (-below[pid], pid), default=None)
