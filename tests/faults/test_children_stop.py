"""A k6 that does not end when it is asked: how soon it is asked, what is shown, and how it ends."""

from __future__ import annotations

import asyncio
import random
import re
import statistics
import time
from pathlib import Path

import pytest

from tests.faults.conftest import Report
from tests.faults.fake_programs import Fakes
from tests.faults.held_terminal import HeldTerminal, plain
from tests.faults.marked import environment, marked
from tests.waiting import eventually

pytestmark = [pytest.mark.alone, pytest.mark.integration, pytest.mark.timeout(900)]

TO_SIGNAL_S = 0.25
FORCED_S = 2.0
END_S = 5.0


async def test_a_k6_that_ignores_int_is_counted_down_and_forced(
    tmp_path: Path, report: Report, is_full: bool
) -> None:
    """Stop: SIGINT at once, a countdown; stop again: SIGINT once more, SIGKILL, all within 2 s."""
    times = 20 if is_full else 2
    to_signal_s: list[float] = []
    forced_s: list[float] = []
    for number in range(times):
        folder = tmp_path / str(number)
        fakes = Fakes.make(folder, "stubborn")
        terminal = await HeldTerminal.start(
            [*fakes.arguments(), "--no-profile"], env=environment(folder)
        )
        try:
            await terminal.shows("● running")
            pressed = time.monotonic()
            terminal.press(b"x")
            await eventually(lambda fakes=fakes: fakes.noted("SIGINT"))  # type: ignore[misc]
            to_signal_s.append(fakes.noted("SIGINT")[0].at - pressed)
            await terminal.shows("k6 is ending, forced in 4")
            first = countdown(terminal)
            await eventually(lambda terminal=terminal, first=first: countdown(terminal) < first)  # type: ignore[misc]
            assert len(fakes.noted("SIGINT")) == 1, "nobody asked a second time"
            pressed = time.monotonic()
            terminal.press(b"x")
            await terminal.shows("■ stopped", FORCED_S)
            forced_s.append(time.monotonic() - pressed)
            assert len(fakes.noted("SIGINT")) == 2
            terminal.press(b"q")
            async with asyncio.timeout(5):
                await terminal.process.wait()
            await eventually(lambda folder=folder: not marked(folder), 2)  # type: ignore[misc]
        finally:
            await terminal.close()
    report(
        "stop key to the signal that k6 gets",
        tries=times,
        passed=sum(each <= TO_SIGNAL_S for each in to_signal_s),
        figure=f"median {1000 * statistics.median(to_signal_s):.0f} ms, "
        f"worst {1000 * max(to_signal_s):.0f} ms",
        target=f"≤ {1000 * TO_SIGNAL_S:.0f} ms",
    )
    report(
        "k6 ignores SIGINT: countdown shown, stop again forces its end",
        tries=times,
        passed=sum(each <= FORCED_S for each in forced_s),
        figure=f"worst {max(forced_s):.2f} s",
        target=f"≤ {FORCED_S:g} s",
    )


def countdown(terminal: HeldTerminal) -> int:
    """Return the seconds that were last written; only what changes is written anew."""
    text = plain(bytes(terminal.seen))
    left = re.findall(rb"(?:forced in )?(\d\d) ?s? or by x", text) or [b"99"]
    return int(left[-1])


async def test_a_stop_while_k6_starts_is_a_stop(
    tmp_path: Path, report: Report, is_full: bool
) -> None:
    """SIGTERM at any moment from the first sign of the screen on: the program ends, and k6 too."""
    times, chance = (100 if is_full else 8), random.Random(5)
    took_s: list[float] = []
    wrong: list[str] = []
    two = asyncio.Semaphore(2)

    async def one(folder: Path, after_s: float) -> None:
        fakes = Fakes.make(folder)
        terminal = await HeldTerminal.start(
            [*fakes.arguments(), "--no-profile"], env=environment(folder)
        )
        try:
            # The screen and k6 are started at the same time.
            await eventually(lambda: b"\x1b[?1049h" in terminal.seen, 15)
            await asyncio.sleep(after_s)
            asked = time.monotonic()
            terminal.process.terminate()
            try:
                async with asyncio.timeout(END_S):
                    status = await terminal.process.wait()
            except TimeoutError:
                wrong.append(f"{after_s:.3f} s: runs on")
                return
            took_s.append(time.monotonic() - asked)
            await eventually(lambda: not marked(folder), 2)
            if status != 143 or terminal.left_behind():
                wrong.append(f"{after_s:.3f} s: {status} {terminal.left_behind()}")
        finally:
            await terminal.close()

    async def in_turn(number: int) -> None:
        async with two:
            await one(tmp_path / str(number), chance.uniform(0.0, 0.4))

    await asyncio.gather(*map(in_turn, range(times)))
    report(
        "SIGTERM while k6 and the screen start",
        tries=times,
        passed=times - len(wrong),
        figure=f"worst {max(took_s, default=0.0):.2f} s {wrong[:2] or ''}".strip(),
        target=f"143, all gone within {END_S:g} s, terminal put back",
    )
