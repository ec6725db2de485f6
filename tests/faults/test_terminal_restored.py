"""However the program ends, the terminal is as it was: its modes in the kernel, and its own.

Seen from outside: termios before and after, and the last switch of each mode in the bytes written.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from tests.faults.conftest import Report
from tests.faults.fake_programs import Fakes
from tests.faults.held_terminal import HeldTerminal, modes_left
from tests.faults.marked import describe, environment, marked
from tests.integration.program import FLASHPOINT
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

SWITCHED = (b"1049", b"1000", b"1003", b"1006", b"2004")
"""Modes that the program is known to switch: else nothing would be tested."""
BREAKING = [sys.executable, "-m", "tests.faults.breaking_program", "view"]


async def quit_key(terminal: HeldTerminal) -> None:
    """Leave as an operator does."""
    terminal.press(b"q")
    await terminal.shows("Stop it and leave?")
    terminal.press(b"y")


async def nothing(_: HeldTerminal) -> None:
    """It breaks by itself."""


def sent(signum: int) -> Callable[[HeldTerminal], Awaitable[None]]:
    """Return how to end it by a signal."""

    async def send(terminal: HeldTerminal) -> None:
        os.kill(terminal.process.pid, signum)

    return send


def killed_together(first: str, second: str) -> Callable[[HeldTerminal], Awaitable[None]]:
    """Return how to end it with its guard: the keeper puts the terminal back then."""

    async def kill(terminal: HeldTerminal) -> None:
        monitor = psutil.Process(terminal.process.pid)
        (keeper,) = monitor.children()
        (guard,) = keeper.children()
        pids = {"monitor": monitor.pid, "guard": guard.pid}
        for name in (first, second):
            os.kill(pids[name], signal.SIGKILL)

    return kill


WAYS: dict[str, Callable[[HeldTerminal], Awaitable[None]]] = {
    "quit key": quit_key,
    "exception in a view": nothing,
    "SIGINT": sent(signal.SIGINT),
    "SIGTERM": sent(signal.SIGTERM),
    "SIGHUP": sent(signal.SIGHUP),
    "SIGQUIT": sent(signal.SIGQUIT),
    "SIGKILL": sent(signal.SIGKILL),
    "SIGKILL of monitor and guard": killed_together("monitor", "guard"),
    "SIGKILL of guard and monitor": killed_together("guard", "monitor"),
}


async def ended(way: str, folder: Path) -> str:
    """Run the program and end it; return what is not as before, or nothing."""
    fakes = Fakes.make(folder)
    breaks = way == "exception in a view"
    terminal = await HeldTerminal.start(
        [*fakes.arguments(), "--no-profile"],
        env=environment(folder),
        program=BREAKING if breaks else FLASHPOINT,
    )
    try:
        if not breaks:
            await terminal.shows("● running")
        await WAYS[way](terminal)
        async with asyncio.timeout(10):
            await terminal.process.wait()
        written = bytes(terminal.seen)
        for mode in SWITCHED:
            assert re.search(rb"\x1b\[\?" + mode + b"h", written), f"{mode!r} was never on"
        try:
            await eventually(lambda: not terminal.left_behind(), 2)
            await eventually(lambda: not marked(folder), 2)
        except AssertionError:
            return f"{way}: {terminal.left_behind()} {describe(marked(folder))}"
        return ""
    finally:
        await terminal.close()


async def test_the_terminal_is_as_before_after_every_kind_of_end(
    tmp_path: Path, report: Report, is_full: bool
) -> None:
    """Alternate screen, mouse, paste, cursor, keys, line discipline; and nothing runs on."""
    times = 20 if is_full else 2
    two = asyncio.Semaphore(2)

    async def one(way: str, number: int) -> str:
        async with two:
            return await ended(way, tmp_path / f"{way} {number}")

    left = await asyncio.gather(*(one(way, n) for way in WAYS for n in range(times)))
    wrong = [text for text in left if text]
    report(
        f"terminal put back after {', '.join(WAYS)}",
        tries=len(left),
        passed=len(left) - len(wrong),
        figure=f"{len(wrong)} with modes left {wrong[:2] or ''}",
        target="termios as before, all modes at rest",
    )


async def test_a_terminal_that_goes_away_ends_everything(
    tmp_path: Path, report: Report, is_full: bool
) -> None:
    """The window is closed: k6 gets its SIGINT, and nothing runs on."""
    times, passed = (20 if is_full else 2), 0
    for number in range(times):
        folder = tmp_path / str(number)
        fakes = Fakes.make(folder)
        arguments = [*fakes.arguments(), "--no-profile"]
        terminal = await HeldTerminal.start(arguments, env=environment(folder))
        try:
            await terminal.shows("● running")
            terminal.hang_up()
            async with asyncio.timeout(8):
                await terminal.process.wait()
            await eventually(lambda folder=folder: not marked(folder), 2)  # type: ignore[misc]
            passed += len(fakes.noted("SIGINT")) == 1
        finally:
            await terminal.close()
    report(
        "terminal closed",
        tries=times,
        passed=passed,
        figure=f"{times - passed} with processes left, or k6 not asked to end",
        target="0 left, k6 got one SIGINT",
    )


@pytest.mark.parametrize(
    ("written", "left"),
    [
        (b"\x1b[?1049h\x1b[?1000;1006hx\x1b[?1006;1000l\x1b[?1049l", []),
        (b"\x1b[?25l\x1b[>9u", ["mode 25", "kitty keys"]),
        (b"\x1b[>9u\x1b[<u\x1b[?25l\x1b[?25h\x1b[?77h", ["mode 77"]),
    ],
)
def test_modes_that_are_left_are_found(written: bytes, left: list[str]) -> None:
    """The yardstick itself: a mode counts by how it was switched last."""
    assert modes_left(written) == left
