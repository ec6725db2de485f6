"""How old things are when they reach the screen, read from the terminal's bytes."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from aiohttp import web

from tests.integration.program import needs_perf
from tests.integration.terminal import Pty
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

BUSY_S = 9.0
"""Less than the window of the flamegraph: its samples only grow in number."""
FREQUENCY_HZ = 99
BUSY_PROGRAM = f"""
import sys, time
clock = getattr(time, sys.argv[1])
sys.stdin.readline()
begin, begin_used = time.monotonic(), clock()
moments, now = [], begin
while now < begin + {BUSY_S}:
    now, used = time.monotonic(), clock() - begin_used
    if used * {FREQUENCY_HZ} >= len(moments) + 1:
        moments.append(now)
print(*moments, flush=True)
sys.stdin.readline()
"""
"""Prints when the n-th sample was due, by the clock that its argument names."""


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` of all do not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


@needs_perf
@pytest.mark.parametrize(
    ("profiler", "interpreter_options", "clock"),
    [
        # A Python that says that perf can read it.
        ("perf", ["-X", "perf"], "thread_time"),
        # It tells of a whole second at once, and of a thread that runs or would like to.
        ("py-spy", [], "monotonic"),
    ],
)
async def test_a_stack_is_on_the_screen_in_time(
    tmp_path: Path,
    profiler: str,
    interpreter_options: list[str],
    clock: str,
) -> None:
    """From stack taken to painted: 95 % within 1.5 s.

    The target keeps account of the time that is sampled, so when its n-th sample was taken is
    known; and the header of the flamegraph says how many are painted.
    """
    pipe = asyncio.subprocess.PIPE
    argv = [sys.executable, *interpreter_options, "-c", BUSY_PROGRAM, clock]
    busy = await asyncio.create_subprocess_exec(*argv, stdin=pipe, stdout=pipe)
    assert busy.stdin is not None
    assert busy.stdout is not None
    script = tmp_path / "script.js"
    script.write_text(
        "import { sleep } from 'k6';"
        "export const options = { vus: 1, duration: '10m' };"
        "export default function () { sleep(1); }"
    )
    terminal = await Pty.start(["run", str(script), "--pid", str(busy.pid)])
    try:
        await eventually(lambda: any("perf ✓".encode() in c.data for c in terminal.chunks), 15)
        busy.stdin.write(b"\n")
        taken = [float(moment) for moment in (await busy.stdout.readline()).split()]
        await eventually(lambda: time.monotonic() > taken[-1] + 3)
    finally:
        await terminal.close()
        busy.kill()
        await busy.communicate()
    header = re.compile(rb"last 10 s \xc2\xb7 (\d+) samples")
    shown = [(c.at, int(found[1])) for c in terminal.chunks for found in header.finditer(c.data)]
    most = max(count for _, count in shown)
    assert most == pytest.approx(len(taken), rel=0.1)
    ages = [
        next(at for at, count in shown if count >= number) - moment
        for number, moment in enumerate(taken[:most], 1)
    ]
    said = b"".join(chunk.data for chunk in terminal.chunks)
    assert (b"py-spy" in said) == (profiler == "py-spy")
    sys.stdout.write(f"age of {profiler}'s stack: p50 {percentile(ages, 0.5):.2f} s, ")
    sys.stdout.write(f"p95 {percentile(ages, 0.95):.2f} s of {len(ages)}\n")
    assert percentile(ages, 0.95) <= 1.5


async def test_a_request_is_on_the_screen_in_time(tmp_path: Path) -> None:
    """From the end of a request to the screen that counts it: 95 % within 2.2 s."""
    done: list[float] = []

    async def answer(request: web.Request) -> web.Response:
        done.append(time.monotonic())
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    script = tmp_path / "script.js"
    script.write_text(
        "import http from 'k6/http'; import { sleep } from 'k6';"
        "export const options = { vus: 6, duration: '10m' };"
        "export default function () {"
        f" http.get('http://127.0.0.1:{port}/'); sleep(0.1 + 0.3 * Math.random()); }}"
    )
    terminal = await Pty.start(["run", str(script), "--port", str(port), "--no-profile"])
    try:
        await eventually(lambda: len(terminal.chunks) > 3)
        terminal.press(b"1z")  # the load panel on the whole screen, where there is room for totals
        await asyncio.sleep(14)  # what is measured is what comes in this time
    finally:
        await terminal.close()
        await runner.cleanup()
    total = re.compile(rb"total (?:\x1b\[[^m]*m)*(\d+) ")
    shown = [(c.at, int(found[1])) for c in terminal.chunks for found in total.finditer(c.data)]
    last = terminal.chunks[-1].at
    ages = []
    for number, at in enumerate(done, 1):
        if at < last - 4:
            painted = next((seen for seen, total in shown if total >= number), last)
            ages.append(painted - at)
    sys.stdout.write(f"age of a request: p50 {percentile(ages, 0.5):.2f} s, ")
    sys.stdout.write(f"p95 {percentile(ages, 0.95):.2f} s of {len(ages)}\n")
    assert len(ages) >= 100
    assert percentile(ages, 0.95) <= 2.2
