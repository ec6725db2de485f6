"""Is the number honest? Says what limits the run: server, load generator, or machine.

A verdict is a plain sentence from plain thresholds over the same range as everything else. It is
a hint where to look, never a measurement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from collectors.samples import HostSample, Role
from tui.model.load import LoadRange
from tui.model.usage import summarise_host, summarise_role

FULL_RATIO = 0.95
"""Share of a machine's cores from which on there is no room left."""
GREEDY_RATIO = 0.5
"""Share of the busy time from which on k6 is the one that fills the machine."""
FAILED_RATIO = 0.01
IO_PRESSURE_RATIO = 0.4


class Severity(StrEnum):
    """How much a verdict matters."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One sentence, and how much it matters."""

    severity: Severity
    text: str


def judge(load: LoadRange, hosts: Sequence[HostSample]) -> Verdict | None:
    """Decide what limits the run over a range, None where too little is known.

    Args:
        load: The load of the range.
        hosts: The machine's samples of the same range.
    """
    if not hosts or load.covered_s <= 0:
        return None
    host = summarise_host(hosts)
    target = summarise_role(hosts, Role.TARGET)
    generator = summarise_role(hosts, Role.GENERATOR)
    busy, cores = host.cpu_cores_mean or 0.0, host.cores
    full = cores > 0 and busy >= FULL_RATIO * cores
    if load.failed_ratio is not None and load.failed_ratio > FAILED_RATIO:
        return Verdict(Severity.BAD, f"{load.failed_ratio:.1%} of the requests fail")
    if target.throttled_seconds:
        return Verdict(Severity.WARN, "the server is held back by its CPU quota")
    if full and (generator.cpu_cores_mean or 0.0) >= GREEDY_RATIO * busy:
        return Verdict(
            Severity.BAD, "k6 fills this machine: the rate is its limit, not the server's"
        )
    if full:
        return Verdict(Severity.WARN, "machine full: k6 and the server compete for its cores")
    if load.dropped_iterations:
        return Verdict(Severity.WARN, "k6 drops iterations: too few VUs for the asked rate")
    pressure = [(s.pressure.io_ratio, s.interval_s) for s in hosts if s.pressure is not None]
    pressed_s = sum(io_ratio * interval_s for io_ratio, interval_s in pressure)
    if pressed_s > IO_PRESSURE_RATIO * sum(interval_s for _, interval_s in pressure):
        return Verdict(Severity.WARN, "tasks wait for storage")
    if cores:
        return Verdict(Severity.GOOD, f"room left: {busy:.1f} of {cores} cores busy")
    return None
