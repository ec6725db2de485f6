from __future__ import annotations

import pytest

from collectors.kernel import KernelFacts
from collectors.perf.preflight import (
    CAP_PERFMON,
    CAP_SYS_ADMIN,
    Failure,
    Preflight,
    Privileges,
)
from tui.model.doctor.finding import FindingState
from tui.model.doctor.perf import (
    CAP_SYSLOG,
    judge_capabilities,
    judge_event,
    judge_kernel_names,
    judge_offcpu,
    judge_permission,
    judge_program,
    judge_sandbox,
    numbers,
)

ROOT = CAP_PERFMON | CAP_SYS_ADMIN | CAP_SYSLOG


def kernel(
    kptr_restrict: int | None = 0,
    *,
    shows_symbols: bool = True,
    has_seccomp: bool = False,
    container: str = "",
) -> KernelFacts:
    return KernelFacts("6.1.0-18", kptr_restrict, shows_symbols, has_seccomp, container, None)


@pytest.mark.parametrize(
    ("version", "release", "state", "said"),
    [
        ("6.1.187", "6.1.0-18-amd64", "ok", "that of the kernel"),
        ("6.1.187", "6.18.44", "ok", "need not match"),
        ("5.1.g1234", "6.1", "ok", "need not match"),
        ("5.0.1", "6.1", "fail", "too old"),
        ("4.19.0", "4.19.0", "fail", "too old"),
        ("unknown", "6.1", "ok", "no version"),
        ("6.1.187", "strange", "ok", ""),
    ],
)
def test_versions_of_perf(version: str, release: str, state: str, said: str) -> None:
    """Only one that lacks an option fails; another than the kernel's works."""
    finding = judge_program(version, release, "/usr/bin/perf")
    assert finding.state == state
    assert said in finding.text
    assert ("apt install linux-perf" in finding.mend) == (state == "fail")


def test_the_numbers_of_a_version() -> None:
    """The first two, where there are any."""
    assert numbers("6.18.44-fc") == (6, 18)
    assert numbers("x") is None


@pytest.mark.parametrize("uid", [0, 1000])
@pytest.mark.parametrize("level", [4, 3, 2, 1, 0, -1])
@pytest.mark.parametrize("capabilities", [0, CAP_PERFMON, ROOT])
def test_every_level_for_every_kind_of_user(level: int, capabilities: int, uid: int) -> None:
    """A capability makes the level meaningless; without, 3 forbids all and 2 the kernel's frames.

    Being uid 0 without capabilities is nothing.
    """
    privileges = Privileges(level, capabilities, uid)
    finding = judge_permission(privileges)
    offered = judge_capabilities(privileges, "/opt/perf")
    assert f"perf_event_paranoid is {level}" in finding.text
    if capabilities:
        assert (finding.state, finding.mend) == ("ok", "")
        assert ("root" if uid == 0 else "CAP_PERFMON") in finding.text
        assert "CAP_PERFMON" in offered.text
        assert offered.state is FindingState.OK
    elif level > 2:
        assert finding.state is FindingState.FAIL
        assert "kernel.perf_event_paranoid=2" in finding.mend
        assert offered.state is FindingState.WARN
        assert offered.mend.startswith("sudo setcap cap_perfmon")
        assert offered.mend.endswith(" /opt/perf")
    elif level == 2:
        assert finding.state is FindingState.WARN
        assert "kernel.perf_event_paranoid=1" in finding.mend
        assert offered.state is FindingState.OK
    else:
        assert finding.state is FindingState.OK
        assert finding.text.endswith("with kernel frames")


def test_a_kernel_without_perf_events_fails() -> None:
    """Whoever asks."""
    assert judge_permission(Privileges(None, ROOT, 0)).state is FindingState.FAIL


@pytest.mark.parametrize(
    ("facts", "privileges", "state", "mend"),
    [
        (kernel(0), Privileges(1, 0, 1000), "ok", ""),
        (kernel(1, shows_symbols=False), Privileges(2, 0, 1000), "ok", ""),
        (kernel(1, shows_symbols=False), Privileges(1, 0, 1000), "warn", "kptr_restrict=0"),
        (kernel(2, shows_symbols=False), Privileges(1, ROOT, 0), "warn", "kptr_restrict=1"),
        (kernel(0, shows_symbols=False), Privileges(1, 0, 1000), "warn", "kptr_restrict=0"),
        (kernel(None, shows_symbols=False), Privileges(3, 0, 1000), "ok", ""),
    ],
)
def test_names_of_the_kernels_functions(
    facts: KernelFacts, privileges: Privileges, state: str, mend: str
) -> None:
    """They are missed only where there are frames that want them."""
    finding = judge_kernel_names(facts, privileges)
    assert finding.state == state
    assert mend in finding.mend
    assert bool(finding.mend) == bool(mend)


def test_the_event_that_works_or_not() -> None:
    """Perf's own explanation is the line."""
    assert judge_event(None).state is FindingState.OK
    finding = judge_event(Failure("perf was not permitted", "give perf CAP_PERFMON"))
    assert (finding.state, finding.mend) == ("fail", "give perf CAP_PERFMON")


@pytest.mark.parametrize(
    ("facts", "works", "state"),
    [
        (kernel(), False, "ok"),
        (kernel(container="Docker"), True, "ok"),
        (kernel(container="Docker"), None, "ok"),
        (kernel(container="Docker", has_seccomp=True), False, "warn"),
        (kernel(has_seccomp=True), False, "warn"),
    ],
)
def test_a_container_is_blamed_only_where_perf_fails(
    facts: KernelFacts, works: bool | None, state: str
) -> None:
    """And then with what docker has to be told."""
    finding = judge_sandbox(facts, perf_works=works)
    assert finding.state == state
    assert ("--cap-add PERFMON" in finding.mend) == (state == "warn")
    assert facts.container in finding.text
    assert ("seccomp" in finding.text) == facts.has_seccomp


def test_waits_are_an_extra() -> None:
    """Where they can't be recorded, that is no failure."""
    assert judge_offcpu(Preflight(True, True)).state is FindingState.OK
    finding = judge_offcpu(Preflight(False, False, "tracefs is not mounted", "sudo mount"))
    assert (finding.state, finding.mend) == ("warn", "sudo mount")
