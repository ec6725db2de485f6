"""The kernel, the terminal, the machine and the folder of recordings."""

from __future__ import annotations

import os
from collections import namedtuple
from pathlib import Path

import pytest

from collectors.cgroup import Throttling, parse_quota
from collectors.k6.preflight import require_script
from collectors.kernel import read_kernel
from collectors.machine import read_machine
from collectors.source import SourceError
from collectors.storage import read_storage, working_folder_error
from collectors.terminal import read_terminal


def test_the_kernels_switches_are_read(tmp_path: Path) -> None:
    """From procfs, and the marks of a container from the root folder."""
    proc, root = tmp_path / "proc", tmp_path / "root"
    for path, text in {
        "sys/kernel/kptr_restrict": "1\n",
        "sys/kernel/yama/ptrace_scope": "2\n",
        "self/status": "Name:\tx\nSeccomp:\t2\n",
        "1/cgroup": "0::/kubepods/x\n",
        "kallsyms": "0000000000000000 T _text\n0000000000000000 T other\nffff",
    }.items():
        (proc / path).parent.mkdir(parents=True, exist_ok=True)
        (proc / path).write_text(text)
    facts = read_kernel(proc, root)
    assert (facts.kptr_restrict, facts.ptrace_scope) == (1, 2)
    assert (facts.has_seccomp, facts.shows_symbols, facts.container) == (True, False, "kubepods")
    (proc / "kallsyms").write_text("ffffffff81000000 T _text\nffff")
    (root / ".dockerenv").parent.mkdir()
    (root / ".dockerenv").touch()
    facts = read_kernel(proc, root)
    assert (facts.shows_symbols, facts.container) == (True, "Docker")


def test_a_kernel_that_tells_nothing(tmp_path: Path) -> None:
    """Nothing is taken for granted."""
    facts = read_kernel(tmp_path, tmp_path)
    assert (facts.kptr_restrict, facts.ptrace_scope, facts.container) == (None, None, "")
    assert not facts.has_seccomp
    assert not facts.shows_symbols


@pytest.mark.parametrize(
    ("data", "cores"),
    [(b"max 100000\n", None), (b"150000 100000\n", 1.5), (b"-1\n 100000\n", None)],
)
def test_quotas_of_both_versions(data: bytes, cores: float | None) -> None:
    """`max` and -1 are no limit."""
    assert parse_quota(data) == cores


@pytest.mark.parametrize("data", [b"", b"1", b"a b"])
def test_what_is_no_quota_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_quota(data)


def test_the_tightest_quota_counts(tmp_path: Path) -> None:
    """Of the own group and all above, of v2 and of v1's cpu controller."""
    proc, mount = tmp_path / "proc", tmp_path / "v2"
    old = tmp_path / "v1"
    (proc / "self").mkdir(parents=True)
    (proc / "7").mkdir()
    (proc / "self/mountinfo").write_text(
        f"1 0 0:1 / {mount} rw - cgroup2 x rw\n2 0 0:2 / {old} rw - cgroup x rw,cpu\n"
    )
    (proc / "7/cgroup").write_text("0::/a/b\n1:cpu:/c\n")
    for folder, quota in {"a": "300000 100000", "a/b": "max 100000", "": "400000 100000"}.items():
        (mount / folder).mkdir(parents=True, exist_ok=True)
        (mount / folder / "cpu.max").write_text(quota)
    assert Throttling(proc).quota_cores(7) == 3.0
    (old / "c").mkdir(parents=True)
    (old / "c/cpu.cfs_quota_us").write_text("50000\n")
    (old / "c/cpu.cfs_period_us").write_text("100000\n")
    assert Throttling(proc).quota_cores(7) == 0.5
    assert Throttling(proc).quota_cores(8) is None


def test_this_machine() -> None:
    """Plausible figures of a real one."""
    facts = read_machine()
    assert 1 <= facts.usable_cores <= facts.cores
    assert 0 < facts.available_bytes <= facts.memory_bytes
    assert facts.load_1m >= 0


def test_the_terminal_is_told_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what is between; foreign text is made harmless."""
    size = os.terminal_size((0, 0))
    monkeypatch.setattr(os, "get_terminal_size", lambda _: size)
    facts = read_terminal(
        {
            "TERM": "xterm\x1b[2J",
            "COLORTERM": "truecolor",
            "LC_CTYPE": "C.UTF-8",
            "LANG": "C",
            "TMUX": "/tmp/x",
            "STY": "1",
            "SSH_CONNECTION": "1",
            "NO_COLOR": "",
        }
    )
    assert (facts.term, facts.colorterm, facts.locale) == ("xterm␛[2J", "truecolor", "C.UTF-8")
    assert (facts.multiplexer, facts.is_remote, facts.no_color) == ("tmux", True, False)
    assert (facts.columns, facts.rows) == (None, None)
    assert read_terminal({"STY": "1"}).multiplexer == "screen"


def test_a_size_is_taken_from_any_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first that has one."""

    def size(stream: int) -> os.terminal_size:
        if stream < 2:
            raise OSError
        return os.terminal_size((100, 30))

    monkeypatch.setattr(os, "get_terminal_size", size)
    facts = read_terminal({})
    assert (facts.columns, facts.rows) == (100, 30)


def test_a_folder_for_recordings_is_tried_and_left_as_it_was(tmp_path: Path) -> None:
    """What is written is removed, and recordings are counted by their ending."""
    folder = tmp_path / "recordings"
    folder.mkdir(mode=0o755)
    (folder / "a.flashpoint").touch()
    (folder / "a.flashpoint-wal").touch()
    before = sorted(folder.iterdir())
    facts = read_storage({"FLASHPOINT_STATE_DIR": str(tmp_path)})
    assert sorted(folder.iterdir()) == before
    assert (facts.is_there, facts.error, facts.recordings) == (True, "", 1)
    assert (facts.mode, facts.owner_uid, facts.uid) == (0o755, os.geteuid(), os.geteuid())
    assert facts.free_bytes is not None
    assert facts.free_bytes > 0


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """Only the one above is looked at."""
    facts = read_storage({"FLASHPOINT_STATE_DIR": str(tmp_path / "a" / "b")})
    assert (facts.is_there, facts.error) == (False, "")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_can_not_be_written_to(tmp_path: Path) -> None:
    """A file in its place, or above it."""
    (tmp_path / "recordings").touch()
    assert "irectory" in read_storage({"FLASHPOINT_STATE_DIR": str(tmp_path)}).error
    above = {"FLASHPOINT_STATE_DIR": str(tmp_path / "recordings" / "x")}
    assert "is no folder" in read_storage(above).error


def test_a_full_disk_has_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the recorder's own rule."""
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(10**12, 10**12, 10**9))
    facts = read_storage({"FLASHPOINT_STATE_DIR": str(tmp_path)})
    assert (facts.free_bytes, facts.has_room) == (10**9, False)


def test_the_folder_we_are_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writable, or removed."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    assert working_folder_error() == ""
    gone.rmdir()
    assert working_folder_error() == "it was removed"


def test_a_script_must_be_a_file(tmp_path: Path) -> None:
    """In the words of a run."""
    require_script(Path(__file__))
    with pytest.raises(SourceError, match="there is no script"):
        require_script(tmp_path)
