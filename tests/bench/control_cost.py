"""What it costs to own the load: a run that the operator controls beside the same one as written.

Both run under flashpoint without a screen, alternating, with the same script, VUs and time against
the cheapest route of the built-in server; k6's CPU time is read from /proc, its requests from its
own summary.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psutil

from collectors.guard_start import guard_running
from collectors.process import PIPE
from tests.bench.monitor_cost import POLL_S, CpuAccount
from tests.integration.k6_versions import k6_1, k6_2
from tui.demo.build import demo_command, listening_port

SECONDS = 30
VUS = 40
SCRIPT = """
import http from 'k6/http';
import { sleep } from 'k6';
export const options = { vus: %d, duration: '%ds' };
export default function () {
  http.get(`${__ENV.TARGET}/`);
  sleep(0.0005);
}
"""
MODES = {
    "as written": ("--as-written",),
    "controlled": ("--vus", str(VUS), "--duration", f"{SECONDS}s"),
}


@dataclass(frozen=True, slots=True)
class Run:
    """One run."""

    requests: int
    k6_cpu_s: float
    busy_ratio: float

    @property
    def k6_us_per_request(self) -> float:
        """CPU time of k6."""
        return 1e6 * self.k6_cpu_s / self.requests


async def measure(rounds: int) -> dict[tuple[str, str], list[Run]]:
    """Run each mode with each k6, alternating."""
    binaries = {name: path for name, path in (("1.x", k6_1()), ("2.x", k6_2())) if path}
    runs: dict[tuple[str, str], list[Run]] = {}
    async with guard_running() as guard:
        with tempfile.TemporaryDirectory() as folder:
            server = await demo_command(guard, Path(folder), lambda _: None)
            child = await guard.spawn("demo", [*server.argv, "0"], stdout=PIPE)
            assert child.stdout is not None
            port = listening_port((await child.stdout.readline()).decode())
            assert port is not None
            script = Path(folder, "script.js")
            await asyncio.to_thread(script.write_text, SCRIPT % (VUS, SECONDS))
            for number in range(rounds):
                for version, k6 in binaries.items():
                    for mode, options in MODES.items():
                        run = await _one_run(k6, script, options, child.pid, port, Path(folder))
                        runs.setdefault((version, mode), []).append(run)
                        sys.stderr.write(f"round {number + 1}, k6 {version} {mode}: {run}\n")
    return runs


async def _one_run(
    k6: str, script: Path, options: tuple[str, ...], pid: int, port: int, folder: Path
) -> Run:
    summary = folder / "summary.json"
    argv = [sys.executable, "-m", "tui", "run", str(script), "--headless", "--no-profile"]
    argv += ["--k6", k6, "--pid", str(pid), f"--k6-arg=--summary-export={summary}", *options]
    null = asyncio.subprocess.DEVNULL
    env = {**os.environ, "TARGET": f"http://127.0.0.1:{port}"}
    psutil.cpu_percent()
    process = await asyncio.create_subprocess_exec(*argv, stdout=null, stderr=null, env=env)
    account = CpuAccount(process.pid)
    while process.returncode is None:
        account.look()
        await asyncio.sleep(POLL_S)
    busy = psutil.cpu_percent() / 100
    requests = json.loads(summary.read_text())["metrics"]["http_reqs"]["count"]
    return Run(requests, account.seconds(of_k6=True), busy)


def table(runs: dict[tuple[str, str], list[Run]]) -> str:
    """Return medians, and ratios to the run as written."""
    lines = [f"{'':20}{'requests/s':>12}{'ratio':>8}{'k6 µs/req':>11}{'ratio':>8}{'busy':>7}"]
    for (version, mode), each in runs.items():
        pairs = list(zip(each, runs[version, "as written"], strict=True))
        requests = statistics.median(run.requests / bare.requests for run, bare in pairs)
        cost = statistics.median(
            run.k6_us_per_request / bare.k6_us_per_request for run, bare in pairs
        )
        lines.append(
            f"{f'k6 {version} {mode}':20}"
            f"{statistics.median(run.requests / SECONDS for run in each):12.0f}{requests:8.1%}"
            f"{statistics.median(run.k6_us_per_request for run in each):11.1f}{cost:8.1%}"
            f"{statistics.median(run.busy_ratio for run in each):7.0%}"
        )
    lines.append(f"medians of {len(each)} pairs of {SECONDS} s with {VUS} VUs on a trivial route")
    return "\n".join(lines)
