"""Ends everything below a process, wherever it went; imports the standard library only.

A subreaper has all that was ever started below it among its descendants: what loses its parent
becomes its child.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time

from collectors.session_cgroup import SessionCgroup

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
TERM_GRACE_S = 0.6
"""Between the polite and the hard signal once the monitor is gone; 2 s is the promise for all."""
KILL_DEADLINE_S = 5.0

_libc = ctypes.CDLL(None, use_errno=True)


def prctl(option: int, value: int) -> None:
    """Set one of the attributes that the kernel keeps of this process.

    Raises:
        OSError: the kernel refuses it.
    """
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def descendants(root: int) -> dict[int, int]:
    """Return the living processes below `root`, zombies left out: pid → process group."""
    parents: dict[int, tuple[int, int]] = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        with contextlib.suppress(OSError, ValueError, IndexError):
            with open(f"/proc/{entry}/stat", "rb") as stat:
                fields = stat.read().rpartition(b")")[2].split()
            if fields[0] not in (b"Z", b"X"):
                parents[int(entry)] = (int(fields[1]), int(fields[2]))
    found: dict[int, int] = {}
    grown = True
    while grown:
        grown = False
        for pid, (parent, group) in parents.items():
            if pid not in found and (parent == root or parent in found):
                found[pid] = group
                grown = True
    return found


def end_all(cgroup: SessionCgroup | None, *, at_once: bool = False) -> None:
    """End everything below us: politely, then surely, until nothing is left; and its group.

    Args:
        cgroup: What was started is in it, and perhaps nothing else knows of it any more.
        at_once: Surely from the beginning.
    """
    _end_descendants(cgroup, at_once)
    if cgroup is not None:
        cgroup.end()


def _end_descendants(cgroup: SessionCgroup | None, at_once: bool) -> None:
    started = time.monotonic()
    polite = True
    while time.monotonic() - started < KILL_DEADLINE_S:
        _reap()
        left = descendants(os.getpid())
        if not left:
            return
        hard = at_once or time.monotonic() - started > TERM_GRACE_S
        if hard and cgroup is not None:
            cgroup.kill()  # also what is not ours to signal, or forks faster than we look
        if polite or hard:
            for pid in left:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL if hard else signal.SIGTERM)
        polite = False
        time.sleep(0.02)


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
