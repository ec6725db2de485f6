"""Runs that are recorded in a process of their own: listed, followed, ended one way or another."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from collectors.child import Child
from collectors.process import PIPE, Guard
from tests.integration.conftest import Server
from tests.integration.k6_versions import k6_1
from tests.integration.program import FLASHPOINT, flashpoint, needs_perf
from tests.integration.recorded import DURATION_S, RecordedRun
from tests.integration.terminal import Pty, Tmux
from tests.waiting import eventually
from tui.demo.build import script_path

pytestmark = [pytest.mark.integration, pytest.mark.timeout(150), needs_perf]


@pytest.fixture
def state(tmp_path: Path) -> dict[str, str]:
    """An environment with recordings of its own."""
    return {"FLASHPOINT_STATE_DIR": str(tmp_path / "state")}


def arguments(server: Server, *more: str) -> list[str]:
    """How the demo server is loaded, until that is ended."""
    return ["run", str(script_path()), "--port", str(server.port), "--vus", "3", "--k6", k6_1(),
            *more]  # fmt: skip


def environment(server: Server, state: dict[str, str]) -> dict[str, str]:
    return {"TARGET": server.url, "DURATION": "10m", **state}


async def listed(state: dict[str, str]) -> list[dict[str, Any]]:
    """What `flashpoint ls --json` says."""
    done = await flashpoint("ls", "--json", env=state)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


async def recording_child(guard: Guard, server: Server, state: dict[str, str]) -> Child:
    """A run without a screen that records."""
    return await guard.spawn(
        "flashpoint",
        [*FLASHPOINT, *arguments(server, "--headless")],
        env={**os.environ, **environment(server, state)},
        stderr=PIPE,
    )


async def is_recorded(state: dict[str, str], requests: int = 20) -> dict[str, Any]:
    """Wait until a recording has some of the load; return what is listed of it."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(40):
        while not found or found[0]["requests"] < requests:
            found = await listed(state)
    return found[0]


async def test_a_run_that_is_recorded_and_then_ended_is_listed(
    guard: Guard, demo_server: Server, state: dict[str, str]
) -> None:
    """As being recorded; told to end, it is closed as one file."""
    child = await recording_child(guard, demo_server, state)
    found = await is_recorded(state)
    assert found["state"] == "recording"
    child.send_signal(signal.SIGTERM)
    assert await child.wait() == 143
    (ended,) = await listed(state)
    assert ended["state"] == "ended"
    assert ended["requests"] >= found["requests"]
    assert f"(pid {demo_server.pid})" in ended["target"]
    assert ended["p95_ms"] > 0
    names = os.listdir(Path(ended["path"]).parent)
    assert names == [Path(ended["path"]).name]
    table = await flashpoint("ls", env=state)
    assert script_path().name in table.stdout


async def test_a_run_that_is_killed_is_listed_as_cut_off_and_can_be_read(
    guard: Guard, demo_server: Server, state: dict[str, str]
) -> None:
    """With all but what came in its last moments."""
    child = await recording_child(guard, demo_server, state)
    found = await is_recorded(state)
    child.send_signal(signal.SIGKILL)
    await child.wait()
    (cut,) = await listed(state)
    assert cut["state"] == "ended unclean"
    done = await flashpoint("export", cut["name"], "--format", "json", env=state)
    assert done.returncode == 0, done.stderr
    assert "ended unclean" in done.stderr
    assert json.loads(done.stdout)["totals"]["load"]["requests"] >= found["requests"]


async def test_a_window_that_is_closed_ends_the_recording_in_order(
    demo_server: Server, state: dict[str, str]
) -> None:
    """SIGHUP, as a terminal sends it: nothing is cut off."""
    terminal = await Pty.start(arguments(demo_server), env=environment(demo_server, state))
    try:
        await is_recorded(state)
        terminal.process.send_signal(signal.SIGHUP)
        async with asyncio.timeout(30):
            await terminal.process.wait()
    finally:
        await terminal.close()
    (ended,) = await listed(state)
    assert ended["state"] == "ended"


async def test_another_terminal_follows_what_is_being_recorded(
    guard: Guard, demo_server: Server, state: dict[str, str]
) -> None:
    """It goes with the run, and stands at its end when that has ended; the file is not touched."""
    child = await recording_child(guard, demo_server, state)
    await is_recorded(state)
    tmux = Tmux(160, 48)
    try:
        tmux.run("replay", "latest", "--follow", env=state)
        screen = await tmux.shows("● ", "1 load", "3 flame", "req/s")
        first = position(screen)
        await eventually(lambda: position(tmux.screen()) >= first + 3, 20)
        child.send_signal(signal.SIGTERM)
        assert await child.wait() == 143
        await tmux.shows("■ ", within_s=15)
        (ended,) = await listed(state)
        assert position(tmux.screen()) >= int(ended["duration_s"])
        tmux.keys("q")
        await tmux.shows("status=0")
    finally:
        tmux.close()
    (ended,) = await listed(state)
    assert ended["state"] == "ended"


def position(screen: str) -> int:
    """Return where a replay is, whole seconds."""
    found = re.search(r"[●▶⏸■] (\d+):(\d\d)/", screen)
    return int(found[1]) * 60 + int(found[2]) if found is not None else -1


async def test_a_recording_is_replayed_on_a_terminal(recorded_run: RecordedRun) -> None:
    """The real program, its keys, and the exit status."""
    tmux = Tmux(160, 48)
    try:
        tmux.run("replay", str(recorded_run.recording), "--at", "5")
        await tmux.shows("⏸ 0:05/", "p95", "demo")
        tmux.keys("G")
        await eventually(lambda: position(tmux.screen()) >= int(DURATION_S) - 1, 10)
        tmux.keys("g")
        await tmux.shows("⏸ 0:00/")
        tmux.keys("q")
        await tmux.shows("status=0")
        assert tmux.modes().strip() == "0 0 1"
    finally:
        tmux.close()
