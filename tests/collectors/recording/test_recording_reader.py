"""A recording is read while it is made, after it was closed and after its writer was cut off."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from collectors.recording import reader as reader_module
from collectors.recording.about import Card, Ending
from collectors.recording.codec import Arrival
from collectors.recording.reader import Recording
from collectors.recording.recorder import Recorder
from collectors.source import SourceError
from tests.faults.made_up_recordings import (
    HEADER,
    closed,
    cut_off,
    note,
    record,
    samples_of,
    serial_of,
    some_samples,
)


def test_a_closed_recording_is_one_file_with_everything(tmp_path: Path) -> None:
    card = Card("s.js", "server", 6.0, 18, 3.0, 0.4, "passed", True)
    path = closed(tmp_path / "x.flashpoint", some_samples(), card)
    assert os.listdir(tmp_path) == ["x.flashpoint"]
    with closing(Recording(path)) as recording:
        assert recording.name == "x.flashpoint"
        assert recording.header == HEADER
        assert recording.card == card
        assert recording.ending == Ending(6.0, "closed")
        assert not recording.is_live
        assert not recording.is_unclean
        arrivals = [each for chunk in recording.chunks() for each in chunk.arrivals]
        assert [each.sample for each in arrivals[:-1]] == some_samples()
        assert [each.at for each in arrivals[:-1]] == [
            0.25 * number for number in range(1, len(arrivals))
        ]
        assert recording.rejected() == {}
    assert os.listdir(tmp_path) == ["x.flashpoint"]


def test_a_recording_is_read_from_the_chunk_after_a_number(tmp_path: Path) -> None:
    path = closed(tmp_path / "x.flashpoint", [note(serial) for serial in range(5)])
    with closing(Recording(path)) as recording:
        numbers = [chunk.number for chunk in recording.chunks()]
        assert len(numbers) == 5
        later = list(recording.chunks(numbers[2]))
        assert [chunk.number for chunk in later] == numbers[3:]
        assert later[0].arrivals == (Arrival(1.0, note(3)),)
        assert list(recording.chunks(numbers[-1])) == []


@pytest.mark.parametrize("in_memory", [True, False], ids=["in memory", "where it is"])
def test_a_recording_that_was_cut_off_has_what_was_committed(
    in_memory: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also a large one, which SQLite reads where it is."""
    path = cut_off(tmp_path / "x.flashpoint")
    if not in_memory:
        monkeypatch.setattr(reader_module, "IN_MEMORY_BYTES", 0)
    assert samples_of(path) == some_samples()
    with closing(Recording(path)) as recording:
        assert recording.is_unclean
        assert not recording.is_live
        assert recording.ending is None


def test_a_recording_in_a_log_alone_is_read_whole(tmp_path: Path) -> None:
    """Nothing has come from the log into the file yet, but what tells what it is."""
    path = cut_off(tmp_path / "x.flashpoint")
    Path(f"{path}-shm").unlink()
    assert samples_of(path) == some_samples()
    Path(f"{path}-wal").unlink()
    with pytest.raises(SourceError, match="does not say what it is of"):
        Recording(path)


def test_what_follows_a_recording_sees_it_closed(tmp_path: Path) -> None:
    """Every sample comes once, and then the end."""
    path = tmp_path / "x.flashpoint"
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tests.faults.made_up_recordings import note, record\n"
        "recorder = record(Path(sys.argv[1]), [note(0)])\n"
        "for line in sys.stdin:\n"
        "    recorder.add(note(int(line)))\n"
        "    assert recorder.flush()\n"
        "    print(line.strip(), flush=True)\n"
        "recorder.close()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None

        def write(serial: int) -> None:
            assert writer.stdin is not None
            assert writer.stdout is not None
            writer.stdin.write(f"{serial}\n")
            writer.stdin.flush()
            assert writer.stdout.readline() == f"{serial}\n"

        write(1)
        with closing(Recording(path)) as recording:
            assert recording.is_live
            assert not recording.is_unclean
            seen, last = [], 0
            for serial in range(2, 8):
                write(serial)
                for chunk in recording.chunks(last):
                    last = chunk.number
                    seen += [serial_of(each.sample) for each in chunk.arrivals]
                assert seen == list(range(serial + 1))
            write(8)
            writer.stdin.close()
            assert writer.wait(10) == 0
            assert not recording.is_live
            assert not recording.is_unclean
            assert recording.ending is not None
            assert [
                serial_of(each.sample) for c in recording.chunks(last) for each in c.arrivals
            ] == [8]
            assert recording.rejected() == {}
    assert samples_of(path) == [note(serial) for serial in range(9)]


def test_what_is_told_last_of_a_recording_is_what_lists_say(tmp_path: Path) -> None:
    path = tmp_path / "x.flashpoint"
    recorder = record(path, [note(1)])
    for requests in range(5):
        recorder.describe(Card(requests=requests))
    recorder.close()
    with closing(Recording(path)) as recording:
        assert recording.card == Card(requests=4)


def test_nothing_is_taken_after_the_end(tmp_path: Path) -> None:
    path = tmp_path / "x.flashpoint"
    recorder = record(path, [note(1)])
    recorder.close()
    recorder.add(note(2))
    assert recorder.flush()
    recorder.close()
    assert samples_of(path) == [note(1)]


def test_an_empty_recording_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.flashpoint"
    Recorder(path, HEADER, lambda: 0.0, lambda _: None).close()
    assert samples_of(path) == []


def test_what_is_missing_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="No such file or directory") as refused:
        Recording(tmp_path / "a\nb.flashpoint")
    assert "\n" not in str(refused.value)
