"""A replay starts nothing, connects to nothing and writes to nothing: the kernel's own account."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from collectors.runstate import RunState
from tests.faults.made_up_recordings import closed, cut_off, some_samples
from tests.integration.terminal import Pty
from tests.waiting import eventually

MISSING: Final = "this machine has no strace; `make test` installs it where it may"
WATCHED_S: Final = 1.5

CALLS: Final = (
    *("execve", "execveat", "connect", "bind", "open", "openat", "openat2", "creat", "truncate"),
    *("ftruncate", "unlink", "unlinkat", "rename", "renameat", "renameat2", "mkdir", "mkdirat"),
    *("link", "linkat", "symlink", "symlinkat", "mknod", "mknodat", "chmod", "fchmod", "fchmodat"),
    *("chown", "fchown", "fchownat", "utime", "utimes", "utimensat", "rmdir", "fallocate"),
)
"""Those that start or change something, or may."""
TERMINALS: Final = re.compile(r"/dev/(tty|null|ptmx|pts/\d+)")


def may_skip(env: Mapping[str, str] | None = None) -> bool:
    """Tell whether these tests may be skipped: where there is no strace, but not in CI."""
    env = os.environ if env is None else env
    return shutil.which("strace") is None and env.get("CI") != "true"


pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(60),
    pytest.mark.skipif(may_skip(), reason=MISSING),
]


def changes_something(line: str) -> bool:
    """Tell whether a line of strace is a call that starts, connects or writes."""
    found = re.match(r"\d+ +(\w+)\((.*)", line)
    if found is None or "= -1 ENOENT" in line:
        # A name that leads to nothing was only looked for; a call that goes on is told before.
        return found is not None and "O_CREAT" in line
    name, arguments = found[1], found[2]
    if name in ("open", "openat", "openat2"):
        path = re.search(r'"([^"]*)"', arguments)
        assert path is not None
        writes = re.search(r"O_(WRONLY|RDWR|CREAT|TRUNC|APPEND)", arguments) is not None
        return writes and TERMINALS.fullmatch(path[1]) is None
    return True


def everything(folder: Path) -> dict[str, tuple[int, int, int, bytes]]:
    """Return name, rights, time, length and bytes of all files of a folder."""
    return {
        each.name: (
            each.stat().st_mode,
            each.stat().st_mtime_ns,
            each.stat().st_size,
            each.read_bytes(),
        )
        for each in sorted(folder.iterdir())
    }


def changes_in(log: Path) -> list[str]:
    """Return the calls that change something."""
    lines = log.read_text(errors="replace").splitlines()
    assert len(lines) > 100, "strace has seen nothing"
    return [line for line in lines if changes_something(line)]


async def replayed(path: Path, log: Path, *texts: bytes) -> None:
    """Replay a recording for a while, and have its calls written down."""
    terminal = await Pty.start(
        ["replay", str(path)],
        env={"PYTHONDONTWRITEBYTECODE": "1"},
        under=["strace", "-f", "-qq", "-o", str(log), "-e", f"trace={','.join(CALLS)}"],
    )

    def has_been_watched() -> bool:
        seen = b"".join(chunk.data for chunk in terminal.chunks)
        chunks = terminal.chunks
        return all(text in seen for text in texts) and chunks[-1].at - chunks[0].at > WATCHED_S

    try:
        await eventually(has_been_watched, 30.0)
        terminal.press(b"q")
        assert await terminal.process.wait() == 0
    finally:
        await terminal.close()


@pytest.mark.parametrize("kind", ["closed", "cut off"])
async def test_a_replay_only_reads(kind: str, tmp_path: Path) -> None:
    """Also a recording with a log beside it, in a folder that nothing can be written to."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    path = folder / "x.flashpoint"
    state = RunState(0.0, "running", "watched.js", "1.1.0", "server", "", "as written")
    if kind == "closed":
        closed(path, [state, *some_samples(30)])
    else:
        cut_off(path, [state, *some_samples(30)])
        assert sorted(os.listdir(folder)) == [f"{path.name}{end}" for end in ("", "-shm", "-wal")]
    folder.chmod(0o500)
    before = everything(folder)
    texts = [b"watched.js"] + ([b"ended unclean"] if kind == "cut off" else [])
    log = tmp_path / "strace.txt"
    await replayed(path, log, *texts)
    changes = changes_in(log)
    starts = [line for line in changes if "execve(" in line]
    assert len(starts) == 1, "something was started"
    assert changes == starts
    assert everything(folder) == before


@pytest.mark.parametrize(
    ("line", "changes"),
    [
        ('12 openat(AT_FDCWD, "/a", O_RDONLY|O_CLOEXEC) = 3', False),
        ('12 openat(AT_FDCWD, "/a", O_RDWR|O_CREAT|O_CLOEXEC, 0644) = 3', True),
        ('12 openat(AT_FDCWD, "/a", O_RDONLY|O_CREAT, 0644) = -1 ENOENT (No such file)', True),
        ('12 openat(AT_FDCWD, "/dev/tty", O_RDWR|O_CLOEXEC) = 3', False),
        ('12 openat(AT_FDCWD, "/dev/tty/../sda", O_RDWR|O_CLOEXEC) = 3', True),
        ('12 openat(AT_FDCWD, "/a", O_WRONLY <unfinished ...>', True),
        ('12 execve("/bin/sh", ["sh"], 0x7ff /* 9 vars */) = 0', True),
        ('12 unlink("/a") = 0', True),
        ("12 connect(3, {sa_family=AF_INET}, 16) = 0", True),
        ("12 +++ exited with 0 +++", False),
    ],
)
def test_a_line_that_changes_something_is_told_from_others(line: str, changes: bool) -> None:
    assert changes_something(line) is changes


def test_these_tests_are_never_skipped_in_ci() -> None:
    assert not may_skip({"CI": "true"})
