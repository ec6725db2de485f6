from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from collectors import session_cgroup
from collectors.cgroup import Throttling
from collectors.guard_start import guard_running
from collectors.process import PIPE, Guard
from collectors.process_tree import read_stat
from collectors.session_cgroup import (
    SessionCgroup,
    end_dead_sessions,
    make_session_cgroup,
    own_folders,
)

START = 4711
"""Of this process, in the made-up `/proc`."""


class Kernel:
    """The module's `os`: folders that it makes are groups, and groups go with their files."""

    def __init__(self, new_files: Mapping[str, str]) -> None:
        self._new_files = new_files

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def mkdir(self, path: str, mode: int) -> None:
        os.mkdir(path, mode)
        for name, text in self._new_files.items():
            (Path(path) / name).write_text(text)

    def rmdir(self, path: str) -> None:
        for file in Path(path).iterdir():
            file.unlink()
        os.rmdir(path)


class Machine:
    """A made-up `/proc`, and a cgroup v2 that we are in; a folder made in it becomes a group."""

    def __init__(self, folder: Path) -> None:
        self.proc = folder / "proc"
        self.own = folder / "my groups" / "app"
        self.own.mkdir(parents=True)
        (self.proc / "self").mkdir(parents=True)
        for name in ("cgroup.procs", "cgroup.subtree_control"):
            (self.own / name).touch()
        self.new_files = {"cgroup.type": "domain\n", "cgroup.kill": "", "cgroup.procs": ""}
        self.kernel = Kernel(self.new_files)
        escaped = str(self.own.parent).replace(" ", "\\040")
        self.describe("0::/pod/app\n", f"41 31 0:38 /pod {escaped} rw - cgroup2 cgroup2 rw\n")
        self.add_process(os.getpid(), START)

    def describe(self, membership: str, mounts: str) -> None:
        (self.proc / "self" / "cgroup").write_text(membership)
        (self.proc / "self" / "mountinfo").write_text(mounts)

    def add_process(self, pid: int, start_ticks: int, state: str = "S") -> None:
        (self.proc / str(pid)).mkdir()
        fields = " ".join([state, *["0"] * 18, str(start_ticks), "0", "0"])
        (self.proc / str(pid) / "stat").write_text(f"{pid} (a) b) {fields}\n")

    def add_group(self, name: str) -> Path:
        (self.own / name).mkdir()
        return self.own / name

    def make(self) -> SessionCgroup | None:
        return make_session_cgroup(str(self.proc))

    def made(self) -> list[str]:
        return sorted(each.name for each in self.own.iterdir() if each.is_dir())


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path)
    monkeypatch.setattr(session_cgroup, "os", machine.kernel)
    return machine


HYBRID = """\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
"""
PURE = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
CONTAINER = "9 8 0:26 /pod/x /my\\040groups ro - cgroup2 cgroup rw\n"


@pytest.mark.parametrize(
    ("membership", "mounts", "folders"),
    [
        ("3:cpu:/a\n0::/\n", HYBRID, ["/sys/fs/cgroup/unified"]),
        ("0::/user.slice/a b\n", PURE, ["/sys/fs/cgroup/user.slice/a b"]),
        ("0::/pod/x/y\n", CONTAINER, ["/my groups/y"]),
        ("0::/pod/x\n", CONTAINER + PURE, ["/my groups", "/sys/fs/cgroup/pod/x"]),
        ("0::/pod/xy\n", CONTAINER, []),
        ("0::/../elsewhere\n", PURE, []),
        ("0::/\n", PURE.replace(" / ", " /.. ", 1), []),
        ("3:cpu:/a\n", HYBRID, []),
        ("0::/\n", "", []),
        ("0::/\n", "41 31\n - cgroup2\n", []),
    ],
)
def test_where_our_group_is_mounted(
    machine: Machine, membership: str, mounts: str, folders: list[str]
) -> None:
    """Anywhere, beside v1 or alone, from its root or from below; not where a namespace hides it."""
    machine.describe(membership, mounts)
    assert own_folders(str(machine.proc)) == folders


def test_a_group_is_made_and_removed(machine: Machine) -> None:
    """Its name tells who made it, and nobody else may look in."""
    group = machine.make()
    assert group is not None
    assert machine.made() == [f"flashpoint-{os.getpid()}-{START}"]
    assert Path(group.folder).stat().st_mode & 0o777 == 0o700
    group.enter()
    group.kill()
    assert (Path(group.folder) / "cgroup.procs").read_text() == "0"
    assert (Path(group.folder) / "cgroup.kill").read_text() == "1"
    assert group.remove()
    assert machine.made() == []


@pytest.mark.parametrize("name", ["self/cgroup", "self/mountinfo", "{pid}/stat"])
def test_without_proc_there_is_none(machine: Machine, name: str) -> None:
    """And no error."""
    (machine.proc / name.format(pid=os.getpid())).unlink()
    assert machine.make() is None
    assert machine.made() == []


def test_an_old_kernel_has_none(machine: Machine) -> None:
    """Before Linux 5.14 there is no `cgroup.kill`: the folder does not stay."""
    del machine.new_files["cgroup.kill"]
    assert machine.make() is None
    assert machine.made() == []


def test_a_group_of_threads_has_none(machine: Machine) -> None:
    """Processes can't enter it."""
    machine.new_files["cgroup.type"] = "domain invalid\n"
    assert machine.make() is None
    assert machine.made() == []


@pytest.mark.parametrize("error", [PermissionError, OSError(30, "Read-only file system")])
def test_where_nothing_may_be_made_there_is_none(
    machine: Machine, error: OSError, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No delegation, or a container's view."""

    def refuse(path: str, mode: int) -> None:
        raise error

    monkeypatch.setattr(machine.kernel, "mkdir", refuse)
    assert machine.make() is None


def test_where_nothing_may_be_moved_there_is_none(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The right to leave a group is that of writing to the one above both."""
    monkeypatch.setattr(machine.kernel, "access", lambda path, mode: "procs" not in path)
    assert machine.make() is None
    assert machine.made() == []


@pytest.mark.parametrize(
    ("name", "text", "is_made"),
    [
        ("cgroup.subtree_control", "cpu memory\n", False),
        ("cpu.max", "150000 100000\n", False),
        ("cpu.max", "max 100000\n", True),
        ("memory.max", "1073741824\n", False),
        ("memory.max", "max\n", True),
        ("memory.high", "1073741824\n", False),
        ("memory.swap.max", "0\n", False),
        ("pids.max", "4915\n", True),
    ],
)
def test_what_children_get_does_not_change(
    machine: Machine, name: str, text: str, is_made: bool
) -> None:
    """No controllers; and no limit that k6 finds in its own group only is hidden from it."""
    (machine.own / name).write_text(text)
    assert (machine.make() is not None) == is_made


def test_dead_sessions_are_ended_and_no_others(machine: Machine) -> None:
    """A pid that somebody else has got since is dead; what has another name is not ours."""
    machine.add_process(7, 100)
    machine.add_process(8, 100, "Z")
    dead = ("flashpoint-6-100", "flashpoint-7-99", "flashpoint-8-100")
    others = ("flashpoint-7-100", "flashpoint-7", "flashpoint-6-100.scope", "app-6-100")
    for name in (*dead, *others):
        machine.add_group(name)
    (machine.own / "flashpoint-6-101").symlink_to(machine.own / "app-6-100")
    group = machine.make()
    assert group is not None
    assert machine.made() == sorted([*others, Path(group.folder).name, "flashpoint-6-101"])


def test_a_session_of_another_pid_namespace_lives_while_its_lock_is_held(machine: Machine) -> None:
    """Its pid says nothing here."""
    folder = machine.add_group("flashpoint-6-100")
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    end_dead_sessions(str(machine.own), str(machine.proc))
    assert folder.exists()
    os.close(lock)
    end_dead_sessions(str(machine.own), str(machine.proc))
    assert not folder.exists()


def test_another_users_session_is_left_alone(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever owns it ends it."""
    folder = machine.add_group("flashpoint-6-100")
    monkeypatch.setattr(machine.kernel, "geteuid", lambda: 12345)
    end_dead_sessions(str(machine.own), str(machine.proc))
    assert folder.exists()


def test_a_dead_session_that_does_not_end_holds_nobody_up(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them get their SIGKILL, though the time is over with the first."""
    folders = [machine.add_group(f"flashpoint-6-{start}") for start in (1, 2, 3)]
    for folder in folders:
        (folder / "cgroup.kill").touch()

    def refuse(path: str) -> None:
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(machine.kernel, "rmdir", refuse)
    end_dead_sessions(str(machine.own), str(machine.proc), within_s=0.05)
    assert [(folder / "cgroup.kill").read_text() for folder in folders] == ["1"] * 3


def is_there(folder: str) -> bool:
    return Path(folder).exists()


async def in_folder(guard: Guard) -> Path | None:
    """Return the group that a child is in, as it sees it itself, where the guard has one."""
    child = await guard.spawn("test", ["cat", "/proc/self/cgroup"], stdout=PIPE)
    assert child.stdout is not None
    text = (await child.stdout.read()).decode()
    assert await child.wait() == 0
    if guard.cgroup_folder is None:
        assert "flashpoint-" not in text
        return None
    folder = Path(guard.cgroup_folder)
    assert any(line.startswith("0::") and line.endswith(folder.name) for line in text.split("\n"))
    return folder


async def test_children_are_in_the_group_of_their_session(guard: Guard) -> None:
    """It is named after the guard's first process; nothing is switched on in it."""
    folder = await in_folder(guard)
    if folder is not None:
        stat = read_stat(guard.keeper_pid)
        assert stat is not None
        assert folder.name == f"flashpoint-{guard.keeper_pid}-{stat.start_ticks}"
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / "cgroup.controllers").read_text().split() == []


async def test_the_limits_above_are_found_from_within_the_group(guard: Guard) -> None:
    """A child's quota, and what throttles it, are those of this process."""
    child = await guard.spawn("test", ["sleep", "60"])
    throttling = Throttling()
    assert throttling.read(child.pid).keys() == throttling.read(os.getpid()).keys()
    assert throttling.quota_cores(child.pid) == throttling.quota_cores(os.getpid())


async def test_a_group_that_is_gone_keeps_nobody_from_starting(guard: Guard) -> None:
    """The child starts where its guard is."""
    if guard.cgroup_folder is not None:
        assert SessionCgroup(guard.cgroup_folder).remove()
    child = await guard.spawn("test", ["true"])
    assert await child.wait() == 0


SCRIPTS = {
    "a child": "",
    "a runaway": "setsid sh -c 'sleep 61 & sleep 62' &",
    "groups of its own": 'mkdir -p "$0/a/b" && echo 0 > "$0/a/b/cgroup.procs";',
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
async def test_the_group_ends_with_the_session(script: str, tmp_path: Path) -> None:
    """Whatever runs in it, and in groups that were made in it."""
    async with guard_running() as guard:
        folder = guard.cgroup_folder or str(tmp_path)
        argv = ["sh", "-c", f"{script} echo ready; exec sleep 63", folder]
        child = await guard.spawn("test", argv, stdout=PIPE)
        assert child.stdout is not None
        assert await child.stdout.read(8) == b"ready\n"
    assert guard.cgroup_folder is None or not is_there(folder)
