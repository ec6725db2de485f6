"""What a terminal that is stuck or gone gets: whole frames or none, and all changes of mode."""

from __future__ import annotations

import os
import pty
import threading
import tty
from collections.abc import Iterator

import pytest

from tests.waiting import eventually
from tui.outlet import MAX_WAITING_BYTES, Outlet

FRAME = b"f" * 20_000


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Both ends of a terminal that changes nothing of what it is given."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    os.set_blocking(ours, False)
    yield ours, theirs
    os.close(theirs)


async def read(ours: int, enough: int) -> bytes:
    """Read so many bytes."""
    seen = b""

    def has_enough() -> bool:
        nonlocal seen
        try:
            seen += os.read(ours, 1 << 16)
        except BlockingIOError:
            return False
        return len(seen) >= enough

    await eventually(has_enough)
    return seen


async def test_a_stuck_terminal_gets_whole_frames_all_modes_and_is_painted_anew(
    terminal: tuple[int, int],
) -> None:
    """Nobody waits; what waits is bounded; once it is read, the screen is asked for, once."""
    ours, theirs = terminal
    asked = threading.Semaphore(0)
    outlet = Outlet(theirs, asked.release)
    outlet.start()
    for _ in range(1_000):
        outlet.write(FRAME)
    outlet.write(b"\x1b[?25l")
    kept = 1_000 - outlet.frames_left_out
    assert kept * len(FRAME) <= MAX_WAITING_BYTES + 2 * len(FRAME) + 16_384
    assert not asked.acquire(blocking=False)
    seen = await read(ours, kept * len(FRAME) + 6)
    assert seen == FRAME * kept + b"\x1b[?25l"
    await eventually(lambda: asked.acquire(blocking=False))
    outlet.write(FRAME)
    outlet.close(b"\x1b[?25h")
    assert await read(ours, len(FRAME) + 6) == FRAME + b"\x1b[?25h"
    assert not asked.acquire(blocking=False), "nothing was left out since"
    assert not outlet.is_alive()
    os.close(ours)


async def test_a_terminal_that_goes_away_ends_the_outlet(terminal: tuple[int, int]) -> None:
    """Nothing fails and nothing waits, before or after."""
    ours, theirs = terminal
    outlet = Outlet(theirs, lambda: None)
    outlet.start()
    for _ in range(10):
        outlet.write(FRAME)
    os.close(ours)
    await eventually(lambda: not outlet.is_alive())
    for _ in range(100):
        outlet.write(FRAME)
    outlet.close(b"\x1b[?25h")


async def test_closing_does_not_wait_for_a_terminal_that_is_stuck(
    terminal: tuple[int, int],
) -> None:
    """What comes last is written when it reads again."""
    ours, theirs = terminal
    outlet = Outlet(theirs, lambda: None)
    outlet.start()
    for _ in range(100):
        outlet.write(FRAME)
    outlet.close(b"\x1b[?1049l")
    assert outlet.is_alive()
    seen = b""
    while not seen.endswith(b"\x1b[?1049l"):
        seen += await read(ours, 1)
    await eventually(lambda: not outlet.is_alive())
    os.close(ours)
