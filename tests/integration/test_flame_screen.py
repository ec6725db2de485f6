"""The flamegraph as an instrument, on a real terminal with the real k6 and perf."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator

import pytest

from tests.integration.program import needs_perf
from tests.integration.terminal import Tmux
from tests.waiting import eventually

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(120),
    pytest.mark.skipif(shutil.which("tmux") is None, reason="this machine has no tmux"),
    needs_perf,
]


@pytest.fixture
def terminal() -> Iterator[Tmux]:
    """A terminal of 160×48."""
    opened = Tmux(160, 48)
    yield opened
    opened.close()


async def press(terminal: Tmux, *keys: str, shows: str) -> str:
    """Press keys and wait for what comes of it."""
    terminal.keys(*keys)
    return await terminal.shows(shows)


async def test_every_form_of_the_stacks_and_a_rebuild(terminal: Tmux) -> None:
    """Inverted, table, sandwich, search, ranges; F5 compares with the run before."""
    build = f"{sys.executable} -c 'print(6 * 7)'"
    terminal.run("demo", "--vus", "4", "--build", build)
    await terminal.shows("4 of 4 VUs", "µs/request", within_s=60)
    await press(terminal, "i", shows="inverted")
    await press(terminal, "i", "t", shows="self µs/request")
    await press(terminal, "Enter", shows="sandwich of")
    terminal.keys("Escape")
    await eventually(lambda: "sandwich of" not in terminal.screen())
    await press(terminal, "w", shows="last 30 s")
    await press(terminal, "[", shows="space goes on")
    await press(terminal, "Space", shows="last 30 s")
    await press(terminal, "/", shows="Search names")
    terminal.keys("-l", "ledger|json")
    await press(terminal, "Enter", shows="matches, ")
    terminal.keys("Escape")
    await eventually(lambda: "matches, " not in terminal.screen())
    await press(terminal, "F5", shows="no baseline run 1 yet")
    await terminal.shows("4 of 4 VUs", "vs run 1", within_s=30)
    await eventually(lambda: re.search(r"vs run 1: \d+ of \d+ frames changed", terminal.screen()))
    terminal.keys("4")
    await eventually(lambda: re.search(r"build +42", terminal.screen()))
    terminal.keys("q")
    await terminal.shows("Stop it and leave?")
    terminal.keys("y")
    await terminal.shows("status=0", within_s=20)
    assert terminal.modes().split() == ["0", "0", "1"]
