from __future__ import annotations

from pathlib import Path

import pytest

from collectors.k6.binary import K6Binary
from collectors.k6.interactive import NotControllable, Script
from collectors.k6.scenarios import Scenario
from collectors.k6.wrapper import Transport
from collectors.source import SourceError
from tui.model.doctor.finding import FindingState
from tui.model.doctor.k6 import (
    judge_archive,
    judge_control,
    judge_options,
    judge_program,
    judge_script,
    show_scenarios,
)


def k6(version: str) -> K6Binary:
    major, minor, patch = (int(number) for number in version.split("."))
    return K6Binary("/usr/bin/k6", version, (major, minor, patch))


def scenario(name: str = "default", rate: float = 0.0) -> Scenario:
    executor = "constant-arrival-rate" if rate else "constant-vus"
    return Scenario(name, "default", executor, 3, 3, rate)


@pytest.mark.parametrize(
    ("version", "state", "said"),
    [
        ("0.49.0", "warn", "too old"),
        ("1.0.0", "ok", "k6 1.0.0, /usr/bin/k6"),
        ("2.2.0", "ok", "k6 2.2.0"),
        ("3.0.0", "warn", "newer than flashpoint knows"),
    ],
)
def test_versions_are_known_to_work_or_not(version: str, state: str, said: str) -> None:
    """Older than 1.0 and newer than 2.x are told."""
    finding = judge_program(k6(version))
    assert finding.state == state
    assert said in finding.text
    assert bool(finding.mend) == (state != "ok")


@pytest.mark.parametrize(
    ("version", "best", "others"),
    [
        ("1.1.0", "redis gate", "REST"),
        ("1.5.0", "secret gate", "redis gate, then REST"),
        ("2.2.0", "secret gate", ""),
    ],
)
def test_the_way_of_control_is_told_without_a_script(version: str, best: str, others: str) -> None:
    """By the version alone, with what comes next and why."""
    text = judge_control(k6(version)).text
    assert text.startswith(f"{best} (k6")
    assert text.endswith(others or "1.5)")


def test_scenarios_are_named_with_their_load() -> None:
    """A few of them; foreign names are made harmless."""
    assert show_scenarios([scenario()]) == "1 scenario: default (constant-vus, 3 VUs)"
    assert "from 2.5 iterations/s" in show_scenarios([scenario("a", 2.5)])
    assert "\x1b" not in show_scenarios([scenario("a\x1b[2J")])
    assert show_scenarios([scenario(f"s{n}") for n in range(9)]).endswith(", 4 more")


@pytest.mark.parametrize(
    ("transport", "state"),
    [(Transport.SECRETS, "ok"), (Transport.REDIS, "ok"), (Transport.REST, "warn")],
)
def test_the_way_of_control_of_a_script(transport: Transport, state: str) -> None:
    """REST is the one with limits, and another k6 mends it."""
    warnings = ("controlled over REST: counts may lack interrupted requests",)
    script = Script(Path("a/x.js"), (scenario(),), transport, warnings)
    about_script, control = judge_script(script, k6("1.1.0"))
    assert about_script.text.startswith("x.js: 1 scenario")
    assert (control.state, control.text.startswith(transport.value)) == (state, True)
    assert ("1.5" in control.mend) == (transport is Transport.REST)


def test_what_is_not_as_written_is_told() -> None:
    """Each warning is a line of its own."""
    script = Script(Path("x.js"), (scenario(),), Transport.SECRETS, ("the threshold on vus",))
    assert [each.state for each in judge_script(script, k6("2.0.0"))] == ["ok", "ok", "warn"]


def test_an_archive_runs_as_written() -> None:
    """Which is no failure."""
    finding = judge_archive(NotControllable("x.tar is an archive", "use --as-written"))
    assert finding.state is FindingState.WARN
    assert finding.text.startswith("as written: ")


def test_options_that_are_refused_or_left_out() -> None:
    """Refused ones fail, variables for the load warn with the command that removes them."""
    assert judge_options({"HOME": "/"}, None).state is FindingState.OK
    left_out = judge_options({"K6_VUS": "5", "K6_DURATION": "1s", "K6_STAGES": ""}, None)
    assert left_out.state is FindingState.WARN
    assert left_out.mend == "unset K6_VUS K6_DURATION"
    refused = judge_options({}, SourceError("no --vus", "use --vus"))
    assert (refused.state, refused.text, refused.mend) == ("fail", "no --vus", "use --vus")
