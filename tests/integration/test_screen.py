"""The main job on a real terminal."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from tests.integration.program import alive, family, needs_perf, read_summary
from tests.integration.terminal import Tmux
from tests.waiting import eventually

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(120),
    pytest.mark.skipif(shutil.which("tmux") is None, reason="this machine has no tmux"),
    needs_perf,
]


# The Python server, where there is no Rust compiler, has stacks deeper than a small terminal.
HOTTEST = ("mine_block",) if shutil.which("rustc") else ()


@pytest.fixture
async def tmux() -> AsyncIterator[Callable[[int, int], Tmux]]:
    """Opens terminals of a size."""
    opened: list[Tmux] = []

    def open_one(columns: int, rows: int) -> Tmux:
        opened.append(Tmux(columns, rows))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


def monitor_of(terminal: Tmux) -> psutil.Process:
    """Return the program's own process."""
    return next(
        child
        for child in psutil.Process(terminal.pid).children()
        if "tui" in " ".join(child.cmdline())
    )


@pytest.mark.parametrize("size", [(160, 48), (80, 24)])
async def test_four_areas_are_alive_within_five_seconds(
    tmux: Callable[[int, int], Tmux], size: tuple[int, int]
) -> None:
    """Load, machine, flamegraph and status show what is going on; then everything is put back."""
    terminal = tmux(*size)
    terminal.run("demo")
    await terminal.shows("1 load", within_s=60)  # the demo server may have to be compiled first
    screen = await terminal.shows(*HOTTEST, "k6 ✓", "perf ✓", within_s=5)
    await eventually(lambda: re.search(r"req/s [1-9]", terminal.screen()), 5)
    await eventually(lambda: re.search(r"server 0?\.?\d*[1-9]", terminal.screen()), 5)
    await eventually(lambda: re.search(r"[µm]s/request", terminal.screen()), 5)
    assert "● running" in terminal.screen()
    for line in screen.splitlines():
        assert len(line) <= size[0]
    family_before = family(monitor_of(terminal).pid)
    assert len(family_before) >= 5

    terminal.keys("Space")
    await terminal.shows("frozen")
    frozen = flame_of(terminal.screen())
    elapsed = elapsed_of(terminal.screen())
    await eventually(lambda: elapsed_of(terminal.screen()) > elapsed + 1)
    assert flame_of(terminal.screen()) == frozen
    terminal.keys("Space")
    await eventually(lambda: "frozen" not in terminal.screen())
    await eventually(lambda: flame_of(terminal.screen()) != frozen)

    terminal.keys("q")
    await terminal.shows("Stop it and leave?")
    terminal.keys("n")
    await eventually(lambda: "Stop it and leave?" not in terminal.screen())
    terminal.keys("q")
    await terminal.shows("Stop it and leave?")
    terminal.keys("y")
    await terminal.shows("http_reqs", "status=0")
    await eventually(lambda: not alive(family_before), 5)
    assert terminal.modes().split() == ["0", "0", "1"]
    terminal.keys("-l", "echo still $((40 + 2))")
    terminal.keys("Enter")
    await terminal.shows("still 42")


def flame_of(screen: str) -> list[str]:
    """Return the rows of the flame pane."""
    lines = screen.splitlines()
    start = next(i for i, line in enumerate(lines) if "3 flame" in line)
    return lines[start + 1 : -2]


def elapsed_of(screen: str) -> int:
    """Return the seconds of the run's clock."""
    found = re.search(r"running · (\d+):(\d\d)", screen)
    assert found is not None, screen
    return int(found[1]) * 60 + int(found[2])


async def test_keys_stop_start_and_show(tmux: Callable[[int, int], Tmux]) -> None:
    """`x` stops, `s` starts again, `?` helps, `z` maximises, `4` shows the log."""
    terminal = tmux(160, 48)
    terminal.run("demo")
    await terminal.shows("● running", *HOTTEST, within_s=60)
    terminal.keys("?")
    await terminal.shows("Start the load again", "Give the selected frame the full width")
    terminal.keys("Escape")
    await eventually(lambda: "Start the load again" not in terminal.screen())
    terminal.keys("4")
    await terminal.shows("4 log", "listening on")
    terminal.keys("4")
    await eventually(lambda: "4 log" not in terminal.screen().split("\n", 1)[1].rsplit("\n", 2)[0])
    terminal.keys("1", "z")
    await terminal.shows("checkout_time", "✓ status is 200")
    assert "3 flame" not in terminal.screen()
    terminal.keys("z")
    await terminal.shows("3 flame")
    terminal.keys("C-p")
    await terminal.shows("Demo: double the cost of mine_block", "Key: s")
    terminal.keys("-l", "double the cost of mine")
    await eventually(lambda: "Key: s" not in terminal.screen())
    terminal.keys("Enter")
    await terminal.shows("doubled mine_block")
    terminal.keys("x")
    await terminal.shows("■ stopped")
    terminal.keys("s")
    await terminal.shows("● running")
    terminal.keys("x")
    await terminal.shows("■ stopped")
    terminal.keys("q")
    await terminal.shows("status=0")


@pytest.mark.parametrize("delay_s", [0.3, 2.0, 5.0])
async def test_kill_9_leaves_nothing_running_and_a_sane_terminal(
    tmux: Callable[[int, int], Tmux], delay_s: float
) -> None:
    """Whenever it is killed, all that it started is gone within two seconds."""
    terminal = tmux(160, 48)
    terminal.run("demo")
    await terminal.shows("1 load", within_s=60)
    await asyncio.sleep(delay_s)  # a moment of the run to be killed in, not a wait for anything
    monitor = monitor_of(terminal)
    started = family(monitor.pid)
    os.kill(monitor.pid, signal.SIGKILL)
    await eventually(lambda: not alive(started), within_s=2.0)
    await eventually(lambda: terminal.modes().split() == ["0", "0", "1"])
    terminal.keys("-l", "echo still $((40 + 2))")
    terminal.keys("Enter")
    await terminal.shows("still 42")


async def test_a_closed_terminal_ends_everything_in_order(
    tmux: Callable[[int, int], Tmux], tmp_path: Path
) -> None:
    """When the window goes away, k6 finishes, the summary is written, nothing is left running."""
    summary = tmp_path / "s.json"
    terminal = tmux(160, 48)
    terminal.run("demo", "--summary", str(summary))
    await terminal.shows("● running", within_s=60)
    started = family(monitor_of(terminal).pid)
    terminal.close()
    await eventually(lambda: not alive(started), within_s=8)
    assert read_summary(summary)["load"]["requests"] > 0


async def test_a_broken_script_closes_the_screen_and_says_why(
    tmux: Callable[[int, int], Tmux], tmp_path: Path
) -> None:
    """No empty dashboard is left: k6's own first error line and its exit code."""
    script = tmp_path / "script.js"
    script.write_text("export default function () { nonsense(")
    terminal = tmux(100, 30)
    terminal.run("run", str(script), "--no-profile")
    await terminal.shows("Unexpected end of input", "status=107")
