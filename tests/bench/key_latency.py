"""How long a key takes to be seen, while stacks arrive at 10 000 samples a second.

A session that is fed by the benchmark: a tree of about 5 000 nodes, 200 columns wide. A command is
carried out as its key would do it, and is seen when the screen has been drawn after it.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from typing import Final, cast

from collectors.samples import Baseline, Frame, FrameKind, Sample, Stack, StackBatch, StackCount
from tests.builders import load
from tui.app import FlashpointApp
from tui.model.phase import Phase, RunFacts
from tui.model.timeline import Timeline
from tui.session import Session
from tui.watched import Offer

STACKS: Final = 900
SAMPLES_PER_S: Final = 10_000
FEEDS_PER_S: Final = 20
KEYS: Final = {
    "move": ("flame.down", "flame.right", "flame.up", "flame.left"),
    "zoom": ("flame.zoom", "flame.unzoom"),
    "range": ("range.wider", "range.narrower"),
    "invert": ("view.invert", "view.invert"),
    "table": ("view.table", "view.table"),
    "diff": ("view.diff", "view.diff"),
}
"""Each there and back."""


class FedSession:
    """Stands for a session; the benchmark is its source."""

    def __init__(self) -> None:
        self.timeline = Timeline(time.monotonic())
        self.phase = Phase.RUNNING
        self.aborted = self.leaving = False
        self.offers: tuple[Offer, ...] = ()
        self.operator = None
        self.no_control_reason = ""
        self.chance = random.Random(1)
        self._announced = False

    def clock(self) -> float:
        return time.monotonic()

    def append(self, sample: Sample) -> None:
        self.timeline.append(sample)

    def facts(self) -> RunFacts:
        return RunFacts(
            phase=self.phase,
            elapsed_s=1.0,
            duration_s=None,
            script="bench",
            k6_version="1.1.0",
            vus=1,
            vus_max=1,
            target="server",
            profiler="cpu-clock 999 Hz",
        )

    def feed(self, at: float) -> None:
        """Take what comes in a twentieth of a second."""
        counts: dict[int, StackCount] = {}
        for _ in range(SAMPLES_PER_S // FEEDS_PER_S):
            stack = int(STACKS * self.chance.random() ** 2)
            old = counts.get(stack, StackCount(0, 0))
            counts[stack] = StackCount(old.samples + 1, old.period_ns + 1_000_000)
        stacks, frames = ({}, {}) if self._announced else _names()
        self._announced = True
        self.append(StackBatch(at, at, counts, stacks, frames))


def _names() -> tuple[dict[int, Stack], dict[int, Frame]]:
    """Return stacks that share their callers, as those of a server do."""
    chance = random.Random(2)
    frames = {n: Frame(f"app::part{n % 40}::f{n}", "app", FrameKind.USER) for n in range(1_500)}
    paths: list[tuple[int, ...]] = [(0,)]
    while len(paths) < STACKS:
        path = paths[int(len(paths) * chance.random())]
        longer = (*path, *(chance.randrange(1, 1_500) for _ in range(chance.randrange(1, 9))))
        paths.append(longer[:40])
    return {n: Stack("app", "worker", path) for n, path in enumerate(paths)}, frames


async def measure(rounds: int) -> dict[str, list[float]]:
    """Return seconds by kind of key."""
    session = FedSession()
    begin = int(time.monotonic()) - 30
    for tick in range(30 * FEEDS_PER_S):
        session.feed(begin + tick / FEEDS_PER_S)
    for second in range(30):
        session.append(load(begin + second + 1.0, 1_000))
    app = FlashpointApp(cast("Session", session))
    found: dict[str, list[float]] = {kind: [] for kind in KEYS}
    async with app.run_test(size=(200, 60)) as pilot:
        await pilot.pause()
        session.append(Baseline(session.clock(), "before", begin + 10.0, begin + 20.0))
        feeder = asyncio.create_task(_feed(session, begin + 30.0))
        for _ in range(20 * rounds):
            for kind, commands in KEYS.items():
                for command in commands:
                    pressed_at = time.perf_counter()
                    app.action_command(command)
                    drawn = asyncio.Event()
                    app.screen.call_after_refresh(drawn.set)
                    await drawn.wait()
                    found[kind].append(time.perf_counter() - pressed_at)
                    await asyncio.sleep(0.02)
        feeder.cancel()
    return found


async def _feed(session: FedSession, begun_at: float) -> None:
    """Keep to the pace, also where the screen was in between."""
    fed = 0
    while True:
        while fed < (session.clock() - begun_at) * FEEDS_PER_S:
            fed += 1
            at = begun_at + fed / FEEDS_PER_S
            session.feed(at)
            if fed % FEEDS_PER_S == 0:  # k6 pushes once a second
                session.append(load(at, 1_000))
        await asyncio.sleep(1 / FEEDS_PER_S)


def table(found: dict[str, list[float]]) -> str:
    """Return medians and 95th percentiles."""
    lines = [f"{'key, 10 000 samples/s, 200x60':32}{'p50 ms':>8}{'p95 ms':>8}{'keys':>6}"]
    for kind, seconds in found.items():
        p95 = statistics.quantiles(seconds, n=20)[-1]
        median = statistics.median(seconds)
        lines.append(f"{kind:32}{1e3 * median:8.1f}{1e3 * p95:8.1f}{len(seconds):6}")
    return "\n".join(lines)
