"""The screen at sizes that nobody plans for, and while the size changes all the time."""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import time
from pathlib import Path

import pytest

from tests.faults.conftest import Report
from tests.faults.fake_programs import Fakes
from tests.faults.held_terminal import HeldTerminal
from tests.faults.marked import environment, marked
from tests.integration.counting_server import counting_server
from tests.integration.program import read_summary
from tests.waiting import eventually

pytestmark = [pytest.mark.alone, pytest.mark.integration, pytest.mark.timeout(600)]

SEED = 11
SIZES = ((80, 24), (20, 5), (10, 3), (1, 1), (500, 200))
LAYOUT_S = 0.5
QUIET_S = 0.08
"""Without output: the change before is over."""
STORM_HZ = 100


def places(written: bytes) -> list[tuple[int, int]]:
    """Return where the cursor was put, (row, column), in order."""
    return [(int(row), int(col)) for row, col in re.findall(rb"\x1b\[(\d+);(\d+)H", written)]


def is_laid_out(terminal: HeldTerminal, since: int, rows: int) -> bool:
    """Tell whether the last row was painted since a place in the output, and none below it."""
    painted = places(bytes(terminal.seen[since:]))
    newest = painted[-rows:]
    return rows in {row for row, _ in painted} and max(row for row, _ in newest) <= rows


async def ended(terminal: HeldTerminal, signum: int = signal.SIGTERM) -> int:
    """End the program in order and return its status."""
    os.kill(terminal.process.pid, signum)
    async with asyncio.timeout(15):
        return await terminal.process.wait()


async def test_a_start_at_every_size(tmp_path: Path, report: Report) -> None:
    """The screen opens, keys that open others are taken, and the program ends in order."""

    async def one(columns: int, rows: int) -> bool:
        fakes = Fakes.make(tmp_path / f"{columns}x{rows}")
        terminal = await HeldTerminal.start(
            [*fakes.arguments(), "--no-profile"],
            columns=columns,
            rows=rows,
            env=environment(fakes.folder),
        )
        try:
            await eventually(lambda: fakes.noted("k6 run"), 15)
            await eventually(lambda: is_laid_out(terminal, 0, rows))
            terminal.press(b"4?")
            terminal.press(b"\x1b")
            status = await ended(terminal)
            await eventually(lambda: not marked(fakes.folder), 2)
            return status == 143 and not terminal.left_behind()
        finally:
            await terminal.close()

    passed = sum(await asyncio.gather(*(one(*size) for size in SIZES)))
    report(
        "started at " + ", ".join(f"{columns}x{rows}" for columns, rows in SIZES),
        tries=len(SIZES),
        passed=passed,
        figure=f"{len(SIZES) - passed} broke down or left modes",
        target="no crash, ends in order",
    )


async def test_every_size_is_filled_soon(tmp_path: Path, report: Report) -> None:
    """Each is changed to from each other one, and the screen has the whole of it."""
    fakes = Fakes.make(tmp_path / "fakes")
    took: dict[str, float] = {}
    terminal = await HeldTerminal.start(
        [*fakes.arguments(), "--no-profile"], env=environment(fakes.folder)
    )
    try:
        await terminal.shows("● running")
        changes = [to for number in range(1, len(SIZES)) for to in SIZES[number:] + SIZES[:number]]
        for columns, rows in changes:
            since, at = len(terminal.seen), time.monotonic()
            terminal.resize(columns, rows)
            await eventually(lambda s=since, r=rows: is_laid_out(terminal, s, r))  # type: ignore[misc]
            name = f"{columns}x{rows}"
            took[name] = max(took.get(name, 0.0), time.monotonic() - at)
            await eventually(lambda: time.monotonic() - terminal.read_at > QUIET_S)
        status = await ended(terminal)
        left = terminal.left_behind()
    finally:
        await terminal.close()
    slow = [name for name, seconds in took.items() if seconds > LAYOUT_S]
    report(
        f"{len(changes)} changes of size",
        tries=len(SIZES),
        passed=len(SIZES) - len(slow) if status == 143 and not left else 0,
        figure=", ".join(f"{name} {1000 * seconds:.0f} ms" for name, seconds in took.items()),
        target=f"laid out ≤ {1000 * LAYOUT_S:.0f} ms",
    )


async def test_a_storm_of_sizes_costs_no_sample(
    tmp_path: Path, report: Report, is_full: bool
) -> None:
    """100 sizes a second: the layout is right soon after, and every request is counted."""
    seconds = 10 if is_full else 3
    rng = random.Random(SEED)
    script, summary = tmp_path / "s.js", tmp_path / "s.json"
    script.write_text(
        "import http from 'k6/http';\nimport { sleep } from 'k6';\n"
        "export default function () { http.get(__ENV.TARGET); sleep(0.01); }\n"
    )
    async with counting_server() as server:
        terminal = await HeldTerminal.start(
            [
                *("run", str(script), "--no-record", "--no-profile", "--vus", "2"),
                *(f"--k6-arg=-eTARGET={server.url}/", "--summary", str(summary)),
            ],
        )
        try:
            await terminal.shows("● running")
            start = time.monotonic()
            for number in range(seconds * STORM_HZ):
                terminal.resize(rng.randint(1, 300), rng.randint(1, 100))
                moment = start + (number + 1) / STORM_HZ
                await eventually(lambda at=moment: time.monotonic() >= at)  # type: ignore[misc]
            since, at = len(terminal.seen), time.monotonic()
            terminal.resize(100, 30)
            await eventually(lambda: is_laid_out(terminal, since, 30))
            await terminal.shows("quit", since=since)
            laid_out_s = time.monotonic() - at
            status = await ended(terminal)
            left = terminal.left_behind()
        finally:
            await terminal.close()
    load = read_summary(summary)
    lost = load["k6_summary"]["requests"] - load["load"]["requests"]
    dropped = {why: n for why, n in load["dropped"].items() if why != "k6_withheld"}
    is_good = laid_out_s <= LAYOUT_S and status == 143 and not left and not lost and not dropped
    report(
        f"resized {STORM_HZ} times a second for {seconds} s",
        tries=1,
        passed=int(is_good),
        figure=f"layout after {1000 * laid_out_s:.0f} ms, {lost} requests lost, {dropped or ''}",
        target=f"≤ {1000 * LAYOUT_S:.0f} ms, 0 lost",
    )
