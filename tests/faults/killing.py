"""Kills the program's own processes at a random moment, and looks from outside at who is left."""

from __future__ import annotations

import asyncio
import contextlib
import glob
import os
import random
import shutil
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from collectors.guard_start import guard_running
from collectors.process_tree import read_stat
from collectors.session_cgroup import make_session_cgroup, own_folders
from tests.faults.fake_programs import Fakes
from tests.faults.held_terminal import HeldTerminal
from tests.faults.marked import describe, environment, marked
from tests.integration.program import FLASHPOINT
from tests.waiting import eventually

SEED = 20
GONE_S = 2.0
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


def victims(monitor: int) -> dict[str, int]:
    """Return who is there to be killed; the guard is the keeper's only child."""
    (keeper,) = psutil.Process(monitor).children()
    (guard,) = keeper.children()
    return {"monitor": monitor, "guard": guard.pid, "keeper": keeper.pid}


async def strike(kill: Kill, monitor: int, ready: Callable[[], object]) -> dict[str, int]:
    """Kill them when it is time, in their order; return who was there."""
    await eventually(ready, 20)
    moment = time.monotonic() + kill.delay_s
    await eventually(lambda: time.monotonic() >= moment, kill.delay_s + 1)
    pids = victims(monitor)
    for name in kill.whom.split(" and "):
        os.kill(pids[name], signal.SIGKILL)
    return pids


def has_cgroups() -> bool:
    """Tell whether a session has a control group of its own here."""
    group = make_session_cgroup()
    return group is not None and group.remove()


def groups(keeper: int) -> list[str]:
    """Return the control groups that are named after a keeper."""
    return [
        found
        for folder in own_folders()
        for found in glob.glob(f"{glob.escape(folder)}/flashpoint-{keeper}-*")
    ]


async def killed(
    kill: Kill, arguments: Sequence[str], folder: Path, ready: Callable[[], object]
) -> tuple[float, str]:
    """Make one try; return how long the last one lived on, and who was left at +2 s."""
    async with started(kill, arguments, folder) as process:
        pids = await strike(kill, process.pid, ready)
        at = time.monotonic()
        ours = {process.pid} if "monitor" not in kill.whom else set()
        if kill.whom == "keeper":  # the guard goes on; it is the monitor that ends then
            return 0.0, "" if marked(folder) else "nothing runs any more"
        try:
            await eventually(
                lambda: not set(marked(folder)) - ours and not groups(pids["keeper"]), GONE_S
            )
        except AssertionError:
            lived_s = time.monotonic() - at
            left = set(marked(folder)) - ours
            text = f"{kill}: {describe(left)} {groups(pids['keeper'])}"
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return lived_s, text
        return time.monotonic() - at, ""


async def started_again(
    kill: Kill, arguments: Sequence[str], folder: Path, ready: Callable[[], object]
) -> tuple[int, str]:
    """Kill, then start a guard; return how many lived on until then, and who is left after it."""
    async with started(kill, arguments, folder) as process:
        pids = await strike(kill, process.pid, ready)
        await eventually(lambda: all(is_gone(pid) for pid in pids.values()), GONE_S)
        runaways = {each.pid for each in Fakes(folder).noted("runaway")}
        outlived = runaways & set(marked(folder))
        async with guard_running():
            # Nothing is waited for: what is left of them must not be in the way of what starts now.
            left = set(marked(folder)), groups(pids["keeper"])
        for pid in left[0]:
            os.kill(pid, signal.SIGKILL)
        return len(outlived), f"{kill}: {describe(left[0])} {left[1]}" if any(left) else ""


def is_gone(pid: int) -> bool:
    """Tell whether a process has ended, reaped or not."""
    stat = read_stat(pid)
    return stat is None or stat.gone


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
