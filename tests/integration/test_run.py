"""The main job without a screen: real k6, real perf, real servers."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import psutil
import pytest

from collectors.process import PIPE, Guard
from tests.integration.conftest import Server
from tests.integration.program import (
    FLASHPOINT,
    flashpoint,
    needs_perf,
    needs_rustc,
    read_summary,
)
from tests.waiting import eventually
from tui.demo.build import script_path
from tui.demo.cost import read_cost

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


@needs_perf
async def test_a_demo_run_agrees_with_k6_and_knows_the_heavy_function(tmp_path: Path) -> None:
    """Requests and p95 are k6's own; the function that burns is found."""
    path = tmp_path / "s.json"
    finished = await flashpoint(
        "demo", "--headless", "--duration", "15s", "--summary", str(path), deadline_s=110
    )
    assert finished.returncode == 0, finished.stderr
    summary = read_summary(path)
    load, k6 = summary["load"], summary["k6_summary"]
    assert load["streamed_requests"] <= k6["requests"]
    assert load["streamed_requests"] >= 0.999 * k6["requests"]
    assert load["requests"] == k6["requests"] > 1_000
    assert load["requests"] - load["streamed_requests"] == summary["dropped"].get("k6_withheld", 0)
    assert load["latency_ms"]["p95"] == pytest.approx(k6["p95_ms"], rel=0.05)
    assert sum(each["requests"] for each in load["endpoints"]) == load["streamed_requests"]
    assert load["checks"]["failed"] == 0 < load["checks"]["passed"]
    assert summary["duration_s"] == pytest.approx(15, abs=1.5)
    profile = summary["profile"]
    assert profile["samples"] > 0
    assert profile["lost"] == 0
    leaders = [row["symbol"] for row in profile["top"][:3]]
    assert any(symbol.endswith("mine_block") for symbol in leaders), leaders
    assert summary["machine"]["target"]["cpu_seconds"] > 0
    assert summary["machine"]["generator"]["cpu_seconds"] > 0
    assert summary["machine"]["monitor"]["cpu_seconds"] > 0
    assert "http_reqs" in finished.stdout, "k6's own summary is printed"


@needs_perf
@needs_rustc
@pytest.mark.timeout(180)
async def test_cpu_seconds_of_each_function_are_what_the_server_accounts(
    demo_server: Server, tmp_path: Path
) -> None:
    """Self CPU of each function with 400 samples or more is within 25 % of the server's account."""
    path = tmp_path / "s.json"
    before = await read_cost(demo_server.url)
    finished = await flashpoint(
        *("run", str(script_path()), "--pid", str(demo_server.pid), "--headless"),
        *("--duration", "30s", "--perf-frequency", "499", "--summary", str(path)),
        env={"TARGET": demo_server.url},
        deadline_s=100,
    )
    after = await read_cost(demo_server.url)
    assert finished.returncode == 0, finished.stderr
    summary = read_summary(path)
    requests, profile = summary["load"]["requests"], summary["profile"]
    compared = 0
    for row in profile["top"]:
        name = row["symbol"].rpartition("::")[2]
        if name not in after.functions or row["self_ratio"] * profile["samples"] < 400:
            continue
        own_s = row["self_us_per_request"] * requests / 1e6
        accounted_s = after.functions[name].cpu_seconds - before.functions[name].cpu_seconds
        assert own_s == pytest.approx(accounted_s, rel=0.25), name
        compared += 1
    assert compared >= 1


@pytest.mark.parametrize("how", ["pid", "port", "found"])
async def test_a_running_server_is_attached_to_and_left_alone(
    how: str, demo_server: Server, tmp_path: Path
) -> None:
    """However it is named, the server is the target, and runs on afterwards."""
    path = tmp_path / "s.json"
    named = {
        "pid": ["--pid", str(demo_server.pid)],
        "port": ["--port", str(demo_server.port)],
        "found": [],
    }[how]
    finished = await flashpoint(
        *("run", str(script_path()), *named, "--headless", "--duration", "5s"),
        *("--summary", str(path)),
        env={"TARGET": demo_server.url},
    )
    assert finished.returncode == 0, finished.stderr
    summary = read_summary(path)
    assert f"(pid {demo_server.pid})" in summary["target"]
    assert f"(pid {demo_server.pid})" in finished.stderr, "the target is named"
    assert summary["profile"]["samples"] > 0
    assert summary["machine"]["target"]["cpu_seconds"] > 0
    assert psutil.Process(demo_server.pid).status() != psutil.STATUS_ZOMBIE
    assert (await read_cost(demo_server.url)).functions


FORKING_SERVER = """
import os, socket, sys
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen(64)
for _ in range(2):
    if os.fork() == 0:
        while True:
            connection, _ = listener.accept()
            connection.recv(4096)
            sum(range(20_000))
            connection.sendall(b"HTTP/1.0 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
            connection.close()
os.wait()
"""

SCRIPT = """
import http from 'k6/http';
export const options = { vus: 2, duration: '4s', EXTRA };
export default function () { http.get(`${__ENV.TARGET}/`); }
"""


def write_script(folder: Path, options: str = "", text: str = SCRIPT) -> Path:
    """Write a k6 script of four seconds."""
    path = folder / "script.js"
    path.write_text(text.replace("EXTRA", options))
    return path


async def test_a_started_server_that_forks_is_measured_whole_and_ended(
    tmp_path: Path, unused_port: int
) -> None:
    """CPU of all worker processes counts; k6's own end gives the exit status; nothing is left."""
    server, path = tmp_path / "server.py", tmp_path / "s.json"
    server.write_text(FORKING_SERVER)
    finished = await flashpoint(
        *("run", str(write_script(tmp_path)), "--headless", "--summary", str(path)),
        *("--port", str(unused_port), "--", sys.executable, str(server), str(unused_port)),
        env={"TARGET": f"http://127.0.0.1:{unused_port}"},
    )
    assert finished.returncode == 0, finished.stderr
    summary = read_summary(path)
    machine = summary["machine"]["target"]
    assert machine["cpu_seconds"] > 0.2
    assert summary["load"]["requests"] == summary["k6_summary"]["requests"] > 0
    if summary["profile"]["profiler"] == "perf":
        profiled_s = summary["profile"]["cpu_us_per_request"] * summary["load"]["requests"] / 1e6
        assert profiled_s == pytest.approx(machine["cpu_seconds"], rel=0.35)
    assert not [p for p in psutil.process_iter() if str(server) in _command_line(p)]


def _command_line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ("export default function () { nonsense(", 107, "Unexpected end of input"),
        ("export function setup() { throw new Error('no way') }\n" + SCRIPT, 107, "no way"),
        ("export const options = {};", 255, ""),
    ],
)
async def test_a_broken_script_ends_the_run_with_k6s_words(
    text: str, status: int, said: str, tmp_path: Path, demo_server: Server
) -> None:
    """k6's own error line is shown and its exit code is ours."""
    finished = await flashpoint(
        *("run", str(write_script(tmp_path, text=text)), "--port", str(demo_server.port)),
        *("--headless", "--no-profile"),
        env={"TARGET": demo_server.url},
    )
    assert finished.returncode in (status, 104), finished.stderr
    assert said in finished.stderr


async def test_a_crossed_threshold_is_k6s_99(tmp_path: Path, demo_server: Server) -> None:
    """Whether k6 ends by itself or we end it."""
    script = write_script(tmp_path, "thresholds: { http_reqs: ['count<1'] }")
    for extra in ([], ["--duration", "2s"]):
        finished = await flashpoint(
            *("run", str(script), "--port", str(demo_server.port), "--headless", "--no-profile"),
            *extra,
            env={"TARGET": demo_server.url},
        )
        assert finished.returncode == 99, finished.stderr


async def test_a_warm_up_is_left_out_and_said(tmp_path: Path, demo_server: Server) -> None:
    """Requests of the first seconds are in k6's summary but not in ours."""
    path = tmp_path / "s.json"
    finished = await flashpoint(
        *("run", str(write_script(tmp_path)), "--port", str(demo_server.port), "--headless"),
        *("--warm-up", "2s", "--summary", str(path)),
        env={"TARGET": demo_server.url},
    )
    summary = read_summary(path)
    assert finished.returncode == 0, finished.stderr
    assert summary["warm_up_s"] == 2
    assert 0 < summary["load"]["requests"] < summary["k6_summary"]["requests"]
    assert "first 2 s" in finished.stderr


@pytest.mark.parametrize(("signum", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_a_signal_ends_the_run_in_order(
    signum: int, status: int, demo_server: Server, guard: Guard, tmp_path: Path
) -> None:
    """k6 finishes, its summary is printed, the summary file is written."""
    path = tmp_path / "s.json"
    child = await guard.spawn(
        "flashpoint",
        [
            *FLASHPOINT,
            *("run", str(script_path()), "--port", str(demo_server.port), "--headless"),
            *("--no-profile", "--summary", str(path)),
        ],
        stdout=PIPE,
        stderr=PIPE,
    )
    assert child.stdout is not None
    assert child.stderr is not None
    told = b""

    async def read() -> None:
        nonlocal told
        assert child.stderr is not None
        while chunk := await child.stderr.read(4096):
            told += chunk

    reading = asyncio.create_task(read())
    await eventually(lambda: b"running" in told, within_s=20)
    child.send_signal(signum)
    stdout = await child.stdout.read()
    assert await child.wait() == status
    await reading
    assert b"http_reqs" in stdout
    assert read_summary(path)["load"]["requests"] > 0
