"""Starting and stopping again and again, and keys in any order."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from collectors.process import Guard
from tests.faults.conftest import Report
from tests.faults.fake_programs import Fakes
from tests.faults.held_terminal import HeldTerminal, plain
from tests.faults.marked import command_line, environment, marked
from tests.waiting import eventually
from tui.model.phase import Phase
from tui.options import RunOptions
from tui.session import Session

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1800)]

SEED = 7
PRESS_S = 0.05
KEYS = (
    *(b"x", b"s", b"s", b"x", b"+", b"-", b"1", b"2", b"3", b"4", b"z", b" ", b"\t", b"t"),
    *(b"?", b"\x1b", b"n", b"j", b"k", b"h", b"l", b"/", b"\r", b"c", b"o", b"[", b"]"),
)
"""`q` leaves where no load runs: it is not among them."""


async def test_starting_and_stopping_leaks_nothing(
    guard: Guard, tmp_path: Path, report: Report, is_full: bool
) -> None:
    """After many runs of k6 in one session: no descriptor more, and no zombie."""
    times = 200 if is_full else 10
    fakes = Fakes.make(tmp_path / "fakes")
    session = Session(
        RunOptions(
            script=fakes.folder / "s.js",
            k6=str(fakes.folder / "k6"),
            as_written=True,
            profile=False,
        ),
        guard,
    )
    await session.open()
    counts = []
    try:
        for _ in range(times):
            session.start_load()
            await eventually(lambda: session.phase is Phase.RUNNING)
            session.stop_load()
            await session.load.ended.wait()
            counts.append(_descriptors(os.getpid()) + _descriptors(guard.pid))
    finally:
        await session.close()
    zombies = [
        each.pid
        for each in psutil.Process().children(recursive=True)
        if each.status() == psutil.STATUS_ZOMBIE
    ]
    # The first run opens what stays open: caches, threads.
    grown = counts[-1] - counts[1]
    assert len(fakes.noted("k6 run")) == times
    report(
        "start and stop of k6 in one session",
        tries=times,
        passed=times if grown <= 2 and not zombies else 0,
        figure=f"{grown:+d} descriptors, {len(zombies)} zombies",
        target="≤ 2 descriptors, 0 zombies",
    )


async def test_a_storm_of_keys_starts_one_of_each(
    tmp_path: Path, report: Report, is_full: bool
) -> None:
    """Keys in any order, 20 a second: never two k6, nothing breaks, and stop still stops."""
    presses = 1000 if is_full else 150
    rng = random.Random(SEED)
    fakes = Fakes.make(tmp_path / "fakes")
    terminal = await HeldTerminal.start(
        fakes.arguments(),
        env={**environment(fakes.folder), "XDG_CONFIG_HOME": str(tmp_path)},
    )
    most = 0
    try:
        await terminal.shows("● running")
        start = asyncio.get_running_loop().time()
        for number in range(presses):
            terminal.press(rng.choice(KEYS))
            moment = start + (number + 1) * PRESS_S
            await eventually(lambda at=moment: asyncio.get_running_loop().time() >= at)  # type: ignore[misc]
            most = max(most, len(_running_k6(fakes.folder)))
            assert terminal.process.returncode is None, terminal.tail()
        terminal.press(b"\x1b")
        os.kill(terminal.process.pid, signal.SIGTERM)
        async with asyncio.timeout(10):
            status = await terminal.process.wait()
        await eventually(lambda: not marked(fakes.folder), 2)
        left = terminal.left_behind()
    finally:
        await terminal.close()
    broken = b"broke down" in plain(bytes(terminal.seen)) or b"Traceback" in terminal.seen
    report(
        "random keys at 20 a second",
        tries=presses,
        passed=presses if most == 1 and not broken and status == 143 and not left else 0,
        figure=f"at most {most} k6 at once, {len(fakes.noted('k6 run'))} starts, status {status}"
        + (f", {terminal.tail()[-300:]}" if broken else ""),
        target="1 k6 at once, nothing broke",
    )


def _running_k6(folder: Path) -> list[int]:
    """Return the processes of the fake k6 that run a script: `python … k6 run script`."""
    k6 = str(folder / "k6")
    return [pid for pid in marked(folder) if (k6, "run") in pairwise(command_line(pid))]


def _descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))
