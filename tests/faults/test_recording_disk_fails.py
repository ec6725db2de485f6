"""Whatever a disk answers, the session goes on, and what it took is in the recording once."""

from __future__ import annotations

from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import pytest

from collectors.recording import recorder as recorder_module
from collectors.recording.codec import MAX_SAMPLE_BYTES, Arrival, Encoder
from collectors.recording.reader import Recording
from collectors.samples import Drop, LogLine, Mark, SourceState
from collectors.source import SourceError
from tests.faults.made_up_recordings import note, samples_of
from tests.faults.troubled_disk import Disk, Told, quick, recording_to
from tests.waiting import eventually

__all__ = ["quick"]

FAILING: Final = 200

pytestmark = [pytest.mark.usefixtures("quick"), pytest.mark.timeout(60)]


@pytest.mark.parametrize("message", ["disk I/O error", "database or disk is full"])
def test_one_write_that_fails_costs_nothing(message: str, tmp_path: Path) -> None:
    """Whichever of them it is: of those that open the file, that write, or that close it."""
    refused: list[str] = []
    for number in range(1, FAILING + 1):
        path = tmp_path / f"{number}.flashpoint"
        disk, told = Disk(), Told()
        disk.failing, disk.message = frozenset({number}), message
        sent = [note(serial) for serial in range(number // 3 + 2)]
        try:
            with recording_to(path, told, disk) as recorder:
                for sample in sent:
                    recorder.add(sample)
                    assert recorder.flush()
        except SourceError as error:
            refused.append(error.message)
            assert list(tmp_path.glob(f"{path.name}*")) == [], "something is left of it"
            continue
        assert disk.executed >= number
        assert samples_of(path) == sent
        assert told.states in ([SourceState.DEGRADED, SourceState.LIVE], [SourceState.DEGRADED], [])
        assert told.dropped == {}
        path.unlink()
    assert 0 < len(refused) < 15, "only what opens the file can keep a session from starting"
    assert all(message in each for each in refused)


@pytest.mark.parametrize("run_length", [2, 3, 5, 8])
def test_writes_that_fail_in_a_row_cost_nothing(run_length: int, tmp_path: Path) -> None:
    """Also where the transaction can't even be rolled back."""
    for first in range(6, 18):
        path = tmp_path / f"{first}.flashpoint"
        disk, told = Disk(), Told()
        with recording_to(path, told, disk) as recorder:
            disk.failing = frozenset(
                range(disk.executed + first - 5, disk.executed + first - 5 + run_length)
            )
            sent = [note(serial) for serial in range(8)]
            for sample in sent:
                recorder.add(sample)
                assert recorder.flush()
        assert samples_of(path) == sent


async def test_a_disk_that_fails_for_long_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "x.flashpoint"
    disk, told = Disk(), Told()
    with recording_to(path, told, disk) as recorder:
        recorder.add(note(0))
        assert recorder.flush()
        disk.is_broken, disk.message = True, "database or disk is full"
        before = disk.executed
        recorder.add(note(1))
        await eventually(lambda: disk.executed > before + 20)
        assert recorder.trouble == "database or disk is full"
        assert not recorder.flush(0.02)
        assert told.states == [SourceState.DEGRADED]
        assert "database or disk is full" in told.statuses[0].message
        assert "\n" not in told.statuses[0].message
        recorder.add(note(2))
        disk.is_broken = False
        assert recorder.flush()
        await eventually(lambda: recorder.trouble == "")
        assert told.states == [SourceState.DEGRADED, SourceState.LIVE]
        recorder.add(note(3))
    assert samples_of(path) == [note(serial) for serial in range(4)]
    assert told.dropped == {}


async def test_reasons_that_take_turns_are_told_once_each(tmp_path: Path) -> None:
    disk, told = Disk(), Told()
    with recording_to(tmp_path / "x.flashpoint", told, disk) as recorder:
        disk.is_broken = True
        recorder.add(note(0))
        for turn in range(10):
            disk.message = f"reason {turn % 2}"
            disk.executed = 0
            await eventually(lambda: disk.executed > 4)
        assert [each.message for each in told.statuses] == [
            "can't write the recording: reason 0",
            "can't write the recording: reason 1",
        ]
        disk.is_broken = False
        assert recorder.flush()
        await eventually(lambda: told.states[-1] == SourceState.LIVE)
        disk.is_broken = True
        recorder.add(note(1))
        await eventually(lambda: len(told.states) == 4)
        disk.is_broken = False


def test_what_does_not_fit_while_a_disk_fails_is_counted_exactly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.flashpoint"
    sent = [note(serial, "x" * 100) for serial in range(1000, 2000)]
    length = len(Encoder().encode(Arrival(0.5, sent[0])))
    monkeypatch.setattr(recorder_module, "QUEUE_BYTES", 300 * length + length // 2)
    disk, told = Disk(), Told()
    with recording_to(path, told, disk) as recorder:
        recorder.add(note(1))
        assert recorder.flush()
        disk.is_broken = True
        for sample in sent:
            recorder.add(sample)
        disk.is_broken = False
        assert recorder.flush()
        recorder.add(note(2))
    assert samples_of(path) == [note(1), *sent[:300], note(2)]
    assert told.dropped == {"recording_queue_full": 700}


def test_what_was_dropped_is_told_even_if_the_disk_never_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "QUEUE_BYTES", 1000)
    path = tmp_path / "x.flashpoint"
    disk, told = Disk(), Told()
    with recording_to(path, told, disk) as recorder:
        disk.is_broken = True
        for serial in range(100):
            recorder.add(note(serial, "x" * 500))
    assert told.dropped == {"recording_queue_full": 99}
    assert samples_of(path) == []
    with closing(Recording(path)) as recording:
        assert recording.is_unclean


def test_a_recording_that_lost_its_last_samples_says_why_it_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk takes the last word, but there was no room for what came before it."""
    monkeypatch.setattr(recorder_module, "CHECK_S", 0.0)
    path = tmp_path / "x.flashpoint"
    with recording_to(path, Told()) as recorder:
        recorder.add(note(0))
        assert recorder.flush()
        monkeypatch.setattr(recorder_module, "has_room", lambda _: False)
        recorder.add(note(1))
    assert samples_of(path) == [note(0)]
    with closing(Recording(path)) as recording:
        assert recording.ending is not None
        assert recording.ending.reason == "the disk is nearly full"


async def test_a_disk_that_is_nearly_full_is_left_alone_until_it_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.flashpoint"
    looks = [0]
    told = Told()

    def no_room(_: Path) -> bool:
        looks[0] += 1
        return False

    with recording_to(path, told) as recorder, monkeypatch.context() as patched:
        recorder.add(note(0))
        assert recorder.flush()
        patched.setattr(recorder_module, "has_room", no_room)
        await eventually(lambda: looks[0])
        recorder.add(note(1))
        before = looks[0]
        await eventually(lambda: looks[0] > before + 20)
        assert not recorder.flush(0.02)
        assert told.states == [SourceState.DEGRADED]
        patched.undo()
        assert recorder.flush()
    assert told.states == [SourceState.DEGRADED, SourceState.LIVE]
    assert samples_of(path) == [note(0), note(1)]


def test_a_sample_that_can_not_be_packed_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "x.flashpoint"
    told = Told()
    with recording_to(path, told) as recorder:
        recorder.add(Drop(1.0, "huge", 1 << 70))
        recorder.add(Mark(1.0, note(0).kind, "\ud800"))
        recorder.add(LogLine(1.0, "k6", "", "x" * MAX_SAMPLE_BYTES))
        recorder.add(note(3))
    assert samples_of(path) == [note(3)]
    assert told.dropped == {"recording_sample_unpackable": 2, "recording_sample_too_large": 1}


def test_a_long_outage_is_written_in_chunks_that_can_be_read(tmp_path: Path) -> None:
    """50 MB and 60 000 samples that waited: each chunk is within what a reader takes."""
    path = tmp_path / "x.flashpoint"
    disk, told = Disk(), Told()
    with recording_to(path, told, disk) as recorder:
        disk.is_broken = True
        large = "x" * 1_000_000
        for serial in range(50):
            recorder.add(note(serial, large))
        for serial in range(50, 60_050):
            recorder.add(note(serial))
        disk.is_broken = False
        assert recorder.flush(20)
    with closing(Recording(path)) as recording:
        chunks = list(recording.chunks())
        assert recording.rejected() == {}
    texts = [each.sample.text for chunk in chunks for each in chunk.arrivals]  # type: ignore[union-attr]
    assert [int(text.partition("|")[0]) for text in texts] == list(range(60_050))
    assert len(chunks) > 12


def test_a_recording_ends_where_it_may_not_grow_further(tmp_path: Path) -> None:
    """Everything that came before is there, and it is said once."""
    path = tmp_path / "x.flashpoint"
    told = Told()
    added = 0
    with recording_to(path, told, max_bytes=1 << 20) as recorder:
        while not told.statuses:
            recorder.add(note(added, f"{added}".join("abcdefghijklmnopqrstuvwxyz") * 20))
            added += 1
            if added % 10 == 0:
                assert recorder.flush()
            assert added < 100_000
        recorder.add(note(-1))
        assert recorder.flush()
    assert told.states == [SourceState.DEGRADED]
    assert "as large as it may be, 1 MB" in told.statuses[0].message
    found = samples_of(path)
    assert len(found) in (added, added - 1)
    with closing(Recording(path)) as recording:
        assert recording.ending is not None
        assert recording.ending.reason == "full"


def test_nothing_comes_out_of_a_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even what nobody thought of: it is told like any other trouble."""
    told = Told()
    with recording_to(tmp_path / "x.flashpoint", told) as recorder, monkeypatch.context() as patch:
        patch.setattr(recorder_module, "pack", lambda _: 1 / 0)
        recorder.add(note(0))
        assert not recorder.flush(0.05)
        assert told.states == [SourceState.DEGRADED]
        patch.undo()
        with suppress(AssertionError):
            assert recorder.flush()
    assert samples_of(tmp_path / "x.flashpoint") == [note(0)]
