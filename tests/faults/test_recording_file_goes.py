"""A file, its log or its folder that goes away is made again with all that was in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from collectors.recording import recorder as recorder_module
from collectors.recording.folder import make_folder
from collectors.recording.reader import Recording
from collectors.recording.recorder import Recorder
from collectors.samples import SourceState
from collectors.source import SourceError
from tests.faults.made_up_recordings import HEADER, noise, note, samples_of
from tests.faults.troubled_disk import Disk, Told, quick, recording_to
from tests.waiting import eventually

__all__ = ["quick"]

pytestmark = pytest.mark.usefixtures("quick")


def is_private(path: Path) -> bool:
    return all(each.stat().st_mode & 0o777 == 0o600 for each in path.parent.glob(f"{path.name}*"))


async def test_a_file_that_is_removed_is_there_again_with_everything(tmp_path: Path) -> None:
    path = tmp_path / "x.flashpoint"
    told = Told()
    with recording_to(path, told) as recorder:
        for serial in range(3):
            recorder.add(note(serial))
            assert recorder.flush()
            path.unlink()
            recorder.add(note(serial + 10))
            await eventually(path.exists)
            await eventually(lambda serial=serial: len(told.statuses) == serial + 1)  # type: ignore[misc]
        assert is_private(path)
    assert samples_of(path) == [note(serial) for serial in (0, 10, 1, 11, 2, 12)]
    assert told.states == [SourceState.LIVE] * 3
    assert told.statuses[0].message == "x.flashpoint was removed; it is there again"
    with closing(Recording(path)) as recording:
        assert recording.header == HEADER
        assert not recording.is_unclean


async def test_a_folder_that_is_removed_is_there_again_and_private(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "x.flashpoint"
    make_folder(path.parent)
    told = Told()
    mask = os.umask(0)
    try:
        with recording_to(path, told) as recorder:
            recorder.add(note(0))
            assert recorder.flush()
            shutil.rmtree(path.parent)
            await eventually(lambda: told.statuses)
            recorder.add(note(1))
            assert recorder.flush()
            assert path.parent.stat().st_mode & 0o777 == 0o700
            assert is_private(path)
    finally:
        os.umask(mask)
    assert samples_of(path) == [note(0), note(1)]


async def test_a_file_that_is_removed_just_before_the_end_is_there_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.flashpoint"
    with recording_to(path, Told()) as recorder:
        recorder.add(note(0))
        assert recorder.flush()
        monkeypatch.setattr(recorder_module, "CHECK_S", 1e9)
        path.unlink()
        recorder.add(note(1))
    assert samples_of(path) == [note(0), note(1)]


@pytest.mark.parametrize("kind", ["file", "link", "folder", "pipe"])
async def test_what_has_taken_its_place_is_left_alone(kind: str, tmp_path: Path) -> None:
    """It is told once; when it is gone, the recording is there again."""
    path, victim = tmp_path / "x.flashpoint", tmp_path / "victim"
    victim.write_text("theirs")
    told = Told()
    with recording_to(path, told) as recorder:
        recorder.add(note(0))
        assert recorder.flush()
        other = tmp_path / "other"
        match kind:
            case "file":
                other.write_text("theirs")
            case "link":
                other.symlink_to(victim)
            case "folder":
                other.mkdir()
            case _:
                os.mkfifo(other)
        path.unlink()
        other.rename(path)
        before = path.lstat()
        await eventually(lambda: recorder.trouble)
        recorder.add(note(1))
        assert not recorder.flush(0.1)
        assert told.states == [SourceState.DEGRADED]
        assert "is there already" in told.statuses[0].message
        assert path.lstat() == before
        assert victim.read_text() == "theirs"
        if kind == "folder":
            path.rmdir()
        else:
            assert kind != "file" or path.read_text() == "theirs"
            path.unlink()
        assert recorder.flush()
        await eventually(lambda: not recorder.trouble)
        assert told.states[0] == SourceState.DEGRADED
        assert set(told.states[1:]) == {SourceState.LIVE}
    assert samples_of(path) == [note(0), note(1)]


def test_another_recording_in_its_place_keeps_its_log(tmp_path: Path) -> None:
    """Closing must not remove, by its name, the log of somebody else."""
    path = tmp_path / "x.flashpoint"
    with recording_to(path, Told()) as recorder:
        recorder.add(note(0))
        assert recorder.flush()
        for each in list(tmp_path.glob("x.flashpoint*")):
            each.unlink()
        path.write_bytes(b"theirs")
        Path(f"{path}-wal").write_bytes(b"their log")
    assert path.read_bytes() == b"theirs"
    assert Path(f"{path}-wal").read_bytes() == b"their log"


async def test_a_log_that_is_removed_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.flashpoint"
    log = Path(f"{path}-wal")
    told = Told()
    with recording_to(path, told) as recorder:
        recorder.add(note(0))
        assert recorder.flush()
        os.unlink(log)
        await eventually(log.exists)
        recorder.add(note(1))
        assert recorder.flush()
        # As if the writer died now: what is there is all there is.
        copy = tmp_path / "copy.flashpoint"
        shutil.copyfile(path, copy)
        shutil.copyfile(log, f"{copy}-wal")
        assert samples_of(copy) == [note(0), note(1)]
    assert samples_of(path) == [note(0), note(1)]
    assert told.samples == []


@pytest.mark.parametrize("failing", range(1, 14))
async def test_a_new_file_that_fails_half_way_is_tried_again(failing: int, tmp_path: Path) -> None:
    """What was made of it does not stand in the way of the next try."""
    path = tmp_path / "x.flashpoint"
    disk, told = Disk(), Told()
    with recording_to(path, told, disk) as recorder:
        recorder.add(note(0))
        assert recorder.flush()
        disk.failing = frozenset({disk.executed + failing})
        path.unlink()
        await eventually(lambda: [each for each in told.statuses if "there again" in each.message])
        recorder.add(note(1))
        assert recorder.flush()
    assert samples_of(path) == [note(0), note(1)]
    assert len(told.statuses) <= 3


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 8 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=0700", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this user may not mount anything")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(ballast: Path) -> None:
    """Leave no room on a disk."""
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass


@pytest.mark.parametrize("leaves_room", [True, False], ids=["with a reserve", "to the last byte"])
async def test_a_disk_that_is_full_is_told_and_goes_on_when_there_is_room(
    small_disk: Path, leaves_room: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real one; with our own reserve, and without it, as when somebody else fills it."""
    if not leaves_room:
        monkeypatch.setattr(recorder_module, "has_room", lambda _: True)
    path, ballast = small_disk / "x.flashpoint", small_disk / "ballast"
    told = Told()
    sent = [noise(serial) for serial in range(100)]
    with recording_to(path, told) as recorder:
        for sample in sent[:20]:
            recorder.add(sample)
            assert recorder.flush()
        fill(ballast)
        added = 20
        while not recorder.trouble:
            assert added < len(sent) - 1
            recorder.add(sent[added])
            recorder.flush(0.05)
            added += 1
        await eventually(lambda: told.statuses)
        recorder.add(sent[added])
        assert not recorder.flush(0.1)
        assert told.states == [SourceState.DEGRADED]
        assert "full" in told.statuses[0].message
        ballast.unlink()
        assert recorder.flush(), recorder.trouble
        for sample in sent[added + 1 :]:
            recorder.add(sample)
            assert recorder.flush()
        assert told.states == [SourceState.DEGRADED, SourceState.LIVE]
    assert samples_of(path) == sent


def test_a_folder_that_can_not_be_written_to_is_refused_at_the_start(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    for act in (
        lambda: make_folder(small_disk / "a" / "b"),
        lambda: Recorder(small_disk / "x.flashpoint", HEADER, lambda: 0.0, lambda _: None),
    ):
        with pytest.raises(SourceError) as refused:
            act()
        assert "Read-only file system" in refused.value.message
        assert "\n" not in str(refused.value)


def test_a_file_that_may_not_grow_is_told_and_goes_on_when_it_may(tmp_path: Path) -> None:
    """Like a quota: RLIMIT_FSIZE of a process that records."""
    path = tmp_path / "x.flashpoint"
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.limited_child", str(path)],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert [state for state, _ in told["statuses"]] == ["degraded", "live"]
    assert told["dropped"] == {}
    assert samples_of(path) == [noise(serial) for serial in range(told["sent"])]


def test_threads_end_with_their_recorders() -> None:
    assert [each for each in threading.enumerate() if each.name == "recorder"] == []
