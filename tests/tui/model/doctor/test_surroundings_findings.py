"""Terminal, machine and storage."""

from __future__ import annotations

from dataclasses import replace

import pytest

from collectors.machine import MachineFacts
from collectors.storage import StorageFacts
from collectors.terminal import TerminalFacts
from tui.model.doctor.finding import (
    Area,
    Finding,
    FindingState,
    broken,
    counts,
    exit_status,
    fail,
    late,
    ok,
    warn,
)
from tui.model.doctor.machine import judge_machine
from tui.model.doctor.storage import judge_storage, judge_working_folder
from tui.model.doctor.terminal import judge_terminal

TERMINAL = TerminalFacts(
    streams=(True, True, True), columns=120, rows=40, term="xterm-256color",
    colorterm="truecolor", no_color=False, locale="en_GB.UTF-8", multiplexer="", is_remote=False,
)  # fmt: skip
MACHINE = MachineFacts(
    cores=4, usable_cores=4, quota_cores=None, memory_bytes=16 << 30, available_bytes=8 << 30,
    load_1m=0.2, has_pressure=True,
)  # fmt: skip
STORAGE = StorageFacts(
    folder="/home/me/recordings", is_there=True, error="", mode=0o700, owner_uid=1000, uid=1000,
    free_bytes=10**11, has_room=True, recordings=3,
)  # fmt: skip


def named(findings: list[Finding], name: str) -> Finding:
    [found] = [each for each in findings if each.name == name]
    return found


def test_what_is_fine_needs_no_mending() -> None:
    """A good terminal, machine and disk are all ok."""
    found = [*judge_terminal(TERMINAL), *judge_machine(MACHINE), *judge_storage(STORAGE)]
    assert {each.state for each in found} == {FindingState.OK}
    assert {each.mend for each in found} == {""}


@pytest.mark.parametrize(
    ("changes", "name", "state", "said", "mend"),
    [
        ({"streams": (False, False, False)}, "terminal", "warn", "none here", "--headless"),
        ({"streams": (True, False, True)}, "terminal", "warn", "output leads", "pipes"),
        ({"streams": (False, True, False)}, "terminal", "warn", "input and error lead", "pipes"),
        ({"term": "dumb"}, "terminal", "warn", "TERM is dumb", "export TERM"),
        ({"term": ""}, "terminal", "warn", "TERM is not set", "export TERM"),
        ({"is_remote": True}, "terminal", "ok", "over ssh", ""),
        ({"colorterm": "24bit"}, "colours", "ok", "16 million", ""),
        ({"colorterm": ""}, "colours", "ok", "256", "COLORTERM=truecolor"),
        ({"colorterm": "", "term": "xterm"}, "colours", "warn", "16", "COLORTERM=truecolor"),
        ({"colorterm": "", "term": "dumb"}, "colours", "warn", "none", "export TERM"),
        ({"no_color": True}, "colours", "warn", "NO_COLOR", "unset NO_COLOR"),
        (
            {"colorterm": "", "term": "screen-256color", "multiplexer": "tmux"},
            *("colours", "ok", "256", "terminal-features"),
        ),
        ({"streams": (False,) * 3, "term": "", "colorterm": ""}, "colours", "ok", "not judged", ""),
        ({"columns": 79}, "size", "warn", "79×40", "80×24"),
        ({"rows": 23}, "size", "warn", "120×23", "80×24"),
        ({"columns": 80, "rows": 24}, "size", "ok", "80×24", ""),
        ({"columns": None}, "size", "ok", "not known", ""),
        ({"locale": "C"}, "letters", "warn", "C, not UTF-8", "C.UTF-8"),
        ({"locale": ""}, "letters", "warn", "not set", "C.UTF-8"),
        ({"locale": "de_DE.ISO-8859-1"}, "letters", "warn", "not UTF-8", "C.UTF-8"),
        ({"locale": "de_DE.utf8@euro"}, "letters", "ok", "UTF-8", ""),
        ({"multiplexer": "tmux"}, "inside of", "ok", "tmux", "set-clipboard on"),
        ({"multiplexer": "screen"}, "inside of", "ok", "GNU screen", "tmux"),
    ],
)
def test_terminals(changes: dict[str, object], name: str, state: str, said: str, mend: str) -> None:
    """Each thing that can be amiss, with the line that mends it."""
    finding = named(judge_terminal(replace(TERMINAL, **changes)), name)  # type: ignore[arg-type]
    assert finding.state == state
    assert said in finding.text
    assert mend in finding.mend
    assert bool(finding.mend) == bool(mend)


@pytest.mark.parametrize(
    ("changes", "name", "said"),
    [
        ({"cores": 1, "usable_cores": 1}, "cores", "k6 takes from the server"),
        ({"usable_cores": 1}, "cores", "1 of 4"),
        ({"available_bytes": 400 << 20}, "memory", "k6 may be killed"),
        ({"load_1m": 3.0}, "load", "3.00"),
        ({"quota_cores": 0.5}, "CPU quota", "0.5 cores"),
        ({"quota_cores": 1.5}, "CPU quota", "throttled"),
        ({"has_pressure": False}, "pressure", "not told"),
    ],
)
def test_machines_on_which_a_load_test_says_little(
    changes: dict[str, object], name: str, said: str
) -> None:
    """Warnings, each with a line that mends it; never a failure."""
    found = judge_machine(replace(MACHINE, **changes))  # type: ignore[arg-type]
    finding = named(found, name)
    assert finding.state is FindingState.WARN
    assert said in finding.text
    assert finding.mend
    assert exit_status(found) == 0


@pytest.mark.parametrize("changes", [{"quota_cores": 3.0}, {"usable_cores": 2}, {"load_1m": 2.7}])
def test_machines_that_do(changes: dict[str, float]) -> None:
    """A quota above two cores, two cores of four, some load."""
    found = judge_machine(replace(MACHINE, **changes))  # type: ignore[arg-type]
    assert {each.state for each in found} == {FindingState.OK}


@pytest.mark.parametrize(
    ("changes", "name", "state", "said", "mend"),
    [
        ({"error": "Permission denied"}, "recordings", "fail", "denied", "FLASHPOINT_STATE_DIR"),
        ({"is_there": False}, "recordings", "ok", "made by the first run", ""),
        ({"recordings": 1}, "recordings", "ok", "1 recording", ""),
        ({"mode": 0o755}, "privacy", "warn", "0755", "chmod 700 /home/me/recordings"),
        ({"owner_uid": 0}, "privacy", "warn", "another user", "FLASHPOINT_STATE_DIR"),
        ({"is_there": False, "mode": 0}, "privacy", "ok", "0700", ""),
        ({"has_room": False}, "room", "fail", "100.0 GB free", "--no-record"),
        ({"free_bytes": None}, "room", "warn", "can't be told", "df -h"),
    ],
)
def test_places_for_recordings(
    changes: dict[str, object], name: str, state: str, said: str, mend: str
) -> None:
    """What can't be written or has no room fails."""
    finding = named(judge_storage(replace(STORAGE, **changes)), name)  # type: ignore[arg-type]
    assert finding.state == state
    assert said in finding.text
    assert mend in finding.mend


def test_the_folder_we_are_in() -> None:
    """A run goes on without it: only exports need it."""
    assert judge_working_folder("").state is FindingState.OK
    assert judge_working_folder("not permitted").state is FindingState.WARN


def test_only_a_failure_is_an_exit_status() -> None:
    """And states are counted, also those that nothing has."""
    good = [ok(Area.K6, "a", "x"), warn(Area.K6, "b", "x", "y")]
    assert exit_status(good) == 0
    assert exit_status([*good, fail(Area.K6, "c", "x")]) == 1
    assert list(counts(good).values()) == [1, 1, 0]


def test_a_check_that_breaks_or_hangs_is_a_failure_of_one_line() -> None:
    """With its reason, made harmless."""
    finding = broken(Area.PERF, "event", ValueError("a\n\x1b[2J"))
    assert finding.state is FindingState.FAIL
    assert finding.text == "the check broke: ValueError: a␊␛[2J"
    assert "3 s" in late(Area.PERF, "event", 3.0).text
