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
from collections.abc import Iterable

from collectors.session_cgroup import SessionCgroup

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
TERM_GRACE_S = 0.6
"""Between the polite and the hard signal once the monitor is gone; 2 s is the promise for all."""
LOOK_AGAIN_S = 0.02
"""Between two looks for what is to be killed."""
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
    # Blocked, the signal is kept until it is waited for: no child's end is missed.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    if not at_once:
        if _have_ended(started):
            return
        _signal(descendants(os.getpid()), signal.SIGTERM)
        # Nothing is looked for meanwhile: where others want the processor, what we take of it now
        # is what we lack when it counts.
        if _have_ended(started + TERM_GRACE_S):
            return
    while time.monotonic() - started < KILL_DEADLINE_S:
        if cgroup is not None:
            cgroup.kill()  # also what is not ours to signal, or forks faster than we look
        left = descendants(os.getpid())
        _signal(left, signal.SIGKILL)
        # What has ended is reaped even if that was all: the keeper would find it otherwise.
        if _have_ended(time.monotonic() + LOOK_AGAIN_S) or not left:
            return


def _signal(pids: Iterable[int], signum: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signum)


def _have_ended(by: float) -> bool:
    """Reap what ends until then; return whether nothing is left, which is told at once.

    A subreaper without children has no descendants either. `/proc` need not be read for that.
    """
    while True:
        try:
            reaped, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return True
        left_s = by - time.monotonic()
        if left_s <= 0:  # also amid a storm of short lives, which would have us reap for ever
            return False
        if not reaped:
            signal.sigtimedwait([signal.SIGCHLD], left_s)
