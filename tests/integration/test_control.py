"""The load follows the operator: the real k6, 1.x and 2.x, against a server that counts."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from collectors.k6.wrapper import Transport
from tests.integration.controlled import controlled, passed
from tests.integration.counting_server import CountingServer, counting_server
from tests.integration.k6_versions import EACH_K6, all_k6
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(90)]
each_k6 = pytest.mark.parametrize("version", EACH_K6)

HELD = """
import http from 'k6/http';
export default function () { http.get(`${__ENV.TARGET}/delay/100`); }
"""
QUICK = """
import http from 'k6/http';
export default function () { http.get(`${__ENV.TARGET}/quick`); }
"""


def script(folder: Path, text: str) -> Path:
    """Write a script and return its path."""
    path = folder / "script.js"
    path.write_text(text)
    return path


async def most_in_flight(server: CountingServer, seconds: float = 0.6) -> int:
    """Return how many requests were in the server at once within the next moments."""
    await server.reset()
    await passed(time.monotonic() + seconds)
    return (await server.counts()).most_in_flight


@each_k6
async def test_vus_follow_a_step_up_and_down(
    version: str, server: CountingServer, tmp_path: Path
) -> None:
    """10, 100, 20 VUs: within 5 % after two seconds, seen as requests held in the server."""
    path = script(tmp_path, HELD)
    async with controlled(version, path, env={"TARGET": server.url}, vus=10, ceiling=110) as load:
        await load.begun()
        await eventually(lambda: load.control.state.running == 10, 5)
        for vus in (100, 20):
            load.vus(vus)
            await passed(time.monotonic() + 2.0)
            assert await most_in_flight(server) == pytest.approx(vus, rel=0.05)
            assert load.control.state.running == vus
        result = await load.stop()
    assert result.exit_code == 105


@each_k6
async def test_a_rate_follows_a_step(version: str, server: CountingServer, tmp_path: Path) -> None:
    """500, 1500 and 300 a second: within 5 % after two seconds."""
    path = script(tmp_path, QUICK)
    async with controlled(version, path, env={"TARGET": server.url}, rate=500, ceiling=30) as load:
        step_at = await load.begun()
        for rate in (500, 1500, 300):
            load.rate(rate)
            await passed(step_at + 4.0)
            counts = await server.counts()
            assert counts.between(step_at + 2, step_at + 4) / 2 == pytest.approx(rate, rel=0.05)
            step_at += 4.0
        result = await load.stop()
    assert result.summary is not None
    assert result.summary.requests == (await server.counts()).total


async def test_a_ramp_is_a_straight_line(tmp_path: Path) -> None:
    """For 30 s at any moment within 10 % or one VU of the line; with every k6 at the same time."""
    path = script(tmp_path, HELD)
    end = 60

    async def check(version: str) -> None:
        async with (
            counting_server() as server,
            controlled(version, path, env={"TARGET": server.url}, vus=0, ceiling=65) as load,
        ):
            await load.begun()
            ramp_at = load.ramp(0, end, 30)
            while (now := time.monotonic()) < ramp_at + 30:
                # A window on the server sees the end of its piece of the line.
                seen = await most_in_flight(server, 0.3)
                line = end * (time.monotonic() - ramp_at - 0.05) / 30
                told = f"k6 {version} after {now - ramp_at:.1f} s"
                assert seen == pytest.approx(line, rel=0.10, abs=1.0), told
            await passed(ramp_at + 31)
            assert await most_in_flight(server) == end
            await load.stop()

    await asyncio.gather(*(check(version) for version in all_k6()))


@each_k6
async def test_counts_are_exact_whatever_the_load_does(
    version: str, server: CountingServer, tmp_path: Path
) -> None:
    """20, 2, 30, a pause, a rate, 0: k6 counts what the server served, and nothing was cut."""
    path = script(tmp_path, HELD.replace("/delay/100", "/delay/37"))
    async with controlled(version, path, env={"TARGET": server.url}, vus=20) as load:
        await load.begun()
        for vus in (2, 30, 0, 7):
            await passed(time.monotonic() + 1.2)
            load.vus(vus)
        await passed(time.monotonic() + 1.0)
        load.rate(100)
        await passed(time.monotonic() + 1.5)
        result = await load.stop()
    counts = await server.counts()
    assert counts.total > 500
    assert result.summary is not None
    assert result.summary.requests == counts.total
    assert result.summary.iterations == counts.total
    assert result.streamed_requests + (result.withheld_requests or 0) == counts.total
    assert (counts.gone, counts.in_flight) == (0, 0)
    expected = ("interrupt", "Experimental feature enabled")
    assert not [line for line in load.logs if not any(words in line for words in expected)]


@each_k6
async def test_a_pause_is_silence(version: str, server: CountingServer, tmp_path: Path) -> None:
    """No request arrives from a second after the pause on; they come again after it."""
    path = script(tmp_path, QUICK)
    async with controlled(version, path, env={"TARGET": server.url}, vus=5) as load:
        await load.begun()
        await passed(time.monotonic() + 1.0)
        paused_at = time.monotonic()
        load.vus(0)
        await passed(paused_at + 3.0)
        counts = await server.counts()
        assert counts.between(paused_at + 1.1, paused_at + 3.0) == 0
        assert counts.total > 0
        assert load.control.state.running == 0
        load.vus(5)
        await eventually(lambda: load.control.state.running == 5, 3)
        await load.stop()
    assert (await server.counts()).total > counts.total


@each_k6
async def test_without_the_gate_k6_ends_itself(
    version: str, server: CountingServer, tmp_path: Path
) -> None:
    """The last switch: within ten seconds, whoever else is gone."""
    path = script(tmp_path, QUICK)
    async with controlled(version, path, env={"TARGET": server.url}, vus=3, ceiling=6) as load:
        await load.begun()
        await eventually(lambda: load.control.state.running == 3)
        (gate,) = load.control.pids
        os.kill(gate, signal.SIGKILL)
        await eventually(lambda: load.control.state.is_lost)
        async with asyncio.timeout(10):
            result = await load.run.wait()
    assert result.exit_code == 108
    assert result.summary is not None
    assert result.first_error is not None
    assert "flashpoint: the gate does not answer" in result.first_error


@each_k6
async def test_a_stop_waits_for_what_is_in_flight(
    version: str, server: CountingServer, tmp_path: Path
) -> None:
    """Four slow requests are answered, counted, and only then k6 gets its signal."""
    path = script(tmp_path, HELD.replace("/delay/100", "/delay/1500"))
    async with controlled(version, path, env={"TARGET": server.url}, vus=4) as load:
        await load.begun()
        await eventually(lambda: load.control.state.running == 4)
        await passed(time.monotonic() + 0.3)
        result = await load.stop()
    counts = await server.counts()
    assert result.summary is not None
    assert (counts.total, counts.gone, result.summary.requests) == (4, 0, 4)


async def test_rest_is_the_last_resort(server: CountingServer, tmp_path: Path) -> None:
    """k6 1.x without a gate: its own executor follows the VUs, and the screen says what is lost."""
    path = script(tmp_path, HELD)
    async with controlled(
        "1.1", path, env={"TARGET": server.url}, vus=5, ceiling=40, transports=[Transport.REST]
    ) as load:
        assert load.script.transport is Transport.REST
        assert any("counts may lack" in line for line in load.script.warnings)
        await load.begun()
        await eventually(lambda: load.control.state.running == 5, 5)
        load.vus(30)
        await passed(time.monotonic() + 2.0)
        assert await most_in_flight(server) == pytest.approx(30, rel=0.05)
        result = await load.stop()
    assert result.exit_code in (0, 105)
