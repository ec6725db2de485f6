"""What flashpoint costs: its own CPU, and k6's, beside the same run of k6 without it.

Each round runs k6 alone, k6 under flashpoint on a terminal of 160×48 with perf at 99 Hz, and k6
with `--out json`, one after the other, with the same script against the same server. CPU times are
read from outside, from /proc, in the same way for all three.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from collectors.guard_start import guard_running
from collectors.k6.binary import find_k6
from collectors.process import PIPE
from tests.integration.terminal import Pty
from tui.demo.build import demo_command, listening_port, script_path

SECONDS = 15
POLL_S = 0.1
VARIANTS = ("k6 alone", "k6 under flashpoint", "k6 --out json")


@dataclass(frozen=True, slots=True)
class Run:
    """One run of k6."""

    requests: int
    k6_cpu_s: float
    monitor_cpu_s: float
    """While the load ran."""
    busy_ratio: float
    """Of the whole machine."""
    start_cpu_s: float = 0.0
    """What the monitor used before the load ran."""
    loaded_s: float = SECONDS

    @property
    def k6_us_per_request(self) -> float:
        """CPU time of k6."""
        return 1e6 * self.k6_cpu_s / self.requests


class CpuAccount:
    """Adds up the CPU seconds of processes below one, by what they are."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._seconds: dict[tuple[int, float], tuple[bool, float]] = {}

    def look(self) -> None:
        """Read all processes once more."""
        try:
            root = psutil.Process(self._root)
            processes = [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        for process in processes:
            try:
                times = process.cpu_times()
                key = (process.pid, process.create_time())
                # What asks k6 about a script is the monitor's. A process that ends has no words.
                is_k6 = process.name() == "k6" and "run" in process.cmdline()[:2]
                is_k6 = is_k6 or self._seconds.get(key, (False, 0.0))[0]
            except psutil.Error:
                continue
            self._seconds[key] = (is_k6, times.user + times.system)

    def seconds(self, *, of_k6: bool) -> float:
        """Return what k6, or all others, have used."""
        return sum(used for is_k6, used in self._seconds.values() if is_k6 is of_k6)


async def measure(rounds: int) -> dict[str, list[Run]]:
    """Run every variant `rounds` times, alternating."""
    runs: dict[str, list[Run]] = {name: [] for name in VARIANTS}
    async with guard_running() as guard:
        with tempfile.TemporaryDirectory() as folder:
            server = await demo_command(guard, Path(folder), lambda _: None)
            child = await guard.spawn("demo", [*server.argv, "0"], stdout=PIPE)
            assert child.stdout is not None
            port = listening_port((await child.stdout.readline()).decode())
            env = {"TARGET": f"http://127.0.0.1:{port}", "DURATION": f"{SECONDS}s"}
            for number in range(rounds):
                for name in VARIANTS:
                    run = await one_run(name, child.pid, env, Path(folder))
                    runs[name].append(run)
                    sys.stderr.write(f"round {number + 1}, {name}: {run}\n")
    return runs


async def one_run(name: str, server_pid: int, env: dict[str, str], folder: Path) -> Run:
    """Run one variant and account for it."""
    summary = folder / "summary.json"
    k6 = [find_k6(None, os.environ), "run", "--quiet", "--no-usage-report", "--address", ""]
    k6 += ["--summary-export", str(summary), str(script_path())]
    psutil.cpu_percent()
    start_cpu_s, loaded_s = 0.0, float(SECONDS)
    if name == "k6 under flashpoint":
        export = f"--k6-arg=--summary-export={summary}"
        terminal = await Pty.start(
            ["run", str(script_path()), "--as-written", "--pid", str(server_pid), export], env=env
        )
        account = CpuAccount(terminal.process.pid)
        started: tuple[float, float] | None = None
        while not any(b"stopped" in chunk.data for chunk in terminal.chunks):
            account.look()
            if started is None and any("● running".encode() in c.data for c in terminal.chunks):
                started = time.monotonic(), account.seconds(of_k6=False)
            await asyncio.sleep(POLL_S)
        account.look()
        busy, ended_at = psutil.cpu_percent() / 100, time.monotonic()
        await terminal.close()
        assert started is not None
        start_cpu_s, loaded_s = started[1], ended_at - started[0]
    else:
        if name == "k6 --out json":
            k6 += ["--out", f"json={folder / 'out.json'}"]
        null = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(
            *k6, stdout=null, stderr=null, env={**os.environ, **env}
        )
        account = CpuAccount(process.pid)
        while process.returncode is None:
            account.look()
            await asyncio.sleep(POLL_S)
        busy = psutil.cpu_percent() / 100
    requests = json.loads(summary.read_text())["metrics"]["http_reqs"]["count"]
    monitor_cpu_s = account.seconds(of_k6=False) - start_cpu_s
    k6_cpu_s = account.seconds(of_k6=True)
    return Run(requests, k6_cpu_s, monitor_cpu_s, busy, start_cpu_s, loaded_s)


def table(runs: dict[str, list[Run]]) -> str:
    """Return medians, and ratios to k6 alone."""
    alone = runs[VARIANTS[0]]
    lines = [f"{'':22}{'requests/s':>12}{'k6 µs/req':>11}{'ratio':>8}{'monitor':>9}{'busy':>7}"]
    for name, each in runs.items():
        pairs = zip(each, alone, strict=True)
        ratio = _median(run.k6_us_per_request / bare.k6_us_per_request for run, bare in pairs)
        lines.append(
            f"{name:22}{_median(r.requests / SECONDS for r in each):12.0f}"
            f"{_median(r.k6_us_per_request for r in each):11.1f}{ratio:8.1%}"
            f"{_median(r.monitor_cpu_s / r.loaded_s for r in each):9.1%}"
            f"{_median(r.busy_ratio for r in each):7.0%}"
        )
    lines.append(f"medians of {len(alone)} rounds of {SECONDS} s; monitor: share of one core for")
    lines.append("flashpoint, its guard, perf record and perf script; busy: of the whole machine")
    starting = _median(run.start_cpu_s for run in runs[VARIANTS[1]])
    lines.append(f"before the load runs, flashpoint and perf use {starting:.1f} s of CPU to start")
    return "\n".join(lines)


def _median(values: Iterable[float]) -> float:
    return statistics.median(values)
