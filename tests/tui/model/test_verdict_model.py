from __future__ import annotations

from dataclasses import replace

import pytest

from collectors.samples import HostSample, LoadSample, Pressure, RequestKind, Role
from tests.builders import host, load, usage
from tui.model.load import summarise
from tui.model.verdict import Severity, Verdict, judge


def machine(
    *shares: tuple[Role, float], busy_ratio: float, io_ratio: float | None = None
) -> list[HostSample]:
    """Return a second of two cores, shared like this."""
    pressure = None if io_ratio is None else Pressure(0.0, 0.0, io_ratio)
    roles = tuple(usage(role, seconds) for role, seconds in shares)
    return [host(1.0, busy_ratio=busy_ratio, roles=roles, pressure=pressure)]


def verdict(push: LoadSample, hosts: list[HostSample]) -> Verdict | None:
    """Judge one push."""
    return judge(summarise([push], RequestKind.HTTP), hosts)


GOOD = load(1.0, 100)
CALM = machine((Role.TARGET, 0.5), busy_ratio=0.3)
FULL = machine((Role.TARGET, 1.5), (Role.GENERATOR, 0.4), busy_ratio=0.97)
GREEDY = machine((Role.TARGET, 0.5), (Role.GENERATOR, 1.2), busy_ratio=1.0)
THROTTLED = [
    host(1.0, busy_ratio=1.0, roles=(replace(usage(Role.TARGET, 1.0), throttled_seconds=0.2),))
]


@pytest.mark.parametrize(
    ("push", "hosts", "severity", "text"),
    [
        (GOOD, CALM, Severity.GOOD, "room left: 0.6 of 2 cores busy"),
        (load(1.0, 100, failed=1), CALM, Severity.GOOD, "room left: 0.6 of 2 cores busy"),
        (load(1.0, 100, failed=2), GREEDY, Severity.BAD, "2.0% of the requests fail"),
        (GOOD, THROTTLED, Severity.WARN, "the server is held back by its CPU quota"),
        (
            GOOD,
            GREEDY,
            Severity.BAD,
            "k6 fills this machine: the rate is its limit, not the server's",
        ),
        (GOOD, FULL, Severity.WARN, "machine full: k6 and the server compete for its cores"),
        (
            load(1.0, 100, dropped=1),
            CALM,
            Severity.WARN,
            "k6 drops iterations: too few VUs for the asked rate",
        ),
        (GOOD, machine(busy_ratio=0.3, io_ratio=0.5), Severity.WARN, "tasks wait for storage"),
        (
            GOOD,
            machine(busy_ratio=0.0, io_ratio=0.4),
            Severity.GOOD,
            "room left: 0.0 of 2 cores busy",
        ),
        (load(1.0, 0), CALM, Severity.GOOD, "room left: 0.6 of 2 cores busy"),
    ],
)
def test_the_verdict_names_the_first_limit(
    push: LoadSample, hosts: list[HostSample], severity: Severity, text: str
) -> None:
    """Failing requests first, then who fills the machine, then who waits."""
    assert verdict(push, hosts) == Verdict(severity, text)


def test_without_load_or_machine_there_is_no_verdict() -> None:
    """Too little is known."""
    assert verdict(GOOD, []) is None
    assert judge(summarise([], RequestKind.HTTP), CALM) is None
    assert verdict(GOOD, [replace(host(1.0), cores=())]) is None
