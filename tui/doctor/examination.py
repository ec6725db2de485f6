"""The whole examination: all areas at once, the findings in the order of the table."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

import msgspec

from collectors.guard_start import guard_running
from tui.doctor.checking import Findings
from tui.doctor.here import examine_machine, examine_storage, examine_terminal
from tui.doctor.k6 import K6Question, examine_k6
from tui.doctor.perf import examine_perf
from tui.doctor.target import examine_target
from tui.model.doctor.finding import Finding, counts

SCHEMA: Final = "flashpoint.doctor/1"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be looked at beside what is always."""

    k6: K6Question
    pid: int | None = None
    port: int | None = None


async def examine_all(wanted: Wanted) -> list[Finding]:
    """Look at everything.

    Raises:
        SourceError: not even the process that starts others can be started.
    """
    # First, alone: what comes next makes the machine busy itself.
    machine = await examine_machine()
    async with guard_running() as guard:
        work = [examine_k6(guard, wanted.k6), examine_perf(guard)]
        if wanted.pid is not None or wanted.port is not None:
            work.append(examine_target(guard, wanted.pid, wanted.port))
        work += [examine_terminal(), _done(machine), examine_storage()]
        found = await asyncio.gather(*work)
    return [finding for findings in found for finding in findings]


async def _done(findings: Findings) -> Findings:
    return findings


def as_json(findings: Findings) -> str:
    """Return the findings as an object of the schema `flashpoint.doctor/1`."""
    checks = [
        {
            "area": each.area.value,
            "name": each.name,
            "state": each.state.value,
            "text": each.text,
            "mend": each.mend,
        }
        for each in findings
    ]
    content = {
        "schema": SCHEMA,
        "flashpoint": version("flashpoint"),
        "counts": {state.value: number for state, number in counts(findings).items()},
        "checks": checks,
    }
    return msgspec.json.format(msgspec.json.encode(content), indent=2).decode()
