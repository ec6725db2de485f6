"""The screen over a run that is made up, with a probe of the event loop beside it.

Usage: python -m tests.faults.stall_program FILE SECONDS

Each second: 10 000 stack samples, a push of 50 endpoints, 2 000 lines of log. Writes to the file,
as JSON, how late a timer of 20 ms was, in seconds, and how often it fired.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from pathlib import Path
from typing import Final, cast

from collectors.samples import LogLine
from tests.bench.key_latency import FEEDS_PER_S, FedSession
from tests.builders import endpoint, histogram, load
from tui.app import FlashpointApp
from tui.session import Session

PROBE_S: Final = 0.02
LINES_PER_S: Final = 2_000
ENDPOINTS: Final = 50
MADE_UP_S: Final = 60
"""What the run has behind it already when the screen opens."""


def feed_second(session: FedSession, at: float) -> None:
    """Take a push of k6."""
    latency = histogram(0.001 * (1 + number % 40) for number in range(200))
    answered = tuple(
        endpoint(f"http://127.0.0.1/place/{n}/list", 200, latency=latency) for n in range(ENDPOINTS)
    )
    session.append(load(at, 200 * ENDPOINTS, latency=latency, endpoints=answered))


def feed_log(session: FedSession, at: float) -> None:
    """Take a twentieth of a second of log."""
    for number in range(LINES_PER_S // FEEDS_PER_S):
        text = f"{number} the server has something to say about everything " * 3
        session.append(LogLine(at, "target", "info", text))


async def feed(session: FedSession, begun_at: float) -> None:
    """Keep to the pace."""
    fed = 0
    while True:
        while fed < (session.clock() - begun_at) * FEEDS_PER_S:
            fed += 1
            at = begun_at + fed / FEEDS_PER_S
            session.feed(at)
            feed_log(session, at)
            if fed % FEEDS_PER_S == 0:
                feed_second(session, at)
        await asyncio.sleep(1 / FEEDS_PER_S)


async def main(seconds: float) -> list[float]:
    """Show it for a while, and measure, but for the first second, in which the screen opens."""
    session = FedSession()
    begun_at = time.monotonic()
    for tick in range(-MADE_UP_S * FEEDS_PER_S, 0):
        session.feed(begun_at + tick / FEEDS_PER_S)
        if tick % FEEDS_PER_S == 0:
            feed_second(session, begun_at + tick / FEEDS_PER_S)
    app = FlashpointApp(cast("Session", session))
    late: list[float] = []

    async def probe() -> None:
        await asyncio.sleep(1)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            at = time.monotonic()
            await asyncio.sleep(PROBE_S)
            late.append(time.monotonic() - at - PROBE_S)
        app.exit()

    tasks = [asyncio.create_task(feed(session, time.monotonic())), asyncio.create_task(probe())]
    await app.run_async()
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    return late


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(asyncio.run(main(float(sys.argv[2])))))
