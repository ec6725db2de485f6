"""A control group for what a session starts: the kernel knows all of it, and ends it by one write.

A process leaves its parent, its session and its process group by two forks; its control group it
can't leave so. A write to `cgroup.kill` (Linux 5.14) ends what is in the group, whoever owns it and
however fast it forks, and needs no ancestor that lives. cgroup v2 alone has it; that v1 may be
mounted beside it changes nothing.

The group is made below the one that we are in, where that may be written, and named after the
process that made it: pid and start time. That process, and those that it forks, hold a lock on its
folder while they live: another pid namespace does not know the pid. What dead sessions left beside
it is ended first.

Nothing but the membership changes: no controller is switched on. There is no group of ours where
one would have controllers all the same, or where the one we are in has a limit of its own. Go,
and so k6, looks for limits in a process's own group only, and would take more than there is.

Sources: `Documentation/admin-guide/cgroup-v2.rst`, proc_pid_mountinfo(5), cgroups(7). Imports the
standard library only, and little of it: `collectors.cgroup` would double the time that the guard
takes to start.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import time
from collections.abc import Iterator

PROC = "/proc"
POLL_S = 0.01
"""Between two looks at a group whose processes are ending."""
END_DEADLINE_S = 2.0
DEAD_DEADLINE_S = 1.0
"""For all that dead sessions left: a start does not wait longer. The next one tries again."""

_NAME = re.compile(r"flashpoint-(\d+)-(\d+)")
_LIMITS = ("cpu.max", "memory.max", "memory.high", "memory.swap.max")


class SessionCgroup:
    """The group of one session, by its folder.

    Args:
        folder: Where it is mounted.
        lock: A descriptor that tells others that the session lives; -1 with whoever only ends it.
    """

    def __init__(self, folder: str, lock: int = -1) -> None:
        self.folder = folder
        self._lock = lock

    def enter(self) -> None:
        """Move this process into the group; what it starts from now on is in it, too.

        Raises:
            OSError: the kernel refuses it, or the group is gone.
        """
        _write(f"{self.folder}/cgroup.procs", b"0")

    def kill(self) -> None:
        """Send SIGKILL to everything in the group and in groups below it."""
        with contextlib.suppress(OSError):
            _write(f"{self.folder}/cgroup.kill", b"1")

    def remove(self) -> bool:
        """Remove the group and those below; return whether it is gone. Needs them to be empty."""
        for folder, _, _ in os.walk(self.folder, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(folder)
        return not os.path.exists(self.folder)

    def end(self, within_s: float = END_DEADLINE_S) -> bool:
        """Kill and remove it; return whether it is gone in time."""
        until = time.monotonic() + within_s
        while not self.remove():
            # Each time anew: a child may have been on its way into it.
            self.kill()
            if time.monotonic() > until:
                return False
            time.sleep(POLL_S)
        return True


def make_session_cgroup(proc: str = PROC) -> SessionCgroup | None:
    """Make a group named after this process, and end those of dead sessions beside it.

    Args:
        proc: Where `/proc` is, unless testing.

    Returns:
        None where the kernel is too old, or does not let us, or it would change what children get.
    """
    start = _start_ticks(os.getpid(), proc)
    for parent in own_folders(proc):
        if start is None or not _changes_nothing(parent):
            continue
        group = _make(f"{parent}/flashpoint-{os.getpid()}-{start}")
        if group is not None:
            end_dead_sessions(parent, proc)
            return group
    return None


def own_folders(proc: str = PROC) -> list[str]:
    """Return where the cgroup v2 that we are in is mounted: nowhere, or more than once."""
    try:
        groups = [
            line[3:] for line in _read(f"{proc}/self/cgroup").split("\n") if line[:3] == "0::"
        ]
        mounts = _read(f"{proc}/self/mountinfo").split("\n")
    except OSError:
        return []
    found = []
    for line in mounts:
        before, _, after = line.partition(" - ")
        fields = [_unescape(field) for field in before.split(" ")]
        if len(fields) < 5 or after.split(" ")[0] != "cgroup2":
            continue
        for group in groups:
            # `..` stands for what another cgroup namespace hides.
            if ".." in group.split("/") or ".." in fields[3].split("/"):
                continue
            inside = os.path.relpath(group, fields[3])
            if inside.split("/")[0] != "..":
                found.append(os.path.normpath(f"{fields[4]}/{inside}"))
    return found


def end_dead_sessions(parent: str, proc: str = PROC, within_s: float = DEAD_DEADLINE_S) -> None:
    """End what is left in groups whose session is gone, sessions that it had started included.

    Args:
        parent: The group in which they are.
        proc: Where `/proc` is, unless testing.
        within_s: For all of them.
    """
    until = time.monotonic() + within_s
    with contextlib.suppress(OSError):
        for name in os.listdir(parent):
            made_by = _NAME.fullmatch(name)
            # A session that is just beginning has no lock yet.
            if made_by is None or _start_ticks(int(made_by[1]), proc) == int(made_by[2]):
                continue
            with _dead(f"{parent}/{name}") as group:
                if group is not None:
                    group.end(until - time.monotonic())


@contextlib.contextmanager
def _dead(folder: str) -> Iterator[SessionCgroup | None]:
    """Hold the lock of a group of this user's; None where somebody else holds it."""
    try:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        yield None
        return
    try:
        is_ours = os.fstat(lock).st_uid == os.geteuid()
        yield SessionCgroup(folder) if is_ours and _has_locked(lock) else None
    finally:
        os.close(lock)


def _has_locked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _changes_nothing(parent: str) -> bool:
    """Tell whether processes that move from a group to one below it stay what they are."""
    try:
        if _read(f"{parent}/cgroup.subtree_control").split():
            return False
    except OSError:
        return False
    for name in _LIMITS:
        with contextlib.suppress(OSError):  # there is no such controller
            if _read(f"{parent}/{name}").split()[:1] != ["max"]:
                return False
    # The right to move out of it is asked of the group above both.
    return os.access(f"{parent}/cgroup.procs", os.W_OK)


def _make(folder: str) -> SessionCgroup | None:
    try:
        os.mkdir(folder, 0o700)
    except OSError:
        return None
    lock = -1
    with contextlib.suppress(OSError):
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        is_domain = _read(f"{folder}/cgroup.type").strip() == "domain"
        if is_domain and os.access(f"{folder}/cgroup.kill", os.W_OK) and _has_locked(lock):
            return SessionCgroup(folder, lock)
    if lock >= 0:
        os.close(lock)
    with contextlib.suppress(OSError):
        os.rmdir(folder)
    return None


def _start_ticks(pid: int, proc: str) -> int | None:
    """Return when a process started, in clock ticks since boot; None for none that lives."""
    try:
        fields = _read(f"{proc}/{pid}/stat").rpartition(")")[2].split()
        return None if fields[0] in "ZX" else int(fields[19])
    except (OSError, ValueError, IndexError):
        return None


def _unescape(path: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), path)


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def _write(path: str, data: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, data)
    finally:
        os.close(fd)
