"""Whether a load test on this machine would say anything."""

from __future__ import annotations

from typing import Final

from collectors.machine import MachineFacts
from tui.model.doctor.finding import Area, Finding, ok, warn

LITTLE_BYTES: Final = 512 << 20
"""k6, perf and flashpoint take some 300 MB together under an ordinary load."""
BUSY_RATIO: Final = 0.7
"""Of the usable cores: what is left is hardly enough for k6 alone."""


def judge_machine(facts: MachineFacts) -> list[Finding]:
    """Tell of everything that a load test needs."""
    return [
        judge_cores(facts),
        judge_memory(facts),
        judge_load(facts),
        judge_quota(facts),
        judge_pressure(facts),
    ]


def judge_cores(facts: MachineFacts) -> Finding:
    """Tell whether server and load generator have a core each."""
    text = f"{facts.usable_cores}"
    if facts.usable_cores != facts.cores:
        text += f" of {facts.cores} that there are"
    if facts.usable_cores < 2:
        return warn(
            *(Area.MACHINE, "cores", f"{text}: k6 takes from the server what it needs itself"),
            "use a machine with two cores or more, or let taskset give us more",
        )
    return ok(Area.MACHINE, "cores", text)


def judge_memory(facts: MachineFacts) -> Finding:
    """Tell whether there is memory to start k6 and perf."""
    text = f"{facts.available_bytes / 1e9:.1f} of {facts.memory_bytes / 1e9:.1f} GB available"
    if facts.available_bytes < LITTLE_BYTES:
        return warn(
            *(Area.MACHINE, "memory", f"{text}: k6 may be killed"),
            "end what is not needed: ps --sort=-rss -eo rss,pid,comm | head",
        )
    return ok(Area.MACHINE, "memory", text)


def judge_load(facts: MachineFacts) -> Finding:
    """Tell whether others use so much that a load test would measure them."""
    text = f"{facts.load_1m:.2f} over the last minute"
    if facts.load_1m > BUSY_RATIO * facts.usable_cores:
        return warn(
            *(
                Area.MACHINE,
                "load",
                f"{text}, of {facts.usable_cores} cores: others would be measured too",
            ),
            "wait until it is over, or end it: ps --sort=-pcpu -eo pcpu,pid,comm | head",
        )
    return ok(Area.MACHINE, "load", text)


def judge_quota(facts: MachineFacts) -> Finding:
    """Tell whether a control group holds us back."""
    quota = facts.quota_cores
    if quota is None:
        return ok(Area.MACHINE, "CPU quota", "none")
    text = f"{quota:.3g} cores by our control group"
    if quota < min(2.0, facts.usable_cores):
        return warn(
            *(Area.MACHINE, "CPU quota", f"{text}: k6 would be throttled"),
            "raise it: docker run --cpus, or CPUQuota= of the unit",
        )
    return ok(Area.MACHINE, "CPU quota", text)


def judge_pressure(facts: MachineFacts) -> Finding:
    """Tell whether the machine pane can show pressure."""
    if facts.has_pressure:
        return ok(Area.MACHINE, "pressure", "the kernel tells it (PSI)")
    return warn(
        Area.MACHINE,
        "pressure",
        "not told by this kernel",
        "boot with psi=1 (CONFIG_PSI, Linux 4.20)",
    )
