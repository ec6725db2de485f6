"""One line of what `flashpoint doctor` found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from collectors.source import SourceError
from collectors.text import sanitise


class FindingState(StrEnum):
    """How a thing is."""

    OK = "ok"
    WARN = "warn"
    """It works, with something missing."""
    FAIL = "fail"
    """It does not work."""


class Area(StrEnum):
    """What a finding is about, in the order of the table."""

    K6 = "k6"
    PERF = "perf"
    TARGET = "target"
    TERMINAL = "terminal"
    MACHINE = "machine"
    STORAGE = "storage"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one thing."""

    area: Area
    name: str
    state: FindingState
    text: str
    """One line: how it is; sanitised where it holds foreign text."""
    mend: str = ""
    """One line: what mends it, or makes it better; empty where there is nothing to do."""


def ok(area: Area, name: str, text: str, mend: str = "") -> Finding:
    """Return that a thing works."""
    return Finding(area, name, FindingState.OK, text, mend)


def warn(area: Area, name: str, text: str, mend: str) -> Finding:
    """Return that a thing works, with something missing."""
    return Finding(area, name, FindingState.WARN, text, mend)


def fail(area: Area, name: str, text: str, mend: str = "") -> Finding:
    """Return that a thing does not work."""
    return Finding(area, name, FindingState.FAIL, text, mend)


def refused(area: Area, name: str, error: SourceError) -> Finding:
    """Return that a thing does not work, in the words that a run would refuse it with."""
    return fail(area, name, error.message, error.hint)


def broken(area: Area, name: str, error: BaseException) -> Finding:
    """Return that a check itself came to grief."""
    said = sanitise(str(error), 160)
    text = f"the check broke: {type(error).__name__}{f': {said}' if said else ''}"
    return fail(area, name, text, "tell the authors of flashpoint, with this line")


def late(area: Area, name: str, deadline_s: float) -> Finding:
    """Return that a check did not end in time."""
    return fail(
        area, name, f"no answer within {deadline_s:g} s", "look at the load of this machine"
    )


def counts(findings: Iterable[Finding]) -> dict[FindingState, int]:
    """Count findings by state, ok first."""
    found = dict.fromkeys(FindingState, 0)
    for finding in findings:
        found[finding.state] += 1
    return found


def exit_status(findings: Iterable[Finding]) -> int:
    """Return what the program exits with: 1 where something does not work."""
    return int(any(each.state is FindingState.FAIL for each in findings))
