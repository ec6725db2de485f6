"""The operator's hand on the load, on a real terminal; what is left when a process is killed."""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import signal
import termios
import time
from pathlib import Path
from typing import Any, Final

import psutil
import pytest

from collectors.process import Guard
from tests.integration.controlled import passed
from tests.integration.counting_server import CountingServer
from tests.integration.k6_versions import EACH_K6, k6_1, k6_2, k6_of
from tests.integration.program import alive, family, read_summary
from tests.integration.terminal import Tmux
from tests.waiting import eventually

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(90),
    pytest.mark.skipif(shutil.which("tmux") is None, reason="this machine has no tmux"),
]

KILLS: Final = int(os.environ.get("FLASHPOINT_TEST_KILLS", "3"))
SEED: Final = 20_240_607
QUICK = """
import http from 'k6/http';
import { sleep } from 'k6';
export const options = { vus: 2, duration: '1h' };
export default function () { http.get(`${__ENV.TARGET}/quick`); sleep(0.05); }
"""
HELD = QUICK.replace("/quick", "/delay/200").replace("sleep(0.05);", "")


class Screen:
    """The program on a terminal, loading a server that counts."""

    def __init__(self, folder: Path, server: CountingServer, text: str) -> None:
        self.terminal = Tmux(160, 48)
        self.server = server
        self.folder = folder
        self.summary = folder / "s.json"
        self.script = folder / "script.js"
        self.script.write_text(text)
        self.counted = 0
        """Requests that the server counted before it began anew."""

    def run(self, version: str, *arguments: str, script: Path | None = None) -> None:
        """Start it; the server is found by k6's own connections."""
        self.terminal.run(
            *("run", str(script or self.script), "--no-profile", "--k6", k6_of(version)),
            *("--summary", str(self.summary), *arguments),
            env={"TARGET": self.server.url, "TMPDIR": str(self.folder)},
        )

    async def press(self, key: str, *texts: str, within_s: float = 8.0) -> str:
        """Press a key and wait for what it brings to the screen."""
        self.terminal.keys(key)
        return await self.terminal.shows(*texts, within_s=within_s)

    async def answer(self, text: str, *texts: str) -> str:
        """Type into the open question, and wait for what comes of it."""
        self.terminal.keys("-l", text)
        self.terminal.keys("Enter")
        return await self.terminal.shows(*texts, within_s=8.0)

    async def in_flight(self, seconds: float = 0.6) -> int:
        """Return how many requests the server held at once within the next moments."""
        self.counted += (await self.server.reset()).total
        await passed(time.monotonic() + seconds)
        return (await self.server.counts()).most_in_flight

    async def quit(self, status: int = 0) -> dict[str, Any]:
        """Leave, with the load running or not; return the summary."""
        self.terminal.keys("q")
        await eventually(lambda: re.search("leave|status=", self.terminal.screen()))
        if "leave" in self.terminal.screen():
            self.terminal.keys("y")
        await self.terminal.shows(f"status={status}")
        assert self.terminal.modes().split() == ["0", "0", "1"]
        assert echoes(self.terminal), "the terminal is left raw"
        return read_summary(self.summary)

    @property
    def monitor(self) -> psutil.Process:
        """The program's own process."""
        children = psutil.Process(self.terminal.pid).children()
        return next(each for each in children if "tui" in each.cmdline())


def echoes(terminal: Tmux) -> bool:
    """Tell whether a terminal shows what is typed and hands it on by lines."""
    fd = os.open(f"/proc/{terminal.pid}/fd/0", os.O_RDWR | os.O_NOCTTY)
    try:
        modes: int = termios.tcgetattr(fd)[3]
    finally:
        os.close(fd)
    wanted = termios.ECHO | termios.ICANON
    return modes & wanted == wanted


def elapsed_s(terminal: Tmux) -> int:
    """Return the seconds on the clock of the run."""
    found = re.search(r"running · (\d+):(\d\d)", terminal.screen())
    return int(found[1]) * 60 + int(found[2]) if found else -1


@contextlib.contextmanager
def screen_of(folder: Path, server: CountingServer, text: str) -> Any:
    """Open a terminal for the program; it is closed with the block."""
    screen = Screen(folder, server, text)
    try:
        yield screen
    finally:
        screen.terminal.close()


@pytest.fixture
def quick(tmp_path: Path, server: CountingServer) -> Any:
    """Requests of no length, at about 20 a second and VU."""
    with screen_of(tmp_path, server, QUICK) as screen:
        yield screen


@pytest.fixture
def held(tmp_path: Path, server: CountingServer) -> Any:
    """Requests that the server holds for 200 ms: there are as many in it as VUs run."""
    with screen_of(tmp_path, server, HELD) as screen:
        yield screen


async def test_keys_move_the_vus(held: Screen) -> None:
    """Steps, a ramp, a hold: the headline tells what is wanted, the server has it, k6 counts it."""
    held.run("1.1", "--vus", "1", "--max-vus", "30")
    await held.terminal.shows("● running", " redis gate", "1 of 1 VUs", "→ python", within_s=20)
    held.terminal.keys("+", "=")
    await held.press(">", "13 of 13 VUs")
    assert await held.in_flight() == 13
    await held.press("-", "12 of 12 VUs")
    await held.press("<", "2 of 2 VUs")

    await held.press("r", "+50/10s, x2/1m")
    await held.answer("nonsense", "'nonsense' is no step of a load")
    held.terminal.keys("C-u")
    await held.answer("20 in 2s", "→ 20 VUs in")
    await held.terminal.shows("20 of 20 VUs")
    assert await held.in_flight() == 20

    await held.press("r", "+50/10s, x2/1m")
    await held.answer("0 in 20s", "→ 0 VUs in")
    await eventually(lambda: re.search(r"1\d → 0 VUs in", held.terminal.screen()))
    held.terminal.keys("H")
    await eventually(lambda: re.search(r"(1\d) of \1 VUs", held.terminal.screen()))
    found = re.search(r"(\d+) of \d+ VUs", held.terminal.screen())
    assert found is not None
    assert await held.in_flight() == int(found[1])

    held.terminal.keys(">", ">")
    await held.terminal.shows("30 VUs, the ceiling")
    await held.press("+", "30 VUs are all there are; restart with --max-vus for more")
    await held.press("x", "■ stopped")
    counts = await held.server.counts()
    told = await held.quit()
    assert told["k6_summary"]["requests"] == counts.total + held.counted
    assert (counts.gone, counts.in_flight) == (0, 0)
    assert told["control"] == "redis gate"
    kinds = [mark["kind"] for mark in told["marks"]]
    assert (kinds[0], kinds[-1]) == ("start", "stop")
    assert set(kinds[1:-1]) == {"load"}


@pytest.mark.parametrize("version", EACH_K6[-1:])
async def test_pause_rate_palette_stop_and_start(version: str, quick: Screen) -> None:
    """A pause is silence; a rate is kept; a stop loses no request; it can start again."""
    server, terminal = quick.server, quick.terminal
    quick.run(version, "--vus", "5")
    await terminal.shows("● running", "secret gate", "5 of 5 VUs", within_s=20)
    await quick.press("p", "❚❚ paused", "5 on resume")
    await passed(time.monotonic() + 1.0)
    still = (await server.counts()).total
    await passed(time.monotonic() + 1.0)
    assert (await server.counts()).total == still > 0
    await quick.press("p", "● running", "5 of 5 VUs")
    assert (await server.counts()).total > still

    await quick.press("R", "A second")
    await quick.answer("100", "100 requests/s wanted")
    # VUs that waited learn of it when they ask next, and make up for what was due.
    await passed(time.monotonic() + 3.5)
    now = time.monotonic()
    counts = await server.counts()
    assert counts.between(now - 1.5, now) / 1.5 == pytest.approx(100, rel=0.1)

    await quick.press("C-p", "Load: start")
    terminal.keys("-l", "Load: ramp")
    await terminal.shows("Go to a number of VUs")
    await eventually(lambda: "Load: start" not in terminal.screen())
    await quick.press("Enter", "+50/10s, x2/1m")
    await quick.answer("3", "3 of 3 VUs")

    await quick.press("x", "■ stopped")
    total = (await server.counts()).total
    await quick.press("s", "● running", "5 of 5 VUs", within_s=15)
    await passed(time.monotonic() + 0.5)
    await quick.press("x", "■ stopped")
    second = (await server.counts()).total - total
    told = await quick.quit()
    assert told["k6_summary"]["requests"] == second > 0
    kinds = [mark["kind"] for mark in told["marks"]]
    assert kinds == ["start", "pause", "resume", "load", "load", "stop", "start", "stop"]


async def test_what_runs_as_written_says_why_keys_do_nothing(quick: Screen, guard: Guard) -> None:
    """With --as-written, and an archive without it."""
    quick.run("1.1", "--as-written")
    await quick.terminal.shows("● running", "as written", "2/2 VUs", within_s=20)
    await quick.press("+", "k6 keeps the script's own schedule (--as-written)")
    assert "2/2 VUs" in quick.terminal.screen()
    assert (await quick.quit())["targets"] == []
    quick.terminal.keys("-R")
    archive = quick.script.with_suffix(".tar")
    child = await guard.spawn("k6", [k6_1(), "archive", str(quick.script), "-O", str(archive)])
    assert await child.wait() == 0
    quick.run("1.1", script=archive)
    await quick.terminal.shows("script.tar is an archive of k6", "as written", within_s=20)
    await quick.terminal.shows("● running", "control off", "2/2 VUs")
    assert (await quick.quit())["mode"] == "as-written"


async def silence_and_end(
    server: CountingServer, started: set[tuple[int, float]], killed_at: float
) -> None:
    """Wait until all processes are gone, at most two seconds, and see that the load is as well."""
    await eventually(lambda: not alive(started), killed_at + 2.0 - time.monotonic())
    await passed(killed_at + 2.0)
    total = (await server.counts()).total
    await passed(killed_at + 2.3)
    assert (await server.counts()).total == total


@pytest.mark.timeout(30 * KILLS + 30)
async def test_kill_9_of_the_monitor_ends_the_load(tmp_path: Path, server: CountingServer) -> None:
    """At any moment: two seconds later no request comes any more and no process is left."""
    moments = random.Random(SEED)
    versions = ["1.1", "2.2"] if k6_2() else ["1.1"]
    for number in range(KILLS):
        with screen_of(tmp_path, server, QUICK) as screen:
            begun_at = time.monotonic()
            screen.run(versions[number % len(versions)], "--vus", "10", "--max-vus", "20")
            await eventually(lambda: _has_children(screen), 10)
            moment_s = moments.uniform(0.3, 4.0)
            while (left := begun_at + moment_s - time.monotonic()) > 0:
                await passed(time.monotonic() + min(left, 0.25))
            monitor = screen.monitor
            started = family(monitor.pid)
            assert len(started) >= 2
            monitor.kill()
            await silence_and_end(server, started, time.monotonic())
            await eventually(lambda: screen.terminal.modes().split() == ["0", "0", "1"])


def _has_children(screen: Screen) -> bool:
    try:
        return bool(screen.monitor.children())
    except (StopIteration, psutil.Error):
        return False


@pytest.mark.parametrize("version", EACH_K6[-1:])
async def test_a_monitor_that_stands_still_leaves_the_load_alone(
    version: str, quick: Screen
) -> None:
    """Four seconds of SIGSTOP: requests go on, and all of them are counted in the end."""
    # A shell with job control would take the terminal away from a program that is stopped.
    quick.terminal.keys("set +m", "Enter")
    # Else the shell would take the terminal, and the operator had to type `fg`.
    quick.terminal.keys("-l", "set +m")
    quick.terminal.keys("Enter")
    quick.run(version, "--vus", "5")
    await quick.terminal.shows("5 of 5 VUs", within_s=20)
    monitor = quick.monitor
    stood_s = elapsed_s(quick.terminal)
    monitor.send_signal(signal.SIGSTOP)
    try:
        stopped_at = time.monotonic()
        await passed(stopped_at + 4.0)
        counts = await quick.server.counts()
        for second in range(4):
            came = counts.between(stopped_at + second, stopped_at + second + 1)
            assert came == pytest.approx(95, rel=0.3), second
    finally:
        monitor.send_signal(signal.SIGCONT)
    # The screen goes on: its clock has jumped, and runs. A key before that may be lost.
    await eventually(lambda: elapsed_s(quick.terminal) >= stood_s + 5)
    await quick.press("+", "6 of 6 VUs")
    await quick.press("x", "■ stopped")
    counts = await quick.server.counts()
    told = await quick.quit()
    assert told["k6_summary"]["requests"] == told["load"]["requests"] == counts.total
    assert told["load"]["streamed_requests"] + sum(told["dropped"].values()) == counts.total


@pytest.mark.parametrize("version", EACH_K6[-1:])
@pytest.mark.parametrize("victim", ["guard", "keeper"])
async def test_kill_9_of_the_guard_ends_the_load_and_is_told(
    version: str, victim: str, quick: Screen
) -> None:
    """What was started ends with it; the monitor says so, and nothing seen is lost."""
    quick.run(version, "--vus", "5")
    await quick.terminal.shows("5 of 5 VUs", within_s=20)
    monitor = quick.monitor
    started = family(monitor.pid) - {(monitor.pid, monitor.create_time())}
    (keeper,) = monitor.children()
    (guard,) = keeper.children()
    (keeper if victim == "keeper" else guard).kill()
    await silence_and_end(quick.server, started, time.monotonic())
    await quick.terminal.shows("■ stopped", "k6 was killed (signal 9, SIGKILL)")
    await quick.press("s", "the guard process has ended")
    told = await quick.quit(status=128 + signal.SIGKILL)
    assert not monitor.is_running()
    assert 0 < told["load"]["requests"] <= (await quick.server.counts()).total
