"""Whether perf can take stacks, and what of them."""

from __future__ import annotations

import re
from typing import Final

from collectors.kernel import KernelFacts
from collectors.perf.command import DEFAULT_EVENT, PACKAGE_HINT
from collectors.perf.preflight import (
    CAP_PERFMON,
    CAP_SYS_ADMIN,
    REFUSED_HINT,
    Failure,
    Preflight,
    Privileges,
    check,
)
from collectors.text import sanitise
from tui.model.doctor.finding import Area, Finding, fail, ok, warn

OLDEST: Final = (5, 1)
"""The first perf with `record --no-bpf-event`, which every recording asks for."""
CAP_SYSLOG: Final = 1 << 34
EXAMPLE_PERF: Final = "/usr/bin/perf"

_VERSION = re.compile(r"(\d+)\.(\d+)")


def judge_program(version: str, release: str, path: str) -> Finding:
    """Tell whether a perf that answers is one that flashpoint can use.

    Args:
        version: As perf tells it.
        release: Of the kernel.
        path: The program.
    """
    where = sanitise(path, 200)
    ours, theirs = numbers(version), numbers(release)
    text = f"perf {version}, {where}"
    if ours is None:
        return ok(Area.PERF, "program", f"{text}: no version that can be compared")
    if ours < OLDEST:
        return fail(Area.PERF, "program", f"{text}: too old, it must be 5.1 or later", PACKAGE_HINT)
    if theirs is None or ours == theirs:
        return ok(Area.PERF, "program", f"{text}, that of the kernel")
    # perf and kernel are made to work with each other's older and newer versions.
    return ok(
        Area.PERF, "program", f"{text}; the kernel is {sanitise(release, 80)}, which need not match"
    )


def numbers(version: str) -> tuple[int, int] | None:
    """Return the first two numbers of a version; None where there are none."""
    match = _VERSION.match(version)
    return (int(match[1]), int(match[2])) if match is not None else None


def judge_permission(privileges: Privileges) -> Finding:
    """Tell what `perf_event_paranoid` means for this user."""
    verdict = check(privileges, None)
    level = privileges.paranoid
    if not verdict.can_profile:
        return fail(Area.PERF, "permission", verdict.message, verdict.hint)
    told = f"kernel.perf_event_paranoid is {level}"
    if privileges.may_see_all:
        who = "root" if privileges.uid == 0 else "perf with CAP_PERFMON"
        text = f"{told}, but {who} may profile all processes and the kernel"
        return ok(Area.PERF, "permission", text)
    if not verdict.kernel_frames:
        return warn(
            *(Area.PERF, "permission", f"{told}: your own processes, without kernel frames"),
            verdict.hint,
        )
    return ok(Area.PERF, "permission", f"{told}: your own processes, with kernel frames")


def judge_capabilities(privileges: Privileges, path: str = EXAMPLE_PERF) -> Finding:
    """Tell which capabilities perf will have."""
    held = [
        name
        for name, bit in (("CAP_PERFMON", CAP_PERFMON), ("CAP_SYS_ADMIN", CAP_SYS_ADMIN))
        if privileges.capabilities & bit
    ]
    if held:
        return ok(Area.PERF, "capabilities", f"{' and '.join(held)}")
    text = "no CAP_PERFMON: processes of other users can't be profiled"
    give = f"setcap cap_perfmon,cap_sys_ptrace,cap_syslog=ep {sanitise(path, 200)}"
    if check(privileges, None).can_profile:
        return ok(Area.PERF, "capabilities", text)
    return warn(Area.PERF, "capabilities", text, f"sudo {give}")


def judge_kernel_names(kernel: KernelFacts, privileges: Privileges) -> Finding:
    """Tell whether frames of the kernel will have names."""
    told = f"kernel.kptr_restrict is {kernel.kptr_restrict}"
    if kernel.kptr_restrict is None:
        told = "kernel.kptr_restrict can't be read"
    if kernel.shows_symbols:
        return ok(Area.PERF, "kernel names", f"visible ({told})")
    if not check(privileges, None).kernel_frames:
        return ok(Area.PERF, "kernel names", f"hidden ({told}), as kernel frames are")
    if kernel.kptr_restrict == 2 or privileges.capabilities & CAP_SYSLOG:
        mend = "sudo sysctl kernel.kptr_restrict=1, and CAP_SYSLOG for perf"
    elif kernel.kptr_restrict == 1:
        mend = "sudo sysctl kernel.kptr_restrict=0, or CAP_SYSLOG for perf"
    else:
        mend = "sudo sysctl kernel.perf_event_paranoid=1 kernel.kptr_restrict=0"
    return warn(Area.PERF, "kernel names", f"hidden ({told}): kernel frames have no names", mend)


def judge_event(failure: Failure | None) -> Finding:
    """Tell what came of attaching perf to a process of ours."""
    if failure is None:
        return ok(Area.PERF, "event", f"{DEFAULT_EVENT} can be sampled")
    return fail(Area.PERF, "event", failure.message, failure.hint)


def judge_sandbox(kernel: KernelFacts, *, perf_works: bool | None) -> Finding:
    """Tell whether a container or a filter of system calls is around us, and in the way.

    Args:
        kernel: What is around us.
        perf_works: Whether perf could attach; None where that was not tried.
    """
    around = [f"in a container ({kernel.container})"] if kernel.container else []
    if kernel.has_seccomp:
        around.append("under a filter of system calls (seccomp)")
    if not around:
        return ok(Area.PERF, "sandbox", "no container, no filter of system calls")
    text = ", ".join(around)
    if perf_works is False:
        return warn(Area.PERF, "sandbox", f"{text}, which may be why perf can't", REFUSED_HINT)
    return ok(Area.PERF, "sandbox", text)


def judge_offcpu(preflight: Preflight) -> Finding:
    """Tell whether waits can be recorded."""
    if preflight.can_profile:
        return ok(Area.PERF, "off-CPU", "waits can be recorded (key o)")
    return warn(Area.PERF, "off-CPU", preflight.message, preflight.hint)
