"""Processes that vanish under our eyes, pids that others get, names that nobody should have."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
from itertools import count
from pathlib import Path
from typing import Final

import pytest

from collectors import host_reader, process_tree
from collectors.host_deltas import HostDeltas
from collectors.host_reader import HostReader
from collectors.perf.names import ProcessNames
from collectors.process_tree import ProcessTable, read_small, read_stat
from collectors.samples import Role
from collectors.text import sanitise
from tests.faults.conftest import Report
from tests.faults.mutation import SEED

VANISHING: Final = 10_000
CHILD: Final = """
import ctypes, sys
libc = ctypes.CDLL(None)
for line in sys.stdin:
    libc.prctl(15, bytes.fromhex(line) + bytes(1), 0, 0, 0)
    print("named", flush=True)
"""
"""Takes every name that it is told (PR_SET_NAME of prctl(2))."""
HOSTILE: Final = (
    *(b"\x1b]0;pwned\x07", b"\x1b[2J", b"a\nb", b"\n\n1/1 1.0: 1", b"\xff\xfe\x80", b"\xc2\x9b2J"),
    *(b"a) R 1 1 1", b"((((((", b"))))))", b") (", "\u202eexe.k6".encode(), b"\t\t\t\t", b"\x7f"),
)

pytestmark = pytest.mark.timeout(120)


def stat_line(pid: int, name: bytes, parent: int, start: int, *, cpu: int = 10) -> bytes:
    """Return a line of `/proc/PID/stat` (proc_pid_stat(5))."""
    return b"%d (%s) S %d 1 1 0 -1 4194560 1 0 0 0 %d %d 0 0 20 0 1 0 %d 1000 5 1\n" % (
        *(pid, name, parent, cpu, cpu, start),
    )


class MadeUpProc:
    """A `/proc` of our own making."""

    def __init__(self, folder: Path) -> None:
        self.path = folder
        (folder / "stat").write_bytes(b"cpu  1 1 1 1 1 1 1 1 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n")
        (folder / "meminfo").write_bytes(b"MemTotal: 100 kB\nMemAvailable: 50 kB\n")

    def put(self, pid: int, parent: int, start: int, name: bytes = b"app", cpu: int = 10) -> None:
        """Let there be a process."""
        folder = self.path / str(pid)
        (folder / "task" / str(pid)).mkdir(parents=True, exist_ok=True)
        (folder / "stat").write_bytes(stat_line(pid, name, parent, start, cpu=cpu))
        for comm in (folder / "comm", folder / "task" / str(pid) / "comm"):
            comm.write_bytes(name + b"\n")


def test_a_pid_that_another_program_gets_is_not_ours(report: Report, tmp_path: Path) -> None:
    """Neither as a root nor below one: who started at another time is a stranger."""
    tries = passed = 0
    for is_root in (True, False):
        for born_later in (1, 100, 100_000):
            for role in (Role.TARGET, Role.GENERATOR, Role.MONITOR):
                folder = tmp_path / str(tries)
                folder.mkdir()
                proc = MadeUpProc(folder)
                proc.put(100, 1, 5_000)
                proc.put(101, 100, 5_100)
                seconds = count(1.0)
                reader, deltas = HostReader(seconds.__next__, folder), HostDeltas()
                roots = {role: [100, 101] if role is Role.MONITOR else [100]}
                deltas.feed(reader.read(roots))
                proc.put(100 if is_root else 101, 1, 5_100 + born_later, b"other", cpu=900_000)
                reading = reader.read(roots)
                (counters,) = reading.roles.values()
                seen = {(each.pid, each.start_ticks) for each in counters.processes}
                sample = deltas.feed(reading)
                tries += 1
                passed += (
                    seen <= {(100, 5_000), (101, 5_100)}
                    and sample is not None
                    and all(each.cpu_seconds == 0 for each in sample.roles)
                )
    report(
        "a pid of ours is got by another program",
        tries=tries,
        passed=passed,
        figure="0 taken for ours",
        target="never taken for ours",
    )


def test_perf_does_not_go_on_with_a_stranger(report: Report, tmp_path: Path) -> None:
    """When perf has to be started again, a pid that somebody else has got is no target any more."""
    tries = 50
    passed = 0
    for number in range(tries):
        folder = tmp_path / str(number)
        folder.mkdir()
        proc = MadeUpProc(folder)
        proc.put(100, 1, 5_000)
        names = ProcessNames(time.monotonic, 60.0, [100], folder)
        proc.put(200, 100, 6_100)
        assert names(200, 200) == ("app", "app")
        assert names.living() == {100, 200}
        proc.put(100, 1, 7_000 + number, b"other")
        proc.put(200, 1, 7_000 + number, b"other")
        passed += names.living() == set()
    report(
        "a pid of the target is got by another program before perf starts again",
        tries=tries,
        passed=passed,
        figure="0 profiled",
        target="never profiled",
    )


def test_processes_that_vanish_while_they_are_read(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Listed and gone, half gone, hidden, cut: left out, and those that stay are counted."""
    rng = random.Random(SEED)
    proc = MadeUpProc(tmp_path)
    proc.put(100, 1, 5_000)
    proc.put(101, 100, 5_100)
    stays = {100, 101}

    def flaky(path: str | Path) -> bytes:
        pid = int(str(path).removeprefix(f"{tmp_path}/").split("/")[0])
        if pid in stays:
            return read_small(path)
        match rng.randrange(6):
            case 0:
                raise FileNotFoundError(path)
            case 1:
                raise ProcessLookupError(path)
            case 2:
                raise PermissionError(path)
            case 3:
                return b""
            case 4:
                return stat_line(pid, b"gone", 100, 6_000)[: rng.randrange(40)]
            case _:
                return stat_line(pid, b"gone", 100, 6_000 + pid)

    pids = [*range(1_000, 1_000 + VANISHING), *stays]
    monkeypatch.setattr(process_tree, "list_pids", lambda _: pids)
    for module in (process_tree, host_reader):
        monkeypatch.setattr(module, "read_small", flaky)
    reader = HostReader(time.monotonic, tmp_path)
    passed = 0
    for _ in range(3):
        (counters,) = reader.read({Role.TARGET: [100]}).roles.values()
        found = {each.pid for each in counters.processes}
        passed += stays <= found and len(found) <= len(pids)
    report(
        f"{VANISHING} processes vanish between two looks at them",
        tries=3,
        passed=passed,
        figure="0 errors",
        target="left out, no error",
    )


async def test_real_processes_that_vanish(report: Report, is_full: bool) -> None:
    """A storm of short-lived processes below the target leaves readings whole."""
    storms = 20_000 if is_full else 2_000
    program = (
        "import os\n"
        f"for _ in range({storms}):\n"
        "    pid = os.fork()\n"
        "    if not pid: os._exit(0)\n"
        "    os.waitpid(pid, 0)\n"
    )
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    reader, deltas = HostReader(time.monotonic), HostDeltas()
    readings, most = 0, 0.0
    ending = asyncio.create_task(child.wait())
    try:
        while not (await asyncio.wait({ending}, timeout=0.05))[0]:
            reading = await asyncio.to_thread(reader.read, {Role.TARGET: [child.pid]})
            sample = deltas.feed(reading)
            readings += 1
            if sample is not None:
                cores = sum(role.cpu_seconds for role in sample.roles) / sample.interval_s
                # Counters of the kernel go by hundredths of seconds, and so do short intervals.
                most = max(most, cores - 0.04 / sample.interval_s)
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()
    limit = os.cpu_count() or 1
    report(
        f"{storms} processes of the target come and go",
        tries=1,
        passed=int(child.returncode == 0 and readings > 1 and most <= limit),
        figure=f"{readings} readings, at most {max(most, 0):.1f} of {limit} cores",
        target="no error, no more than there is",
    )


def test_names_of_processes(report: Report, is_full: bool) -> None:
    """Whatever a process calls itself, it is found by its pid and its name can be shown."""
    rng = random.Random(SEED)
    many = 2_000 if is_full else 200
    made_up = [bytes(rng.choices(range(1, 256), k=rng.randint(1, 15))) for _ in range(many)]
    argument = bytes(rng.choices([*range(1, 256)], k=4_096))
    child = subprocess.Popen(
        [sys.executable.encode(), b"-c", CHILD.encode(), argument],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    passed = 0
    table, reader = ProcessTable(), HostReader(time.monotonic)
    try:
        for name in (*HOSTILE, *made_up):
            child.stdin.write(name.hex().encode() + b"\n")
            child.stdin.flush()
            assert child.stdout.readline() == b"named\n"
            stat = read_stat(child.pid)
            names = ProcessNames(time.monotonic, 0.0, [child.pid])(child.pid, child.pid)
            assert stat is not None
            assert names is not None
            passed += (
                stat.pid == child.pid
                and stat.parent == os.getpid()
                and stat.name == sanitise(name[:15], 64) == names[0] == names[1]
            )
        table.refresh()
        assert table.parents[child.pid] == os.getpid()
        (counters,) = reader.read({Role.TARGET: [child.pid]}).roles.values()
        assert [each.pid for each in counters.processes] == [child.pid]
    finally:
        child.kill()
        child.wait()
        child.stdin.close()
        child.stdout.close()
    tries = len(HOSTILE) + many
    report(
        "hostile names of processes, and 4096 bytes of argument",
        tries=tries,
        passed=passed,
        figure=f"{tries - passed} not shown as they should be",
        target="found by pid, sanitised",
    )
