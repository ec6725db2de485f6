"""A recording is its owner's only, replaces nothing and goes nowhere that a name leads to."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from collectors.recording.folder import make_folder
from collectors.recording.reader import Recording
from collectors.recording.recorder import Recorder
from collectors.recording.sniff import is_recording
from collectors.source import SourceError
from tests.faults.made_up_recordings import HEADER, closed, cut_off, note, samples_of

ODD_NAMES: Final = [
    "line\nbreak.flashpoint",
    "a?mode=memory&cache=shared",
    "a#fragment",
    "100%41%00.flashpoint",
    "file:x.flashpoint",
    "file::memory:",
    ":memory:",
    " ",
    "-o",
    "~",
    "\udcff\udcfe.flashpoint",
    "\u202egnp.flashpoint",
    "a;DROP TABLE chunk.flashpoint",
    "x" * 240,
]


@pytest.fixture
def open_mask() -> Iterator[None]:
    """Have nothing taken from the rights that are asked for."""
    mask = os.umask(0)
    yield
    os.umask(mask)


def refusal(path: Path) -> SourceError:
    """Return why a recording can't begin there."""
    with pytest.raises(SourceError) as refused:
        Recorder(path, HEADER, lambda: 0.0, lambda _: None)
    assert "\n" not in str(refused.value)
    assert refused.value.hint
    return refused.value


def contents(folder: Path) -> dict[str, tuple[int, int, int, bytes]]:
    """Return type, rights, time and bytes of everything in a folder."""
    found = {}
    for each in sorted(folder.rglob("*")):
        status = each.lstat()
        content = each.read_bytes() if stat.S_ISREG(status.st_mode) else b""
        found[str(each)] = (status.st_mode, status.st_mtime_ns, status.st_ino, content)
    return found


def put(kind: str, path: Path, victim: Path) -> None:
    """Have something at a path before a recording is made there."""
    match kind:
        case "file":
            path.write_bytes(b"theirs")
        case "empty file":
            path.touch()
        case "link":
            path.symlink_to(victim)
        case "link to nothing":
            path.symlink_to(victim.with_name("not there yet"))
        case "link to itself":
            path.symlink_to(path)
        case "hard link":
            path.hardlink_to(victim)
        case "pipe":
            os.mkfifo(path)
        case "socket":
            os.mknod(path, stat.S_IFSOCK | 0o600)
        case "folder":
            path.mkdir()
        case "recording":
            closed(path, [note(1)])
        case _:
            raise AssertionError(kind)


KINDS: Final = [
    *("file", "empty file", "link", "link to nothing", "link to itself", "hard link"),
    *("pipe", "socket", "folder", "recording"),
]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_there_already_is_left_as_it_is(kind: str, tmp_path: Path) -> None:
    path, victim = tmp_path / "x.flashpoint", tmp_path / "victim"
    victim.write_bytes(b"theirs too")
    put(kind, path, victim)
    before = contents(tmp_path)
    assert "is there already" in refusal(path).message
    assert contents(tmp_path) == before


@pytest.mark.parametrize("end", ["-wal", "-shm", "-journal"])
@pytest.mark.parametrize("kind", ["file", "link", "link to nothing", "hard link", "pipe"])
def test_what_lies_beside_it_is_not_written_to(kind: str, end: str, tmp_path: Path) -> None:
    """SQLite would take these for its own."""
    path, victim = tmp_path / "x.flashpoint", tmp_path / "victim"
    victim.write_bytes(b"theirs too")
    before = victim.stat()
    put(kind, Path(f"{path}{end}"), victim)
    closed(path, [note(1)])
    assert samples_of(path) == [note(1)]
    assert victim.read_bytes() == b"theirs too"
    assert victim.stat().st_mtime_ns == before.st_mtime_ns
    assert sorted(each.name for each in tmp_path.iterdir()) == ["victim", "x.flashpoint"]


def test_a_folder_beside_it_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "x.flashpoint"
    Path(f"{path}-wal").mkdir()
    assert "can't record to" in refusal(path).message
    assert not path.exists()


@pytest.mark.parametrize("path", ["/dev/null", "/dev/full", "/proc/self/x", "/dev/null/x", "/"])
def test_devices_and_what_is_no_folder_are_refused(path: str) -> None:
    refusal(Path(path))


def test_names_that_no_file_can_have_are_refused(tmp_path: Path) -> None:
    assert "can't record to" in refusal(tmp_path / "a\0b").message
    assert "can't record to" in refusal(tmp_path / ("x" * 300)).message
    assert "can't record to" in refusal(tmp_path / "not there" / "x").message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_name_is_only_a_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that SQLite would take for an address, and relative to where we are."""
    monkeypatch.chdir(tmp_path)
    path = Path(name)
    closed(path, [note(1)])
    assert os.listdir(tmp_path) == [name]
    assert is_recording(path)
    assert samples_of(path) == [note(1)]
    cut_off(tmp_path / f"{name[:100]}2", [note(2)])
    assert samples_of(tmp_path / f"{name[:100]}2") == [note(2)]


@pytest.mark.usefixtures("open_mask")
def test_only_its_owner_may_read_it_whatever_the_mask(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "flashpoint" / "recordings"
    make_folder(folder)
    for each in (folder, folder.parent, folder.parent.parent):
        assert each.stat().st_mode & 0o777 == 0o700
    path = folder / "x.flashpoint"
    recorder = Recorder(path, HEADER, lambda: 0.0, lambda _: None)
    recorder.add(note(1))
    assert recorder.flush()
    rights = {each.name: each.stat().st_mode & 0o777 for each in folder.iterdir()}
    assert rights == {
        "x.flashpoint": 0o600,
        "x.flashpoint-wal": 0o600,
        "x.flashpoint-shm": 0o600,
    }
    recorder.close()
    assert [each.name for each in folder.iterdir()] == ["x.flashpoint"]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", ["file", "link to nothing", "link to itself", "pipe"])
def test_a_folder_can_not_be_made_of_something_else(kind: str, tmp_path: Path) -> None:
    place = tmp_path / "state"
    put(kind, place, tmp_path / "victim")
    before = contents(tmp_path)
    for folder in (place, place / "recordings"):
        with pytest.raises(SourceError) as refused:
            make_folder(folder)
        assert "\n" not in str(refused.value)
    assert contents(tmp_path) == before


def test_a_folder_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir(mode=0o750)
    before = folder.stat()
    make_folder(folder)
    assert folder.stat() == before


@pytest.mark.timeout(5)
@pytest.mark.parametrize("kind", ["folder", "pipe", "socket", "link to itself", "link to nothing"])
def test_what_is_no_file_is_not_read(kind: str, tmp_path: Path) -> None:
    """Above all it is not waited for."""
    path = tmp_path / "x.flashpoint"
    put(kind, path, tmp_path / "victim")
    assert not is_recording(path)
    with pytest.raises(SourceError) as refused:
        Recording(path)
    assert "\n" not in str(refused.value)


def test_names_that_no_file_can_have_are_not_read(tmp_path: Path) -> None:
    for name in ("a\0b", "x" * 300, "not/there", ""):
        assert not is_recording(tmp_path / name)
        with pytest.raises(SourceError):
            Recording(tmp_path / name)


def test_nothing_is_taken_out_of_a_pipe(tmp_path: Path) -> None:
    """Whoever reads it next gets all of it."""
    ours, theirs = os.pipe()
    with closing(os.fdopen(ours, "rb")) as source:
        os.write(theirs, b"main;work 5\n")
        os.close(theirs)
        assert not is_recording(Path(f"/dev/fd/{ours}"))
        assert source.read() == b"main;work 5\n"


def test_a_link_to_a_recording_is_read_with_its_log(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    path = cut_off(tmp_path / "elsewhere" / "x.flashpoint", [note(1), note(2)])
    link = tmp_path / "newest.flashpoint"
    link.symlink_to(path)
    assert samples_of(link) == [note(1), note(2)]


def test_a_link_to_a_recording_that_is_being_made_is_live(tmp_path: Path) -> None:
    path, link = tmp_path / "x.flashpoint", tmp_path / "newest.flashpoint"
    link.symlink_to(path)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.recording_child", str(path), "1", "1000"],
        stdout=subprocess.PIPE,
    ) as writer:
        try:
            assert writer.stdout is not None
            writer.stdout.readline()
            with closing(Recording(link)) as recording:
                assert recording.is_live
                assert not recording.is_unclean
        finally:
            writer.kill()
