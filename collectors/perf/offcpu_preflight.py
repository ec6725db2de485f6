"""Says whether perf may record waits, and names the one command that is missing.

The event has to be readable in tracefs (`Documentation/trace/ftrace.rst`), whose files belong to
root and a group only since Linux 5.15. An event of the scheduler tells of the kernel itself, so
`perf_event_paranoid` has to be -1 where perf has no capability
(`Documentation/admin-guide/sysctl/kernel.rst`). perf mounts tracefs by itself where it may.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from collectors.perf.preflight import CAP_SYS_ADMIN, REFUSED_HINT, Preflight, Privileges

USUAL_MOUNT: Final = "/sys/kernel/tracing"


class TraceEvents(Enum):
    """What can be seen of the event that waits are made of."""

    READABLE = "readable"
    UNREADABLE = "unreadable"
    NOT_MOUNTED = "not mounted"
    NO_SUCH_EVENT = "no such event"
    NO_TRACEFS = "no tracefs"


@dataclass(frozen=True, slots=True)
class Tracing:
    """What `read_tracing` found."""

    events: TraceEvents
    mounted_at: str = USUAL_MOUNT
    """Where tracefs is or should be."""


def read_tracing(proc: Path = Path("/proc")) -> Tracing:
    """Find the event of thread switches in tracefs."""
    mounts = [line.split() for line in _text(proc / "mounts").splitlines()]
    mounted_at = next((fields[1] for fields in mounts if fields[2:3] == ["tracefs"]), None)
    if mounted_at is None:
        is_known = "tracefs" in _text(proc / "filesystems").split()
        return Tracing(TraceEvents.NOT_MOUNTED if is_known else TraceEvents.NO_TRACEFS)
    try:
        Path(mounted_at, "events/sched/sched_switch/id").read_bytes()
    except PermissionError:
        return Tracing(TraceEvents.UNREADABLE, mounted_at)
    except OSError:
        return Tracing(TraceEvents.NO_SUCH_EVENT, mounted_at)
    return Tracing(TraceEvents.READABLE, mounted_at)


def preflight_offcpu(privileges: Privileges, tracing: Tracing) -> Preflight:
    """Tell whether waits can be recorded.

    Args:
        privileges: From `read_privileges`.
        tracing: From `read_tracing`.
    """
    if privileges.paranoid is None:
        return _refusal("this kernel has no perf events", REFUSED_HINT)
    if tracing.events is TraceEvents.NO_TRACEFS:
        return _refusal("this kernel has no trace events", "it takes one with CONFIG_EVENT_TRACING")
    if tracing.events is TraceEvents.NO_SUCH_EVENT:
        return _refusal(
            "this kernel has no event sched:sched_switch", "it takes one with CONFIG_EVENT_TRACING"
        )
    if privileges.paranoid > -1 and not privileges.may_see_all:
        return _refusal(
            f"kernel.perf_event_paranoid is {privileges.paranoid}: waits can't be recorded",
            "sudo sysctl kernel.perf_event_paranoid=-1, or CAP_PERFMON for perf",
        )
    # Whoever may not mount it could not read it either: one command does both.
    access = f"gid={os.getegid()},mode=750"
    if tracing.events is TraceEvents.UNREADABLE:
        return _refusal(
            f"{tracing.mounted_at} is not readable",
            f"sudo mount -o remount,{access} {tracing.mounted_at}",
        )
    if tracing.events is TraceEvents.NOT_MOUNTED and not privileges.capabilities & CAP_SYS_ADMIN:
        return _refusal(
            "tracefs is not mounted", f"sudo mount -t tracefs -o {access} tracefs {USUAL_MOUNT}"
        )
    return Preflight(True, True)


def _refusal(message: str, hint: str) -> Preflight:
    return Preflight(False, False, message, hint)


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
