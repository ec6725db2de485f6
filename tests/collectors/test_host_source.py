from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from collectors import host
from collectors.host import HostSource
from collectors.host_counters import HostReading, Memory
from collectors.host_reader import HostReader
from collectors.samples import HostSample, Role, Sample, SourceState, SourceStatus
from tests.waiting import eventually

BLANK = HostReading(
    at=0,
    boot_ticks=0,
    cores={},
    load_1m=0,
    memory=Memory(0, 0, 0),
    disks={},
    networks={},
    pressure=None,
    roles={},
)

Roots = Mapping[Role, Collection[int]]


class Stepper:
    """A clock that a sleeping source moves on, and stops after some sleeps."""

    def __init__(self, start: float, sleeps: int) -> None:
        self.now = start
        self.slept: list[float] = []
        self._sleeps = sleeps

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        if len(self.slept) == self._sleeps:
            raise asyncio.CancelledError
        self.slept.append(seconds)
        self.now += seconds


async def run_to_end(source: HostSource) -> list[Sample]:
    samples: list[Sample] = []
    with pytest.raises(asyncio.CancelledError):
        await source.run(samples.append)
    return samples


async def test_ticks_fall_on_whole_intervals() -> None:
    """Wherever the start is, samples come at whole multiples of the interval."""
    clock = Stepper(100.3, sleeps=4)
    source = HostSource(
        clock, interval_s=0.5, read=lambda _: replace(BLANK, at=clock.now), sleep=clock.sleep
    )
    samples = [one for one in await run_to_end(source) if isinstance(one, HostSample)]
    assert [one.at for one in samples] == [100.5, 101.0, 101.5, 102.0]


async def test_a_late_reading_skips_ticks() -> None:
    """After a reading over several intervals there is one sample, and no burst to catch up."""
    clock = Stepper(100.0, sleeps=3)
    durations = iter([0.0, 2.25, 0.0, 0.0])

    def read(_: Roots) -> HostReading:
        at = clock.now
        clock.now += next(durations)
        return replace(BLANK, at=at)

    samples = await run_to_end(HostSource(clock, read=read, sleep=clock.sleep))
    assert [one.at for one in samples if isinstance(one, HostSample)] == [101.0, 104.0, 105.0]


async def test_a_long_pause_leaves_one_gap() -> None:
    """A machine that slept for minutes gives a gap, not an average over it."""
    clock = Stepper(100.0, sleeps=4)
    jumps = iter([0.0, 0.0, 600.0, 0.0, 0.0])

    def read(_: Roots) -> HostReading:
        clock.now += next(jumps)
        return replace(BLANK, at=clock.now)

    samples = await run_to_end(HostSource(clock, read=read, sleep=clock.sleep))
    assert [one.at for one in samples if isinstance(one, HostSample)] == [101.0, 703.0, 704.0]


async def test_a_hung_reading_degrades_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """One reading is in flight at most; its hanging is told once, and so is its return."""
    monkeypatch.setattr(host, "HUNG_AFTER_S", 0.02)
    release = threading.Event()
    calls = 0

    def read(_: Roots) -> HostReading:
        nonlocal calls
        calls += 1
        release.wait(10)
        return replace(BLANK, at=time.monotonic())

    samples: list[Sample] = []
    source = HostSource(time.monotonic, interval_s=0.05, read=read)
    task = asyncio.create_task(source.run(samples.append))
    await eventually(lambda: samples)
    assert calls == 1
    release.set()
    await eventually(lambda: any(isinstance(one, HostSample) for one in samples))
    task.cancel()
    states = [one.state for one in samples if isinstance(one, SourceStatus)]
    assert states == [SourceState.DEGRADED, SourceState.LIVE]


async def test_a_reading_that_fails_is_told_once() -> None:
    """An unreadable /proc is a status with a hint, and the source goes on."""
    clock = Stepper(100.0, sleeps=3)

    def read(_: Roots) -> HostReading:
        raise PermissionError(13, "Permission denied")

    (status,) = await run_to_end(HostSource(clock, read=read, sleep=clock.sleep))
    assert isinstance(status, SourceStatus)
    assert (status.source, status.state) == ("host", SourceState.DEGRADED)
    assert "Permission denied" in status.message
    assert status.hint


async def test_a_cancelled_source_leaves_a_hung_reading_alone() -> None:
    """Cancelling does not wait for a reading that never returns."""
    release = threading.Event()

    def read(_: Roots) -> HostReading:
        release.wait(10)
        return BLANK

    task = asyncio.create_task(HostSource(read=read).run(lambda _: None))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    release.set()


def test_this_machine_is_read_in_time() -> None:
    """A reading of the real machine is complete, and costs a few milliseconds."""
    reader = HostReader(time.monotonic)
    roots = {Role.TARGET: [os.getppid()], Role.MONITOR: [os.getpid()]}
    reader.read(roots)
    costs_s = []
    for _ in range(10):
        begin = time.thread_time()
        reading = reader.read(roots)
        costs_s.append(time.thread_time() - begin)
    assert min(costs_s) < 0.010
    assert reading.cores
    assert reading.memory.total_bytes > reading.memory.used_bytes > 0
    (monitor,) = reading.roles[Role.MONITOR].processes
    assert (monitor.pid, monitor.own_cpu_s > 0) == (os.getpid(), True)
    assert os.getpid() not in [one.pid for one in reading.roles[Role.TARGET].processes]
    assert monitor.open_files == len(os.listdir("/proc/self/fd")) - 1
    assert monitor.switches


def test_an_orphan_stays_with_its_role() -> None:
    """A process whose parent ends is still its role's, though its parent is another one."""
    script = (
        "import os, sys, time\n"
        "if os.fork() == 0:\n"
        "    print(os.getpid(), flush=True); sys.stdin.read(); os._exit(0)\n"
        "sys.stdin.read(1)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdin
        assert parent.stdout
        orphan = int(parent.stdout.readline())
        reader = HostReader(time.monotonic)
        roots = {Role.TARGET: [parent.pid]}

        def seen() -> set[int]:
            return {one.pid for one in reader.read(roots).roles[Role.TARGET].processes}

        assert seen() == {parent.pid, orphan}
        parent.kill()
        parent.wait()
        assert seen() == {orphan}


def test_hidden_processes_and_devices_are_none(tmp_path: Path) -> None:
    """With nothing but a stat to read the rest is unknown, and nothing fails."""
    (tmp_path / "7").mkdir()
    fields = b" ".join([b"7 (x) S 1", *[b"0"] * 40])
    (tmp_path / "7" / "stat").write_bytes(fields)
    (tmp_path / "stat").write_bytes(b"cpu0 1 2 3 4 5 6 7 8\n")
    (tmp_path / "meminfo").write_bytes(b"MemTotal: 8 kB\n")
    reading = HostReader(time.monotonic, tmp_path).read({Role.TARGET: [7, 8]})
    (process,) = reading.roles[Role.TARGET].processes
    assert (process.open_files, process.read_bytes, process.switches) == (None, None, None)
    assert reading.pressure is None
