"""Says whether perf may profile, and names the one setting or capability that is missing.

Rules of the kernel: `Documentation/admin-guide/perf-security.rst`, and `perf_event_paranoid` in
`Documentation/admin-guide/sysctl/kernel.rst`. Level 3 is Debian's and Android's own: it forbids all
use without privileges.
"""

from __future__ import annotations

import os
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CAP_SYS_ADMIN: Final = 1 << 21
CAP_PERFMON: Final = 1 << 38

KERNEL_HINT: Final = (
    "for kernel frames: sudo sysctl kernel.perf_event_paranoid=1, or CAP_PERFMON for perf"
)
REFUSED_HINT: Final = (
    "give perf CAP_PERFMON; a container must allow perf_event_open too "
    "(docker run --cap-add PERFMON)"
)


@dataclass(frozen=True, slots=True)
class Privileges:
    """What the kernel lets us and perf do."""

    paranoid: int | None
    """`kernel.perf_event_paranoid`; None where the kernel has no perf events."""
    capabilities: int
    """Effective capabilities, ours and those of the perf file, as bits."""
    uid: int
    """Our effective user id."""

    @property
    def may_see_all(self) -> bool:
        """Whether level and owner of the target don't matter."""
        return bool(self.capabilities & (CAP_PERFMON | CAP_SYS_ADMIN))


@dataclass(frozen=True, slots=True)
class Preflight:
    """What profiling will be like."""

    can_profile: bool
    kernel_frames: bool
    message: str = ""
    """What is missing; empty where nothing is."""
    hint: str = ""
    """The sysctl or capability that brings it; one line."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why perf gave up."""

    message: str
    hint: str = ""
    event_unknown: bool = False
    """Another event may work."""
    target_gone: bool = False


def read_privileges(perf: str, proc: Path = Path("/proc")) -> Privileges:
    """Read what the kernel tells: two files of procfs and the capabilities of the perf file."""
    try:
        paranoid = int((proc / "sys/kernel/perf_event_paranoid").read_text())
    except (OSError, ValueError):
        paranoid = None
    try:
        status = (proc / "self/status").read_text()
    except OSError:
        status = ""
    effective = re.search(r"^CapEff:\s*([0-9a-f]+)$", status, re.MULTILINE)
    ours = int(effective[1], 16) if effective else 0
    return Privileges(paranoid, ours | file_capabilities(perf), os.geteuid())


def file_capabilities(path: str) -> int:
    """Return the capabilities that a file gives to whoever runs it (capabilities(7)), as bits.

    The attribute holds little-endian words: revision and flags, then low and high halves, permitted
    before inheritable. They are effective at once only with the lowest flag.
    """
    try:
        raw = os.getxattr(path, "security.capability")
    except OSError:
        return 0
    if len(raw) < 20 or not raw[0] & 1:
        return 0
    low, _, high = struct.unpack_from("<III", raw, 4)
    return int(low | high << 32)


def check(privileges: Privileges, target_uid: int | None) -> Preflight:
    """Tell what profiling a target will be like.

    Args:
        privileges: From `read_privileges`.
        target_uid: Owner of the target's processes; None where that is not known yet.
    """
    paranoid = privileges.paranoid
    if paranoid is None:
        return Preflight(False, False, "this kernel has no perf events", REFUSED_HINT)
    if privileges.may_see_all:
        return Preflight(True, True)
    if paranoid > 2:
        return Preflight(
            *(False, False, f"kernel.perf_event_paranoid is {paranoid}: profiling is not allowed"),
            "sudo sysctl kernel.perf_event_paranoid=2, or CAP_PERFMON for perf",
        )
    if target_uid is not None and target_uid != privileges.uid:
        return Preflight(
            *(False, False, f"the target belongs to another user (uid {target_uid})"),
            "run as that user or as root, or give perf CAP_PERFMON and CAP_SYS_PTRACE",
        )
    if paranoid > 1:
        return Preflight(
            *(True, False, "user frames only: kernel.perf_event_paranoid is 2"), KERNEL_HINT
        )
    return Preflight(True, True)


def explain(stderr: str, preflight: Preflight) -> Failure:
    """Turn what perf wrote before it gave up into one line and a hint.

    Args:
        stderr: Sanitised lines of `perf record`.
        preflight: What was expected; where it explains a refusal, its words are the better ones.
    """
    if re.search(r"No such process|failed to open .*/proc/\d+|Invalid (thread|process)", stderr):
        return Failure("the target has gone", target_gone=True)
    if re.search(r"event syntax error|is not supported|not found|ENOENT|event is not", stderr):
        return Failure(
            "perf does not know this event here",
            "cpu-clock works everywhere",
            event_unknown=True,
        )
    if "mapping pages" in stderr:
        return Failure(
            "perf may not lock its ring in memory",
            "sudo sysctl kernel.perf_event_mlock_kb=4096, or CAP_IPC_LOCK for perf",
        )
    if "Too many events" in stderr or "open file descriptors" in stderr:
        return Failure("perf ran out of open files", "raise the limit: ulimit -n 65536")
    if re.search(r"limited\.|[Pp]ermission|not permitted|No permissions|not have", stderr):
        if preflight.can_profile:
            return Failure("perf was not permitted to profile", REFUSED_HINT)
        return Failure(preflight.message, preflight.hint)
    first = next((line.strip() for line in stderr.splitlines() if _says_something(line)), "")
    return Failure(f"perf failed: {first[:200]}" if first else "perf failed without a word")


def _says_something(line: str) -> bool:
    stripped = line.strip()
    return bool(stripped) and stripped not in ("Error:", "Warning:") and stripped[0] != "["
