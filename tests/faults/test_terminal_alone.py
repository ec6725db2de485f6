"""What starts nothing has no guard: the terminal is put back all the same, however it ends."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import psutil
import pytest

from tests.faults.conftest import Report
from tests.faults.held_terminal import HeldTerminal
from tests.faults.made_up_recordings import closed
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


@pytest.mark.parametrize("what", ["replay", "flame"])
@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGQUIT, signal.SIGTERM])
async def test_a_program_without_a_guard_is_killed(
    tmp_path: Path, what: str, signum: int, report: Report
) -> None:
    """The modes are those of before, and whoever put them back is gone."""
    if what == "replay":
        file = closed(tmp_path / "x.flashpoint")
    else:
        file = tmp_path / "x.folded"
        file.write_text("main;work 3\nmain 1\n")
    terminal = await HeldTerminal.start([what, str(file)])
    try:
        await terminal.shows("quit")
        (waiter,) = psutil.Process(terminal.process.pid).children()
        assert b"\x1b[?1049h" in terminal.seen
        os.kill(terminal.process.pid, signum)
        async with asyncio.timeout(10):
            await terminal.process.wait()
        await eventually(lambda: not terminal.left_behind(), 2)
        await eventually(lambda: not waiter.is_running(), 2)
    finally:
        await terminal.close()
    name = signal.Signals(signum).name
    report(
        f"terminal put back, no guard: {what} {name}",
        tries=1,
        passed=1,
        figure="0 modes left",
        target="as before",
    )


async def test_whoever_leaves_puts_it_back_alone(tmp_path: Path) -> None:
    """And the process that waited has nothing to do, and is gone with it."""
    file = tmp_path / "x.folded"
    file.write_text("main;work 3\n")
    terminal = await HeldTerminal.start(["flame", str(file)])
    try:
        await terminal.shows("quit")
        (waiter,) = psutil.Process(terminal.process.pid).children()
        terminal.press(b"q")
        async with asyncio.timeout(10):
            assert await terminal.process.wait() == 0
        assert not waiter.is_running()
        await eventually(lambda: not terminal.left_behind(), 2)
    finally:
        await terminal.close()
