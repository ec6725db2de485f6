"""Whoever is killed, and whenever: nothing that we started runs on, and nothing else is touched.

The processes of a try are known by a mark that they inherit, so that those that ran away count too.
Kills come at random moments; the seed and the moment are in the message of a failure.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from collectors.process import Guard
from tests.faults.conftest import Report
from tests.faults.fake_programs import Fakes
from tests.faults.held_terminal import HeldTerminal
from tests.faults.marked import describe, environment, marked
from tests.integration.counting_server import counting_server
from tests.integration.program import FLASHPOINT, needs_perf
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1800)]

SEED = 20
GONE_S = 2.0
BUSY = "while :; do :; done"
IDLE = "exec sleep 600"
MANNERS = ("", "stubborn", "stubborn runaway", "busy")


@dataclass(frozen=True, slots=True)
class Kill:
    """One try: who is killed, and when."""

    number: int
    delay_s: float
    manner: str
    on_screen: bool
    whom: str


def kills(count: int, latest_s: float, whom: Sequence[str] = ("monitor",)) -> list[Kill]:
    """Draw the tries."""
    rng = random.Random(SEED)
    return [
        Kill(
            number,
            rng.uniform(0.0, latest_s),
            MANNERS[number % len(MANNERS)],
            number // 2 % 2 == 0,
            whom[number % len(whom)],
        )
        for number in range(count)
    ]


@pytest.fixture
async def target(guard: Guard, request: pytest.FixtureRequest) -> psutil.Process:
    """Somebody's server: a process that the program only attaches to."""
    child = await guard.spawn("target", ["nice", "-n19", "sh", "-c", request.param])
    process = psutil.Process(child.pid)
    await eventually(lambda: process.name() in ("sh", "sleep"))
    return process


@contextlib.asynccontextmanager
async def started(
    kill: Kill, arguments: Sequence[str], folder: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the program, on a screen or without one."""
    env = environment(folder)
    if kill.on_screen:
        terminal = await HeldTerminal.start(arguments, env=env)
        try:
            yield terminal.process
        finally:
            await terminal.close()
        return
    process = await asyncio.create_subprocess_exec(
        *FLASHPOINT,
        *(*arguments, "--headless"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, **env},
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def victims(kill: Kill, monitor: int) -> list[int]:
    """Return who is to be killed, in this order; the guard is the keeper's only child."""
    keepers = psutil.Process(monitor).children()
    guards = [child for keeper in keepers for child in keeper.children()]
    pids = {
        "monitor": [monitor],
        "guard": [each.pid for each in guards[:1]],
        "keeper": [each.pid for each in keepers[:1]],
        "guard and monitor": [*(each.pid for each in guards[:1]), monitor],
        "monitor and guard": [monitor, *(each.pid for each in guards[:1])],
        "keeper and monitor": [*(each.pid for each in keepers[:1]), monitor],
    }
    return pids[kill.whom]


async def killed(
    kill: Kill, arguments: Sequence[str], folder: Path, ready: Callable[[], object]
) -> tuple[float, str]:
    """Make one try; return how long the last one lived on, and who was left at +2 s."""
    async with started(kill, arguments, folder) as process:
        await eventually(ready, 20)
        moment = time.monotonic() + kill.delay_s
        await eventually(lambda: time.monotonic() >= moment, kill.delay_s + 1)
        for pid in victims(kill, process.pid):
            os.kill(pid, signal.SIGKILL)
        at = time.monotonic()
        ours = {process.pid} if "monitor" not in kill.whom else set()
        if kill.whom == "keeper":  # the guard goes on; it is the monitor that ends then
            return 0.0, "" if marked(folder) else "nothing runs any more"
        try:
            await eventually(lambda: not set(marked(folder)) - ours, GONE_S)
        except AssertionError:
            left = set(marked(folder)) - ours
            for pid in left:
                os.kill(pid, signal.SIGKILL)
            return time.monotonic() - at, f"{kill}: {describe(left)}"
        return time.monotonic() - at, ""


async def tried(
    all_kills: Sequence[Kill],
    target: psutil.Process,
    folder: Path,
    make: Callable[[Kill, Path], tuple[Sequence[str], Callable[[], object]]],
) -> tuple[int, float, list[str]]:
    """Make all tries, two at a time; return how many passed, the longest life, what was left."""
    two = asyncio.Semaphore(2)
    used = psutil.Process(target.pid).create_time()

    async def one(kill: Kill) -> tuple[float, str]:
        async with two:
            own = folder / f"try{kill.number}"
            own.mkdir()
            arguments, ready = make(kill, own)
            outcome = await killed(kill, arguments, own, ready)
            shutil.rmtree(own, ignore_errors=True)
            is_well = target.is_running() and target.create_time() == used
            is_well = is_well and target.status() not in (psutil.STATUS_ZOMBIE, "stopped")
            return outcome if is_well else (outcome[0], f"{kill}: the target was touched")

    outcomes = await asyncio.gather(*map(one, all_kills))
    left = [text for _, text in outcomes if text]
    return len(outcomes) - len(left), max(life for life, _ in outcomes), left


def with_fakes(
    target: psutil.Process,
) -> Callable[[Kill, Path], tuple[Sequence[str], Callable[[], object]]]:
    """Run the fake k6 and perf over the target."""

    def make(kill: Kill, folder: Path) -> tuple[Sequence[str], Callable[[], object]]:
        fakes = Fakes.make(folder, kill.manner)

        def ready() -> bool:
            is_runaway = "runaway" not in kill.manner or fakes.noted("runaway")
            return bool(fakes.noted("perf record") and is_runaway)

        return [*fakes.arguments(), "--pid", str(target.pid)], ready

    return make


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
                names = describe(marked(folder))
                return "k6 run" in names and "perf record" in names

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
