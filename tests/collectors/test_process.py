from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from collectors.ending import descendants
from collectors.guard_start import guard_running
from collectors.process import PIPE, STDOUT, Guard
from collectors.source import SourceError
from tests.waiting import eventually


def gone(pid: int) -> bool:
    """A zombie is dead, it only has not been reaped."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def test_output_and_exit_status_of_a_child_arrive(guard: Guard) -> None:
    """Both streams are read whole and the exit status is the program's own."""
    child = await guard.spawn(
        "test", ["sh", "-c", "echo out; echo err >&2; exit 7"], stdout=PIPE, stderr=PIPE
    )
    assert child.stdout is not None
    assert child.stderr is not None
    assert await child.stdout.read() == b"out\n"
    assert await child.stderr.read() == b"err\n"
    assert await child.wait() == 7


async def test_stderr_can_go_where_stdout_goes(guard: Guard) -> None:
    """`STDOUT` joins the two streams."""
    child = await guard.spawn("test", ["sh", "-c", "echo a >&2"], stdout=PIPE, stderr=STDOUT)
    assert child.stdout is not None
    assert await child.stdout.read() == b"a\n"


async def test_children_can_be_piped_into_each_other(guard: Guard) -> None:
    """A descriptor passed as stdout of one and stdin of another joins them."""
    reader, writer = os.pipe()
    first = await guard.spawn("first", ["printf", "b\\na\\n"], stdout=writer)
    os.close(writer)
    second = await guard.spawn("second", ["sort"], stdin=reader, stdout=PIPE)
    os.close(reader)
    assert second.stdout is not None
    assert await second.stdout.read() == b"a\nb\n"
    assert (await first.wait(), await second.wait()) == (0, 0)


async def test_a_missing_program_is_a_clear_error(guard: Guard) -> None:
    """The error names the program, and no descriptor is left open."""
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(SourceError, match="no-such-program: No such file"):
        await guard.spawn("test", ["/no-such-program"], stdout=PIPE, stderr=PIPE)
    assert len(os.listdir("/proc/self/fd")) == before


async def test_environment_and_folder_are_the_ones_given(guard: Guard, tmp_path: Path) -> None:
    """Nothing but the given environment reaches the child; bytes that are no UTF-8 survive."""
    env = {"PATH": os.environ["PATH"], "ODD": os.fsdecode(b"\xff"), "BIG": "x" * 100_000}
    child = await guard.spawn(
        "test", ["sh", "-c", 'pwd; printf %s "$ODD"; env'], env=env, cwd=str(tmp_path), stdout=PIPE
    )
    assert child.stdout is not None
    output = await child.stdout.read()
    assert output.startswith(os.fsencode(tmp_path) + b"\n\xff")
    assert b"HOME" not in output


async def test_children_have_default_signals_and_a_session_of_their_own(guard: Guard) -> None:
    """A child must not inherit what the guard ignores."""
    child = await guard.spawn("test", ["grep", "SigIgn", "/proc/self/status"], stdout=PIPE)
    assert child.stdout is not None
    ignored = int((await child.stdout.read()).split()[1], 16)
    # 32 and 33 are the C library's own: nobody can set them, so a parent of ours may have them so.
    assert ignored & ~(1 << 31 | 1 << 32) == 0
    sleeper = await guard.spawn("test", ["sleep", "60"])
    assert os.getsid(sleeper.pid) == sleeper.pid
    assert await sleeper.stop(signal.SIGTERM) == -signal.SIGTERM


async def test_stop_kills_what_ignores_the_signal_and_its_group(guard: Guard) -> None:
    """After the grace the whole process group is killed."""
    script = "trap '' INT; sleep 60 & echo $!; wait; wait"
    child = await guard.spawn("test", ["sh", "-c", script], stdout=PIPE)
    assert child.stdout is not None
    grandchild = int(await child.stdout.read(64))
    assert await child.stop(signal.SIGINT, grace_s=0.2) == -signal.SIGKILL
    await eventually(lambda: gone(grandchild), 1.0)  # the kernel has yet to do it


async def test_many_short_children_all_end(guard: Guard) -> None:
    """Exits that come at once are all delivered."""
    children = await asyncio.gather(*(guard.spawn("test", ["true"]) for _ in range(50)))
    assert [await child.wait() for child in children] == [0] * 50


async def test_nothing_is_left_after_the_context() -> None:
    """Leaving the context ends children, and grandchildren that ran away."""
    runaway = "setsid sh -c 'setsid sleep 61 & sleep 62' & sleep 0.1; echo ready; exec sleep 63"
    async with guard_running() as guard:
        child = await guard.spawn("test", ["sh", "-c", runaway], stdout=PIPE)
        assert child.stdout is not None
        await child.stdout.read(16)
        pids = list(descendants(guard.pid))
        assert len(pids) >= 3
    assert all(gone(pid) for pid in pids)
    assert await child.wait() < 0


async def test_a_killed_guard_takes_its_children_with_it(guard: Guard) -> None:
    """The kernel ends the children; whoever waits for one learns of it."""
    child = await guard.spawn("test", ["sleep", "60"])
    os.kill(guard.pid, signal.SIGKILL)
    assert await child.wait() == -signal.SIGKILL
    with pytest.raises(SourceError, match="guard"):
        await guard.spawn("test", ["true"])


MONITOR = """
import asyncio, os, sys
from collectors.guard_start import guard_running
from collectors.process import PIPE
async def main():
    async with guard_running() as guard:
        if len(sys.argv) > 1:
            fd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
            guard.watch_terminal(fd)
            guard.screen(is_open=True)
        if folder := os.environ.get("MONITOR_FOLDER"):
            guard.remove_folder(folder)
        script = "trap '' TERM INT; setsid sleep 77 & echo ok; while :; do sleep 1; done"
        child = await guard.spawn("t", ["sh", "-c", script], stdout=PIPE)
        await child.stdout.read(8)
        print(guard.pid, child.pid, flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""


@pytest.fixture
def monitor() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts a process that has a guard with a stubborn child, to be killed by the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        started.append(
            subprocess.Popen([sys.executable, "-c", MONITOR, *arguments], stdout=subprocess.PIPE)
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


async def test_nothing_is_left_after_kill_9_of_the_monitor(
    monitor: Callable[..., subprocess.Popen[bytes]],
) -> None:
    """Within two seconds of SIGKILL, children that ignore signals and runaways are gone."""
    process = monitor()
    assert process.stdout is not None
    guard_pid, child_pid = map(int, process.stdout.readline().split())
    pids = [guard_pid, child_pid, *descendants(guard_pid)]
    assert len(pids) >= 4
    process.kill()
    await eventually(lambda: all(gone(pid) for pid in pids), within_s=2.0)


@pytest.mark.parametrize("with_guard", [False, True])
async def test_a_folder_of_ours_is_removed_after_kill_9_of_the_monitor(
    with_guard: bool,
    monitor: Callable[..., subprocess.Popen[bytes]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With what is in it; and nothing else. The keeper does it where the guard can't."""
    ours, other = tmp_path / "ours", tmp_path / "other"
    for folder in (ours, other):
        folder.mkdir()
        (folder / "token").touch()
    monkeypatch.setenv("MONITOR_FOLDER", str(ours))
    process = monitor()
    assert process.stdout is not None
    guard_pid, _ = map(int, process.stdout.readline().split())
    process.kill()
    if with_guard:
        os.kill(guard_pid, signal.SIGKILL)
    await eventually(lambda: not ours.exists(), within_s=2.0)
    assert (other / "token").exists()


@pytest.mark.parametrize("with_guard", [False, True])
async def test_the_terminal_is_restored_after_kill_9_of_the_monitor(
    with_guard: bool,
    monitor: Callable[..., subprocess.Popen[bytes]],
) -> None:
    """The guard, or the keeper, puts the modes back and leaves the alternate screen."""
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    process = monitor(os.ttyname(theirs))
    assert process.stdout is not None
    guard_pid, _ = map(int, process.stdout.readline().split())
    raw = termios.tcgetattr(theirs)
    raw[3] &= ~(termios.ECHO | termios.ICANON)
    termios.tcsetattr(theirs, termios.TCSANOW, raw)
    if with_guard:
        os.kill(guard_pid, signal.SIGKILL)
    process.kill()
    await eventually(lambda: termios.tcgetattr(theirs)[:6] == before[:6])
    assert b"\x1b[?1049l" in os.read(ours, 4096)
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize("leaves", [False, True])
async def test_the_terminal_of_a_monitor_that_lives_is_its_own(leaves: bool) -> None:
    """With its guard killed, it goes on or leaves: the keeper does not write to its screen."""
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    async with guard_running() as guard:
        keeper = guard.keeper_pid
        guard.watch_terminal(theirs)
        guard.screen(is_open=True)
        # An answer to this says that it has read what was sent before.
        await (await guard.spawn("test", ["true"])).wait()
        raw = termios.tcgetattr(theirs)
        raw[3] &= ~(termios.ECHO | termios.ICANON)
        termios.tcsetattr(theirs, termios.TCSANOW, raw)
        os.kill(guard.pid, signal.SIGKILL)
        if not leaves:
            await eventually(lambda: gone(keeper), within_s=2.0)
    assert gone(keeper)
    assert termios.tcgetattr(theirs)[:6] == raw[:6]
    with pytest.raises(BlockingIOError):
        os.read(ours, 4096)
    os.close(ours)
    os.close(theirs)


async def test_a_terminal_that_is_full_is_restored_when_it_is_read(
    monitor: Callable[..., subprocess.Popen[bytes]],
) -> None:
    """Unread output of the dead monitor neither loses the reset nor keeps its children alive."""
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    process = monitor(os.ttyname(theirs))
    assert process.stdout is not None
    guard_pid, child_pid = map(int, process.stdout.readline().split())
    pids = [guard_pid, child_pid, *descendants(guard_pid)]
    raw = termios.tcgetattr(theirs)
    raw[3] &= ~(termios.ECHO | termios.ICANON)
    termios.tcsetattr(theirs, termios.TCSANOW, raw)
    os.set_blocking(theirs, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(theirs, b"x" * 4096)
    process.kill()
    await eventually(lambda: termios.tcgetattr(theirs)[:6] == before[:6], within_s=1.0)
    os.set_blocking(ours, False)
    seen = b""

    def is_reset() -> bool:
        nonlocal seen
        with contextlib.suppress(BlockingIOError):
            seen += os.read(ours, 1 << 16)
        return b"\x1b[?1049l" in seen

    await eventually(is_reset)
    await eventually(lambda: all(gone(pid) for pid in pids), within_s=2.0)
    os.close(ours)
    os.close(theirs)
