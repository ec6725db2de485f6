"""Whoever is killed, and whenever: nothing that we started runs on, and nothing else is touched.

The processes of a try are known by a mark that they inherit, so that those that ran away count too.
Kills come at random moments; the seed and the moment are in the message of a failure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
import pytest

from collectors.process import Guard
from tests.faults.conftest import Report
from tests.faults.killing import (
    GONE_S,
    Kill,
    has_cgroups,
    kills,
    started_again,
    tried,
    with_fakes,
)
from tests.faults.marked import command_line, marked
from tests.integration.counting_server import counting_server
from tests.integration.program import needs_perf
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1800)]

BUSY = "while :; do :; done"
IDLE = "exec sleep 600"


@pytest.fixture
async def target(guard: Guard, request: pytest.FixtureRequest) -> psutil.Process:
    """Somebody's server: a process that the program only attaches to."""
    child = await guard.spawn("target", ["nice", "-n19", "sh", "-c", request.param])
    process = psutil.Process(child.pid)
    await eventually(lambda: process.name() in ("sh", "sleep"))
    return process


@pytest.mark.parametrize("target", [BUSY, IDLE], indirect=True, ids=["busy", "idle"])
async def test_a_killed_monitor_leaves_nothing(
    target: psutil.Process,
    tmp_path: Path,
    report: Report,
    is_full: bool,
    request: pytest.FixtureRequest,
) -> None:
    """k6 and perf that ignore signals, and what they started, are gone after two seconds."""
    all_kills = kills(100 if is_full else 4, 10.0 if is_full else 2.0)
    passed, longest, left = await tried(all_kills, target, tmp_path, with_fakes(target))
    report(
        f"kill -9 of the monitor, {request.node.callspec.id} target, fake k6 and perf",
        tries=len(all_kills),
        passed=passed,
        figure=f"{len(left)} with survivors, all gone after {longest:.2f} s {left[:2] or ''}",
        target=f"0 survivors at +{GONE_S:g} s, the target untouched",
    )


@pytest.mark.parametrize("target", [IDLE], indirect=True)
async def test_a_killed_guard_leaves_nothing(
    target: psutil.Process, tmp_path: Path, report: Report, is_full: bool
) -> None:
    """Neither alone nor together with the monitor; grandchildren with sessions of their own too.

    The kernel ends the guard's children; it does nothing to theirs. The keeper does.
    """
    whom = ("guard", "monitor and guard", "guard and monitor", "keeper and monitor")
    all_kills = [
        Kill(each.number, each.delay_s, "stubborn runaway", each.on_screen, each.whom)
        for each in kills(100 if is_full else 4, 10.0 if is_full else 1.0, whom)
    ]
    passed, longest, left = await tried(all_kills, target, tmp_path, with_fakes(target))
    report(
        "kill -9 of the guard, of guard and monitor, of keeper and monitor; runaways",
        tries=len(all_kills),
        passed=passed,
        figure=f"{len(left)} with survivors, all gone after {longest:.2f} s {left[:2] or ''}",
        target=f"0 survivors at +{GONE_S:g} s, the target untouched",
    )


@pytest.mark.parametrize("target", [IDLE], indirect=True)
async def test_a_killed_guard_and_keeper_leave_nothing(
    target: psutil.Process, tmp_path: Path, report: Report, is_full: bool
) -> None:
    """The monitor ends their control group; without one the kernel ends the guard's children."""
    manner = "stubborn runaway" if has_cgroups() else "stubborn"
    whom = ("guard and keeper", "keeper and guard")
    all_kills = [
        Kill(each.number, each.delay_s, manner, each.on_screen, each.whom)
        for each in kills(40 if is_full else 4, 10.0 if is_full else 1.0, whom)
    ]
    passed, longest, left = await tried(all_kills, target, tmp_path, with_fakes(target))
    report(
        f"kill -9 of guard and keeper; {manner}",
        tries=len(all_kills),
        passed=passed,
        figure=f"{len(left)} with survivors, all gone after {longest:.2f} s {left[:2] or ''}",
        target=f"0 survivors and no group at +{GONE_S:g} s, the target untouched",
    )


@pytest.mark.parametrize("target", [IDLE], indirect=True)
async def test_what_outlives_monitor_guard_and_keeper_is_ended_by_the_next_start(
    target: psutil.Process, tmp_path: Path, report: Report, is_full: bool
) -> None:
    """Nobody is left who could do it at once. Without control groups, runaways stay."""
    manner = "stubborn runaway" if has_cgroups() else "stubborn"
    whom = ("monitor and guard and keeper", "keeper and guard and monitor")
    all_kills = kills(20 if is_full else 2, 10.0 if is_full else 1.0, whom)
    outlived, left = 0, []
    for each in all_kills:
        kill = Kill(each.number, each.delay_s, manner, each.on_screen, each.whom)
        folder = tmp_path / str(each.number)
        arguments, ready = with_fakes(target)(kill, folder)
        lived_on, text = await started_again(kill, arguments, folder, ready)
        outlived += lived_on
        left += [text] if text else []
    report(
        f"kill -9 of monitor, guard and keeper, then a start; {manner}",
        tries=len(all_kills),
        passed=len(all_kills) - len(left),
        figure=f"{outlived} lived on until the start, {len(left)} with survivors {left[:2] or ''}",
        target="0 survivors and no group when the next guard serves",
    )
    assert target.is_running()


@needs_perf
@pytest.mark.parametrize("target", [BUSY], indirect=True)
async def test_a_killed_monitor_leaves_no_real_k6_and_perf(
    target: psutil.Process, tmp_path: Path, report: Report, is_full: bool
) -> None:
    """The load ends with the monitor."""
    script = tmp_path / "s.js"
    script.write_text(
        "import http from 'k6/http';\nexport default function () { http.get(__ENV.TARGET); }\n"
    )
    async with counting_server() as server:

        def make(kill: Kill, folder: Path) -> tuple[Sequence[str], Callable[[], object]]:
            arguments = [
                *("run", str(script), "--pid", str(target.pid), "--no-record", "--vus", "2"),
                f"--k6-arg=-eTARGET={server.url}/",
            ]

            def ready() -> bool:
                lines = [command_line(pid)[:2] for pid in marked(folder)]
                started = {(Path(line[0]).name, line[1]) for line in lines if len(line) == 2}
                return {("k6", "run"), ("perf", "record")} <= started

            return arguments, ready

        all_kills = kills(100 if is_full else 2, 10.0 if is_full else 2.0)
        passed, longest, left = await tried(all_kills, target, tmp_path, make)
    report(
        "kill -9 of the monitor, real k6 and perf",
        tries=len(all_kills),
        passed=passed,
        figure=f"{len(left)} with survivors, all gone after {longest:.2f} s {left[:2] or ''}",
        target=f"0 survivors at +{GONE_S:g} s, the target untouched",
    )
