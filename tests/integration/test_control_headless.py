"""The operator's load without a screen: the program, the real k6, a server that counts."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from collectors.process import PIPE, Guard
from tests.integration.counting_server import TICKS_PER_S, CountingServer, Counts, counting_server
from tests.integration.k6_versions import EACH_K6, k6_of
from tests.integration.program import FLASHPOINT, Finished, flashpoint, read_summary
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]
each_k6 = pytest.mark.parametrize("version", EACH_K6)

GATES = {"1.1": "redis gate", "2.2": "secret gate"}
SCRIPTS = Path(__file__).with_name("scripts")
QUICK = """
import http from 'k6/http';
import { sleep } from 'k6';
export const options = { vus: 2, duration: '1s' };
export default function () { http.get(`${__ENV.TARGET}/quick`); sleep(0.02); }
"""
HELD = QUICK.replace("/quick", "/delay/300").replace("sleep(0.02);", "")
FAST = QUICK.replace("sleep(0.02);", "")
THREE = QUICK.replace(
    "sleep(0.02);", "http.get(`${__ENV.TARGET}/b`); http.get(`${__ENV.TARGET}/c`);"
)
TOUCHED = QUICK.replace(
    "vus: 2,", "vus: 2, thresholds: { vus: ['value<99'], iteration_duration: ['p(95)<9000'] },"
)


def script(folder: Path, text: str) -> Path:
    """Write a script and return its path."""
    path = folder / "script.js"
    path.write_text(text)
    return path


async def load(
    version: str,
    path: Path,
    server: CountingServer,
    *arguments: str,
    env: Mapping[str, str] | None = None,
) -> tuple[Finished, dict[str, Any], Counts]:
    """Run the program to its end; return how it ended, its summary, and what the server counted."""
    summary = path.parent / "s.json" if path.parent != SCRIPTS else Path(os.devnull)
    finished = await flashpoint(
        *("run", str(path), "--headless", "--no-profile", "--k6", k6_of(version)),
        *("--port", str(server.port), *arguments),
        *(("--summary", str(summary)) if summary.suffix else ()),
        env={"TARGET": server.url, **(env or {})},
        deadline_s=40,
    )
    told = read_summary(summary) if summary.suffix and summary.exists() else {}
    return finished, told, await server.counts()


def first_s(counts: Counts) -> float:
    """Return when the first request came, to 100 ms."""
    return min(counts.per_100_ms) / TICKS_PER_S


@each_k6
async def test_a_load_of_vus_ends_by_itself_and_is_written_down(
    version: str, tmp_path: Path
) -> None:
    """Exit status 0, k6 has counted what the server has, and the summary tells what was wanted."""

    async def check(name: str, asked: str, points: list[tuple[float, float]]) -> None:
        folder = tmp_path / name
        folder.mkdir()
        async with counting_server() as server:
            finished, told, counts = await load(
                version, script(folder, QUICK), server, *asked.split()
            )
        assert finished.returncode == 0, finished.stderr
        assert (told["mode"], told["control"]) == ("interactive", GATES[version])
        assert told["k6_summary"]["requests"] == told["load"]["requests"] == counts.total > 100
        assert counts.gone == 0
        assert [mark["kind"] for mark in told["marks"]] == ["start", "stop"]
        begin, end = told["targets"]
        assert [(point["at_s"], point["level"]) for point in begin["points"]] == points
        assert {begin["unit"], end["unit"]} == {"vus"}
        assert begin["at_s"] == 0
        assert [point["level"] for point in end["points"]] == [0]
        assert end["at_s"] == pytest.approx(2.0, abs=0.5)

    await asyncio.gather(
        check("vus", "--vus 4 --duration 2s", [(0, 4)]),
        check("ramp", "--ramp 2,6/1s,6/1s", [(0, 2), (1, 6), (2, 6)]),
    )


@each_k6
async def test_a_rate_is_kept(version: str, tmp_path: Path) -> None:
    """Within 5 % over the last second and a half; 50 iterations of three requests are 150."""

    async def check(text: str, asked: str, unit: str, rate: float) -> None:
        folder = tmp_path / unit
        folder.mkdir()
        async with counting_server() as server:
            finished, told, counts = await load(
                *(version, script(folder, text), server),
                *("--rate", asked, "--duration", "3s"),
            )
        assert finished.returncode == 0, finished.stderr
        begin = first_s(counts)
        assert counts.between(begin + 1.5, begin + 3) / 1.5 == pytest.approx(rate, rel=0.05)
        assert told["k6_summary"]["requests"] == counts.total
        assert [each["unit"] for each in told["targets"]] == [unit, unit]

    await asyncio.gather(
        check(FAST, "200", "requests", 200), check(THREE, "50i", "iterations", 150)
    )


@pytest.mark.parametrize("version", EACH_K6[-1:])
async def test_a_rate_of_requests_learns_how_many_an_iteration_has(
    version: str, server: CountingServer, tmp_path: Path
) -> None:
    """300 requests a second of iterations with three: reached after four seconds."""
    finished, told, counts = await load(
        version, script(tmp_path, THREE), server, "--rate", "300", "--duration", "5500ms"
    )
    assert finished.returncode == 0, finished.stderr
    begin = first_s(counts)
    assert counts.between(begin + 4, begin + 5.5) / 1.5 == pytest.approx(300, rel=0.07)
    assert told["k6_summary"]["requests"] == counts.total


@each_k6
async def test_a_failing_threshold_of_a_scenario_is_99(version: str) -> None:
    """The tags of the script's own scenarios are there, whoever owns the load."""

    async def check(asked: str) -> None:
        async with counting_server() as server:
            path = SCRIPTS / "threshold_fails.js"
            finished, _, counts = await load(version, path, server, *asked.split())
        assert finished.returncode == 99, finished.stderr
        assert "✗ 'rate>0.9' rate=0.00%" in finished.stdout
        assert "flashpoint: a threshold was crossed (99)" in finished.stderr
        assert counts.paths["/quick"] > 0 < counts.paths["/status/500"]

    await asyncio.gather(check("--vus 4 --duration 2s"), check("--as-written"))


@pytest.mark.parametrize(
    ("version", "signum", "status"),
    [
        pytest.param("1.1", signal.SIGINT, 130, id="k6-1.1-SIGINT"),
        pytest.param("2.2", signal.SIGTERM, 143, id="k6-2.2-SIGTERM", marks=EACH_K6[1].marks),
    ],
)
async def test_a_signal_lets_what_is_in_flight_end(
    version: str, signum: int, status: int, server: CountingServer, guard: Guard, tmp_path: Path
) -> None:
    """k6 has counted every request that the server got, and none was cut."""
    path = tmp_path / "s.json"
    child = await guard.spawn(
        "flashpoint",
        [
            *FLASHPOINT,
            *("run", str(script(tmp_path, HELD)), "--port", str(server.port), "--headless"),
            *("--no-profile", "--k6", k6_of(version), "--vus", "6", "--summary", str(path)),
        ],
        env={**os.environ, "TARGET": server.url, "TMPDIR": str(tmp_path)},
        stdout=PIPE,
        stderr=PIPE,
    )
    assert child.stdout is not None
    assert child.stderr is not None
    told = b""
    async with asyncio.timeout(20):
        while b"1 running" not in told:
            chunk = await child.stderr.read(4096)
            assert chunk, told
            told += chunk
    child.send_signal(signum)
    stdout, _ = await asyncio.gather(child.stdout.read(), child.stderr.read())
    assert await child.wait() == status
    counts = await server.counts()
    assert read_summary(path)["k6_summary"]["requests"] == counts.total >= 12
    assert (counts.gone, counts.in_flight, counts.most_in_flight) == (0, 0, 6)
    assert b"http_reqs" in stdout
    assert left_behind(tmp_path) == []


@pytest.mark.parametrize(
    ("asked", "instead"),
    [
        ("--as-written --vus 3", "use one of them"),
        ("--vus 3 --ramp 5/1s", "use one of them"),
        ("--ramp nonsense", "write it like 200"),
        ("--rate -5", "200"),
        ("--ramp -5/1s", "200"),
        ("--vus 10 --max-vus 5", "use --max-vus 10"),
        ("--vus 2 --k6-arg --vus=3", "use --vus"),
        ("--vus 2 --k6-arg -u --k6-arg 3", "use --vus"),
        ("--vus 2 --k6-arg --duration=3s", "use --duration"),
    ],
)
async def test_what_can_not_be_is_refused_in_one_line(
    asked: str, instead: str, server: CountingServer, tmp_path: Path
) -> None:
    """Before the start, with what to do instead; nothing is left of it."""
    finished, _, counts = await load(
        "1.1", script(tmp_path, QUICK), server, *asked.split(), env={"TMPDIR": str(tmp_path)}
    )
    assert finished.returncode == 2, finished.stderr
    (line,) = finished.stderr.splitlines()
    assert line.startswith("flashpoint: ")
    assert instead in line
    assert counts.total == 0
    await eventually(lambda: not left_behind(tmp_path))


def left_behind(folder: Path) -> list[str]:
    """Return folders of ours in a TMPDIR, and processes that have it as theirs."""
    found = [path.name for path in folder.glob("flashpoint-k6-*")]
    for process in psutil.process_iter():
        try:
            if process.environ().get("TMPDIR") == str(folder):
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found


@pytest.mark.parametrize("version", EACH_K6[-1:])
async def test_an_archive_runs_as_written_only(
    version: str, guard: Guard, server: CountingServer, tmp_path: Path
) -> None:
    """It is refused where a load is named, and runs its own where none is."""
    archive = tmp_path / "script.tar"
    path = script(tmp_path, QUICK)
    child = await guard.spawn("k6", [k6_of(version), "archive", str(path), "-O", str(archive)])
    assert await child.wait() == 0
    env = {"TMPDIR": str(tmp_path)}
    finished, _, counts = await load(version, archive, server, "--vus", "2", env=env)
    assert finished.returncode == 2
    (line,) = finished.stderr.splitlines()
    assert "script.tar is an archive of k6" in line
    assert "use --as-written" in line
    assert counts.total == 0
    assert left_behind(tmp_path) == []
    finished, told, counts = await load(version, archive, server, env=env)
    assert finished.returncode == 0, finished.stderr
    assert (told["mode"], told["control"]) == ("as-written", "as written")
    assert told["k6_summary"]["requests"] == counts.total > 20
    assert told["targets"] == []


@pytest.mark.parametrize("version", EACH_K6[-1:])
async def test_what_will_not_be_as_written_is_told_before_the_start(
    version: str, server: CountingServer, tmp_path: Path
) -> None:
    """k6's variables for the load are left out; thresholds on what waiting VUs touch are named."""
    finished, told, counts = await load(
        *(version, script(tmp_path, TOUCHED.replace("/quick", "/delay/50")), server),
        *("--vus", "3", "--duration", "1s"),
        env={"K6_VUS": "17", "K6_DURATION": "1h"},
    )
    assert finished.returncode == 0, finished.stderr
    (line,) = [each for each in finished.stderr.splitlines() if "left out" in each]
    for words in (
        "K6_VUS is left out: the load is yours, use --vus",
        "K6_DURATION is left out: the load is yours, use --duration",
        "the threshold on vus sees waiting VUs too",
        "the threshold on iteration_duration sees waiting VUs too",
    ):
        assert words in line
    assert finished.stderr.index(line) < finished.stderr.index("starting k6")
    assert counts.most_in_flight == 3
    assert told["duration_s"] < 10
