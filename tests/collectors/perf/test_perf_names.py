from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from collectors.perf.names import EXITED, MAX_REMEMBERED, ProcessNames, boot_clock, is_running

TICKS = os.sysconf("SC_CLK_TCK")


class FakeProc:
    """A procfs of a few files."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, pid: int, tid: int, name: bytes, thread: bytes, started_s: float = 0) -> None:
        task = self.root / str(pid) / "task" / str(tid)
        task.mkdir(parents=True, exist_ok=True)
        (self.root / str(pid) / "comm").write_bytes(name + b"\n")
        (task / "comm").write_bytes(thread + b"\n")
        fields = [b"0"] * 18 + [str(int(started_s * TICKS)).encode()]
        stat = b"%d (%s) S " % (pid, name) + b" ".join(fields) + b"\n"
        (self.root / str(pid) / "stat").write_bytes(stat)

    def remove(self, pid: int) -> None:
        (self.root / str(pid)).rename(self.root / f"gone {pid}")


@pytest.fixture
def proc(tmp_path: Path) -> FakeProc:
    return FakeProc(tmp_path)


class FakeClock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def names(proc: FakeProc, clock: FakeClock, *pids: int) -> ProcessNames:
    return ProcessNames(clock, since=100.0, pids=pids, proc=proc.root)


def test_names_are_read_and_made_harmless(proc: FakeProc, clock: FakeClock) -> None:
    """A name with brackets, line ends and escapes is shown, not obeyed."""
    proc.put(7, 8, b"app) S (", b"evil\n\x1b[2J")
    assert names(proc, clock, 7)(7, 8) == ("app) S (", "evil␊␛[2J")


def test_names_are_read_anew_after_a_while(proc: FakeProc, clock: FakeClock) -> None:
    """A name is remembered for some seconds only, for threads rename themselves."""
    subject = names(proc, clock, 7)
    proc.put(7, 8, b"app", b"app")
    assert subject(7, 8) == ("app", "app")
    proc.put(7, 8, b"app", b"worker")
    clock.now += 4.9
    assert subject(7, 8) == ("app", "app")
    clock.now += 0.2
    assert subject(7, 8) == ("app", "worker")


def test_the_dead_keep_their_names(proc: FakeProc, clock: FakeClock) -> None:
    """Samples that arrive after a process has ended still have its names."""
    subject = names(proc, clock, 7)
    proc.put(7, 8, b"app", b"worker")
    subject(7, 8)
    proc.remove(7)
    clock.now += 60
    assert subject(7, 8) == ("app", "worker")


def test_what_was_never_seen_alive_has_exited(proc: FakeProc, clock: FakeClock) -> None:
    """A process too short-lived for its name is taken; an ended thread is named by its process."""
    subject = names(proc, clock, 7)
    assert subject(9, 9) == (EXITED, EXITED)
    proc.put(7, 7, b"app", b"app")
    assert subject(7, 99) == ("app", "app")


def test_only_what_perf_can_follow_is_ours(proc: FakeProc, clock: FakeClock) -> None:
    """A living process older than the recording that was not given is refused."""
    proc.put(7, 7, b"given", b"given", started_s=5)
    proc.put(8, 8, b"older", b"older", started_s=99)
    proc.put(9, 9, b"child", b"child", started_s=100.001)
    subject = names(proc, clock, 7)
    assert subject(7, 7) == ("given", "given")
    assert subject(8, 8) is None
    assert subject(8, 8) is None
    assert subject(9, 9) == ("child", "child")


def test_living_are_the_given_and_the_sampled(proc: FakeProc, clock: FakeClock) -> None:
    """To attach again, all processes of ours that still run are told."""
    proc.put(7, 7, b"given", b"given", started_s=5)
    proc.put(8, 8, b"older", b"older", started_s=99)
    for pid in (9, 10):
        proc.put(pid, pid, b"child", b"child", started_s=101)
    subject = names(proc, clock, 7, 6)
    for pid in (8, 9, 10):
        subject(pid, pid)
    proc.remove(10)
    assert subject.living() == {7, 9}


def test_memory_is_bounded(proc: FakeProc, clock: FakeClock) -> None:
    """However many process ids are made up, only so many are remembered."""
    subject = names(proc, clock)
    proc.put(7, 7, b"app", b"app", started_s=101)
    subject._names = dict.fromkeys((1, tid) for tid in range(MAX_REMEMBERED))
    assert subject(7, 7) == ("app", "app")
    assert len(subject._names) == 1


def test_real_processes_are_known() -> None:
    """This very process runs, started before now, and has the names of its threads."""
    pid, tid = os.getpid(), threading.get_native_id()
    assert is_running(pid)
    assert not is_running(2**22 + 1)
    given = ProcessNames(lambda: 0.0, boot_clock(), [pid])(pid, tid)
    assert given is not None
    assert given[0] == Path("/proc/self/comm").read_text().rstrip("\n")
    assert ProcessNames(lambda: 0.0, boot_clock() + 1, [])(pid, tid) is None
