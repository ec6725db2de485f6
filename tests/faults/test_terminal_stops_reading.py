"""A terminal that does not read for a while: the run goes on, and nothing waits for it.

It is stopped as Ctrl-S stops one, by the kernel, or just not read, as over a connection that is
stuck. What is shown meanwhile is left out; what is measured is not.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import termios
import time
from pathlib import Path

import psutil
import pytest

from tests.faults.conftest import Report
from tests.faults.held_terminal import HeldTerminal
from tests.integration.counting_server import counting_server
from tests.integration.program import read_summary
from tests.waiting import eventually
from tui.outlet import MAX_WAITING_BYTES

pytestmark = [pytest.mark.alone, pytest.mark.integration, pytest.mark.timeout(600)]

SCRIPT = """
import http from 'k6/http';
import { sleep } from 'k6';
export default function () { http.get(__ENV.TARGET); sleep(0.01); }
"""
REPAINT_S = 4.0
GROWTH_BYTES = 20 << 20
KEYS_PER_S = 4
WARM_UP_S = 3.0
"""Until the screen has the memory that it needs anyway."""


async def repaint_often(terminal: HeldTerminal, seconds: float) -> None:
    """Press a key that repaints all, as an operator does who wonders what is wrong."""
    start = time.monotonic()
    for number in range(int(seconds * KEYS_PER_S)):
        terminal.press(b"z")
        moment = start + (number + 1) / KEYS_PER_S
        await eventually(lambda at=moment: time.monotonic() >= at)  # type: ignore[misc]


def is_painted_whole(written: bytes, rows: int) -> bool:
    """Tell whether one frame begins at the first row and has all others after it, from the left."""
    starts = [int(row) for row in re.findall(rb"\x1b\[(\d+);1H", written)]
    whole = list(range(1, rows + 1))
    return any(starts[i : i + rows] == whole for i, row in enumerate(starts) if row == 1)


async def test_the_run_goes_on_without_a_terminal_that_reads(
    tmp_path: Path, report: Report, is_full: bool
) -> None:
    """Every request is counted, each second; then the screen is painted anew, and `q` leaves."""
    seconds = 60 if is_full else 5
    await asyncio.gather(
        stuck("not read", seconds, tmp_path, report),
        stuck("stopped by the kernel", seconds, tmp_path, report),
    )


async def stuck(how: str, seconds: int, tmp_path: Path, report: Report) -> None:
    """Run the real k6 under a terminal that is stuck for a while."""
    script, summary = tmp_path / f"{how}.js", tmp_path / f"{how}.json"
    script.write_text(SCRIPT)
    async with counting_server() as server:
        terminal = await HeldTerminal.start(
            [
                *("run", str(script), "--no-record", "--no-profile", "--vus", "2"),
                *(f"--k6-arg=-eTARGET={server.url}/", "--summary", str(summary)),
            ],
            columns=200,
            rows=60,
        )
        try:
            await terminal.shows("● running")
            await repaint_often(terminal, WARM_UP_S)
            own = psutil.Process(terminal.process.pid)
            rss_before = own.memory_info().rss
            if how == "not read":
                terminal.stop_reading()
            else:
                termios.tcflow(terminal.theirs, termios.TCOOFF)
            used_s = sum(own.cpu_times()[:2])
            await repaint_often(terminal, seconds)
            used_s = sum(own.cpu_times()[:2]) - used_s
            grown = own.memory_info().rss - rss_before
            since, at = len(terminal.seen), time.monotonic()
            if how == "not read":
                terminal.read_on()
            else:
                termios.tcflow(terminal.theirs, termios.TCOON)
            # So much is old at least, else nothing would have been left out.
            anew = since + MAX_WAITING_BYTES
            await eventually(lambda: is_painted_whole(bytes(terminal.seen[anew:]), 60), 15)
            repainted_s = time.monotonic() - at
            terminal.press(b"q")
            await terminal.shows("Stop it and leave?", since=since)
            terminal.press(b"y")
            async with asyncio.timeout(10):
                status = await terminal.process.wait()
            left = terminal.left_behind()
        finally:
            await terminal.close()
    load = read_summary(summary)
    lost = load["k6_summary"]["requests"] - load["load"]["requests"]
    dropped = {why: n for why, n in load["dropped"].items() if why != "k6_withheld"}
    is_good = not (lost or dropped or left or status) and grown <= GROWTH_BYTES
    report(
        f"terminal {how} for {seconds} s",
        tries=1,
        passed=int(is_good and used_s > 0.01 * seconds and repainted_s <= REPAINT_S),
        figure=f"{lost} requests lost, painted anew after {1000 * repainted_s:.0f} ms, "
        f"{grown / (1 << 20):+.0f} MB, {used_s / seconds:.2f} cores, {dropped or ''} {left or ''}",
        target=f"0 lost, ≤ {1000 * REPAINT_S:.0f} ms, ≤ {GROWTH_BYTES >> 20} MB",
    )


async def test_a_signal_ends_the_load_under_a_terminal_that_does_not_read(
    tmp_path: Path, report: Report
) -> None:
    """k6 ends and the summary is written at once; the terminal is put back when it reads again."""
    script, summary = tmp_path / "s.js", tmp_path / "s.json"
    script.write_text(SCRIPT)
    async with counting_server() as server:
        terminal = await HeldTerminal.start(
            [
                *("run", str(script), "--no-record", "--no-profile", "--vus", "2"),
                *(f"--k6-arg=-eTARGET={server.url}/", "--summary", str(summary)),
            ],
            columns=200,
            rows=60,
        )
        try:
            await terminal.shows("● running")
            terminal.stop_reading()
            own = psutil.Process(terminal.process.pid)
            k6 = next(each for each in own.children(recursive=True) if each.name() == "k6")
            for _ in range(20):
                terminal.press(b"z")
            at = time.monotonic()
            os.kill(own.pid, signal.SIGTERM)
            await eventually(lambda: not k6.is_running() or k6.status() == "zombie", 10)
            ended_s = time.monotonic() - at
            terminal.read_on()
            async with asyncio.timeout(10):
                status = await terminal.process.wait()
            await eventually(lambda: not terminal.left_behind(), 2)
        finally:
            await terminal.close()
    assert read_summary(summary)["load"]["requests"] > 0
    report(
        "SIGTERM under a terminal that is not read",
        tries=1,
        passed=int(status == 143),
        figure=f"k6 ended after {ended_s:.1f} s, status {status}",
        target="k6 ends, status 143, terminal put back",
    )
